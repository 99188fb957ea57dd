// caffe2fw DEPLOY.prototxt NET.caffemodel OUT.param OUT.bin
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "caffe2fw/convert.h"
#include "common/cli.h"
#include "common/file.h"
#include "import/command.h"
#include "model/model_io.h"

namespace {

using fw::Result;
using fw::Status;

struct Arguments {
    std::vector<std::string> files;
    std::optional<uint64_t> seed;
    std::vector<std::string> stages;
    fw::import::CommandOptions options;
};

// A mean that is a file is replaced by what it says of each channel.
Status read_mean_file(fw::tools::Tool* tool, std::string* mean) {
    static const std::string kEnding = ".binaryproto";
    if (mean->size() <= kEnding.size() || mean->compare(mean->size() - kEnding.size(), kEnding.size(), kEnding) != 0) {
        return {};
    }
    const std::string path = *mean;
    FW_ASSIGN_OR_RETURN(const fw::FileData file, fw::map_file(path.c_str()));
    FW_ASSIGN_OR_RETURN(const std::vector<float> means, fw::caffe::channel_means({file.bytes, path}));
    mean->clear();
    for (const float value : means) {
        char text[32];
        std::snprintf(text, sizeof text, "%s%.9g", mean->empty() ? "" : ",", static_cast<double>(value));
        *mean += text;
    }
    tool->say("%s: the mean of each channel is %s\n", path.c_str(), mean->c_str());
    return {};
}

Status run(fw::tools::Tool* tool, Arguments* given) {
    const bool random = given->seed.has_value();
    if (given->files.size() != (random ? 3U : 4U)) {
        return tool->usage_error(Status::error(fw::Code::kInvalidArgument, "%zu files, expected %s",
                                               given->files.size(),
                                               random ? "DEPLOY.prototxt OUT.param OUT.bin with --random-weights"
                                                      : "DEPLOY.prototxt NET.caffemodel OUT.param OUT.bin"));
    }
    const std::string& prototxt_path = given->files[0];
    const std::string caffemodel_path = random ? "" : given->files[1];
    const std::string& param = given->files[given->files.size() - 2];
    const std::string& bin = given->files.back();
    const std::vector<std::string> inputs(given->files.begin(), given->files.end() - 2);
    FW_RETURN_IF_ERROR(tool->usage_error(fw::tools::check_distinct({param, bin}, inputs)));
    FW_RETURN_IF_ERROR(read_mean_file(tool, &given->options.convert.preprocess.mean));
    FW_RETURN_IF_ERROR(tool->usage_error(given->options.check()));
    FW_ASSIGN_OR_RETURN(const fw::FileData prototxt, fw::map_file(prototxt_path.c_str()));
    fw::FileData caffemodel;
    if (!random) {
        FW_ASSIGN_OR_RETURN(caffemodel, fw::map_file(caffemodel_path.c_str()));
    }
    const fw::Span<const char> text(reinterpret_cast<const char*>(prototxt.bytes.data()), prototxt.bytes.size());
    fw::import::Report report;
    const Result<fw::NetDef> net = fw::caffe::convert({text, prototxt_path}, {caffemodel.bytes, caffemodel_path},
                                                      given->options.convert, &report, given->seed, given->stages);
    FW_RETURN_IF_ERROR(fw::import::show_report(*tool, report, net.status()));
    return fw::import::save_converted(*tool, *net, param, bin, given->options.fp16);
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool(
        "caffe2fw", "Converts a Caffe network (prototxt and caffemodel) to .param and .bin.",
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --mean 104,117,123 --size 227x227\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --pixel RGB --mean 127.5 --norm 0.0078431\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --mean mean.binaryproto\n"
        "  caffe2fw deploy.prototxt net.param net.bin --random-weights 1      for benchmarks");
    Arguments given;
    tool.app()
        .add_option("FILES", given.files, "DEPLOY.prototxt NET.caffemodel OUT.param OUT.bin: the last two are written")
        ->required();
    tool.app().add_option("--random-weights", given.seed,
                          "Make the weights up from this number, for benchmarks: NET.caffemodel is left out");
    tool.app()
        .add_option("--stage", given.stages, "Convert the layers of this stage, by their include and exclude rules too")
        ->allow_extra_args(false);
    given.options.add_to(&tool.app());
    return tool.run(argc, argv, [&] { return run(&tool, &given); });
}
