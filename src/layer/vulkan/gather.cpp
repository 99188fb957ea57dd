// Layers that read other places than they write: borders, resizing.
#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

Status Recorder::gather(const GatherOperation& op, Dispatch* dispatch) {
    FW_ASSIGN_OR_RETURN(const Place from, place(op.from));
    FW_ASSIGN_OR_RETURN(const Place to, place(op.to));
    const std::vector<int>* const maps[] = {&op.map.d, &op.map.h, &op.map.w, &op.map.c};
    const int64_t out_steps[] = {op.to.d_stride(), op.to.h_stride(), op.to.w_stride(), op.to.c_stride()};
    const int64_t in_steps[] = {op.from.d_stride(), op.from.h_stride(), op.from.w_stride(), op.from.c_stride()};
    std::vector<uint32_t> words;
    std::vector<uint32_t> starts;
    int64_t count = 1;
    for (const std::vector<int>* map : maps) {
        dispatch->push.push_back(word(static_cast<int>(map->size())));
        count *= static_cast<int64_t>(map->size());
        starts.push_back(word(static_cast<int>(words.size())));
        for (const int index : *map) {
            words.push_back(word(index));
        }
    }
    for (const auto* steps : {&out_steps, &in_steps}) {
        for (const int64_t step : *steps) {
            dispatch->push.push_back(word(static_cast<int>(step)));
        }
    }
    dispatch->push.insert(dispatch->push.end(), starts.begin(), starts.end());
    const int fill = static_cast<int>(words.size());
    for (size_t c = 0; c < op.map.c.size(); ++c) {
        words.push_back(word(c < op.fill.size() ? op.fill[c] : 0.0F));
    }
    dispatch->push.insert(dispatch->push.end(),
                          {word(to.element), word(from.element), word(fill), word(static_cast<int>(count))});
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(words));
    dispatch->shader =
        op.to.dtype == DType::kInt8 ? &shader::gather_int8 : of_floats(shader::gather_float, shader::gather_half);
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(count);
    return {};
}

Status Recorder::resize(const ResizeOperation& op, Dispatch* dispatch) {
    FW_ASSIGN_OR_RETURN(const Place from, place(op.from));
    FW_ASSIGN_OR_RETURN(const Place to, place(op.to));
    std::vector<uint32_t> words;
    const auto taps = static_cast<size_t>(op.taps);
    for (const auto* samples : {&op.y, &op.x}) {
        for (const ResizeOperation::Sample& sample : *samples) {
            for (size_t i = 0; i < taps; ++i) {
                words.push_back(word(sample.index[i]));
            }
            for (size_t i = 0; i < taps; ++i) {
                words.push_back(word(sample.weight[i]));
            }
            words.push_back(word(sample.second256));
        }
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(words));
    dispatch->push = {word(op.to.h()), word(op.to.w()), word(op.to.c())};
    for (const Tensor* t : {&op.to, &op.from}) {
        for (const int64_t step : {t->h_stride(), t->w_stride(), t->c_stride()}) {
            dispatch->push.push_back(word(static_cast<int>(step)));
        }
    }
    dispatch->push.insert(dispatch->push.end(),
                          {0U, word((2 * op.taps + 1) * op.to.h()), word(to.element), word(from.element)});
    dispatch->specialization = {static_cast<uint32_t>(op.taps)};
    dispatch->shader =
        op.to.dtype == DType::kInt8 ? &shader::resize_int8 : of_floats(shader::resize_float, shader::resize_half);
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(op.to.count());
    return {};
}

}  // namespace fw::vulkan
