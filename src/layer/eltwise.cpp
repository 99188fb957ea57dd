// Eltwise: product, weighted sum or maximum of any number of inputs of one shape. The sum also in int8
// (docs/int8-contract.md).
#include <algorithm>

#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"

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
        if (all_of_type(context.inputs, DType::kFloat32) && all_of_type(context.outputs, DType::kFloat32)) {
            return {};
        }
        std::vector<QuantParams> quants;
        bool known = context.outputs[0].quant.known();
        for (const TensorDesc& desc : context.inputs) {
            quants.push_back(desc.quant);
            known = known && desc.quant.known();
        }
        if (op_ != EltwiseOp::kSum || !known || !all_of_type(context.inputs, DType::kInt8) ||
            !all_of_type(context.outputs, DType::kInt8)) {
            return unsupported_types(context);
        }
        sum_ = make_sum(quants, coefficients_, context.outputs[0].quant, {});
        if (sum_.shift == 0) {
            return Status::error(Code::kUnsupported,
                                 "the scales of inputs and output are too far apart for an int8 sum");
        }
        int8_ = true;
        FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
        run_ = find_run_kernel(isa);
        return {};
    }
    LayerTraits traits() const override { return {true, true, true}; }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        std::vector<const int64_t*> strides = {out[0].stride};
        for (const Tensor& t : in) {
            strides.push_back(t.stride);
        }
        const RunPlan plan(out[0].shape, strides);
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t length) {
            // All inputs block by block, so that the output may be the memory of any of them.
            for (int64_t start = 0; start < length; start += RunPlan::kBlock) {
                const int64_t n = std::min<int64_t>(RunPlan::kBlock, length - start);
                if (int8_) {
                    sum_int8(plan, in, out[0], offset, start, n);
                } else {
                    combine(plan, in, out[0], offset, start, n);
                }
            }
        });
        return {};
    }

private:
    void combine(const RunPlan& plan, Span<const Tensor> in, const Tensor& out, const int64_t* offset, int64_t start,
                 int64_t n) const {
        float total[RunPlan::kBlock];
        float buffer[RunPlan::kBlock];
        for (size_t i = 0; i < in.size(); ++i) {
            const float* x = gather_run(in[i].ptr<const float>() + offset[i + 1] + start * plan.step(i + 1),
                                        plan.step(i + 1), n, buffer);
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
        store(total, n, out.ptr<float>() + offset[0] + start * plan.step(0), plan.step(0));
    }
    void sum_int8(const RunPlan& plan, Span<const Tensor> in, const Tensor& out, const int64_t* offset, int64_t start,
                  int64_t n) const {
        if (run_ != nullptr && adjacent(plan, in.size() + 1)) {
            sum_adjacent(in, out, offset, start, n);
            return;
        }
        int32_t total[RunPlan::kBlock];
        int8_t buffer[RunPlan::kBlock];
        std::fill(total, total + n, int32_t{1} << (sum_.shift - 1));
        for (size_t i = 0; i < in.size(); ++i) {
            const int8_t* x = gather_run(in[i].ptr<const int8_t>() + offset[i + 1] + start * plan.step(i + 1),
                                         plan.step(i + 1), n, buffer);
            const int32_t k = sum_.multiplier[i];
            const int32_t zero_point = sum_.zero_point[i];
            for (int64_t j = 0; j < n; ++j) {
                total[j] += (x[j] - zero_point) * k;
            }
        }
        // Copies: a store of a byte may change any member.
        const int32_t zero_point_out = sum_.zero_point_out;
        const int32_t lo = sum_.lo;
        const int32_t hi = sum_.hi;
        const int shift = sum_.shift;
        for (int64_t j = 0; j < n; ++j) {
            buffer[j] = static_cast<int8_t>(std::min(std::max(zero_point_out + (total[j] >> shift), lo), hi));
        }
        store(buffer, n, out.ptr<int8_t>() + offset[0] + start * plan.step(0), plan.step(0));
    }
    static bool adjacent(const RunPlan& plan, size_t operands) {
        bool all = operands <= kMaxAdjacent + 1;
        for (size_t i = 0; i < operands; ++i) {
            all = all && plan.step(i) == 1;
        }
        return all;
    }
    void sum_adjacent(Span<const Tensor> in, const Tensor& out, const int64_t* offset, int64_t start, int64_t n) const {
        const int8_t* from[kMaxAdjacent];
        for (size_t i = 0; i < in.size(); ++i) {
            from[i] = in[i].ptr<const int8_t>() + offset[i + 1] + start;
        }
        SumArgs args;
        args.in = from;
        args.multiplier = sum_.multiplier.data();
        args.zero_point = sum_.zero_point.data();
        args.inputs = static_cast<int>(in.size());
        args.shift = sum_.shift;
        args.zero_point_out = sum_.zero_point_out;
        args.lo = sum_.lo;
        args.hi = sum_.hi;
        run_->sum(args, n, out.ptr<int8_t>() + offset[0] + start);
    }
    template <class T>
    static void store(const T* values, int64_t n, T* to, int64_t step) {
        for (int64_t j = 0; j < n; ++j) {
            // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): the first input has filled them
            to[j * step] = values[j];
        }
    }

    static constexpr size_t kMaxAdjacent = 8;  // inputs that the kernel is used for

    EltwiseOp op_ = EltwiseOp::kProduct;
    std::vector<float> coefficients_;
    bool int8_ = false;
    SumParams sum_;
    const RunKernel* run_ = nullptr;
};

}  // namespace

std::unique_ptr<Layer> make_Eltwise() {
    return std::make_unique<Eltwise>();
}

}  // namespace fw
