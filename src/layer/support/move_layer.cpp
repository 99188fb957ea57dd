#include "layer/support/move_layer.h"

namespace fw {

Status check_moves(const PrepareContext& context, size_t data_inputs) {
    if (context.inputs.empty()) {
        return {};
    }
    const TensorDesc& first = context.inputs[0];
    const auto check = [&](const TensorDesc& desc) -> Status {
        if (desc.dtype != first.dtype) {
            return Status::error(Code::kUnsupported, "cannot turn %s into %s", name(first.dtype), name(desc.dtype));
        }
        if (first.dtype == DType::kInt8 && desc.quant != first.quant) {
            return Status::error(Code::kUnsupported, "cannot rescale int8 from scale %g, zero point %d to %g, %d",
                                 static_cast<double>(first.quant.scale), first.quant.zero_point,
                                 static_cast<double>(desc.quant.scale), desc.quant.zero_point);
        }
        return {};
    };
    for (size_t i = 1; i < context.inputs.size() && i < data_inputs; ++i) {
        FW_RETURN_IF_ERROR(check(context.inputs[i]));
    }
    for (const TensorDesc& desc : context.outputs) {
        FW_RETURN_IF_ERROR(check(desc));
    }
    return {};
}

}  // namespace fw
