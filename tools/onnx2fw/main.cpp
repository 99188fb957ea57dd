// onnx2fw NET.onnx OUT.param OUT.bin
#include <utility>

#include "common/cli.h"
#include "common/file.h"
#include "import/command.h"
#include "model/model_io.h"
#include "onnx2fw/convert.h"

namespace {

using fw::Result;
using fw::Status;

struct Paths {
    std::string onnx, param, bin;
    std::vector<std::string> shapes;
};

// NET.param -> NET.table
std::string table_path(const std::string& param) {
    const size_t dot = param.rfind('.');
    const size_t slash = param.rfind('/');
    const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    return (has_suffix ? param.substr(0, dot) : param) + ".table";
}

Status run(fw::tools::Tool* tool, const Paths& paths, const fw::import::CommandOptions& command) {
    FW_RETURN_IF_ERROR(tool->usage_error(command.check()));
    fw::onnx::OnnxOptions options;
    options.common = command.convert;
    for (const std::string& text : paths.shapes) {
        FW_RETURN_IF_ERROR(tool->usage_error(fw::onnx::parse_input_shape(text, &options.input_shapes)));
    }
    const std::string table = table_path(paths.param);
    FW_RETURN_IF_ERROR(tool->usage_error(fw::tools::check_distinct({paths.param, paths.bin, table}, {paths.onnx})));
    const size_t slash = paths.onnx.rfind('/');
    options.folder = slash == std::string::npos ? "." : slash == 0 ? "/" : paths.onnx.substr(0, slash);
    FW_ASSIGN_OR_RETURN(const fw::FileData model, fw::map_file(paths.onnx.c_str()));
    fw::import::Report report;
    const Result<fw::onnx::Converted> out = fw::onnx::convert({model.bytes, paths.onnx}, options, &report);
    FW_RETURN_IF_ERROR(fw::import::show_report(*tool, report, out.status()));
    std::vector<fw::OutputFile> beside;
    const std::string scales = out->table.to_text();
    if (!out->table.empty()) {
        beside.push_back({table, fw::tools::bytes_of(scales)});
    }
    FW_RETURN_IF_ERROR(fw::import::save_converted(*tool, out->net, paths.param, paths.bin, command.fp16, beside));
    if (!beside.empty()) {
        tool->say("%s: scales of %zu blobs and of the weights of %zu layers\n", table.c_str(), out->table.blobs.size(),
                  out->table.layers.size());
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool("onnx2fw",
                         "Converts an ONNX network to .param and .bin, and to .table where it has int8 scales.",
                         "  onnx2fw net.onnx net.param net.bin\n"
                         "  onnx2fw net.onnx net.param net.bin --mean 127.5 --norm 0.0078431 --pixel RGB\n"
                         "  onnx2fw net.onnx net.param net.bin --input-shape 3,224,224");
    Paths paths;
    fw::import::CommandOptions options;
    tool.app().add_option("NET.onnx", paths.onnx, "The network")->required();
    tool.app().add_option("OUT.param", paths.param, "Written: layers")->required();
    tool.app().add_option("OUT.bin", paths.bin, "Written: weights")->required();
    tool.app().add_option(
        "--input-shape", paths.shapes,
        "Extents of an input that the file leaves open: [NAME:]C,H,W or [NAME:]1,C,H,W; once an input");
    options.add_to(&tool.app());
    return tool.run(argc, argv, [&] { return run(&tool, paths, options); });
}
