// ChannelAffine: y = a[c] * x + b[c], c the outermost axis, in float or int8 (docs/int8-contract.md). What BatchNorm,
// Scale and Bias are at inference.
#pragma once

#include <vector>

#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "quant/quant.h"

namespace fw {

class ChannelAffine : public Layer {
public:
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    Status prepare(const PrepareContext& context) override;
    LayerTraits traits() const override { return {true, true, true}; }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE;
    size_t weight_bytes() const override { return (a_.size() + b_.size()) * sizeof(float); }

protected:
    std::vector<float> a_;  ///< load() fills both, one element a channel
    std::vector<float> b_;

private:
    void run_int8(const Tensor& in, const Tensor& out, int threads) const;

    bool int8_ = false;
    AffineParams params_;
    AffineArgs args_;  ///< without the vectors
    const ArithKernel* kernel_ = nullptr;
};

/// out = a * in + b; `a` and `b` hold elements `step` apart, one for each index of axis 0. `b` may be null.
void channel_affine(const Tensor& in, const Tensor& out, const float* a, const float* b, int64_t step, int threads);

}  // namespace fw
