#include "runtime/concat_slices.h"

#include <algorithm>
#include <utility>

namespace fw {

namespace {

class Placer {
public:
    Placer(const Program& program, const ValueFlow& flow)
        : program_(program), flow_(flow), placed_(flow.descs.size()) {}

    std::vector<Placement> run();

private:
    const Node& node_of(int step) const { return program_.graph.node(program_.steps[static_cast<size_t>(step)].node); }
    const Layer& layer_of(int step) const { return *program_.steps[static_cast<size_t>(step)].layer; }

    void place(int step);
    bool can_write_slice(ValueId value, const Tensor& slice) const;
    ValueId source_of_views(ValueId value, const Tensor& slice) const;
    bool views(int step, const Tensor& in, Tensor* out) const;

    const Program& program_;
    const ValueFlow& flow_;
    std::vector<Placement> placed_;  // by value
};

// The value's producer and all its readers can live with the strides of the slice.
bool Placer::can_write_slice(ValueId value, const Tensor& slice) const {
    const auto v = static_cast<size_t>(value);
    if (flow_.producer[v] == kNone || placed_[v].target != kNone ||
        !layer_of(flow_.producer[v]).traits().any_stride_output) {
        return false;
    }
    return std::all_of(flow_.readers[v].begin(), flow_.readers[v].end(),
                       [&](int step) { return accepts_strides(layer_of(step).traits(), slice); });
}

// The only output of `step` as a view of its whole first input.
bool Placer::views(int step, const Tensor& in, Tensor* out) const {
    const Node& node = node_of(step);
    if (node.outputs.size() != 1) {
        return false;
    }
    std::vector<Tensor> inputs = {in};
    for (size_t i = 1; i < node.inputs.size(); ++i) {
        inputs.push_back(make_tensor(kFakeBase, flow_.descs[static_cast<size_t>(node.inputs[i])]));
    }
    *out = make_tensor(nullptr, flow_.descs[static_cast<size_t>(node.outputs[0])]);
    return layer_of(step).view(inputs, {out, 1}) && out->data == in.data && out->shape.count() == in.shape.count() &&
           out->shape == flow_.descs[static_cast<size_t>(node.outputs[0])].shape;
}

// A Concat reads views of another layer's output (the Permute and Flatten of a detector's heads): that output, if
// `value` has the strides of the slice when it is dense, so that it can be written to the slice's place. Else kNone.
ValueId Placer::source_of_views(ValueId value, const Tensor& slice) const {
    constexpr size_t kLongest = 4;  // steps between the two
    std::vector<int> steps;
    ValueId source = kNone;
    for (ValueId v = value; steps.size() < kLongest;) {
        const int step = flow_.producer[static_cast<size_t>(v)];
        if (step == kNone || placed_[static_cast<size_t>(v)].target != kNone || node_of(step).inputs.empty()) {
            break;
        }
        steps.push_back(step);
        v = node_of(step).inputs[0];
        Tensor view = make_tensor(kFakeBase, flow_.descs[static_cast<size_t>(v)]);
        const bool all = std::all_of(steps.rbegin(), steps.rend(), [&](int s) {
            const Tensor in = view;
            return views(s, in, &view);
        });
        if (all && same_layout(view, slice) && flow_.producer[static_cast<size_t>(v)] != kNone &&
            placed_[static_cast<size_t>(v)].target == kNone) {
            source = v;
        }
    }
    return source;
}

// Later Concats first: an inner one's output is then itself a slice of the outer one's.
std::vector<Placement> Placer::run() {
    for (size_t s = program_.steps.size(); s-- > 0;) {
        const Node& node = node_of(static_cast<int>(s));
        if (node.type == "Concat" && node.outputs.size() == 1) {
            place(static_cast<int>(s));
        }
    }
    return std::move(placed_);
}

void Placer::place(int step) {
    const Node& node = node_of(step);
    const ValueId target = node.outputs[0];
    const TensorDesc& out = flow_.descs[static_cast<size_t>(target)];
    int axis = program_.graph.params(program_.steps[static_cast<size_t>(step)].node).i(0);
    axis += axis < 0 ? out.shape.rank : 0;
    if (axis < 0 || axis >= out.shape.rank) {
        return;
    }
    const Placement& outer = placed_[static_cast<size_t>(target)];
    Placement slice;
    slice.target = target;
    slice.tensor = outer.target == kNone ? make_tensor(nullptr, out) : outer.tensor;
    const int64_t step_bytes = slice.tensor.byte_stride(axis);
    std::vector<Placement> wanted;
    for (const ValueId input : node.inputs) {
        const TensorDesc& in = flow_.descs[static_cast<size_t>(input)];
        if (in.dtype != out.dtype || in.quant != out.quant || in.shape.rank != out.shape.rank) {
            return;  // the Concat has to rescale: it then copies everything
        }
        slice.tensor.shape = in.shape;
        wanted.push_back(slice);
        slice.offset += in.shape[axis] * step_bytes;
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        const ValueId source = source_of_views(input, wanted[i].tensor);
        if (source != kNone) {
            wanted[i].tensor = make_tensor(nullptr, flow_.descs[static_cast<size_t>(source)]);
            placed_[static_cast<size_t>(source)] = wanted[i];
        } else if (can_write_slice(input, wanted[i].tensor)) {
            placed_[static_cast<size_t>(input)] = wanted[i];
        }
    }
}

}  // namespace

std::vector<Placement> place_in_concats(const Program& program, const ValueFlow& flow) {
    return Placer(program, flow).run();
}

}  // namespace fw
