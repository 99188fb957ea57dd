// Scalar functions for float and double under one name, so that a point-wise layer writes its formula once: the float
// version runs the layer, the double version (quant/math.h) makes its int8 table.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "quant/math.h"

namespace fw::fn {

/// e^x, branch-free so that loops over it vectorise; relative error below 3e-7. Results below 2.5e-38 are 0.
inline float exp(float x) {
    constexpr float kLow = -86.6F;
    constexpr float kHigh = 88.7228F;
    constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number, kept in the low bits
    float bounded = x < kLow ? kLow : x;   // a nan stays
    bounded = bounded > kHigh ? kHigh : bounded;
    const float shifted = bounded * 1.44269504F + kMagic;
    const float k = shifted - kMagic;
    const float r = (bounded - k * 0.693359375F) - k * -2.12194440e-4F;
    float p = 1.0F / 5040.0F;
    p = p * r + 1.0F / 720.0F;
    p = p * r + 1.0F / 120.0F;
    p = p * r + 1.0F / 24.0F;
    p = p * r + 1.0F / 6.0F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    uint32_t bits;
    std::memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + 126U) << 23;  // 2^(k - 1): for the largest x, 2^k is no float
    float half;
    std::memcpy(&half, &bits, sizeof(half));
    const float value = p * half * 2.0F;
    const float low = x < kLow ? 0.0F : value;
    return x > kHigh ? std::numeric_limits<float>::infinity() : low;
}
inline double exp(double x) {
    return math::exp(x);
}

/// Branch-free; relative error below 1e-6.
inline float tanh(float x) {
    const float a = x < 0.0F ? -x : x;
    const float z = x * x;
    // Near 0 the continued fraction of tanh, cut after seven terms; elsewhere by exp.
    const float small =
        a * (135135.0F + z * (17325.0F + z * (378.0F + z))) / (135135.0F + z * (62370.0F + z * (3150.0F + z * 28.0F)));
    const float large = 1.0F - 2.0F / (exp(2.0F * a) + 1.0F);
    const float t = a < 0.7F ? small : large;
    return x < 0.0F ? -t : t;
}
inline double tanh(double x) {
    return math::tanh(x);
}

inline float sigmoid(float x) {
    return 1.0F / (1.0F + exp(-x));
}
inline double sigmoid(double x) {
    return math::sigmoid(x);
}

inline float expm1(float x) {
    return std::expm1(x);
}
inline double expm1(double x) {
    return math::expm1(x);
}
inline float log(float x) {
    return std::log(x);
}
inline double log(double x) {
    return math::log(x);
}
inline float softplus(float x) {
    return x > 0.0F ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
inline double softplus(double x) {
    return math::softplus(x);
}
inline float erf(float x) {
    return std::erf(x);
}
inline double erf(double x) {
    return math::erf(x);
}
inline float pow(float x, float y) {
    return std::pow(x, y);
}
inline double pow(double x, double y) {
    return math::pow(x, y);
}
inline float atan2(float y, float x) {
    return std::atan2(y, x);
}
inline double atan2(double y, double x) {
    return math::atan2(y, x);
}
inline float sin(float x) {
    return std::sin(x);
}
inline double sin(double x) {
    return math::sin(x);
}
inline float cos(float x) {
    return std::cos(x);
}
inline double cos(double x) {
    return math::cos(x);
}
inline float tan(float x) {
    return std::tan(x);
}
inline double tan(double x) {
    return math::tan(x);
}
inline float asin(float x) {
    return std::asin(x);
}
inline double asin(double x) {
    return math::asin(x);
}
inline float acos(float x) {
    return std::acos(x);
}
inline double acos(double x) {
    return math::acos(x);
}
inline float atan(float x) {
    return std::atan(x);
}
inline double atan(double x) {
    return math::atan(x);
}
template <class T>
T round_half_even(T x) {
    return static_cast<T>(math::round_half_even(static_cast<double>(x)));
}

/// min(max(x, lo), hi); a nan stays.
template <class T>
T clamp(T x, T lo, T hi) {
    const T lifted = x < lo ? lo : x;
    return hi < lifted ? hi : lifted;
}
/// max(0, min(1, alpha x + beta)).
template <class T>
T hard_sigmoid(T x, T alpha, T beta) {
    return clamp(alpha * x + beta, T(0), T(1));
}
/// x * tanh(log(1 + e^x)), written with t = e^x as x * t (t + 2) / (t (t + 2) + 2): no cancellation, no overflow.
template <class T>
T mish(T x) {
    const T t = exp(x > T(20) ? T(20) : x);
    const T n = t * (t + T(2));
    return x > T(20) ? x : x * (n / (n + T(2)));
}

}  // namespace fw::fn
