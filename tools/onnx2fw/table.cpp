#include "onnx2fw/table.h"

#include <cmath>
#include <limits>
#include <set>

namespace fw::onnx {

namespace {

// The scale of weights with that step. Where input and output of the layer have steps too, engines that run the source
// file multiply the accumulator by float(input * weight) / output, in float32; ours is float(1 / (scales of input and
// weight in double) * scale of the output), which may be the float beside it, and give one byte in 10^6 another value.
// Nothing but the layer reads its weights' scale: of those a few units in the last place apart it gets the one with
// that multiplier.
float weight_scale(double step, const QuantInfo* in, const QuantInfo* out) {
    const auto scale = static_cast<float>(1.0 / step);
    if (in == nullptr || out == nullptr) {
        return scale;
    }
    const float theirs = static_cast<float>(in->scale) * static_cast<float>(step) / static_cast<float>(out->scale);
    const auto s_in = static_cast<double>(static_cast<float>(1.0 / in->scale));
    const auto s_out = static_cast<double>(static_cast<float>(1.0 / out->scale));
    const auto ours = [&](float s) { return static_cast<float>(s_out / (s_in * static_cast<double>(s))); };
    float best = scale;
    for (int i = 0; i < 4 && ours(best) != theirs; ++i) {
        const float towards = ours(best) < theirs ? 0.0F : std::numeric_limits<float>::max();
        best = std::nextafter(best, towards);
    }
    return ours(best) == theirs ? best : scale;
}

}  // namespace

ScaleTable make_table(const Conversion& c, const NetDef& net) {
    std::set<std::string> blobs;
    std::map<std::string, const QuantInfo*> quants;
    for (const LayerDef& layer : net.layers) {
        blobs.insert(layer.tops.begin(), layer.tops.end());
    }
    ScaleTable table;
    for (const auto& [blob, quant] : c.blob_quant) {
        if (blobs.count(c.builder.name(blob)) != 0) {
            table.blobs[c.builder.name(blob)] = {static_cast<float>(1.0 / quant.scale), quant.zero_point};
            quants[c.builder.name(blob)] = &quant;
        }
    }
    const auto quant_of = [&](const std::string& blob) {
        const auto found = quants.find(blob);
        return found == quants.end() ? nullptr : found->second;
    };
    for (const LayerDef& layer : net.layers) {
        const auto steps = c.weight_quant.find(layer.name);
        if (steps == c.weight_quant.end() || layer.bottoms.empty() || layer.tops.empty()) {
            continue;
        }
        std::vector<float>& scales = table.layers[layer.name].weight_scales;
        for (const double step : steps->second) {
            scales.push_back(weight_scale(step, quant_of(layer.bottoms[0]), quant_of(layer.tops[0])));
        }
    }
    return table;
}

}  // namespace fw::onnx
