#include "layer/support/float_runs.h"

#include "base/cpu.h"
#include "base/half.h"
#include "kernel/dispatch.h"

namespace fw {

namespace {

void widen_plainly(const uint16_t* half, int64_t count, float* out) {
    for (int64_t i = 0; i < count; ++i) {
        out[i] = half_to_float(half[i]);
    }
}

void narrow_plainly(const float* x, int64_t count, uint16_t* half) {
    for (int64_t i = 0; i < count; ++i) {
        half[i] = float_to_half(x[i]);
    }
}

}  // namespace

HalfRuns half_runs(Isa level) {
    const RunKernel* kernel = find_run_kernel(level);
    HalfRuns runs = {widen_plainly, narrow_plainly, kHasHalfBlobs ? find_half_arith_kernel(level) : nullptr};
    if (kernel != nullptr && kernel->widen != nullptr) {
        runs.widen = kernel->widen;
    }
    if (kernel != nullptr && kernel->narrow != nullptr) {
        runs.narrow = kernel->narrow;
    }
    return runs;
}

HalfRuns half_runs() {
    const Result<Isa> isa = current_isa();
    return half_runs(isa.ok() ? *isa : Isa::kScalar);
}

void FloatRuns::widen(const uint16_t* from, int64_t step, int64_t n, float* out) const {
    uint16_t buffer[RunPlan::kBlock];
    runs_.widen(gather_run(from, step, n, buffer), n, out);
}

void FloatRuns::narrow(const float* values, int64_t n, uint16_t* to, int64_t step) const {
    uint16_t buffer[RunPlan::kBlock];
    uint16_t* half = scatter_target(to, step, buffer);
    runs_.narrow(values, n, half);
    scatter_run(half, n, to, step);
}

}  // namespace fw
