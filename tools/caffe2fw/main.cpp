// caffe2fw DEPLOY.prototxt NET.caffemodel OUT.param OUT.bin
#include "caffe2fw/convert.h"
#include "common/cli.h"
#include "common/file.h"
#include "import/command.h"
#include "model/model_io.h"

namespace {

using fw::Result;
using fw::Status;

struct Paths {
    std::string prototxt, caffemodel, param, bin;
};

Status run(fw::tools::Tool* tool, const Paths& paths, const fw::import::CommandOptions& options) {
    FW_RETURN_IF_ERROR(tool->usage_error(options.check()));
    FW_RETURN_IF_ERROR(
        tool->usage_error(fw::tools::check_distinct({paths.param, paths.bin}, {paths.prototxt, paths.caffemodel})));
    FW_ASSIGN_OR_RETURN(const fw::FileData prototxt, fw::map_file(paths.prototxt.c_str()));
    FW_ASSIGN_OR_RETURN(const fw::FileData caffemodel, fw::map_file(paths.caffemodel.c_str()));
    const fw::Span<const char> text(reinterpret_cast<const char*>(prototxt.bytes.data()), prototxt.bytes.size());
    fw::import::Report report;
    const Result<fw::NetDef> net =
        fw::caffe::convert({text, paths.prototxt}, {caffemodel.bytes, paths.caffemodel}, options.convert, &report);
    FW_RETURN_IF_ERROR(fw::import::show_report(*tool, report, net.status()));
    return fw::import::save_converted(*tool, *net, paths.param, paths.bin, options.fp16);
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool(
        "caffe2fw", "Converts a Caffe network (prototxt and caffemodel) to .param and .bin.",
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --mean 104,117,123 --size 227x227\n"
        "  caffe2fw deploy.prototxt net.caffemodel net.param net.bin --pixel RGB --mean 127.5 --norm 0.0078431");
    Paths paths;
    fw::import::CommandOptions options;
    tool.app().add_option("DEPLOY.prototxt", paths.prototxt, "The network's layers")->required();
    tool.app().add_option("NET.caffemodel", paths.caffemodel, "Its weights")->required();
    tool.app().add_option("OUT.param", paths.param, "Written: layers")->required();
    tool.app().add_option("OUT.bin", paths.bin, "Written: weights")->required();
    options.add_to(&tool.app());
    return tool.run(argc, argv, [&] { return run(&tool, paths, options); });
}
