// Runs of floats from and to tensors of float32 or float16: a layer that computes in float has one loop for both.
#pragma once

#include <cstdint>

#include "base/isa.h"
#include "kernel/kernel.h"
#include "layer/support/run_plan.h"
#include "model/schema.h"
#include "tensor/tensor.h"

namespace fw {

/// Conversions of adjacent elements by a level's kernels, or plain loops where it has none, and its arithmetic.
struct HalfRuns {
    void (*widen)(const uint16_t* half, int64_t count, float* out);
    void (*narrow)(const float* x, int64_t count, uint16_t* half);
    const HalfArithKernel* arithmetic;  ///< nullptr: in float
};
HalfRuns half_runs(Isa level);
/// Of the level in use.
HalfRuns half_runs();

/// Elements of a tensor of `type` in pieces of a RunPlan, which is to be in_blocks() where that says so. Offsets and
/// steps are in elements; `buffer` has RunPlan::kBlock floats.
class FloatRuns {
public:
    explicit FloatRuns(DType type) : half_(kHasHalfBlobs && type == DType::kFloat16), runs_() {
        if (half_) {
            runs_ = half_runs();
        }
    }
    bool in_blocks() const { return half_; }
    /// Of float16 tensors, where the level has any: for adjacent elements without conversions. nullptr: in float.
    const HalfArithKernel* half_arithmetic() const { return runs_.arithmetic; }

    /// `n` elements side by side as floats: the memory itself if they are that, else a copy in `buffer`.
    const float* load(const Tensor& from, int64_t offset, int64_t step, int64_t n, float* buffer) const {
        if (half_) {
            widen(from.ptr<const uint16_t>() + offset, step, n, buffer);
            return buffer;
        }
        return gather_run(from.ptr<const float>() + offset, step, n, buffer);
    }
    /// Where to write results side by side; store() brings them home, or values of another buffer.
    float* target(const Tensor& to, int64_t offset, int64_t step, float* buffer) const {
        return half_ ? buffer : scatter_target(to.ptr<float>() + offset, step, buffer);
    }
    void store(const float* values, int64_t n, const Tensor& to, int64_t offset, int64_t step) const {
        if (half_) {
            narrow(values, n, to.ptr<uint16_t>() + offset, step);
            return;
        }
        float* home = to.ptr<float>() + offset;
        for (int64_t i = 0; i < n && values != home; ++i) {
            // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): callers have filled them
            home[i * step] = values[i];
        }
    }

private:
    void widen(const uint16_t* from, int64_t step, int64_t n, float* out) const;
    void narrow(const float* values, int64_t n, uint16_t* to, int64_t step) const;

    bool half_;
    HalfRuns runs_;
};

}  // namespace fw
