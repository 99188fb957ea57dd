// Rounding, and activations to int8 and back.
#include "quant/quant.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace fw {

int quant_min(const QuantParams& q) {
    return q.zero_point == 0 ? -127 : -128;
}

int32_t round_half_even(double x) {
    if (!(x > -2147483648.0)) {
        return std::numeric_limits<int32_t>::min();
    }
    if (x >= 2147483647.0) {
        return std::numeric_limits<int32_t>::max();
    }
    const auto whole = static_cast<int64_t>(x);          // towards zero
    const double rest = x - static_cast<double>(whole);  // exact, |rest| < 1
    const double magnitude = rest < 0.0 ? -rest : rest;
    const bool away = magnitude > 0.5 || (magnitude == 0.5 && (whole & 1) != 0);
    return static_cast<int32_t>(away ? whole + (rest < 0.0 ? -1 : 1) : whole);
}

int8_t round_to_int8(double x, int zero_point, int lo, int hi) {
    // Far beyond int8 on either side: the sum cannot overflow, the clamp decides.
    const double bounded = !(x > -1048576.0) ? -1048576.0 : (x > 1048576.0 ? 1048576.0 : x);
    const int value = round_half_even(bounded) + zero_point;
    return static_cast<int8_t>(std::min(std::max(value, lo), hi));
}

int8_t quantize(float x, const QuantParams& q) {
    const float scaled = x * q.scale;
    return round_to_int8(static_cast<double>(scaled), q.zero_point, quant_min(q), kQuantMax);
}

float inverse_scale(const QuantParams& q) {
    return static_cast<float>(1.0 / static_cast<double>(q.scale));
}

void quantize_run(const float* x, int64_t count, const QuantParams& q, int8_t* out) {
    const float scale = q.scale;
    const auto lo = static_cast<float>(quant_min(q) - q.zero_point);
    const auto hi = static_cast<float>(kQuantMax - q.zero_point);
    // Adding 1.5 * 2^23 leaves the rounded number in the low bits of the sum.
    constexpr float kMagic = 12582912.0F;
    constexpr int32_t kMagicBits = 0x4b400000;
    const int32_t offset = q.zero_point - kMagicBits;
    for (int64_t i = 0; i < count; ++i) {
        float v = x[i] * scale;
        v = v > lo ? v : lo;  // also for nan
        v = v < hi ? v : hi;
        v += kMagic;
        int32_t bits;
        std::memcpy(&bits, &v, sizeof(bits));
        out[i] = static_cast<int8_t>(bits + offset);
    }
}

void dequantize_run(const int8_t* x, int64_t count, const QuantParams& q, float* out) {
    const float inverse = inverse_scale(q);
    const int32_t zero_point = q.zero_point;
    for (int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<float>(x[i] - zero_point) * inverse;
    }
}

}  // namespace fw
