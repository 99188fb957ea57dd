#include "runtime/pooled_layer.h"

#include <algorithm>

#include "base/memory.h"

namespace fw {

namespace {

// The workspace is the pooled blob, then what either layer needs.
class PooledLayer final : public Layer {
public:
    PooledLayer(std::unique_ptr<Layer> pooling, const QuantParams& pooled, std::unique_ptr<Layer> layer)
        : pooling_(std::move(pooling)), layer_(std::move(layer)), pooled_{Shape(), DType::kInt8, pooled} {}

    Status load(const Params& /*params*/, Span<const Weight> /*weights*/) override { return {}; }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        TensorDesc pooled = pooled_;
        FW_RETURN_IF_ERROR(pooling_->infer(in, {&pooled, 1}));
        return layer_->infer({&pooled, 1}, out);
    }

    Status prepare(const PrepareContext& context) override {
        TensorDesc pooled = pooled_;
        if (context.inputs[0].shape.rank > 0 && !pooling_->infer(context.inputs, {&pooled, 1}).ok()) {
            pooled.shape = Shape();
        }
        PrepareContext first;
        first.inputs = context.inputs;
        first.outputs = {&pooled, 1};
        FW_RETURN_IF_ERROR(pooling_->prepare(first));
        PrepareContext second = context;
        second.inputs = {&pooled, 1};
        return layer_->prepare(second);
    }

    LayerTraits traits() const override {
        LayerTraits traits = pooling_->traits();
        traits.any_stride_output = layer_->traits().any_stride_output;
        traits.in_place = false;
        return traits;
    }

    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const override {
        const TensorDesc pooled = pooled_from(in);
        return pooled_bytes(pooled) + std::max(pooling_->workspace_bytes(in, {&pooled, 1}, threads),
                                               layer_->workspace_bytes({&pooled, 1}, out, threads));
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const TensorDesc desc = in[0].desc();
        Tensor pooled = make_tensor(context.workspace, pooled_from({&desc, 1}));
        RunContext rest = context;
        rest.workspace = static_cast<char*>(context.workspace) + pooled_bytes(pooled.desc());
        FW_RETURN_IF_ERROR(pooling_->forward(in, {&pooled, 1}, rest));
        return layer_->forward({&pooled, 1}, out, rest);
    }

    std::string kernel_name() const override { return layer_->kernel_name(); }
    int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const override {
        const TensorDesc pooled = pooled_from(in);
        return layer_->macs({&pooled, 1}, out);
    }
    size_t weight_bytes() const override { return layer_->weight_bytes(); }

private:
    // Shapes that infer() accepted.
    TensorDesc pooled_from(Span<const TensorDesc> in) const {
        TensorDesc pooled = pooled_;
        const Status inferred = pooling_->infer(in, {&pooled, 1});
        return inferred.ok() ? pooled : pooled_;
    }
    static size_t pooled_bytes(const TensorDesc& pooled) { return round_up(pooled.bytes() + kOverread, kAlignment); }

    std::unique_ptr<Layer> pooling_;
    std::unique_ptr<Layer> layer_;
    TensorDesc pooled_;  // without a shape
};

}  // namespace

std::unique_ptr<Layer> make_pooled_layer(std::unique_ptr<Layer> pooling, const QuantParams& pooled,
                                         std::unique_ptr<Layer> layer) {
    return std::make_unique<PooledLayer>(std::move(pooling), pooled, std::move(layer));
}

}  // namespace fw
