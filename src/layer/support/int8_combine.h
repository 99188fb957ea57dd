// Int8Combine: one int8 blob from the elements of several, by a sum, product, quotient, maximum or minimum
// (docs/int8-contract.md, "Element-wise sum" and "Products, quotients, maxima and minima").
#pragma once

#include <vector>

#include "layer/layer.h"
#include "layer/support/run_plan.h"
#include "quant/quant.h"

namespace fw {

struct ArithKernel;
struct CombineOperation;
struct RunKernel;

class Int8Combine {
public:
    enum class Op : uint8_t { kSum, kProduct, kQuotient, kMax, kMin };

    /// Computes the constants. Every blob must be int8 with a known scale; kUnsupported otherwise, and for scales or
    /// numbers of inputs that the formula cannot hold. `coefficients` belong to a sum and may be empty (all 1).
    Status prepare(Op op, const PrepareContext& context, Span<const float> coefficients = {});

    /// `strides` has those of the output, then of each input, seen in the output's shape (0 = repeated along an axis).
    /// The output may be the memory of any input that has its strides.
    void run(Span<const Tensor> in, const Tensor& out, Span<const int64_t* const> strides, int threads) const;

    /// For another processor; two inputs. `strides` are those of the inputs, as run() has them after the output's.
    Status operation(Span<const Tensor> in, Span<const int64_t* const> strides, Operation* operation) const;
    /// The constants of a prepared sum; nullptr = it makes none.
    const SumParams* sum_params() const { return op_ == Op::kSum ? &sum_ : nullptr; }
    /// The kernel of a prepared sum or product; "" = the loops here.
    const char* kernel_name() const;

private:
    /// The part of a run that is at hand: `n` elements from `start` on; offsets begin with the output's.
    struct Piece {
        const int64_t* offset;
        int64_t start;
        int64_t n;
    };
    const int8_t* operand(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, size_t i,
                          int8_t* buffer) const;
    void sum(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, int8_t* to) const;
    void product(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, int8_t* to) const;
    /// Of two inputs, of which `repeated` is the same for all runs.
    void product_of_runs(const RunPlan& plan, Span<const Tensor> in, size_t repeated, int8_t* out, int threads) const;
    void multiply(const int8_t* const* from, size_t inputs, int64_t n, int8_t* to) const;
    void quotient(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, float* value) const;
    void extreme(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, float* value) const;

    Op op_ = Op::kSum;
    SumParams sum_;
    std::vector<int32_t> zero_point_;  ///< of the inputs
    std::vector<float> factor_;        ///< maximum, minimum: of the inputs
    QuantParams result_;               ///< the last step, quantize(): scale = multiplier
    const RunKernel* kernel_ = nullptr;
    const ArithKernel* arith_ = nullptr;
};

/// A sum of as many runs of `n` bytes as it has operands, at most 4, by the kernel or, where that is nullptr, by the
/// loops here. `to` may be one of the operands.
void sum_run(const SumParams& sum, const RunKernel* kernel, const int8_t* const* in, int64_t n, int8_t* to);

/// Fills CombineOperation::from; kUnsupported unless there are two inputs.
Status combine_inputs(Span<const Tensor> in, Span<const int64_t* const> strides, CombineOperation* combine);

}  // namespace fw
