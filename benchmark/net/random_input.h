// Inputs of the timing programs.
#pragma once

#include <algorithm>

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
    // One sequence of a linear congruential generator, whose numbers a few apart do not wait for each other.
    constexpr int kApart = 8;
    constexpr unsigned kFactor = 1664525U;
    constexpr unsigned kSummand = 1013904223U;
    unsigned states[kApart] = {kFactor + kSummand};
    unsigned factor = kFactor;
    unsigned summand = kSummand;
    for (int i = 1; i < kApart; ++i) {
        states[i] = states[i - 1] * kFactor + kSummand;
        factor *= kFactor;
        summand = summand * kFactor + kSummand;
    }
    const auto next = [&](float* to) {
        for (int i = 0; i < kApart; ++i) {
            to[i] = static_cast<float>(static_cast<int>(states[i] >> 8)) * step + lowest;
            states[i] = states[i] * factor + summand;
        }
    };
    const int64_t whole = mat->count() / kApart * kApart;
    for (int64_t i = 0; i < whole; i += kApart) {
        next(mat->data() + i);
    }
    float last[kApart];
    next(last);
    std::copy_n(last, mat->count() - whole, mat->data() + whole);
    return mat;
}

}  // namespace fw::bench
