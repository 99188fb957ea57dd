// Constants of the normalisation layers in int8 (docs/int8-contract.md): from sums of levels to an affine formula.
#pragma once

#include <cstdint>
#include <vector>

#include "fw/span.h"
#include "fw/table.h"

namespace fw {

/// Exact sums over the elements that are normalised together: of q - zp, and of its square.
struct LevelSums {
    int64_t count = 0, sum = 0, square_sum = 0;
};
/// y = (x - mean) / deviation: what mean and deviation are.
struct NormRule {
    bool centred = true;       ///< otherwise the mean is 0 and the deviation is the root of the mean square
    bool scaled = true;        ///< otherwise the deviation is 1
    bool eps_outside = false;  ///< sqrt(variance) + eps instead of sqrt(variance + eps)
    double eps = 0.0;
};
struct NormConstants {
    double factor = 0.0;  ///< s_out / s_in / deviation
    double mean = 0.0;    ///< of q - zp
    double scale_out = 0.0;
};
NormConstants make_norm(const LevelSums& sums, const NormRule& rule, const QuantParams& in, const QuantParams& out);
/// The affine formula of y = (x - mean) / deviation * gamma[i] + beta[i], i < count; gamma (1) and beta (0) may be
/// null. Neither is read where a or b lies.
void norm_affine(const NormConstants& norm, const float* gamma, const float* beta, int64_t count, float* a, float* b);

/// What norm_affine makes of gamma and beta whatever the sums are: gamma, and beta * s_out (0 without beta).
struct NormFactors {
    std::vector<double> gamma, shift;
};
NormFactors make_norm_factors(Span<const float> gamma, Span<const float> beta, const QuantParams& out);

}  // namespace fw
