#include "onnx2fw/table.h"

#include <set>

namespace fw::onnx {

ScaleTable make_table(const Conversion& c, const NetDef& net) {
    std::set<std::string> blobs;
    std::set<std::string> layers;
    for (const LayerDef& layer : net.layers) {
        layers.insert(layer.name);
        blobs.insert(layer.tops.begin(), layer.tops.end());
    }
    ScaleTable table;
    for (const auto& [blob, quant] : c.blob_quant) {
        if (blobs.count(c.builder.name(blob)) != 0) {
            table.blobs[c.builder.name(blob)] = {static_cast<float>(1.0 / quant.scale), quant.zero_point};
        }
    }
    for (const auto& [layer, scales] : c.weight_quant) {
        if (layers.count(layer) != 0) {
            table.layers[layer].weight_scales = scales;
        }
    }
    return table;
}

}  // namespace fw::onnx
