// exp(x) / sum of exp over float vectors: Softmax and attention.
#pragma once

#include <cstdint>

#include "kernel/kernel.h"

namespace fw {

/// `n` elements, `in_step` and `out_step` apart; the largest is subtracted first. `out` may be `in`. The same bits at
/// every level.
void softmax(const FunctionKernel& kernel, const float* in, int64_t in_step, float* out, int64_t out_step, int64_t n);

}  // namespace fw
