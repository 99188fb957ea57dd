// Eltwise: product, weighted sum or maximum of any number of inputs of one shape, in float and int8.
#include <algorithm>

#include "layer/operation.h"
#include "layer/support/float_runs.h"
#include "layer/support/int8_combine.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"
#include "layer/support/vector_pairs.h"

namespace fw {

namespace {

enum class EltwiseOp : uint8_t { kProduct, kSum, kMax };

class Eltwise final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        const int op = params.i(0);
        if (op < 0 || op > 2) {
            return Status::error(Code::kInvalidArgument, "op_type is %d, expected 0 (product), 1 (sum) or 2 (maximum)",
                                 op);
        }
        op_ = static_cast<EltwiseOp>(op);
        coefficients_ = params.floats(1);
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        if (in.size() < 2) {
            return Status::error(Code::kInvalidArgument, "has %zu inputs, expected at least 2", in.size());
        }
        if (op_ == EltwiseOp::kSum && !coefficients_.empty() && coefficients_.size() != in.size()) {
            return Status::error(Code::kInvalidArgument, "has %zu coeffs for %zu inputs", coefficients_.size(),
                                 in.size());
        }
        for (const TensorDesc& desc : in) {
            if (desc.shape != in[0].shape) {
                return Status::error(Code::kInvalidArgument, "inputs differ in shape: %s and %s",
                                     in[0].shape.str().c_str(), desc.shape.str().c_str());
            }
        }
        out[0].shape = in[0].shape;
        return {};
    }
    Status prepare(const PrepareContext& context) override {
        int8_ = false;
        if (all_float(context)) {
            return {};
        }
        FW_RETURN_IF_ERROR(combine_.prepare(int8_op(), context, coefficients_));
        int8_ = true;
        return {};
    }
    HalfUse half_use(bool /*arithmetic*/) const override { return HalfUse::kSame; }
    LayerTraits traits() const override { return {true, true, true}; }
    std::string kernel_name() const override { return int8_ ? combine_.kernel_name() : ""; }

    const SumParams* int8_sum() const override { return int8_ ? combine_.sum_params() : nullptr; }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        std::vector<const int64_t*> strides = {out[0].stride};
        for (const Tensor& t : in) {
            strides.push_back(t.stride);
        }
        if (int8_) {
            combine_.run(in, out[0], strides, context.threads);
            return {};
        }
        const FloatRuns runs(out[0].dtype);
        const RunPlan plan(out[0].shape, strides);
        const bool adds_adjacent = in.size() == 2 && op_ == EltwiseOp::kSum && coefficients_.empty() &&
                                   plan.step(0) == 1 && plan.step(1) == 1 && plan.step(2) == 1;
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t length) {
            if (adds_adjacent && add(runs, in, out[0], offset, length)) {
                return;
            }
            // All inputs block by block, so that the output may be the memory of any of them.
            for (int64_t start = 0; start < length; start += RunPlan::kBlock) {
                combine(runs, plan, in, out[0], offset, start, std::min<int64_t>(RunPlan::kBlock, length - start));
            }
        });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> /*out*/, Operation* operation) const FW_DEVICE_OVERRIDE {
        std::vector<const int64_t*> strides;
        for (const Tensor& t : in) {
            strides.push_back(t.stride);
        }
        if (int8_) {
            return combine_.operation(in, strides, operation);
        }
        CombineOperation combine;
        FW_RETURN_IF_ERROR(combine_inputs(in, strides, &combine));
        using Kind = CombineOperation::Kind;
        combine.kind = op_ == EltwiseOp::kSum ? Kind::kSum : op_ == EltwiseOp::kMax ? Kind::kMax : Kind::kProduct;
        if (!coefficients_.empty() && op_ == EltwiseOp::kSum) {
            std::copy_n(coefficients_.begin(), combine.coefficient.size(), combine.coefficient.begin());
        }
        *operation = combine;
        return {};
    }

private:
    Int8Combine::Op int8_op() const {
        switch (op_) {
            case EltwiseOp::kProduct: return Int8Combine::Op::kProduct;
            case EltwiseOp::kSum: return Int8Combine::Op::kSum;
            default: return Int8Combine::Op::kMax;
        }
    }
    void combine(const FloatRuns& runs, const RunPlan& plan, Span<const Tensor> in, const Tensor& out,
                 const int64_t* offset, int64_t start, int64_t n) const {
        float total[RunPlan::kBlock];
        float buffer[RunPlan::kBlock];
        for (size_t i = 0; i < in.size(); ++i) {
            const int64_t step = plan.step(i + 1);
            const float* x = runs.load(in[i], offset[i + 1] + start * step, step, n, buffer);
            const float c = op_ == EltwiseOp::kSum && !coefficients_.empty() ? coefficients_[i] : 1.0F;
            if (i == 0) {
                for (int64_t j = 0; j < n; ++j) {
                    total[j] = x[j] * c;
                }
            } else if (op_ == EltwiseOp::kProduct) {
                for (int64_t j = 0; j < n; ++j) {
                    total[j] *= x[j];
                }
            } else if (op_ == EltwiseOp::kSum) {
                for (int64_t j = 0; j < n; ++j) {
                    total[j] += x[j] * c;
                }
            } else {
                for (int64_t j = 0; j < n; ++j) {
                    total[j] = x[j] > total[j] ? x[j] : total[j];
                }
            }
        }
        runs.store(total, n, out, offset[0] + start * plan.step(0), plan.step(0));
    }
    // Two adjacent runs; false for float16 that has to be added in float.
    static bool add(const FloatRuns& runs, Span<const Tensor> in, const Tensor& out, const int64_t* offset, int64_t n) {
        const HalfArithKernel* half = runs.half_arithmetic();
        if (half != nullptr) {
            half->sum(in[0].ptr<const uint16_t>() + offset[1], in[1].ptr<const uint16_t>() + offset[2], n,
                      out.ptr<uint16_t>() + offset[0]);
        } else if (!runs.in_blocks()) {
            combine_pairs(in[0].ptr<const float>() + offset[1], in[1].ptr<const float>() + offset[2], n,
                          out.ptr<float>() + offset[0], [](auto x, auto y) { return x + y; });
        } else {
            return false;
        }
        return true;
    }

    EltwiseOp op_ = EltwiseOp::kProduct;
    std::vector<float> coefficients_;
    bool int8_ = false;
    Int8Combine combine_;
};

}  // namespace

std::unique_ptr<Layer> make_Eltwise() {
    return std::make_unique<Eltwise>();
}

}  // namespace fw
