#include "kernel/dispatch.h"

#include <iterator>

#include "base/cpu.h"
#include "kernel/panel.h"

namespace fw {

namespace {

#define FW_LIST_gemm_f32(name) &name,
#define FW_LIST_gemm_int8(name) &name,
#define FW_LIST_dw_f32(name)
#define FW_LIST_dw_int8(name)
#define FW_LIST_dw_line(name)
#define FW_KERNEL(family, name, level) FW_LIST_##family(name)
const GemmKernel* const kGemmKernels[] = {
#include "kernel/kernels.inc"
};
#undef FW_LIST_gemm_f32
#undef FW_LIST_gemm_int8
#undef FW_LIST_dw_f32
#undef FW_LIST_dw_int8

#define FW_LIST_gemm_f32(name)
#define FW_LIST_gemm_int8(name)
#define FW_LIST_dw_f32(name) &name,
#define FW_LIST_dw_int8(name) &name,
const DwKernel* const kDwKernels[] = {
#include "kernel/kernels.inc"
};
#undef FW_LIST_dw_f32
#undef FW_LIST_dw_int8
#undef FW_LIST_dw_line

#define FW_LIST_dw_f32(name)
#define FW_LIST_dw_int8(name)
#define FW_LIST_dw_line(name) &name,
const DwLineKernel* const kDwLineKernels[] = {
#include "kernel/kernels.inc"
    nullptr,  // an architecture may have none
};
#undef FW_KERNEL

template <class Kernel, size_t kCount>
const Kernel* find(const Kernel* const (&list)[kCount], bool int8, Isa level) {
    for (const Kernel* kernel : list) {
        if (kernel->int8 == int8 && isa_covers(level, kernel->level)) {
            return kernel;
        }
    }
    return nullptr;
}

}  // namespace

Span<const GemmKernel* const> gemm_kernels() {
    return kGemmKernels;
}
Span<const DwKernel* const> dw_kernels() {
    return kDwKernels;
}
Span<const DwLineKernel* const> dw_line_kernels() {
    return {kDwLineKernels, std::size(kDwLineKernels) - 1};
}
const GemmKernel* find_gemm_kernel(bool int8, Isa level, int64_t n) {
    const GemmKernel* best = find(kGemmKernels, int8, level);
    if (n <= 0) {
        return best;
    }
    int64_t fewest = panel_count(n, best->lanes, best->vectors);
    for (const GemmKernel* kernel : kGemmKernels) {
        if (kernel->int8 != int8 || kernel->level != best->level) {
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
const DwKernel* find_dw_kernel(bool int8, Isa level) {
    return find(kDwKernels, int8, level);
}

const DwLineKernel* find_dw_line_kernel(bool int8, Isa level, int size, int stride) {
    for (const DwLineKernel* kernel : dw_line_kernels()) {
        if (kernel->int8 == int8 && kernel->size == size && kernel->stride == stride &&
            isa_covers(level, kernel->level)) {
            return kernel;
        }
    }
    return nullptr;
}

}  // namespace fw
