#include "import/command.h"

#include <cstdio>
#include <vector>

namespace fw::import {

namespace {

// A converter is run once; more lines than this scroll the first ones away.
constexpr size_t kShownLines = 50;

void print(const char* kind, const std::vector<std::string>& lines) {
    for (size_t i = 0; i < lines.size() && i < kShownLines; ++i) {
        std::fprintf(stderr, "%s: %s\n", kind, lines[i].c_str());
    }
    if (lines.size() > kShownLines) {
        std::fprintf(stderr, "%s: and %zu more\n", kind, lines.size() - kShownLines);
    }
}

}  // namespace

void CommandOptions::add_to(CLI::App* app) {
    app->add_option("--mean", convert.preprocess.mean,
                    "Subtracted from the pixels: one number, or one a channel as B,G,R");
    app->add_option("--norm", convert.preprocess.norm, "Factor after that: one number, or one a channel");
    app->add_option("--size", convert.preprocess.size, "Size of the input, as WIDTHxHEIGHT");
    app->add_option("--pixel", convert.preprocess.pixel, "Order of the input's channels: BGR (default), RGB or GRAY");
    app->add_flag("--fp16", fp16, "Store weights as float16");
    app->add_flag_callback(
        "--no-optimize", [this] { convert.optimize = false; }, "Keep every layer as it is: no folding, no fusion");
}

Status CommandOptions::check() const {
    return tools::apply_preprocess_options(convert.preprocess, Preprocess()).status();
}

Status show_report(const tools::Tool& tool, const Report& report, const Status& status) {
    if (!tool.quiet()) {
        print("warning", report.warnings());
        print("note", report.notes());
    }
    std::vector<std::string> errors = report.errors();
    if (status.ok() || errors.empty()) {
        return status;
    }
    const std::string last = errors.back();
    errors.pop_back();
    print("error", errors);
    return Status::error(status.code(), "%s", last.c_str());
}

Status save_converted(const tools::Tool& tool, const NetDef& net, const std::string& param, const std::string& bin,
                      bool fp16, Span<const OutputFile> beside) {
    const auto format = fp16 ? WeightFormat::kFloat16 : WeightFormat::kAsStored;
    FW_RETURN_IF_ERROR(save_net_def(net, param.c_str(), bin.c_str(), format, beside));
    size_t bytes = 0;
    for (const LayerDef& layer : net.layers) {
        for (const Weight& weight : layer.weights) {
            bytes += weight.bytes();
        }
    }
    tool.say("%s: %zu layers, %.2f MB of weights as float32%s\n", param.c_str(), net.layers.size(),
             static_cast<double>(bytes) / 1e6, fp16 ? ", stored as float16" : "");
    return {};
}

}  // namespace fw::import
