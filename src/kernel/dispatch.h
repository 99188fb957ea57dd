// Which kernel runs: the first line of kernels.inc whose level the level in use covers decides on the level.
#pragma once

#include "fw/span.h"
#include "kernel/kernel.h"

namespace fw {

/// Every kernel of this build, in the order of kernels.inc.
Span<const GemmKernel* const> gemm_kernels();
Span<const DwKernel* const> dw_kernels();
Span<const DwLineKernel* const> dw_line_kernels();
Span<const RunKernel* const> run_kernels();
Span<const PoolKernel* const> pool_kernels();
Span<const TableKernel* const> table_kernels();
Span<const ArithKernel* const> arith_kernels();
Span<const NormKernel* const> norm_kernels();
Span<const FunctionKernel* const> function_kernels();
Span<const HalfArithKernel* const> half_arith_kernels();
Span<const WinogradKernel* const> winograd_kernels();
Span<const PairGemmKernel* const> pair_gemm_kernels();
Span<const StrassenKernel* const> strassen_kernels();

/// The best kernel for `level`. Never nullptr: scalar kernels run everywhere. A level may have GEMM kernels with tiles
/// of different shapes: the one that covers `n` output channels with the fewest panels is taken, then the one with the
/// most rows. n = 0: not known yet.
const GemmKernel* find_gemm_kernel(bool int8, Isa level, int64_t n);
/// The `matched` one, where the level has one that is faster than find_gemm_kernel's for int8 as long as nine in ten
/// groups of activations have no rest; else nullptr.
const GemmKernel* find_matched_gemm_kernel(Isa level);
/// Of the kernels with arithmetic in float16; nullptr where the level has none.
const GemmKernel* find_half_gemm_kernel(HalfFormat format, Isa level, bool half_input = false);
const DwKernel* find_dw_kernel(bool int8, Isa level);
/// nullptr where there is none for this window: the general kernel does it. channels = 0: not known. `half`: of float16
/// pixels.
const DwLineKernel* find_dw_line_kernel(bool int8, Isa level, int size, int stride, int64_t channels = 0,
                                        bool half = false);
/// nullptr where the level has none: the layers' own loops do it.
const RunKernel* find_run_kernel(Isa level);
const PoolKernel* find_pool_kernel(Isa level);
const TableKernel* find_table_kernel(Isa level);
const NormKernel* find_norm_kernel(Isa level);
/// Never nullptr.
const ArithKernel* find_arith_kernel(Isa level);
const FunctionKernel* find_function_kernel(Isa level);
/// nullptr where the level has none: float16 is computed in float.
const HalfArithKernel* find_half_arith_kernel(Isa level);
/// nullptr where there is none: in the smallest build, in int8 at levels that have no GEMM for it either.
const WinogradKernel* find_winograd_kernel(bool int8, Isa level, int size, bool half = false);
const PairGemmKernel* find_pair_gemm_kernel(Isa level);
/// nullptr where the level has no arithmetic on half floats.
const StrassenKernel* find_strassen_kernel(Isa level);

}  // namespace fw
