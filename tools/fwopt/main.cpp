// fwopt IN.param IN.bin OUT.param OUT.bin
#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/cli.h"
#include "common/file.h"
#include "fwopt/c_array.h"
#include "fwopt/describe.h"
#include "fwopt/optimize.h"
#include "fwopt/picture.h"
#include "graph/table_check.h"
#include "model/model_io.h"

namespace {

using fw::Status;

struct Arguments {
    std::string in_param, in_bin, out_param, out_bin, table;
    std::string dot, html, c_array, table_out;
    std::vector<std::string> shapes;
    fw::tools::PreprocessOptions preprocess;
    bool fp16 = false, force = false, print = false, layers = false;

    /// The files that are written besides OUT.
    std::vector<std::string> side_files() const {
        std::vector<std::string> out;
        for (const std::string& path : {dot, html, c_array, table_out}) {
            if (!path.empty()) {
                out.push_back(path);
            }
        }
        return out;
    }
    bool shows() const { return print || layers || !dot.empty() || !html.empty() || !c_array.empty(); }
};

Status check(const Arguments& given) {
    if (given.out_bin.empty() != given.out_param.empty() || (given.out_param.empty() && !given.shows())) {
        return Status::error(fw::Code::kInvalidArgument,
                             "OUT.param and OUT.bin are needed; only with --print, --dot, --html, --from-model or "
                             "--c-array both can be left out");
    }
    if (!given.table_out.empty() && (given.out_param.empty() || !given.table.empty())) {
        return Status::error(fw::Code::kInvalidArgument,
                             "--table-out writes the scales of an int8 model: it needs OUT.param and OUT.bin, and no "
                             "--int8");
    }
    std::vector<std::string> inputs = {given.in_param, given.in_bin};
    if (!given.table.empty()) {
        inputs.push_back(given.table);
    }
    std::vector<std::string> outputs = given.side_files();
    if (!given.out_param.empty()) {
        outputs.push_back(given.out_param);
        outputs.push_back(given.out_bin);
    }
    return fw::tools::check_distinct(outputs, inputs);
}

// What is written besides OUT: file name and text.
using Texts = std::vector<std::pair<std::string, std::string>>;

Status make_pictures(const Arguments& given, const fw::NetDef& written, const fw::Net& net, Texts* texts) {
    if (!given.dot.empty()) {
        FW_ASSIGN_OR_RETURN(std::string text, fw::opt::dot_text(written, net));
        texts->emplace_back(given.dot, std::move(text));
    }
    if (!given.html.empty()) {
        const std::string title = fw::tools::base_name(given.in_param);
        FW_ASSIGN_OR_RETURN(std::string text, fw::opt::html_text(title, written, net));
        texts->emplace_back(given.html, std::move(text));
    }
    return {};
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
    FW_RETURN_IF_ERROR(tool->usage_error(fw::opt::embed_preprocess(given.preprocess, &def)));
    const size_t layers_before = def.layers.size();
    fw::ScaleTable kept;
    FW_ASSIGN_OR_RETURN(const fw::opt::BakeResult baked,
                        fw::opt::optimize(table, &def, given.table_out.empty() ? nullptr : &kept));
    if (!given.table_out.empty() && kept.empty()) {
        return Status::error(fw::Code::kInvalidArgument, "%s holds no scales: --table-out is for int8 models",
                             given.in_param.c_str());
    }

    // What will be written is loaded first: a file that nobody can run is never left behind.
    const auto format = given.fp16 ? fw::WeightFormat::kFloat16 : fw::WeightFormat::kAsStored;
    FW_ASSIGN_OR_RETURN(const std::string text, fw::param_text(def));
    FW_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, fw::bin_bytes(def, format));
    fw::Net net;
    FW_RETURN_IF_ERROR(net.load_model_memory({text.data(), text.size()}, bytes));
    Texts texts;
    if (!given.shapes.empty() || given.preprocess.given() || given.print || !given.dot.empty() || !given.html.empty()) {
        FW_ASSIGN_OR_RETURN(fw::NetDef written, fw::parse_param({text.data(), text.size()}, given.in_param.c_str()));
        FW_RETURN_IF_ERROR(fw::read_weights(fw::FileData{bytes, nullptr, false}, given.in_bin.c_str(), &written));
        FW_ASSIGN_OR_RETURN(const std::string description, fw::opt::describe(written, net));
        FW_RETURN_IF_ERROR(make_pictures(given, written, net, &texts));
        if (given.print) {
            std::fputs(description.c_str(), stdout);
        }
    }
    if (given.layers) {
        std::printf("%s\n", fw::opt::layer_types_of(def).c_str());
    }
    if (!given.c_array.empty()) {
        texts.emplace_back(given.c_array, fw::opt::c_array(fw::opt::c_identifier(given.c_array), text, bytes));
    }
    if (!given.table_out.empty()) {
        texts.emplace_back(given.table_out, kept.to_text());
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
    std::vector<fw::OutputFile> files;
    for (const auto& [path, content] : texts) {
        files.push_back({path, fw::tools::bytes_of(content)});
    }
    if (given.out_param.empty()) {
        return fw::write_files_atomic(files);
    }
    FW_RETURN_IF_ERROR(fw::save_net_def(def, given.out_param.c_str(), given.out_bin.c_str(), format, files));
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
        "  fwopt net.param net.bin --print                                         shapes, MACs, weights\n"
        "  fwopt net.param net.bin --int8 net.table --html net.html                a picture: what runs int8\n"
        "  fwopt net.param net.bin out.param out.bin --mean 127.5 --norm 0.0078 --pixel RGB --size 224x224\n"
        "  fwopt ncnn_int8.param ncnn_int8.bin net.param net.bin --table-out net.table");
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
    tool.app().add_option("--dot", given.dot, "Write the network as a graph for Graphviz, coloured by precision");
    tool.app().add_option("--html", given.html, "Write it as a page that shows the same");
    tool.app().add_flag("--from-model", given.layers, "Print the layer types that it needs, as -DFW_LAYERS takes them");
    tool.app().add_option("--c-array", given.c_array, "Write both files as one C header, for programs without files");
    tool.app().add_option("--table-out", given.table_out,
                          "Of an int8 model: write its scales as a table, and OUT with float weights");
    tool.app().add_option("--mean", given.preprocess.mean,
                          "Store this mean of the pixels: one number, or one a channel");
    tool.app().add_option("--norm", given.preprocess.norm, "Store this factor after it, likewise");
    tool.app().add_option("--pixel", given.preprocess.pixel,
                          "Store the order of the input's channels: BGR, RGB or GRAY");
    tool.app().add_option("--size", given.preprocess.size, "Size of the image input, as WIDTHxHEIGHT");
    return tool.run(argc, argv, [&] { return run(&tool, given); });
}
