#include "kernel/dispatch.h"

#include <type_traits>
#include <vector>

#include "base/cpu.h"
#include "kernel/panel.h"
#include "kernel/strassen_kernel.h"

namespace fw {

namespace {

template <class Kernel, class Other>
const Kernel* pick(const Other& kernel) {
    if constexpr (std::is_same_v<Kernel, Other>) {
        return &kernel;
    } else {
        return nullptr;
    }
}

// The lines of kernels.inc with a kernel of this type.
template <class Kernel>
const std::vector<const Kernel*>& listed() {
    static const std::vector<const Kernel*> kList = [] {
        const Kernel* const all[] = {
#define FW_KERNEL(family, name, level) pick<Kernel>(name),
#include "kernel/kernels.inc"
#undef FW_KERNEL
        };
        std::vector<const Kernel*> list;
        for (const Kernel* kernel : all) {
            if (kernel != nullptr) {
                list.push_back(kernel);
            }
        }
        return list;
    }();
    return kList;
}

// The first that runs where `level` is in use and that `fits`.
template <class Kernel, class Fits>
const Kernel* find(Isa level, Fits&& fits) {
    for (const Kernel* kernel : listed<Kernel>()) {
        if (isa_covers(level, kernel->level) && fits(*kernel)) {
            return kernel;
        }
    }
    return nullptr;
}

template <class Kernel>
Span<const Kernel* const> span_of_listed() {
    return {listed<Kernel>().data(), listed<Kernel>().size()};
}

}  // namespace

Span<const GemmKernel* const> gemm_kernels() {
    return span_of_listed<GemmKernel>();
}
Span<const DwKernel* const> dw_kernels() {
    return span_of_listed<DwKernel>();
}
Span<const DwLineKernel* const> dw_line_kernels() {
    return span_of_listed<DwLineKernel>();
}
Span<const RunKernel* const> run_kernels() {
    return span_of_listed<RunKernel>();
}
Span<const PoolKernel* const> pool_kernels() {
    return span_of_listed<PoolKernel>();
}
Span<const TableKernel* const> table_kernels() {
    return span_of_listed<TableKernel>();
}
Span<const ArithKernel* const> arith_kernels() {
    return span_of_listed<ArithKernel>();
}
Span<const NormKernel* const> norm_kernels() {
    return span_of_listed<NormKernel>();
}
Span<const FunctionKernel* const> function_kernels() {
    return span_of_listed<FunctionKernel>();
}
Span<const HalfArithKernel* const> half_arith_kernels() {
    return span_of_listed<HalfArithKernel>();
}
Span<const WinogradKernel* const> winograd_kernels() {
    return span_of_listed<WinogradKernel>();
}
Span<const PairGemmKernel* const> pair_gemm_kernels() {
    return span_of_listed<PairGemmKernel>();
}
Span<const StrassenKernel* const> strassen_kernels() {
    return span_of_listed<StrassenKernel>();
}
const GemmKernel* find_gemm_kernel(bool int8, Isa level, int64_t n) {
    const auto fits = [&](const GemmKernel& k) {
        return k.int8 == int8 && k.half == HalfFormat::kFloat32 && !k.matched;
    };
    const GemmKernel* best = find<GemmKernel>(level, fits);
    if (n <= 0) {
        return best;
    }
    int64_t fewest = panel_count(n, best->lanes, best->vectors);
    for (const GemmKernel* kernel : listed<GemmKernel>()) {
        if (!fits(*kernel) || kernel->level != best->level) {
            continue;
        }
        const int64_t panels = panel_count(n, kernel->lanes, kernel->vectors);
        if (panels < fewest || (panels == fewest && kernel->mr > best->mr)) {
            fewest = panels;
            best = kernel;
        }
    }
    return best;
}
const GemmKernel* find_matched_gemm_kernel(Isa level) {
    // Levels above have products of bytes that are faster still.
    const Isa best = find_gemm_kernel(true, level, 0)->level;
    return find<GemmKernel>(level, [&](const GemmKernel& k) { return k.matched && k.level == best; });
}
const GemmKernel* find_half_gemm_kernel(HalfFormat format, Isa level, bool half_input) {
    return find<GemmKernel>(level, [&](const GemmKernel& k) { return k.half == format && k.half_input == half_input; });
}
const DwKernel* find_dw_kernel(bool int8, Isa level) {
    return find<DwKernel>(level, [&](const DwKernel& k) { return k.int8 == int8; });
}
const DwLineKernel* find_dw_line_kernel(bool int8, Isa level, int size, int stride, int64_t channels, bool half) {
    return find<DwLineKernel>(level, [&](const DwLineKernel& k) {
        const bool few = k.most_channels > 0;
        return k.int8 == int8 && k.half == half && k.size == size && k.stride == stride &&
               (!few || (channels > 0 && channels <= k.most_channels && channels % k.lanes == 0));
    });
}
const RunKernel* find_run_kernel(Isa level) {
    return find<RunKernel>(level, [](const RunKernel&) { return true; });
}
const PoolKernel* find_pool_kernel(Isa level) {
    return find<PoolKernel>(level, [](const PoolKernel&) { return true; });
}
const TableKernel* find_table_kernel(Isa level) {
    return find<TableKernel>(level, [](const TableKernel&) { return true; });
}
const ArithKernel* find_arith_kernel(Isa level) {
    return find<ArithKernel>(level, [](const ArithKernel&) { return true; });
}
const NormKernel* find_norm_kernel(Isa level) {
    return find<NormKernel>(level, [](const NormKernel&) { return true; });
}
const FunctionKernel* find_function_kernel(Isa level) {
    return find<FunctionKernel>(level, [](const FunctionKernel&) { return true; });
}
const HalfArithKernel* find_half_arith_kernel(Isa level) {
    return find<HalfArithKernel>(level, [](const HalfArithKernel&) { return true; });
}
const WinogradKernel* find_winograd_kernel(bool int8, Isa level, int size, bool half) {
    return find<WinogradKernel>(
        level, [&](const WinogradKernel& k) { return k.int8 == int8 && k.size == size && k.half == half; });
}
const PairGemmKernel* find_pair_gemm_kernel(Isa level) {
    return find<PairGemmKernel>(level, [](const PairGemmKernel&) { return true; });
}
const StrassenKernel* find_strassen_kernel(Isa level) {
    return find<StrassenKernel>(level, [](const StrassenKernel&) { return true; });
}

}  // namespace fw
