// Normalize: divides by the L2 norm over channels (SSD's), pixels or both, times a scale a channel.
#include <algorithm>
#include <cmath>

#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/normalize.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class Normalize final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        across_pixels_ = params.i(0) != 0;
        across_channels_ = params.i(4) != 0;
        const bool shared = params.i(1) != 0;
        eps_ = params.f(2);
        mode_ = params.i(9);
        const int count = params.i(3);
        if (!across_pixels_ && !across_channels_) {
            return Status::error(Code::kInvalidArgument, "neither across_spatial nor across_channel is set");
        }
        FW_RETURN_IF_ERROR(check_range("eps_mode", mode_, 0, 2));
        FW_RETURN_IF_ERROR(check_range("scale_data_size", count, 1, shared ? 1 : Shape::kMaxElements));
        return take_floats(weights, 0, count, "scale_data", &scale_);
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        out[0].shape = in[0].shape;
        return scale_.size() == 1 ? Status() : check_channels(in[0].shape, static_cast<int64_t>(scale_.size()));
    }
    LayerTraits traits() const override { return {true, true, true}; }
    size_t weight_bytes() const override { return scale_.size() * sizeof(float); }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        LoopNest parts;
        LoopNest inner;
        loops(in[0], out[0], &parts, &inner);
        normalize(
            in[0], out[0], parts, inner, scale_.data(), nullptr, context.threads,
            [&](const float* x, const LoopNest& nest) {
                return Normalization{0.0, 1.0 / norm(mean_square_of(x, nest, 0.0) * static_cast<double>(nest.count()))};
            });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        using Deviation = NormOperation::Deviation;
        NormOperation norm;
        loops(in[0], out[0], &norm.parts, &norm.inner);
        norm.centred = false;
        norm.deviation = mode_ == 0 ? Deviation::kNorm : mode_ == 1 ? Deviation::kNormOrEps : Deviation::kNormOfLarger;
        norm.eps = eps_;
        norm.gamma = scale_;
        *operation = norm;
        return {};
    }

private:
    void loops(const Tensor& in, const Tensor& out, LoopNest* parts, LoopNest* inner) const {
        for (int axis = 0; axis < in.rank(); ++axis) {
            const bool summed = axis == 0 ? across_channels_ : across_pixels_;
            const int64_t by_channel = axis == 0 && scale_.size() != 1 ? 1 : 0;
            (summed ? inner : parts)->add(in.shape[axis], {in.stride[axis], out.stride[axis], by_channel});
        }
    }

    double norm(double sum) const {
        const auto eps = static_cast<double>(eps_);
        switch (mode_) {
            case 0: return std::sqrt(sum + eps);
            case 1: return std::max(std::sqrt(sum), eps);
            default: return std::sqrt(std::max(sum, eps));
        }
    }

    bool across_pixels_ = false;
    bool across_channels_ = true;
    int mode_ = 0;
    float eps_ = 0.0F;
    std::vector<float> scale_;
};

}  // namespace

std::unique_ptr<Layer> make_Normalize() {
    return std::make_unique<Normalize>();
}

}  // namespace fw
