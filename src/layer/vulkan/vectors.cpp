// What works on vectors along an axis: softmax and normalisations, of floats.
#include <utility>

#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

/// Vectors along one axis; the first element of each has index 0 on it.
struct Recorder::Vectors {
    int axis = 0;
    int elements = 0;
    std::vector<int> others;  ///< at most three axes
};

// As vector.glsl: vectors of `elements`, `along` apart, for every index of the axes that are in `others`.
Status Recorder::vectors(const Vectors& v, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    FW_ASSIGN_OR_RETURN(const Place from, place(in));
    FW_ASSIGN_OR_RETURN(const Place to, place(out));
    constexpr size_t kOthers = 3;
    std::vector<uint32_t> extents;
    std::vector<uint32_t> out_steps;
    std::vector<uint32_t> in_steps;
    int64_t count = 1;
    for (const int axis : v.others) {
        extents.push_back(word(out.shape[axis]));
        out_steps.push_back(word(static_cast<int>(out.stride[axis])));
        in_steps.push_back(word(static_cast<int>(in.stride[axis])));
        count *= out.shape[axis];
    }
    extents.resize(kOthers, 1);
    out_steps.resize(kOthers, 0);
    in_steps.resize(kOthers, 0);
    for (const auto* part : {&extents, &out_steps, &in_steps}) {
        dispatch->push.insert(dispatch->push.end(), part->begin(), part->end());
    }
    dispatch->push.insert(dispatch->push.end(), {word(v.elements), word(static_cast<int>(out.stride[v.axis])),
                                                 word(static_cast<int>(in.stride[v.axis])), word(to.element),
                                                 word(from.element), word(static_cast<int>(count))});
    dispatch->arena_offset = {from.offset, from.offset, to.offset};
    dispatch->groups = linear_groups(count, 1);
    return {};
}

Status Recorder::softmax(const SoftmaxOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    if (op.table != nullptr) {
        return Status::error(Code::kUnsupported, "softmax of int8 has no shader");
    }
    Vectors v;
    v.axis = op.axis;
    v.elements = out.shape[op.axis];
    for (int axis = 0; axis < out.rank(); ++axis) {
        if (axis != op.axis) {
            v.others.push_back(axis);
        }
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(std::vector<uint32_t>(1, 0)));
    dispatch->shader = of_floats(shader::softmax_float, shader::softmax_half);
    return vectors(v, in, out, dispatch);
}

Status Recorder::norm(const NormOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch) {
    Vectors v;
    v.axis = out.rank() - 1;
    v.elements = 1;
    for (int axis = v.axis; axis >= op.first_axis; --axis) {
        for (const Tensor* t : {&in, &out}) {
            if (t->shape[axis] > 1 && t->stride[axis] != t->stride[v.axis] * v.elements) {
                return Status::error(Code::kUnsupported,
                                     "normalises over axes that do not follow each other in memory");
            }
        }
        v.elements *= out.shape[axis];
    }
    for (int axis = 0; axis < op.first_axis; ++axis) {
        v.others.push_back(axis);
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, weights_->add_once({step_, v.elements}, [&] {
        std::vector<uint32_t> words = {word(op.eps)};
        for (const auto& [given, otherwise] : {std::make_pair(op.gamma, 1.0F), std::make_pair(op.beta, 0.0F)}) {
            for (size_t i = 0; i < static_cast<size_t>(v.elements); ++i) {
                words.push_back(word(given.empty() ? otherwise : given[i]));
            }
        }
        return words;
    }));
    dispatch->shader = of_floats(shader::norm_float, shader::norm_half);
    dispatch->specialization = {op.centred ? 1U : 0U};
    return vectors(v, in, out, dispatch);
}

}  // namespace fw::vulkan
