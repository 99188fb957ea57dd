// Smooth functions on registers of floats, or on one float: written once with the operators that both have. Only IEEE
// operations in a fixed order, so that every width gives the same bits.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "kernel/unroll.h"

namespace fw {
namespace {  // every file that includes this gets its own copy: no weak symbol may leave an ISA object

using Float4 = float __attribute__((vector_size(16)));
using Float8 = float __attribute__((vector_size(32)));
using Float16 = float __attribute__((vector_size(64)));

/// Integers of as many lanes.
template <class V>
struct BitsOf;
template <>
struct BitsOf<float> {
    using Type = uint32_t;
};
template <>
struct BitsOf<Float4> {
    using Type = uint32_t __attribute__((vector_size(16)));
};
template <>
struct BitsOf<Float8> {
    using Type = uint32_t __attribute__((vector_size(32)));
};
template <>
struct BitsOf<Float16> {
    using Type = uint32_t __attribute__((vector_size(64)));
};

/// A register with every lane x.
template <class V>
FW_ALWAYS_INLINE V all_lanes(float x) {
    return V{} + x;
}

/// max(x, low) and min(x, high); a nan stays. A level with one instruction for that specializes them: GCC makes a
/// comparison and a blend of these.
template <class V>
FW_ALWAYS_INLINE V at_least(V x, V low) {
    return x < low ? low : x;
}
template <class V>
FW_ALWAYS_INLINE V at_most(V x, V high) {
    return x > high ? high : x;
}

constexpr float kExpLow = -86.6F;     ///< e^x of less is below 2.5e-38
constexpr float kExpHigh = 88.7228F;  ///< e^x of more is taken for infinite

/// e^x for x from kExpLow to kExpHigh; relative error below 3e-7. Of a nan, anything.
template <class V>
FW_ALWAYS_INLINE V exp_between(V x) {
    using Bits = typename BitsOf<V>::Type;
    constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number, kept in the low bits
    const V shifted = x * 1.44269504F + kMagic;
    const V k = shifted - kMagic;
    const V r = (x - k * 0.693359375F) - k * -2.12194440e-4F;
    // e^r = 1 + r + r^2 (c2 + ... + c6 r^4), the relative error at most 3.1e-9; in short chains, the small terms first.
    const V r2 = r * r;
    const V upper = (4.16683880e-2F + r * 8.36871691e-3F) + r2 * 1.38145986e-3F;
    V p = r2 * ((0.499999934F + r * 0.166665206F) + r2 * upper);
    p = 1.0F + (r + p);
    Bits bits;
    Bits exponent;
    std::memcpy(&bits, &p, sizeof(bits));
    std::memcpy(&exponent, &shifted, sizeof(exponent));
    bits += exponent << 23U;  // p * 2^k; for the largest x, 2^k alone is no float
    V value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
}

/// e^x for x up to kExpHigh; relative error below 3e-7. Results below 2.5e-38 are 0; a nan stays.
template <class V>
FW_ALWAYS_INLINE V exp_up_to_high(V x) {
    const V low = all_lanes<V>(kExpLow);
    const V bounded = at_least(x, low);
    return x >= low ? exp_between(bounded) : bounded - low;
}

/// e^x; relative error below 3e-7. Results below 2.5e-38 are 0.
template <class V>
FW_ALWAYS_INLINE V exp_of(V x) {
    const V infinity = all_lanes<V>(std::numeric_limits<float>::infinity());
    const V value = exp_up_to_high(x);
    return x > kExpHigh ? infinity : value;
}

/// Relative error below 1e-6.
template <class V>
FW_ALWAYS_INLINE V tanh_of(V x) {
    const V a = x < 0.0F ? -x : x;
    const V z = x * x;
    // Near 0 the continued fraction of tanh, cut after seven terms; elsewhere by exp.
    const V small =
        a * (135135.0F + z * (17325.0F + z * (378.0F + z))) / (135135.0F + z * (62370.0F + z * (3150.0F + z * 28.0F)));
    const V large = 1.0F - 2.0F / (exp_of(2.0F * a) + 1.0F);
    const V t = a < 0.7F ? small : large;
    return x < 0.0F ? -t : t;
}

template <class V>
FW_ALWAYS_INLINE V sigmoid_of(V x) {
    return 1.0F / (1.0F + exp_of(-x));
}

/// x / (1 + e^-x). What is below -88 is taken for it: -6e-37; above 86, e^-x is lost
/// beside 1.
template <class V>
FW_ALWAYS_INLINE V swish_of(V x) {
    const V bounded = at_least(x, all_lanes<V>(-88.0F));
    return bounded / (1.0F + exp_between(-at_most(bounded, all_lanes<V>(86.0F))));
}

/// max(0, min(1, alpha x + beta)); a nan stays.
template <class V>
FW_ALWAYS_INLINE V hard_sigmoid_of(V x, float alpha, float beta) {
    const V line = x * alpha + beta;
    const V lifted = line < 0.0F ? V{} : line;
    return lifted > 1.0F ? all_lanes<V>(1.0F) : lifted;
}

/// x * tanh(log(1 + e^x)), written with t = e^x as x * t (t + 2) / (t (t + 2) + 2): no cancellation, no overflow.
template <class V>
FW_ALWAYS_INLINE V mish_of(V x) {
    const V t = exp_up_to_high(at_most(x, all_lanes<V>(20.0F)));
    const V n = t * (t + 2.0F);
    return x > 20.0F ? x : x * (n / (n + 2.0F));
}

/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
template <class V>
FW_ALWAYS_INLINE V gelu_tanh_of(V x) {
    return 0.5F * x * (1.0F + tanh_of(0.797884561F * (x + 0.044715F * x * x * x)));
}

/// 0.5 x erfc(-x / sqrt(2)); absolute error below 2e-7 max(1, |x|): erfc by Abramowitz and Stegun, Handbook of
/// Mathematical Functions, 7.1.26.
template <class V>
FW_ALWAYS_INLINE V gelu_of(V x) {
    const V a = (x < 0.0F ? -x : x) * 0.707106781F;
    const V t = 1.0F / (1.0F + 0.3275911F * a);
    const V series =
        t * (0.254829592F + t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
    const V tail = 0.5F * series * exp_up_to_high(-(a * a));  // the share of the normal distribution beyond |x|
    const V share = x < 0.0F ? tail : 1.0F - tail;
    return tail > 0.0F ? x * share : (x < 0.0F ? V{} : x);  // an infinite x times nothing
}

/// 1 / sqrt(x) for a normal x > 0; relative error below 3e-7: an estimate from the halved exponent, three steps of
/// Newton's method.
template <class V>
FW_ALWAYS_INLINE V inverse_root_of(V x) {
    using Bits = typename BitsOf<V>::Type;
    Bits bits;
    std::memcpy(&bits, &x, sizeof(bits));
    bits = 0x5f3759dfU - (bits >> 1U);
    V y;
    std::memcpy(&y, &bits, sizeof(y));
    const V half = 0.5F * x;
    y = y * (1.5F - half * y * y);
    y = y * (1.5F - half * y * y);
    return y * (1.5F - half * y * y);
}

/// x^(-3/4) for a normal x > 0; infinite at 0, 0 at infinity, nan below 0. Relative error below 6e-7.
template <class V>
FW_ALWAYS_INLINE V root34_of(V x) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const V root = inverse_root_of(x);
    const V power = root * root * inverse_root_of(root);
    const V positive = x < kInfinity ? power : V{};
    const V other = x < 0.0F ? all_lanes<V>(std::numeric_limits<float>::quiet_NaN()) : all_lanes<V>(kInfinity);
    return x > 0.0F ? positive : (x <= 0.0F ? other : x);
}

}  // namespace
}  // namespace fw
