#include "layer/support/channel_affine.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/memory.h"
#include "layer/operation.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"
#include "layer/support/weights.h"

namespace fw {

void channel_affine(const Tensor& in, const Tensor& out, const float* a, const float* b, int64_t step, int threads) {
    const int64_t by_channel[Shape::kMaxRank] = {step, 0, 0, 0};
    const RunPlan plan(out.shape, {out.stride, in.stride, by_channel});
    const bool along_channels = plan.step(2) != 0;
    plan.for_each(threads, [&](const int64_t* offset, int64_t n) {
        float buffer[RunPlan::kBlock];
        float a_buffer[RunPlan::kBlock];
        float b_buffer[RunPlan::kBlock];
        float* home = out.ptr<float>() + offset[0];
        const float* x = gather_run(in.ptr<const float>() + offset[1], plan.step(1), n, buffer);
        float* y = scatter_target(home, plan.step(0), buffer);
        if (along_channels) {
            const float* scale = gather_run(a + offset[2], plan.step(2), n, a_buffer);
            if (b == nullptr) {
                for (int64_t i = 0; i < n; ++i) {
                    y[i] = x[i] * scale[i];
                }
            } else {
                const float* shift = gather_run(b + offset[2], plan.step(2), n, b_buffer);
                for (int64_t i = 0; i < n; ++i) {
                    y[i] = x[i] * scale[i] + shift[i];
                }
            }
        } else {
            const float scale = a[offset[2]];
            const float shift = b == nullptr ? 0.0F : b[offset[2]];
            for (int64_t i = 0; i < n; ++i) {
                y[i] = x[i] * scale + shift;
            }
        }
        scatter_run(y, n, home, plan.step(0));
    });
}

Status ChannelAffine::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    FW_RETURN_IF_ERROR(check_channels(in[0].shape, static_cast<int64_t>(a_.size())));
    out[0].shape = in[0].shape;
    return {};
}

Status ChannelAffine::prepare(const PrepareContext& context) {
    int8_ = false;
    if (all_of_type(context.inputs, DType::kFloat32) && all_of_type(context.outputs, DType::kFloat32)) {
        return {};
    }
    const TensorDesc& in = context.inputs[0];
    const TensorDesc& out = context.outputs[0];
    if (context.inputs.size() != 1 || in.dtype != DType::kInt8 || out.dtype != DType::kInt8 || !in.quant.known() ||
        !out.quant.known()) {
        return unsupported_types(context);
    }
    if (!all_finite(a_) || !all_finite(b_)) {
        return Status::error(Code::kUnsupported, "a factor is inf or nan");
    }
    params_ = make_affine(in.quant, a_, b_, out.quant);
    constexpr size_t kMore = kOverread / sizeof(float);
    params_.a.resize(a_.size() + kMore);
    params_.b.resize(b_.size() + kMore);
    args_.zero_point = in.quant.zero_point;
    args_.zero_point_out = out.quant.zero_point;
    args_.lo = quant_min(out.quant);
    args_.hi = kQuantMax;
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    kernel_ = find_arith_kernel(isa);
    int8_ = true;
    return {};
}

void ChannelAffine::run_int8(const Tensor& in, const Tensor& out, int threads) const {
    constexpr int64_t kByChannel[Shape::kMaxRank] = {1, 0, 0, 0};
    const RunPlan plan(out.shape, {out.stride, in.stride, kByChannel});
    plan.for_each(threads, [&](const int64_t* offset, int64_t n) {
        // Kernels over-read.
        int8_t buffer[RunPlan::kBlock + kOverread];
        int8_t out_buffer[RunPlan::kBlock];
        float a_buffer[RunPlan::kBlock + kOverread];
        float b_buffer[RunPlan::kBlock + kOverread];
        AffineArgs args = args_;
        for (int64_t start = 0; start < n; start += RunPlan::kBlock) {
            const int64_t count = std::min<int64_t>(RunPlan::kBlock, n - start);
            int8_t* home = out.ptr<int8_t>() + offset[0] + start * plan.step(0);
            const int8_t* x =
                gather_run(in.ptr<const int8_t>() + offset[1] + start * plan.step(1), plan.step(1), count, buffer);
            const int64_t channel = offset[2] + start * plan.step(2);
            args.a = gather_run(params_.a.data() + channel, plan.step(2), count, a_buffer);
            args.b = gather_run(params_.b.data() + channel, plan.step(2), count, b_buffer);
            int8_t* y = scatter_target(home, plan.step(0), out_buffer);
            kernel_->affine(args, x, count, y);
            scatter_run(y, count, home, plan.step(0));
        }
    });
}

Status ChannelAffine::operation(Span<const Tensor> in, Span<const Tensor> /*out*/, Operation* operation) const {
    AffineOperation affine;
    affine.a = int8_ ? Span<const float>(params_.a) : Span<const float>(a_);
    affine.b = int8_ ? Span<const float>(params_.b) : Span<const float>(b_);
    affine.zero_point_in = in[0].quant.zero_point;
    *operation = affine;
    return {};
}

Status ChannelAffine::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    if (int8_) {
        run_int8(in[0], out[0], context.threads);
        return {};
    }
    channel_affine(in[0], out[0], a_.data(), b_.data(), 1, context.threads);
    return {};
}

}  // namespace fw
