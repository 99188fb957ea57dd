// zoo_export NAME|all --out DIR: networks of the zoo as files, for other engines to measure.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "common/cli.h"
#include "common/file.h"
#include "import/net_builder.h"
#include "model/model_io.h"
#include "zoo/onnx_export.h"
#include "zoo/shapes.h"
#include "zoo/zoo.h"

namespace fw::zoo {

namespace {

struct ExportOptions {
    std::string name;
    std::string out = ".";
    bool onnx = false;
    uint64_t seed = 1;
};

using Json = nlohmann::ordered_json;

Json described(const std::vector<std::string>& blobs, const std::map<std::string, Shape>& shapes) {
    Json list = Json::array();
    for (const std::string& blob : blobs) {
        const Shape shape = shapes.at(blob);
        list.push_back({{"name", blob}, {"shape", std::vector<int>(shape.dims, shape.dims + shape.rank)}});
    }
    return list;
}

// Leaves out every layer that `outputs` do not need.
void cut_to(const std::vector<std::string>& outputs, NetDef* def) {
    std::set<std::string> needed(outputs.begin(), outputs.end());
    std::vector<LayerDef> kept;
    for (auto layer = def->layers.rbegin(); layer != def->layers.rend(); ++layer) {
        const auto is_needed = [&](const std::string& blob) { return needed.count(blob) != 0; };
        if (std::any_of(layer->tops.begin(), layer->tops.end(), is_needed)) {
            needed.insert(layer->bottoms.begin(), layer->bottoms.end());
            kept.push_back(std::move(*layer));
        }
    }
    std::reverse(kept.begin(), kept.end());
    def->layers = std::move(kept);
}

Status export_network(const tools::Tool& tool, const ExportOptions& options, const Network& network) {
    FW_ASSIGN_OR_RETURN(NetDef def, build(network, options.seed));
    FW_ASSIGN_OR_RETURN(const auto shapes, blob_shapes(def));
    const std::string base = options.out + "/" + network.name;
    Json json = {{"name", network.name}, {"source", network.source}, {"seed", options.seed}};
    json["inputs"] = described({"data"}, shapes);
    if (options.onnx) {
        FW_ASSIGN_OR_RETURN(const OnnxModel onnx, to_onnx(def));
        FW_RETURN_IF_ERROR(tools::write_text_file(base + ".onnx", onnx.bytes));
        json["outputs"] = described(onnx.outputs, shapes);
        cut_to(onnx.outputs, &def);
    } else {
        json["outputs"] = described(def.layers.back().tops, shapes);
    }
    import::insert_splits(&def);
    FW_RETURN_IF_ERROR(save_net_def(def, (base + ".param").c_str(), (base + ".bin").c_str()));
    FW_RETURN_IF_ERROR(tools::write_text_file(base + ".json", json.dump(1) + "\n"));
    tool.say("%s\n", base.c_str());
    return {};
}

Status run(tools::Tool* tool, const ExportOptions& options) {
    std::error_code error;
    std::filesystem::create_directories(options.out, error);
    if (error) {
        return Status::error(Code::kIoError, "%s: cannot make the folder: %s", options.out.c_str(),
                             error.message().c_str());
    }
    if (options.name == "all") {
        for (const Network& network : networks()) {
            FW_RETURN_IF_ERROR(export_network(*tool, options, network));
        }
        return {};
    }
    const Network* network = find(options.name);
    if (network == nullptr) {
        std::string names;
        for (const Network& known : networks()) {
            names += std::string(" ") + known.name;
        }
        return tool->usage_error(Status::error(Code::kInvalidArgument, "the zoo has no '%s'; it has:%s",
                                               options.name.c_str(), names.c_str()));
    }
    return export_network(*tool, options, *network);
}

}  // namespace

}  // namespace fw::zoo

int main(int argc, char** argv) {
    fw::tools::Tool tool("zoo_export", "Writes networks of the zoo as NAME.param, NAME.bin and NAME.json.",
                         "zoo_export mobilenet_v2 --out /tmp/zoo\n"
                         "zoo_export all --out /tmp/zoo --onnx");
    fw::zoo::ExportOptions options;
    tool.app().add_option("name", options.name, "the network, or all")->required();
    tool.app().add_option("--out", options.out, "existing folder for the files (default: the present one)");
    tool.app().add_flag("--onnx", options.onnx, "NAME.onnx too; all files without the layers that detect");
    tool.app().add_option("--seed", options.seed, "of the weights (default 1)");
    return tool.run(argc, argv, [&] { return fw::zoo::run(&tool, options); });
}
