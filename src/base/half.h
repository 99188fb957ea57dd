// Floats of 16 bits, IEEE 754 half precision and bfloat16, in software, exact on every machine.
#pragma once

#include <cstdint>
#include <cstring>

namespace fw {

constexpr float kLargestHalf = 65504.0F;

/// The float of the same value; every half has one.
inline float half_to_float(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
    const uint32_t exponent = (half >> 10) & 0x1fU;
    const uint32_t mantissa = half & 0x3ffU;
    uint32_t bits;
    if (exponent == 0x1f) {
        bits = sign | 0x7f800000U | (mantissa << 13);
    } else if (exponent != 0) {
        bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
    } else {
        // Zero and subnormals: mantissa * 2^-24, exact in float.
        const float value = static_cast<float>(mantissa) * 5.9604644775390625e-8F;
        std::memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// The nearest half, ties to even; infinity from 65520 on, quiet NaN for NaN.
inline uint16_t float_to_half(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = (bits >> 16) & 0x8000U;
    const uint32_t magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) {
        return static_cast<uint16_t>(sign | 0x7e00U);
    }
    if (magnitude >= 0x47800000U) {  // 2^16 and above
        return static_cast<uint16_t>(sign | 0x7c00U);
    }
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102) {  // below 2^-25: less than half of the smallest subnormal
        return static_cast<uint16_t>(sign);
    }
    // `fraction >> shift` is the half's bits; a carry out of the rounding runs into the exponent, as it should.
    uint32_t fraction = magnitude & 0x7fffffU;
    uint32_t base = 0;
    uint32_t shift = 13;
    if (exponent >= 113) {
        base = (exponent - 112) << 10;
    } else {
        fraction |= 0x800000U;
        shift = 126 - exponent;
    }
    uint32_t half = base + (fraction >> shift);
    const uint32_t rest = fraction & ((1U << shift) - 1);
    const uint32_t tie = 1U << (shift - 1);
    if (rest > tie || (rest == tie && (half & 1U) != 0)) {
        ++half;
    }
    return static_cast<uint16_t>(sign | half);
}

/// The nearest bfloat16, the upper half of a float, ties to even; quiet NaN for NaN.
inline uint16_t float_to_bfloat16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffU) > 0x7f800000U) {
        return static_cast<uint16_t>(bits >> 16 | 0x40U);
    }
    return static_cast<uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

}  // namespace fw
