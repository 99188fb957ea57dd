// caffe2fw DEPLOY.prototxt NET.caffemodel OUT.param OUT.bin
#include <cstdio>

#include "caffe2fw/convert.h"
#include "common/cli.h"
#include "common/file.h"
#include "model/model_io.h"

namespace {

using fw::Code;
using fw::Result;
using fw::Status;

// A converter is run once; more lines than this scroll the first ones away.
constexpr size_t kShownLines = 50;

struct Paths {
    std::string prototxt, caffemodel, param, bin;
};

void print(const char* kind, const std::vector<std::string>& lines) {
    for (size_t i = 0; i < lines.size() && i < kShownLines; ++i) {
        std::fprintf(stderr, "%s: %s\n", kind, lines[i].c_str());
    }
    if (lines.size() > kShownLines) {
        std::fprintf(stderr, "%s: and %zu more\n", kind, lines.size() - kShownLines);
    }
}

Status run(fw::tools::Tool* tool, const Paths& paths, const fw::caffe::ConvertOptions& options, bool fp16) {
    fw::Preprocess checked;
    const Result<fw::Preprocess> preprocess = fw::tools::apply_preprocess_options(options.preprocess, checked);
    if (!preprocess.ok()) {
        return tool->usage_error(preprocess.status());
    }
    FW_RETURN_IF_ERROR(
        tool->usage_error(fw::tools::check_distinct({paths.param, paths.bin}, {paths.prototxt, paths.caffemodel})));
    FW_ASSIGN_OR_RETURN(const fw::FileData prototxt, fw::map_file(paths.prototxt.c_str()));
    FW_ASSIGN_OR_RETURN(const fw::FileData caffemodel, fw::map_file(paths.caffemodel.c_str()));
    const fw::Span<const char> text(reinterpret_cast<const char*>(prototxt.bytes.data()), prototxt.bytes.size());
    fw::import::Report report;
    Result<fw::NetDef> net =
        fw::caffe::convert({text, paths.prototxt}, {caffemodel.bytes, paths.caffemodel}, options, &report);
    if (!tool->quiet()) {
        print("warning", report.warnings());
        print("note", report.notes());
    }
    if (!net.ok()) {
        // All but the last through print; the last as the Status that ends the program.
        std::vector<std::string> errors = report.errors();
        if (errors.empty()) {
            return net.status();
        }
        const std::string last = errors.back();
        errors.pop_back();
        print("error", errors);
        return Status::error(net.status().code(), "%s", last.c_str());
    }
    const auto format = fp16 ? fw::WeightFormat::kFloat16 : fw::WeightFormat::kAsStored;
    FW_RETURN_IF_ERROR(fw::save_net_def(*net, paths.param.c_str(), paths.bin.c_str(), format));
    size_t bytes = 0;
    for (const fw::LayerDef& layer : net->layers) {
        for (const fw::Weight& weight : layer.weights) {
            bytes += weight.bytes();
        }
    }
    tool->say("%s: %zu layers, %.2f MB of weights as float32%s\n", paths.param.c_str(), net->layers.size(),
              static_cast<double>(bytes) / 1e6, fp16 ? ", stored as float16" : "");
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool(
        "caffe2fw", "Converts a Caffe network (prototxt and caffemodel) to .param and .bin.",
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --mean 104,117,123 --size 227x227\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --pixel RGB --mean 127.5 --norm 0.0078431");
    Paths paths;
    fw::caffe::ConvertOptions options;
    bool fp16 = false;
    bool no_optimize = false;
    tool.app().add_option("DEPLOY.prototxt", paths.prototxt, "The network's layers")->required();
    tool.app().add_option("NET.caffemodel", paths.caffemodel, "Its weights")->required();
    tool.app().add_option("OUT.param", paths.param, "Written: layers")->required();
    tool.app().add_option("OUT.bin", paths.bin, "Written: weights")->required();
    tool.app().add_option("--mean", options.preprocess.mean,
                          "Subtracted from the pixels: one number, or one a channel as B,G,R");
    tool.app().add_option("--norm", options.preprocess.norm, "Factor after that: one number, or one a channel");
    tool.app().add_option("--size", options.preprocess.size, "Size of the input, as WIDTHxHEIGHT");
    tool.app().add_option("--pixel", options.preprocess.pixel,
                          "Order of the input's channels: BGR (default), RGB or GRAY");
    tool.app().add_flag("--fp16", fp16, "Store weights as float16");
    tool.app().add_flag("--no-optimize", no_optimize, "Keep every layer as it is: no folding, no fusion");
    return tool.run(argc, argv, [&] {
        options.optimize = !no_optimize;
        return run(&tool, paths, options, fp16);
    });
}
