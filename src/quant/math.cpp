// Methods: exp and trigonometric functions by Cody-Waite reduction and a Taylor polynomial, log by the series of atanh,
// erf by its confluent hypergeometric series (all terms of one sign). Speed does not matter: 256 calls a table.
#include "quant/math.h"

#include <cmath>
#include <limits>

namespace fw::math {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.14159265358979323846;
constexpr double kHalfPi = 1.57079632679489661923;
// log(2) in two parts; the first has 32 bits, so that its product with an exponent is exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kLog2E = 1.44269504088896338700;

// sum_{i >= 0} x^i / (first + 1)...(first + i): the tail of exp's Taylor series, to the accuracy of a double for |x| <=
// 0.4.
double exp_tail(double x, int first) {
    double sum = 1.0;
    for (int i = 16; i >= 1; --i) {
        sum = 1.0 + x * sum / static_cast<double>(first + i);
    }
    return sum;
}

// 2 * atanh(s) for |s| <= 0.18.
double twice_atanh(double s) {
    const double z = s * s;
    double sum = 0.0;
    for (int i = 12; i >= 1; --i) {
        sum = z * (sum + 1.0 / static_cast<double>(2 * i + 1));
    }
    return 2.0 * s + 2.0 * s * sum;
}

// x = n * pi / 2 + r with |r| <= pi / 4 (a little more by rounding); returns n modulo 4.
int reduce_quarter(double x, double* r) {
    if (x > 1048576.0 || x < -1048576.0) {
        x = std::fmod(x, 2.0 * kPi);
    }
    const double n = round_half_even(x / kHalfPi);
    // pi / 2 in three parts of 33, 33 and 53 bits.
    *r = ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) - n * 2.02226624879595063154e-21;
    return static_cast<int>(static_cast<long long>(n) & 3);
}

double sin_series(double r) {
    const double z = r * r;
    double sum = 0.0;
    for (int i = 10; i >= 1; --i) {
        sum = -z * (1.0 + sum) / static_cast<double>((2 * i) * (2 * i + 1));
    }
    return r + r * sum;
}

double cos_series(double r) {
    const double z = r * r;
    double sum = 0.0;
    for (int i = 10; i >= 1; --i) {
        sum = -z * (1.0 + sum) / static_cast<double>((2 * i - 1) * (2 * i));
    }
    return 1.0 + sum;
}

// x^n for a whole n >= 0.
double whole_power(double x, int n) {
    double result = 1.0;
    for (double square = x; n != 0; n >>= 1, square *= square) {
        if ((n & 1) != 0) {
            result *= square;
        }
    }
    return result;
}

}  // namespace

double round_half_even(double x) {
    if (!(x > -4503599627370496.0 && x < 4503599627370496.0)) {
        return x;  // already whole, infinite or nan
    }
    const double down = std::floor(x);
    const double rest = x - down;  // exact
    const bool odd = std::fmod(down, 2.0) != 0.0;
    return rest > 0.5 || (rest == 0.5 && odd) ? down + 1.0 : down;
}

double exp(double x) {
    if (x != x) {
        return x;
    }
    if (x > 709.8) {
        return kInf;
    }
    if (x < -745.2) {
        return 0.0;
    }
    const double k = round_half_even(x * kLog2E);
    const double r = (x - k * kLn2High) - k * kLn2Low;
    const int exponent = static_cast<int>(k);
    return std::ldexp(1.0 + r * exp_tail(r, 1), exponent);
}

double expm1(double x) {
    if (x > -0.4 && x < 0.4) {
        return x * exp_tail(x, 1);
    }
    return exp(x) - 1.0;
}

double log(double x) {
    if (x != x || x == kInf) {
        return x;
    }
    if (x <= 0.0) {
        return x == 0.0 ? -kInf : kNan;
    }
    int exponent = 0;
    double m = std::frexp(x, &exponent);  // [0.5, 1)
    if (m < 0.70710678118654752440) {
        m *= 2.0;
        --exponent;
    }
    const auto k = static_cast<double>(exponent);
    return k * kLn2High + (twice_atanh((m - 1.0) / (m + 1.0)) + k * kLn2Low);
}

double log1p(double x) {
    if (x > -0.29 && x < 0.41) {
        return twice_atanh(x / (2.0 + x));
    }
    return log(1.0 + x);
}

double tanh(double x) {
    if (x != x) {
        return x;
    }
    const double a = x < 0.0 ? -x : x;
    double t = 1.0;
    if (a < 20.0) {
        const double e = expm1(2.0 * a);
        t = e / (e + 2.0);
    }
    return x < 0.0 ? -t : t;
}

