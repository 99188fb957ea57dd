#include "quant/normalization.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace fw {

namespace {

// A multiplier as a float: never infinite (0 * inf), never denormal (some vector units flush those).
float to_signed_multiplier(double m) {
    constexpr double kMost = FLT_MAX;
    const double bounded = m > kMost ? kMost : m < -kMost ? -kMost : m;
    return std::fabs(m) >= static_cast<double>(FLT_MIN) ? static_cast<float>(bounded) : 0.0F;
}

// None of the numbers, rounded from doubles, is what to_signed_multiplier gives another value for, but for the sign of
// zero: all are zero or above FLT_MIN, and finite. By the signs of differences, which compilers make vectors of.
bool are_multipliers(const float* m, int64_t count) {
    constexpr int32_t kLeast = 0x00800000;  // the bits of FLT_MIN
    constexpr int32_t kMost = 0x7f7fffff;   // of FLT_MAX
    int32_t others = 0;
    for (int64_t i = 0; i < count; ++i) {
        int32_t bits = 0;
        std::memcpy(&bits, &m[i], sizeof(bits));
        bits &= 0x7fffffff;
        others |= (-bits & (bits - kLeast - 1)) | (kMost - bits);
    }
    return others >= 0;
}

}  // namespace

NormConstants make_norm(const LevelSums& sums, const NormRule& rule, const QuantParams& in, const QuantParams& out) {
    const auto count = static_cast<double>(sums.count);
    const auto scale = static_cast<double>(in.scale);
    NormConstants norm;
    norm.scale_out = static_cast<double>(out.scale);
    norm.mean = rule.centred ? static_cast<double>(sums.sum) / count : 0.0;
    double deviation = 1.0;
    if (rule.scaled) {
        const double levels = static_cast<double>(sums.square_sum) / count - norm.mean * norm.mean;
        const double variance = std::max(levels, 0.0) / scale / scale;
        deviation = rule.eps_outside ? std::sqrt(variance) + rule.eps : std::sqrt(variance + rule.eps);
    }
    norm.factor = deviation > 0.0 ? norm.scale_out / scale / deviation : 0.0;
    return norm;
}

void norm_affine(const NormConstants& norm, const float* gamma, const float* beta, int64_t count, float* a, float* b) {
    const NormConstants n = norm;  // a copy: what is written might be a part of it, as far as the compiler knows
    const auto fill = [&](auto to_float) {
        for (int64_t i = 0; i < count; ++i) {
            const double scaled = gamma == nullptr ? n.factor : static_cast<double>(gamma[i]) * n.factor;
            const double shift = beta == nullptr ? 0.0 : static_cast<double>(beta[i]) * n.scale_out;
            a[i] = to_float(scaled);
            b[i] = to_float(shift - scaled * n.mean);
        }
    };
    fill([](double x) { return static_cast<float>(x); });
    if (!are_multipliers(a, count) || !are_multipliers(b, count)) {
        fill(to_signed_multiplier);
    }
}

NormFactors make_norm_factors(Span<const float> gamma, Span<const float> beta, const QuantParams& out) {
    NormFactors factors;
    factors.gamma.assign(gamma.begin(), gamma.end());
    factors.shift.assign(gamma.size(), 0.0);
    for (size_t i = 0; i < beta.size(); ++i) {
        factors.shift[i] = static_cast<double>(beta[i]) * static_cast<double>(out.scale);
    }
    return factors;
}

}  // namespace fw
