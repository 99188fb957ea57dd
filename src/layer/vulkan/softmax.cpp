// Softmax of floats.
#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

Status Recorder::softmax(const SoftmaxOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    if (op.table != nullptr) {
        return Status::error(Code::kUnsupported, "softmax of int8 has no shader");
    }
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    constexpr size_t kOthers = 3;
    std::vector<uint32_t> extents;
    std::vector<uint32_t> out_steps;
    std::vector<uint32_t> in_steps;
    int64_t vectors = 1;
    for (int axis = 0; axis < out.rank(); ++axis) {
        if (axis != op.axis) {
            extents.push_back(word(out.shape[axis]));
            out_steps.push_back(word(static_cast<int>(out.stride[axis])));
            in_steps.push_back(word(static_cast<int>(in.stride[axis])));
            vectors *= out.shape[axis];
        }
    }
    extents.resize(kOthers, 1);
    out_steps.resize(kOthers, 0);
    in_steps.resize(kOthers, 0);
    for (const auto* part : {&extents, &out_steps, &in_steps}) {
        dispatch->push.insert(dispatch->push.end(), part->begin(), part->end());
    }
    dispatch->push.insert(dispatch->push.end(), {word(out.shape[op.axis]), word(static_cast<int>(out.stride[op.axis])),
                                                 word(static_cast<int>(in.stride[op.axis])), word(to.element),
                                                 word(from.element), word(static_cast<int>(vectors))});
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(std::vector<uint32_t>(1, 0)));
    dispatch->shader = of_floats(shader::softmax_float, shader::softmax_half);
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(vectors, 1);
    return {};
}

}  // namespace fw::vulkan
