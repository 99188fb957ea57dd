// MVN: subtracts the mean, and divides by the deviation (+ eps, outside the root as Caffe has it), of each channel or
// of all, in float or int8.
#include <cmath>

#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/normalize.h"
#include "layer/support/normalize_int8.h"

namespace fw {

namespace {

class Mvn final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        variance_ = params.i(0) != 0;
        across_ = params.i(1) != 0;
        eps_ = params.f(2);
        return {};
    }
    Status prepare(const PrepareContext& context) override {
        NormRule rule;
        rule.scaled = variance_;
        rule.eps_outside = true;
        rule.eps = static_cast<double>(eps_);
        return int8_.prepare(context, rule, {}, {});
    }
    LayerTraits traits() const override { return {true, true, true}; }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (int8_.active()) {
            int8_.by_groups(in[0], out[0], across_ ? 1 : in[0].shape[0], {}, {}, context.threads);
            return {};
        }
        LoopNest parts;
        LoopNest inner;
        split_axes(in[0], out[0], across_ ? 0U : 1U, &parts, &inner);
        const auto eps = static_cast<double>(eps_);
        normalize(
            in[0], out[0], parts, inner, nullptr, nullptr, context.threads, [&](const float* x, const LoopNest& nest) {
                const double mean = mean_of(x, nest);
                return Normalization{mean, variance_ ? 1.0 / (std::sqrt(mean_square_of(x, nest, mean)) + eps) : 1.0};
            });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        NormOperation norm;
        split_axes(in[0], out[0], across_ ? 0U : 1U, &norm.parts, &norm.inner);
        norm.deviation = variance_ ? NormOperation::Deviation::kSumOfRoot : NormOperation::Deviation::kOne;
        norm.eps = eps_;
        *operation = norm;
        return {};
    }

private:
    bool variance_ = false;
    bool across_ = false;
    float eps_ = 0.0F;
    NormalizeInt8 int8_;
};

}  // namespace

std::unique_ptr<Layer> make_MVN() {
    return std::make_unique<Mvn>();
}

}  // namespace fw
