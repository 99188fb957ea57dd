// ChannelAffine: y = a[c] * x + b[c], c the outermost axis. What BatchNorm, Scale and Bias are at inference.
#pragma once

#include <vector>

#include "layer/layer.h"

namespace fw {

class ChannelAffine : public Layer {
public:
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    LayerTraits traits() const override { return {true, true, true}; }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    size_t weight_bytes() const override { return (a_.size() + b_.size()) * sizeof(float); }

protected:
    std::vector<float> a_;  ///< load() fills both, one element a channel
    std::vector<float> b_;
};

/// out = a * in + b; `a` and `b` hold elements `step` apart, one for each index of axis 0. `b` may be null.
void channel_affine(const Tensor& in, const Tensor& out, const float* a, const float* b, int64_t step, int threads);

}  // namespace fw
