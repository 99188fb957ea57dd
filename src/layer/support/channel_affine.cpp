#include "layer/support/channel_affine.h"

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

Status ChannelAffine::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    channel_affine(in[0], out[0], a_.data(), b_.data(), 1, context.threads);
    return {};
}

}  // namespace fw
