// The push constants of convolutions' shaders.
#pragma once

#include <cstdint>
#include <vector>

#include "base/half.h"

namespace fw::vulkan {

/// As in epilogue.glsl, which says what they are.
struct ConvPush {
    int32_t in_base = 0, in_row = 0, in_col = 0, in_h = 1, in_w = 1;
    int32_t out_base = 0, out_row = 0, out_col = 0, out_h = 1, out_w = 1;
    int32_t channels = 0, outputs = 0;
    int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;
    int32_t weights = 0, bias = 0, multiplier = 0, table = 0;
    uint32_t pad = 0;
    int32_t zero_point = 0;
    float lo = 0.0F, hi = 0.0F, a = 0.0F, b = 0.0F, scale = 0.0F;
    int32_t n = 0;

    std::vector<uint32_t> words() const;
};

// As in epilogue.glsl and conv.comp.
constexpr int kConvDepth = 8;
constexpr int kConvColumns = 32;
constexpr int kConvRowsAtOnce = 8;  ///< times the pixels of an invocation

inline int rounded_up(int n, int multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

}  // namespace fw::vulkan
