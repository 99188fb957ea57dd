// Which kernel runs: the first line of kernels.inc whose level the level in use covers.
#pragma once

#include "fw/span.h"
#include "kernel/kernel.h"

namespace fw {

/// Every kernel of this build, in the order of kernels.inc.
Span<const GemmKernel* const> gemm_kernels();
Span<const DwKernel* const> dw_kernels();

/// The best kernel for `level`. Never nullptr: scalar kernels run everywhere.
const GemmKernel* find_gemm_kernel(bool int8, Isa level);
const DwKernel* find_dw_kernel(bool int8, Isa level);

}  // namespace fw