double sigmoid(double x) {
    if (x < 0.0) {
        const double e = exp(x);
        return e / (1.0 + e);
    }
    return 1.0 / (1.0 + exp(-x));
}

double softplus(double x) {
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double erf(double x) {
    if (x != x) {
        return x;
    }
    if (x > 6.0 || x < -6.0) {
        return x < 0.0 ? -1.0 : 1.0;  // erfc(6) = 2e-17
    }
    // erf(x) = 2 / sqrt(pi) * exp(-x^2) * x * sum_n (2 x^2)^n / (1 * 3 * 5 ... (2 n + 1))   (DLMF 7.6.2)
    const double z = 2.0 * x * x;
    double term = 1.0;
    double sum = 1.0;
    for (int n = 1; term > sum * 1e-18; ++n) {
        term *= z / static_cast<double>(2 * n + 1);
        sum += term;
    }
    const double result = 1.12837916709551257390 * exp(-x * x) * x * sum;
    return result > 1.0 ? 1.0 : (result < -1.0 ? -1.0 : result);
}

double pow(double x, double y) {
    if (y == 0.0 || x == 1.0) {
        return 1.0;
    }
    if (x != x || y != y) {
        return kNan;
    }
    const bool whole = y == std::floor(y);
    if (whole && y >= -64.0 && y <= 64.0) {
        const double p = whole_power(x, static_cast<int>(y < 0.0 ? -y : y));
        return y < 0.0 ? 1.0 / p : p;
    }
    if (x == 0.0) {
        return y > 0.0 ? 0.0 : kInf;
    }
    const double magnitude = exp(y * log(x < 0.0 ? -x : x));
    if (x > 0.0) {
        return magnitude;
    }
    if (!whole) {
        return kNan;
    }
    return std::fmod(y, 2.0) != 0.0 ? -magnitude : magnitude;
}

double sin(double x) {
    if (!(x > -kInf && x < kInf)) {
        return kNan;
    }
    double r = 0.0;
    const int quarter = reduce_quarter(x, &r);
    const double value = (quarter & 1) != 0 ? cos_series(r) : sin_series(r);
    return (quarter & 2) != 0 ? -value : value;
}

double cos(double x) {
    if (!(x > -kInf && x < kInf)) {
        return kNan;
    }
    double r = 0.0;
    const int quarter = reduce_quarter(x, &r);
    const double value = (quarter & 1) != 0 ? sin_series(r) : cos_series(r);
    return quarter == 1 || quarter == 2 ? -value : value;
}

double tan(double x) {
    return sin(x) / cos(x);
}

double atan(double x) {
    if (x != x) {
        return x;
    }
    const double a = x < 0.0 ? -x : x;
    double t = a > 1.0 ? 1.0 / a : a;
    // atan(t) = 2 atan(t / (1 + sqrt(1 + t^2))), three times: |t| <= tan(pi / 32)
    for (int i = 0; i < 3; ++i) {
        t = t / (1.0 + std::sqrt(1.0 + t * t));
    }
    const double z = t * t;
    double sum = 0.0;
    for (int i = 9; i >= 1; --i) {
        sum = -z * (1.0 / static_cast<double>(2 * i + 1) + sum);
    }
    double value = 8.0 * (t + t * sum);
    if (a > 1.0) {
        value = kHalfPi - value;
    }
    return x < 0.0 ? -value : value;
}

double atan2(double y, double x) {
    if (x != x || y != y) {
        return kNan;
    }
    const bool negative = std::signbit(y);
    double angle = 0.0;  // of (x, |y|)
    const double a = negative ? -y : y;
    const double b = x < 0.0 ? -x : x;
    if (a == kInf && b == kInf) {
        angle = kHalfPi / 2.0;
    } else if (a == 0.0 && b == 0.0) {
        angle = 0.0;
    } else {
        angle = b >= a ? atan(a / b) : kHalfPi - atan(b / a);
    }
    if (std::signbit(x)) {
        angle = kPi - angle;
    }
    return negative ? -angle : angle;
}

double asin(double x) {
    if (!(x >= -1.0 && x <= 1.0)) {
        return kNan;
    }
    return atan2(x, std::sqrt((1.0 - x) * (1.0 + x)));
}

double acos(double x) {
    if (!(x >= -1.0 && x <= 1.0)) {
        return kNan;
    }
    return atan2(std::sqrt((1.0 - x) * (1.0 + x)), x);
}

}  // namespace fw::math
