// A GEMM kernel of bfloat16 in plain loops: what gemm_bf16_*_avx512bf16 is but for its instructions.
#pragma once

#include "kernel/kernel.h"

namespace fw::test {

extern const GemmKernel kGemmBf16Loops;

}  // namespace fw::test
