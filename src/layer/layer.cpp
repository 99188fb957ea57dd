#include "layer/layer.h"

namespace fw {

bool accepts_strides(const LayerTraits& traits, const Tensor& input) {
    return traits.any_stride_input || input.is_dense(Layout::kNhwc) ||
           (traits.adjacent_channels_input && input.rank() == 3 && input.has_adjacent_channels());
}

Status Layer::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    for (TensorDesc& desc : out) {
        desc.shape = in[0].shape;
    }
    return {};
}

Status Layer::prepare(const PrepareContext& context) {
    for (const Span<const TensorDesc>& side : {context.inputs, context.outputs}) {
        for (const TensorDesc& desc : side) {
            if (desc.dtype != DType::kFloat32) {
                return Status::error(Code::kUnsupported, "has no %s implementation", name(desc.dtype));
            }
        }
    }
    return {};
}

HalfUse Layer::half_use(bool /*arithmetic*/) const {
    return HalfUse::kNone;
}

bool Layer::view(Span<const Tensor> /*in*/, Span<Tensor> /*out*/) const {
    return false;
}

Status Layer::operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/, Operation* /*operation*/) const {
    return Status::error(Code::kUnsupported, "runs on the CPU only");
}

size_t Layer::workspace_bytes(Span<const TensorDesc> /*in*/, Span<const TensorDesc> /*out*/, int /*threads*/) const {
    return 0;
}

double Layer::time_share(bool /*int8*/, Span<const TensorDesc> /*in*/, Span<const TensorDesc> /*out*/) const {
    return 1.0;
}

int64_t Layer::macs(Span<const TensorDesc> /*in*/, Span<const TensorDesc> /*out*/) const {
    return 0;
}

}  // namespace fw
