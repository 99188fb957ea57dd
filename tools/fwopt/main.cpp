// fwopt IN.param IN.bin OUT.param OUT.bin
#include <algorithm>
#include <cstdio>

#include "common/cli.h"
#include "common/file.h"
#include "fwopt/describe.h"
#include "fwopt/optimize.h"
#include "graph/table_check.h"
#include "model/model_io.h"

namespace {

using fw::Status;

struct Arguments {
    std::string in_param, in_bin, out_param, out_bin, table;
    std::vector<std::string> shapes;
    bool fp16 = false, force = false, print = false;
};

Status check(const Arguments& given) {
    if (given.out_bin.empty() != given.out_param.empty() || (given.out_param.empty() && !given.print)) {
        return Status::error(fw::Code::kInvalidArgument,
                             "OUT.param and OUT.bin are needed; only with --print both can be left out");
    }
    if (given.out_param.empty()) {
        return {};
    }
    std::vector<std::string> inputs = {given.in_param, given.in_bin};
    if (!given.table.empty()) {
        inputs.push_back(given.table);
    }
    return fw::tools::check_distinct({given.out_param, given.out_bin}, inputs);
}

fw::Result<fw::ScaleTable> load_table(const Arguments& given, const fw::NetDef& net) {
    if (given.table.empty()) {
        return fw::ScaleTable();
    }
    FW_ASSIGN_OR_RETURN(fw::ScaleTable table, fw::ScaleTable::load(given.table.c_str()));
    FW_RETURN_IF_ERROR(fw::check_table(net, table));
    if (!given.force) {
        FW_RETURN_IF_ERROR(fw::check_table_model(net, table));
    }
    return table;
}

Status run(fw::tools::Tool* tool, const Arguments& given) {
    FW_RETURN_IF_ERROR(tool->usage_error(check(given)));
    FW_ASSIGN_OR_RETURN(fw::NetDef def, fw::load_net_def(given.in_param.c_str(), given.in_bin.c_str()));
    FW_ASSIGN_OR_RETURN(const fw::ScaleTable table, load_table(given, def));
    for (const std::string& shape : given.shapes) {
        FW_RETURN_IF_ERROR(tool->usage_error(fw::opt::set_input_shape(shape, &def)));
    }
    const size_t layers_before = def.layers.size();
    FW_ASSIGN_OR_RETURN(const fw::opt::BakeResult baked, fw::opt::optimize(table, &def));

    // What will be written is loaded first: a file that nobody can run is never left behind.
    const auto format = given.fp16 ? fw::WeightFormat::kFloat16 : fw::WeightFormat::kAsStored;
    FW_ASSIGN_OR_RETURN(const std::string text, fw::param_text(def));
    FW_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, fw::bin_bytes(def, format));
    fw::Net net;
    FW_RETURN_IF_ERROR(net.load_model_memory({text.data(), text.size()}, bytes));
    if (!given.shapes.empty() || given.print) {
        FW_ASSIGN_OR_RETURN(fw::NetDef written, fw::parse_param({text.data(), text.size()}, given.in_param.c_str()));
        FW_RETURN_IF_ERROR(fw::read_weights(fw::FileData{bytes, nullptr}, given.in_bin.c_str(), &written));
        FW_ASSIGN_OR_RETURN(const std::string description, fw::opt::describe(written, net));
        if (given.print) {
            std::fputs(description.c_str(), stdout);
        }
    }
    if (!tool->quiet()) {
        for (const std::string& note : baked.notes) {
            std::fprintf(stderr, "note: %s\n", note.c_str());
        }
    }
    if (!given.table.empty() && baked.layers == 0) {
        return Status::error(fw::Code::kInvalidArgument, "%s: no layer can be stored as int8 with this table",
                             given.table.c_str());
    }
    if (given.out_param.empty()) {
        return {};
    }
    FW_RETURN_IF_ERROR(fw::save_net_def(def, given.out_param.c_str(), given.out_bin.c_str(), format));
    tool->say("%s: %zu layers (%zu before), %d of them int8, %.2f MB of weights\n", given.out_param.c_str(),
              def.layers.size(), layers_before, baked.layers, static_cast<double>(bytes.size()) / 1e6);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    fw::tools::Tool tool(
        "fwopt", "Folds and fuses a network's layers off-line and stores its weights smaller.",
        "  fwopt net.param net.bin small.param small.bin --fp16\n"
        "  fwopt net.param net.bin net_int8.param net_int8.bin --int8 net.table    int8 as ncnn stores it\n"
        "  fwopt net.param net.bin big.param big.bin --input-shape 3,480,640\n"
        "  fwopt net.param net.bin --print                                         shapes, MACs, weights");
    Arguments given;
    tool.app().add_option("IN.param", given.in_param, "Network text file")->required();
    tool.app().add_option("IN.bin", given.in_bin, "Its weights")->required();
    tool.app().add_option("OUT.param", given.out_param, "Written: layers");
    tool.app().add_option("OUT.bin", given.out_bin, "Written: weights");
    tool.app().add_flag("--fp16", given.fp16, "Store float weights as float16");
    tool.app().add_option("--int8", given.table, "Scale table: store the weights of its layers as int8, with scales");
    tool.app().add_flag("--force", given.force, "Use a table that was made for another model");
    tool.app()
        .add_option("--input-shape", given.shapes, "Shape of the input as C,H,W; of one of several as NAME=C,H,W")
        ->allow_extra_args(false);
    tool.app().add_flag("--print", given.print, "Show each layer's output shape, multiply-accumulates and weights");
    return tool.run(argc, argv, [&] { return run(&tool, given); });
}
