// LRN of floats.
#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

Status Recorder::lrn(const LrnOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    dispatch->push = {word(out.h()), word(out.w()), word(out.c())};
    for (const Tensor* t : {&out, &in}) {
        for (const int64_t step : {t->h_stride(), t->w_stride(), t->c_stride()}) {
            dispatch->push.push_back(word(static_cast<int>(step)));
        }
    }
    dispatch->push.insert(dispatch->push.end(),
                          {word(to.element), word(from.element), word(static_cast<int>(out.count())), word(op.size / 2),
                           word(op.factor), word(op.beta), word(op.bias)});
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(std::vector<uint32_t>(1, 0)));
    dispatch->shader = of_floats(shader::lrn_float, shader::lrn_half);
    dispatch->specialization = {op.across ? 1U : 0U};
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(out.count());
    return {};
}

}  // namespace fw::vulkan
