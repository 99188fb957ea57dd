#include "model/net_def.h"

namespace fw {

namespace {

// Ids on an Input layer (schema/detection.cpp).
constexpr int kWidth = 0, kHeight = 1, kChannels = 2, kPixel = 24, kMean = 25, kNorm = 26;

bool is_input(const LayerDef& layer) {
    return layer.type == "Input";
}

}  // namespace

Preprocess NetDef::preprocess() const {
    Preprocess out;
    for (const LayerDef& layer : layers) {
        const int pixel = is_input(layer) ? layer.params.get(kPixel, 0) : 0;
        if (pixel < 1 || pixel > 3) {
            continue;
        }
        out.pixel = static_cast<Pixel>(pixel);
        out.width = layer.params.get(kWidth, 0);
        out.height = layer.params.get(kHeight, 0);
        out.mean = layer.params.get_floats(kMean);
        out.norm = layer.params.get_floats(kNorm);
        break;
    }
    return out;
}

void NetDef::set_preprocess(const Preprocess& preprocess) {
    for (LayerDef& layer : layers) {
        if (!is_input(layer)) {
            continue;
        }
        ParamDict& params = layer.params;
        params.erase(kPixel);
        params.erase(kMean);
        params.erase(kNorm);
        if (!preprocess.known()) {
            continue;  // no Input keeps any
        }
        params.set(kPixel, static_cast<int>(preprocess.pixel));
        if (!preprocess.mean.empty()) {
            params.set(kMean, preprocess.mean);
        }
        if (!preprocess.norm.empty()) {
            params.set(kNorm, preprocess.norm);
        }
        if (preprocess.width > 0 && preprocess.height > 0) {
            params.set(kWidth, preprocess.width);
            params.set(kHeight, preprocess.height);
            if (params.get(kChannels, 0) <= 0) {
                params.set(kChannels, preprocess.pixel == Pixel::kGray ? 1 : 3);
            }
        }
        break;
    }
}

}  // namespace fw
