// Inputs of the timing programs.
#pragma once

#include "fw/net.h"

namespace fw::bench {

/// Random pixels 0 to 255 through the network's preprocessing, its first channel's for all, or numbers in [-1, 1)
/// where it has none: int8 kernels take longer for inputs far beyond those that a table was made for.
inline Result<Mat> random_input(const Net& net, const Shape& shape) {
    Result<Mat> mat = Mat::create(shape);
    if (!mat.ok()) {
        return mat.status();
    }
    const Preprocess& preprocess = net.preprocess();
    const float mean = preprocess.mean.empty() ? 0.0F : preprocess.mean[0];
    const float norm = preprocess.norm.empty() ? 1.0F : preprocess.norm[0];
    const float step = (preprocess.known() ? 255.0F * norm : 2.0F) / 16777216.0F;
    const float lowest = preprocess.known() ? -mean * norm : -1.0F;
    unsigned state = 1;
    float* values = mat->data();
    for (int64_t i = 0, count = mat->count(); i < count; ++i) {
        state = state * 1664525U + 1013904223U;
        values[i] = static_cast<float>(state >> 8) * step + lowest;
    }
    return mat;
}

}  // namespace fw::bench
