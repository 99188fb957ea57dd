#include "onnx2fw/table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fw::onnx {

namespace {

// Engines that run the source file multiply a convolution's accumulator by float(input * weight) / output, in float32
// and of steps; ours is float(1 / (scales of input and weight in double) * scale of the output), which may be the float
// beside it, and give one byte in 10^6 another value, which the layers behind it amplify. Nothing but the layer reads
// its weights' scale: of those a few units in the last place apart it gets the one with that multiplier. Not every
// float is within reach of one; a scale of the output that is a few units apart reaches others.
struct Multiplier {
    const QuantInfo& in;
    const QuantInfo& out;
    double s_in, s_out;

    // The scale of weights with that step; 0 if none has the other engines' multiplier.
    float weight_scale(double step) const {
        const float theirs = static_cast<float>(in.scale) * static_cast<float>(step) / static_cast<float>(out.scale);
        const auto ours = [&](float s) { return static_cast<float>(s_out / (s_in * static_cast<double>(s))); };
        auto scale = static_cast<float>(1.0 / step);
        for (int i = 0; i < 8 && ours(scale) != theirs; ++i) {
            scale = std::nextafter(scale, ours(scale) < theirs ? 0.0F : std::numeric_limits<float>::max());
        }
        return ours(scale) == theirs ? scale : 0.0F;
    }
    size_t misses(const std::vector<double>& steps) const {
        return static_cast<size_t>(
            std::count_if(steps.begin(), steps.end(), [&](double step) { return weight_scale(step) == 0.0F; }));
    }
};

class TableMaker {
public:
    TableMaker(const Conversion& c, const NetDef& net) : c_(c) {
        for (const LayerDef& layer : net.layers) {
            for (const std::string& bottom : layer.bottoms) {
                readers_[bottom].push_back(&layer);
            }
            tops_.insert(layer.tops.begin(), layer.tops.end());
        }
        for (const auto& [blob, quant] : c.blob_quant) {
            const std::string& name = c.builder.name(blob);
            if (tops_.count(name) != 0) {
                table_.blobs[name] = {static_cast<float>(1.0 / quant.scale), quant.zero_point};
                quants_[name] = &quant;
            }
        }
    }

    ScaleTable make(const NetDef& net) {
        for (const LayerDef& layer : net.layers) {
            const auto steps = c_.weight_quant.find(layer.name);
            if (steps != c_.weight_quant.end() && !layer.bottoms.empty() && !layer.tops.empty()) {
                add_weights(layer, steps->second);
            }
        }
        return std::move(table_);
    }

private:
    void add_weights(const LayerDef& layer, const std::vector<double>& steps) {
        const auto in = quants_.find(layer.bottoms[0]);
        const auto out = quants_.find(layer.tops[0]);
        std::vector<float>& scales = table_.layers[layer.name].weight_scales;
        if (in == quants_.end() || out == quants_.end()) {
            for (const double step : steps) {
                scales.push_back(static_cast<float>(1.0 / step));
            }
            return;
        }
        float& s_out = table_.blobs[out->first].scale;
        Multiplier best{*in->second, *out->second, static_cast<double>(table_.blobs[in->first].scale),
                        static_cast<double>(s_out)};
        size_t misses = best.misses(steps);
        for (const float end : {0.0F, std::numeric_limits<float>::max()}) {
            float moved = s_out;
            for (int i = 0; i < kMoves && misses > 0 && may_move(out->first); ++i) {
                moved = std::nextafter(moved, end);
                Multiplier other = best;
                other.s_out = static_cast<double>(moved);
                if (const size_t count = other.misses(steps); count < misses) {
                    misses = count;
                    best.s_out = other.s_out;
                }
            }
        }
        s_out = static_cast<float>(best.s_out);
        for (const double step : steps) {
            const float scale = best.weight_scale(step);
            scales.push_back(scale == 0.0F ? static_cast<float>(1.0 / step) : scale);
        }
    }

    // Do all readers of the blob multiply by its scale? One that passes bytes on has the same scale in front and
    // behind.
    bool may_move(const std::string& blob) {
        const std::vector<const LayerDef*>& readers = readers_[blob];
        return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](const LayerDef* layer) {
            return c_.weight_quant.count(layer->name) != 0 || layer->type == "Eltwise" || layer->type == "BinaryOp";
        });
    }

    static constexpr int kMoves = 8;  ///< units in the last place, either way

    const Conversion& c_;
    std::set<std::string> tops_;
    std::map<std::string, std::vector<const LayerDef*>> readers_;
    std::map<std::string, const QuantInfo*> quants_;
    ScaleTable table_;
};

}  // namespace

ScaleTable make_table(const Conversion& c, const NetDef& net) {
    return TableMaker(c, net).make(net);
}

}  // namespace fw::onnx
