#include "zoo/onnx_export.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "model/schema.h"
#include "zoo/onnx_layers.h"
#include "zoo/shapes.h"

namespace fw::zoo {

namespace {

/// Layers from the first detection layer on: they and what only they feed have no counterpart.
bool is_cut(const LayerDef& layer, const std::set<std::string>& cut_blobs) {
    return layer.type == "PriorBox" || layer.type == "DetectionOutput" || layer.type == "Yolov3DetectionOutput" ||
           std::any_of(layer.bottoms.begin(), layer.bottoms.end(),
                       [&](const std::string& bottom) { return cut_blobs.count(bottom) != 0; });
}

}  // namespace

Result<OnnxModel> to_onnx(const NetDef& net) {
    FW_ASSIGN_OR_RETURN(const auto shapes, blob_shapes(net));
    fw::onnx::ModelProto model;
    model.set_ir_version(7);
    model.set_producer_name("featherweight");
    model.add_opset_import()->set_version(13);
    model.mutable_graph()->set_name(net.source);
    OnnxGraph graph(model.mutable_graph());
    std::set<std::string> cut;
    std::set<std::string> read;
    std::vector<std::string> made;
    for (const LayerDef& layer : net.layers) {
        if (is_cut(layer, cut)) {
            cut.insert(layer.tops.begin(), layer.tops.end());
            continue;
        }
        FW_RETURN_IF_ERROR(
            export_layer(layer, shapes, &graph).with_prefix("%s layer '%s'", layer.type.c_str(), layer.name.c_str()));
        read.insert(layer.bottoms.begin(), layer.bottoms.end());
        made.insert(made.end(), layer.tops.begin(), layer.tops.end());
    }
    OnnxModel out;
    for (const std::string& blob : made) {
        if (read.count(blob) == 0) {
            out.outputs.push_back(blob);
            graph.output(blob, shapes.at(blob));
        }
    }
    if (!model.SerializeToString(&out.bytes)) {
        return Status::error(Code::kInternal, "%s is too large for an ONNX file", net.source.c_str());
    }
    return out;
}

}  // namespace fw::zoo
