// Elementary functions in double precision that give the same bits on every platform: only IEEE add, multiply, divide
// and square root, and exact operations (frexp, ldexp, fmod, floor), in a fixed order. Point-wise tables are made with
// these.
//
// Stated errors are relative to the true value, in units of 2^-52 ("ulp"); tests/quant/math_test.cpp holds them to it.
// Special values follow C: exp(-inf) = 0, log(0) = -inf, log(-1) = nan, nan in = nan out.
#pragma once

namespace fw::math {

double exp(double x);       ///< 2 ulp
double expm1(double x);     ///< exp(x) - 1 without cancellation; 4 ulp
double log(double x);       ///< 4 ulp
double log1p(double x);     ///< log(1 + x) without cancellation; 4 ulp
double tanh(double x);      ///< 6 ulp
double sigmoid(double x);   ///< 1 / (1 + exp(-x)); 5 ulp
double softplus(double x);  ///< log(1 + exp(x)), no overflow; 6 ulp
double erf(double x);       ///< 64 ulp
/// Whole y of at most 64 by repeated squaring, else exp(y * log x): (8 + 4 * |y * log x|) ulp. A negative x needs a
/// whole y.
double pow(double x, double y);
/// Absolute error 4 * 2^-52 for |x| <= 2^20; larger arguments are reduced modulo the double nearest 2 pi (fixed, but
/// not exact).
double sin(double x);
double cos(double x);
double tan(double x);              ///< sin / cos
double atan(double x);             ///< 8 ulp
double atan2(double y, double x);  ///< 8 ulp
double asin(double x);             ///< 16 ulp
double acos(double x);             ///< absolute error 8 * 2^-52
double round_half_even(double x);  ///< to a whole number, as a double

}  // namespace fw::math
