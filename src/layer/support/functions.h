// Scalar functions for float and double under one name, so that a point-wise layer writes its formula once: the float
// version runs the layer, the double version (quant/math.h) makes its int8 table.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernel/functions.h"
#include "quant/math.h"

namespace fw::fn {

inline float exp(float x) {
    return exp_of(x);
}
inline double exp(double x) {
    return math::exp(x);
}

inline float tanh(float x) {
    return tanh_of(x);
}
inline double tanh(double x) {
    return math::tanh(x);
}

inline float sigmoid(float x) {
    return sigmoid_of(x);
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
/// x * tanh(log(1 + e^x)); the float form is in kernel/functions.h.
inline double mish(double x) {
    const double t = exp(x > 20.0 ? 20.0 : x);
    const double n = t * (t + 2.0);
    return x > 20.0 ? x : x * (n / (n + 2.0));
}

}  // namespace fw::fn
