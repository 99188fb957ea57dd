// Pooling.
#include <cfloat>

#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

Status Recorder::pool(const PoolOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    if (!in.has_adjacent_channels() || (out.rank() >= 3 ? !out.has_adjacent_channels() : out.stride[0] != 1)) {
        return Status::error(Code::kUnsupported, "channels are not adjacent");
    }
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    const bool int8 = in.dtype == DType::kInt8;
    std::vector<uint32_t> words;
    for (const auto* windows : {&op.y, &op.x}) {
        for (const PoolOperation::Window& window : *windows) {
            words.push_back(word(window.begin));
            words.push_back(word(window.end));
        }
    }
    const int factors = static_cast<int>(words.size());
    for (const float factor : op.factor) {
        words.push_back(word(factor));
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(words));
    const int channels = in.c();
    const int zero_point = out.quant.zero_point;
    const bool image = out.rank() >= 3;
    dispatch->shader = int8 ? &shader::pool_int8 : of_floats(shader::pool_float, shader::pool_half);
    dispatch->specialization = {op.average ? 1U : 0U, is_aligned(in, from.element, channels) ? 1U : 0U,
                                is_aligned(out, to.element, channels) ? 1U : 0U};
    dispatch->push = {word(from.element),
                      word(static_cast<int>(in.h_stride())),
                      word(static_cast<int>(in.w_stride())),
                      word(to.element),
                      word(image ? static_cast<int>(out.h_stride()) : 0),
                      word(image ? static_cast<int>(out.w_stride()) : 0),
                      word(static_cast<int>(op.y.size())),
                      word(static_cast<int>(op.x.size())),
                      word(channels),
                      0U,
                      word(static_cast<int>(2 * op.y.size())),
                      word(factors),
                      word(in.quant.zero_point),
                      word(zero_point),
                      word(static_cast<float>(quant_min(out.quant) - zero_point)),
                      word(static_cast<float>(kQuantMax - zero_point)),
                      word(int8 ? static_cast<float>(quant_min(in.quant)) : -FLT_MAX)};
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(static_cast<int64_t>(op.factor.size()) * ((channels + 3) / 4));
    return {};
}

}  // namespace fw::vulkan
