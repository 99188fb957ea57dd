// GroupNorm and InstanceNorm (a group a channel): mean 0 and variance 1 over a group of channels and all pixels, in
// float or int8.
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/normalize.h"
#include "layer/support/normalize_int8.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class GroupNorm final : public Layer {
public:
    explicit GroupNorm(bool instance) : instance_(instance) {}

    Status load(const Params& params, Span<const Weight> weights) override {
        const int first = instance_ ? 0 : 1;
        channels_ = params.i(first);
        eps_ = params.f(first + 1);
        const bool affine = params.i(first + 2) != 0;
        // Without weights the number of channels is that of the input.
        FW_RETURN_IF_ERROR(check_range("channels", channels_, affine ? 1 : 0, Shape::kMaxElements));
        if (!instance_) {
            groups_ = params.i(0);
            FW_RETURN_IF_ERROR(check_range("group", groups_, 1, Shape::kMaxElements));
        }
        if (affine) {
            FW_RETURN_IF_ERROR(take_floats(weights, 0, channels_, "gamma_data", &gamma_));
            FW_RETURN_IF_ERROR(take_floats(weights, 1, channels_, "beta_data", &beta_));
        }
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        if (channels_ != 0) {
            FW_RETURN_IF_ERROR(check_channels(in[0].shape, channels_));
        }
        if (!instance_ && in[0].shape[0] % groups_ != 0) {
            return Status::error(Code::kInvalidArgument, "input %s cannot be divided into %d groups of channels",
                                 in[0].shape.str().c_str(), groups_);
        }
        out[0].shape = in[0].shape;
        return {};
    }
    Status prepare(const PrepareContext& context) override {
        NormRule rule;
        rule.eps = static_cast<double>(eps_);
        return int8_.prepare(context, rule, gamma_, beta_);
    }
    LayerTraits traits() const override { return {true, true, true}; }
    size_t weight_bytes() const override { return (gamma_.size() + beta_.size()) * sizeof(float); }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (int8_.active()) {
            int8_.by_groups(in[0], out[0], instance_ ? in[0].shape[0] : groups_, gamma_, beta_, context.threads);
            return {};
        }
        LoopNest parts;
        LoopNest inner;
        loops(in[0], out[0], &parts, &inner);
        const auto eps = static_cast<double>(eps_);
        normalize(in[0], out[0], parts, inner, gamma_.empty() ? nullptr : gamma_.data(),
                  beta_.empty() ? nullptr : beta_.data(), context.threads,
                  [&](const float* x, const LoopNest& nest) { return mean_and_deviation(x, nest, eps); });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        NormOperation norm;
        loops(in[0], out[0], &norm.parts, &norm.inner);
        norm.eps = eps_;
        norm.gamma = gamma_;
        norm.beta = beta_;
        *operation = norm;
        return {};
    }

private:
    void loops(const Tensor& in, const Tensor& out, LoopNest* parts, LoopNest* inner) const {
        const int64_t groups = instance_ ? in.shape[0] : groups_;
        const int64_t size = in.shape[0] / groups;
        parts->add(groups, {in.stride[0] * size, out.stride[0] * size, size});
        inner->add(size, {in.stride[0], out.stride[0], 1});
        for (int axis = 1; axis < in.rank(); ++axis) {
            inner->add(in.shape[axis], {in.stride[axis], out.stride[axis], 0});
        }
    }

    bool instance_;
    int groups_ = 1;
    int channels_ = 0;
    float eps_ = 0.0F;
    std::vector<float> gamma_;
    std::vector<float> beta_;
    NormalizeInt8 int8_;
};

}  // namespace

std::unique_ptr<Layer> make_GroupNorm() {
    return std::make_unique<GroupNorm>(false);
}
std::unique_ptr<Layer> make_InstanceNorm() {
    return std::make_unique<GroupNorm>(true);
}

}  // namespace fw
