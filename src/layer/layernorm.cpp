// LayerNorm and RMSNorm: normalise over the trailing axes whose product is affine_size, in float or int8.
#include <cmath>

#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/normalize.h"
#include "layer/support/normalize_int8.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class LayerNorm final : public Layer {
public:
    explicit LayerNorm(bool centred) : centred_(centred) {}

    Status load(const Params& params, Span<const Weight> weights) override {
        size_ = params.i(0);
        eps_ = params.f(1);
        FW_RETURN_IF_ERROR(check_range("affine_size", size_, 1, Shape::kMaxElements));
        if (params.i(2) == 0) {
            return {};
        }
        FW_RETURN_IF_ERROR(take_floats(weights, 0, size_, "gamma_data", &gamma_));
        return centred_ ? take_floats(weights, 1, size_, "beta_data", &beta_) : Status();
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        out[0].shape = in[0].shape;
        int first = 0;
        return first_axis(in[0].shape, &first);
    }
    Status prepare(const PrepareContext& context) override {
        NormRule rule;
        rule.centred = centred_;
        rule.eps = static_cast<double>(eps_);
        return int8_.prepare(context, rule, gamma_, beta_);
    }
    LayerTraits traits() const override { return {true, true, true}; }
    std::string kernel_name() const override { return int8_.kernel_name(); }
    size_t weight_bytes() const override {
        return (gamma_.size() + beta_.size()) * sizeof(float) + int8_.weight_bytes();
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        int first = 0;
        FW_RETURN_IF_ERROR(first_axis(in[0].shape, &first));
        if (int8_.active()) {
            int8_.by_tails(in[0], out[0], first, gamma_, beta_, context.threads);
            return {};
        }
        LoopNest parts;
        LoopNest tail;
        loops(in[0], out[0], first, &parts, &tail);
        const auto eps = static_cast<double>(eps_);
        normalize(in[0], out[0], parts, tail, gamma_.empty() ? nullptr : gamma_.data(),
                  beta_.empty() ? nullptr : beta_.data(), context.threads, [&](const float* x, const LoopNest& nest) {
                      return centred_ ? mean_and_deviation(x, nest, eps)
                                      : Normalization{0.0, 1.0 / std::sqrt(mean_square_of(x, nest, 0.0) + eps)};
                  });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        int first = 0;
        FW_RETURN_IF_ERROR(first_axis(in[0].shape, &first));
        NormOperation norm;
        loops(in[0], out[0], first, &norm.parts, &norm.inner);
        norm.centred = centred_;
        norm.eps = eps_;
        norm.gamma = gamma_;
        norm.beta = beta_;
        *operation = norm;
        return {};
    }

private:
    void loops(const Tensor& in, const Tensor& out, int first, LoopNest* parts, LoopNest* tail) const {
        for (int axis = 0; axis < first; ++axis) {
            parts->add(in.shape[axis], {in.stride[axis], out.stride[axis], 0});
        }
        for (int64_t axis = first, rest = size_; axis < in.rank(); ++axis) {
            rest /= in.shape[static_cast<int>(axis)];
            tail->add(in.shape[static_cast<int>(axis)], {in.stride[axis], out.stride[axis], rest});
        }
    }

    Status first_axis(const Shape& shape, int* first) const {
        int64_t product = 1;
        for (int axis = shape.rank - 1; axis >= 0; --axis) {
            product *= shape[axis];
            if (product == size_) {
                *first = axis;
                return {};
            }
        }
        return Status::error(Code::kInvalidArgument, "input %s has no trailing axes of affine_size %d elements",
                             shape.str().c_str(), size_);
    }

    bool centred_;
    int size_ = 0;
    float eps_ = 0.0F;
    std::vector<float> gamma_;
    std::vector<float> beta_;
    NormalizeInt8 int8_;
};

}  // namespace

std::unique_ptr<Layer> make_LayerNorm() {
    return std::make_unique<LayerNorm>(true);
}
std::unique_ptr<Layer> make_RMSNorm() {
    return std::make_unique<LayerNorm>(false);
}

}  // namespace fw
