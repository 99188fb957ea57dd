// InnerProduct: out[j] = activation(bias[j] + sum_i weights[j][i] * in[i]) over the input in row-major order; a 2-d
// input whose rows have the weights' length is taken row by row.
#include <algorithm>
#include <cstring>

#include "base/memory.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/weighted.h"

namespace fw {

namespace {

class InnerProduct final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> weights) override;
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    Status prepare(const PrepareContext& context) override {
        core_.use_matched(by_rows(context.inputs[0].shape) && context.inputs[0].shape.h() > 1);
        return core_.prepare(context);
    }
    Rectified rectified() const override { return core_.rectified(); }
    HalfUse half_use(bool arithmetic) const override { return core_.half_use(arithmetic); }
    LayerTraits traits() const override;
    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const override;
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    [[maybe_unused]] Status operation(Span<const Tensor> in, Span<const Tensor> out,
                                      Operation* operation) const FW_DEVICE_OVERRIDE;
    std::string kernel_name() const override { return core_.kernel_name(); }
    int64_t macs(Span<const TensorDesc> /*in*/, Span<const TensorDesc> out) const override {
        return out[0].shape.count() * core_.spec().channels;
    }
    size_t weight_bytes() const override { return core_.weight_bytes(); }

private:
    bool by_rows(const Shape& in) const { return in.rank == 2 && in.w() == core_.spec().channels; }
    /// The input's memory order is not its row-major order: pixels of several channels.
    static bool needs_order(const Shape& in) { return in.rank >= 3 && in[0] > 1 && in.count() > in[0]; }
    static size_t ordered_bytes(const TensorDesc& in) {
        return needs_order(in.shape) ? round_up(in.bytes() + kOverread, kAlignment) : 0;
    }

    WeightedCore core_;
};

Status InnerProduct::load(const Params& params, Span<const Weight> weights) {
    WeightedCore::Spec spec;
    spec.outputs = params.i(0);
    spec.bias = params.i(1) != 0;
    spec.int8_scales = params.i(8) != 0;
    const int count = params.i(2);
    if (spec.outputs < 1) {
        return Status::error(Code::kInvalidArgument, "num_output (0) is %d, expected at least 1", spec.outputs);
    }
    if (count < 1 || count % spec.outputs != 0) {
        return Status::error(Code::kInvalidArgument,
                             "weight_data_size (2) is %d, expected a multiple of num_output (0) %d", count,
                             spec.outputs);
    }
    spec.channels = count / spec.outputs;
    FW_RETURN_IF_ERROR(load_fused_activation(params, &spec.activation));
    return core_.load(spec, weights);
}

Status InnerProduct::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    const WeightedCore::Spec& spec = core_.spec();
    if (by_rows(in[0].shape)) {
        out[0].shape = Shape(in[0].shape.h(), spec.outputs);
        return {};
    }
    if (in[0].shape.count() != spec.channels) {
        return Status::error(Code::kInvalidArgument, "input is %s: %lld elements, the weights are for %d",
                             in[0].shape.str().c_str(), static_cast<long long>(in[0].shape.count()), spec.channels);
    }
    out[0].shape = Shape(spec.outputs);
    return {};
}

LayerTraits InnerProduct::traits() const {
    LayerTraits traits;
    traits.any_stride_input = false;
    traits.any_stride_output = false;
    return traits;
}

size_t InnerProduct::workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/, int threads) const {
    return ordered_bytes(in[0]) + core_.scratch_bytes(threads, 1, 1);
}

Status InnerProduct::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    const void* input = in[0].data;
    char* workspace = static_cast<char*>(context.workspace);
    // The weights are in the file's row-major order; activations lie with the channel innermost. The input is small.
    if (needs_order(in[0].shape)) {
        const Tensor ordered = make_tensor(workspace, in[0].desc(), Layout::kPlain);
        copy_tensor(in[0], ordered);
        input = workspace;
    }
    ConvGeometry geometry;
    if (by_rows(in[0].shape)) {
        geometry.in_h = geometry.out_h = in[0].h();
        geometry.in_h_stride = in[0].h_stride();
        geometry.out_h_stride = out[0].h_stride();
    }
    core_.run(geometry, input, out[0].data, context.threads, workspace + ordered_bytes(in[0].desc()));
    return {};
}

// An image is a window of its own size: the weights are then in the order of its channels.
Status InnerProduct::operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const {
    ConvGeometry geometry;
    if (by_rows(in[0].shape)) {
        geometry.in_h = geometry.out_h = in[0].h();
        geometry.in_h_stride = in[0].h_stride();
        geometry.out_h_stride = out[0].h_stride();
    }
    FW_RETURN_IF_ERROR(core_.operation(geometry, operation));
    if (needs_order(in[0].shape)) {
        if (in[0].rank() > 3) {
            return Status::error(Code::kUnsupported, "an inner product of a blob of rank 4");
        }
        auto* conv = std::get_if<ConvOperation>(operation);
        conv->channels_first = true;
        conv->channels = in[0].c();
        conv->geometry.in_h = conv->geometry.kernel_h = in[0].h();
        conv->geometry.in_w = conv->geometry.kernel_w = in[0].w();
        conv->geometry.in_h_stride = in[0].h_stride();
        conv->geometry.in_w_stride = in[0].w_stride();
    }
    return {};
}

}  // namespace

std::unique_ptr<Layer> make_InnerProduct() {
    return std::make_unique<InnerProduct>();
}

}  // namespace fw
