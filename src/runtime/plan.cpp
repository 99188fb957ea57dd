#include "runtime/plan.h"

#include <algorithm>

#include "base/memory.h"
#include "runtime/concat_slices.h"
#include "runtime/crossings.h"
#include "runtime/plan_memory.h"

namespace fw {

namespace {

class Planner {
public:
    Planner(const Model& model, const std::shared_ptr<const Program>& program, const std::vector<InputDesc>& inputs,
            int threads, uint64_t max_bytes, const std::string& cpu_reason)
        : model_(model),
          graph_(program->graph),
          program_(*program),
          threads_(threads),
          max_bytes_(std::min<uint64_t>(max_bytes, SIZE_MAX / 2)),
          cpu_reason_(cpu_reason),
          plan_(std::make_shared<Plan>()) {
        plan_->program = program;
        plan_->inputs = inputs;
    }

    Result<std::shared_ptr<const Plan>> run() {
        FW_RETURN_IF_ERROR(infer());
        find_readers();
        placed_ = place_in_concats(program_, flow_);
        FW_RETURN_IF_ERROR(add_inputs());
        for (size_t i = 0; i < program_.steps.size(); ++i) {
            add_step(static_cast<int>(i));
        }
        FW_RETURN_IF_ERROR(lay_out_memory(plan_.get(), max_bytes_, model_.def.source));
        if (!cpu_reason_.empty()) {
            for (PlanStep& step : plan_->steps) {
                step.cpu_reason = cpu_reason_;
            }
        } else if (kHasAccelerator && program_.device != nullptr) {
            FW_RETURN_IF_ERROR(program_.device->place(plan_.get()));
            plan_crossings(plan_.get());
            plan_imports(plan_.get());
        }
        return std::shared_ptr<const Plan>(plan_);
    }

private:
    const Node& node_of(int step) const { return graph_.node(program_.steps[static_cast<size_t>(step)].node); }
    const Layer& layer_of(int step) const { return *program_.steps[static_cast<size_t>(step)].layer; }
    Slot& slot(SlotId id) { return plan_->slots[static_cast<size_t>(id)]; }
    Root& root(int id) { return plan_->roots[static_cast<size_t>(id)]; }

    Status infer();
    void find_readers();
    Status add_inputs();
    void add_step(int step);
    void ensure_slot(ValueId value);
    bool try_view(const Layer& layer, PlanStep* step, const std::vector<ValueId>& outputs);
    bool try_in_place(const Layer& layer, const PlanStep& step, const std::vector<ValueId>& outputs);
    bool concat_in_place(const Node& node, PlanStep* step);
    SlotId dense_copy(SlotId from);
    int new_root(size_t bytes);
    SlotId new_slot(const TensorDesc& desc, Layout layout, int root);

    const Model& model_;
    const Graph& graph_;
    const Program& program_;
    int threads_;
    uint64_t max_bytes_;
    const std::string& cpu_reason_;
    std::shared_ptr<Plan> plan_;
    ValueFlow flow_;
    std::vector<Placement> placed_;  // by value
    std::vector<bool> has_slot_;     // by value
    std::vector<SlotId> dense_;      // memo of dense_copy, by slot
    std::vector<int> unread_;        // reads still to come, by root
};

Status Planner::infer() {
    flow_.descs.resize(graph_.values().size());
    flow_.producer.assign(flow_.descs.size(), kNone);
    for (size_t i = 0; i < flow_.descs.size(); ++i) {
        flow_.descs[i].dtype = graph_.values()[i].dtype;
        flow_.descs[i].quant = graph_.values()[i].quant;
    }
    for (size_t i = 0; i < plan_->inputs.size(); ++i) {
        flow_.descs[static_cast<size_t>(program_.inputs[i])].shape = plan_->inputs[i].shape;
    }
    for (size_t s = 0; s < program_.steps.size(); ++s) {
        const Node& node = node_of(static_cast<int>(s));
        std::vector<TensorDesc> in;
        std::vector<TensorDesc> out;
        for (const ValueId id : node.inputs) {
            in.push_back(flow_.descs[static_cast<size_t>(id)]);
        }
        for (const ValueId id : node.outputs) {
            out.push_back(flow_.descs[static_cast<size_t>(id)]);
            flow_.producer[static_cast<size_t>(id)] = static_cast<int>(s);
        }
        Status status = layer_of(static_cast<int>(s)).infer(in, out);
        for (size_t i = 0; i < out.size() && status.ok(); ++i) {
            const Shape& shape = out[i].shape;
            const bool positive = shape.valid() && shape.count() > 0;
            if (!positive) {
                status =
                    Status::error(Code::kInvalidArgument, "output %zu would have the shape %s", i, shape.str().c_str());
            } else if (static_cast<uint64_t>(shape.count()) * element_size(out[i].dtype) > max_bytes_) {
                status = Status::error(Code::kOutOfMemory, "output %zu of shape %s exceeds the limit of %llu bytes", i,
                                       shape.str().c_str(), static_cast<unsigned long long>(max_bytes_));
            }
            flow_.descs[static_cast<size_t>(node.outputs[i])].shape = shape;
        }
        if (!status.ok()) {
            std::string shapes;
            for (const TensorDesc& desc : in) {
                shapes += (shapes.empty() ? "" : ", ") + desc.shape.str();
            }
            return status.with_prefix("%s:%d: layer '%s' (%s) with input %s", model_.def.source.c_str(), node.line,
                                      node.name.c_str(), node.type.c_str(), shapes.c_str());
        }
    }
    return {};
}

void Planner::find_readers() {
    flow_.readers.resize(flow_.descs.size());
    for (size_t s = 0; s < program_.steps.size(); ++s) {
        for (const ValueId id : node_of(static_cast<int>(s)).inputs) {
            flow_.readers[static_cast<size_t>(id)].push_back(static_cast<int>(s));
        }
    }
    has_slot_.assign(flow_.descs.size(), false);
    plan_->slots.resize(flow_.descs.size());
    plan_->producer.assign(flow_.descs.size(), kNone);
}

int Planner::new_root(size_t bytes) {
    Root root;
    root.bytes = bytes;
    plan_->roots.push_back(root);
    unread_.push_back(0);
    return static_cast<int>(plan_->roots.size() - 1);
}

SlotId Planner::new_slot(const TensorDesc& desc, Layout layout, int root) {
    Slot slot;
    slot.root = root;
    slot.tensor = make_tensor(nullptr, desc, layout);
    plan_->slots.push_back(slot);
    return static_cast<SlotId>(plan_->slots.size() - 1);
}

// Gives the value memory of its own, or its slice.
void Planner::ensure_slot(ValueId value) {
    const auto v = static_cast<size_t>(value);
    if (has_slot_[v]) {
        return;
    }
    has_slot_[v] = true;
    const TensorDesc& desc = flow_.descs[v];
    const Placement& place = placed_[v];
    Slot made;
    if (place.target == kNone) {
        made.root = new_root(desc.bytes());
        made.tensor = make_tensor(nullptr, desc, Layout::kNhwc);
    } else {
        ensure_slot(place.target);
        made.root = slot(place.target).root;
        made.offset = slot(place.target).offset + place.offset;
        made.tensor = place.tensor;
        made.tensor.quant = desc.quant;
    }
    slot(value) = made;
    unread_[static_cast<size_t>(made.root)] +=
        static_cast<int>(flow_.readers[v].size()) + (graph_.value(value).output ? 1 : 0);
}

// A Quantize reads the caller's Mat where it lies (PriorBox only its shape); for anything else it is copied to NHWC
// (and gets the room that kernels may read past its end).
Status Planner::add_inputs() {
    for (size_t i = 0; i < plan_->inputs.size(); ++i) {
        const ValueId value = program_.inputs[i];
        const InputDesc& given = plan_->inputs[i];
        const std::vector<int>& readers = flow_.readers[static_cast<size_t>(value)];
        if (readers.empty() && !graph_.value(value).output) {
            continue;
        }
        TensorDesc desc{given.shape, given.dtype, {}};
        bool direct = given.dtype == DType::kFloat32 && !graph_.value(value).output;
        for (const int step : readers) {
            const Node& reader = node_of(step);
            const bool quantizes = reader.is_conversion && reader.type == "Quantize";
            direct = direct && ((quantizes && layer_of(step).traits().any_stride_input) || reader.type == "PriorBox");
            if (quantizes && given.dtype == DType::kInt8) {
                desc.quant = graph_.value(reader.outputs[0]).quant;
            }
        }
        if (given.dtype != DType::kFloat32 && !desc.quant.known()) {
            return Status::error(Code::kInvalidArgument, "input '%s' is %s, but the network gives it no scale",
                                 model_.inputs[i].name.c_str(), name(given.dtype));
        }
        const int user = new_root(desc.bytes());
        root(user).input = static_cast<int>(i);
        if (direct) {
            has_slot_[static_cast<size_t>(value)] = true;
            slot(value).root = user;
            slot(value).tensor = make_tensor(nullptr, desc, Layout::kPlain);
            continue;
        }
        const SlotId from = new_slot(desc, Layout::kPlain, user);
        ensure_slot(value);
        PlanStep copy;
        copy.action = Action::kCopy;
        copy.inputs = {from};
        copy.outputs = {value};
        plan_->steps.push_back(copy);
    }
    return {};
}

SlotId Planner::dense_copy(SlotId from) {
    dense_.resize(std::max(dense_.size(), plan_->slots.size()), kNone);
    if (dense_[static_cast<size_t>(from)] != kNone) {
        return dense_[static_cast<size_t>(from)];
    }
    const TensorDesc desc = slot(from).tensor.desc();
    const SlotId to = new_slot(desc, Layout::kNhwc, new_root(desc.bytes()));
    dense_[static_cast<size_t>(from)] = to;
    for (const int step : flow_.readers[static_cast<size_t>(from)]) {
        unread_.back() += accepts_strides(layer_of(step).traits(), slot(from).tensor) ? 0 : 1;
    }
    PlanStep copy;
    copy.action = Action::kCopy;
    copy.inputs = {from};
    copy.outputs = {to};
    plan_->steps.push_back(copy);
    return to;
}

bool Planner::try_view(const Layer& layer, PlanStep* step, const std::vector<ValueId>& outputs) {
    if (step->inputs.empty()) {
        return false;
    }
    for (const ValueId output : outputs) {
        if (placed_[static_cast<size_t>(output)].target != kNone) {
            return false;
        }
    }
    std::vector<Tensor> in;
    for (const SlotId id : step->inputs) {
        in.push_back(slot(id).tensor);
        in.back().data = kFakeBase;
    }
    std::vector<Tensor> out;
    out.reserve(outputs.size());
    for (const ValueId output : outputs) {
        out.push_back(make_tensor(nullptr, flow_.descs[static_cast<size_t>(output)]));
    }
    if (!layer.view(in, out)) {
        return false;
    }
    const Slot source = slot(step->inputs[0]);
    for (size_t i = 0; i < outputs.size(); ++i) {
        const TensorDesc& desc = flow_.descs[static_cast<size_t>(outputs[i])];
        const int64_t offset = static_cast<char*>(out[i].data) - kFakeBase;
        // A view lies within input 0 and is what was inferred.
        if (offset < 0 || source.offset + offset >= static_cast<int64_t>(root(source.root).bytes) ||
            out[i].shape != desc.shape || desc.dtype != source.tensor.dtype) {
            return false;
        }
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
        const auto v = static_cast<size_t>(outputs[i]);
        Slot made;
        made.root = source.root;
        made.offset = source.offset + (static_cast<char*>(out[i].data) - kFakeBase);
        made.tensor = out[i];
        made.tensor.data = nullptr;
        made.tensor.dtype = flow_.descs[v].dtype;
        made.tensor.quant = flow_.descs[v].quant;
        slot(outputs[i]) = made;
        has_slot_[v] = true;
        unread_[static_cast<size_t>(made.root)] +=
            static_cast<int>(flow_.readers[v].size()) + (graph_.value(outputs[i]).output ? 1 : 0);
    }
    return true;
}

// Output 0 takes the memory of input 0 if nobody reads that (or another view of it) any more.
bool Planner::try_in_place(const Layer& layer, const PlanStep& step, const std::vector<ValueId>& outputs) {
    if (!layer.traits().in_place || outputs.size() != 1 || step.inputs.empty() ||
        placed_[static_cast<size_t>(outputs[0])].target != kNone) {
        return false;
    }
    const Slot source = slot(step.inputs[0]);
    const TensorDesc& desc = flow_.descs[static_cast<size_t>(outputs[0])];
    if (root(source.root).input != kNone || unread_[static_cast<size_t>(source.root)] != 0 ||
        source.tensor.shape != desc.shape || source.tensor.dtype != desc.dtype) {
        return false;
    }
    for (size_t i = 1; i < step.inputs.size(); ++i) {
        if (slot(step.inputs[i]).root == source.root && step.inputs[i] != step.inputs[0]) {
            return false;
        }
    }
    if (!layer.traits().any_stride_output && !source.tensor.is_dense(Layout::kNhwc)) {
        return false;
    }
    Slot made = source;
    made.tensor.quant = desc.quant;
    slot(outputs[0]) = made;
    const auto v = static_cast<size_t>(outputs[0]);
    has_slot_[v] = true;
    unread_[static_cast<size_t>(made.root)] +=
        static_cast<int>(flow_.readers[v].size()) + (graph_.value(outputs[0]).output ? 1 : 0);
    return true;
}

// The inputs of a Concat that lie in its output already need nothing; the rest is copied. False if none does.
bool Planner::concat_in_place(const Node& node, PlanStep* step) {
    const Slot out = slot(node.outputs[0]);
    int axis = graph_.params(program_.steps[static_cast<size_t>(step->program_step)].node).i(0);
    axis += axis < 0 ? out.tensor.rank() : 0;
    std::vector<std::pair<ValueId, Slot>> rest;
    Slot part = out;
    for (const ValueId input : node.inputs) {
        const Slot& in = slot(input);
        part.tensor.shape = flow_.descs[static_cast<size_t>(input)].shape;
        if (in.root != part.root || in.offset != part.offset || !same_layout(in.tensor, part.tensor)) {
            rest.emplace_back(input, part);
        }
        part.offset += part.tensor.shape[axis] * out.tensor.byte_stride(axis);
    }
    if (rest.size() == node.inputs.size()) {
        return false;
    }
    step->inputs.clear();
    step->outputs.clear();
    for (const auto& [input, to] : rest) {
        plan_->slots.push_back(to);
        step->inputs.push_back(input);
        step->outputs.push_back(static_cast<SlotId>(plan_->slots.size() - 1));
    }
    step->action = rest.empty() ? Action::kNothing : Action::kCopy;
    // The output stays last, so that whoever looks for the step's own value finds it.
    step->inputs.push_back(node.outputs[0]);
    step->outputs.push_back(node.outputs[0]);
    return true;
}

void Planner::add_step(int index) {
    const Node& node = node_of(index);
    const Layer& layer = layer_of(index);
    PlanStep step;
    step.program_step = index;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        SlotId from = input;
        if (!accepts_strides(layer.traits(), slot(from).tensor)) {
            from = dense_copy(from);
            --unread_[static_cast<size_t>(slot(from).root)];
        }
        step.inputs.push_back(from);
        --unread_[static_cast<size_t>(slot(input).root)];
    }
    step.outputs = node.outputs;
    // The output of a Concat has a slot already if something was written to its place in it.
    const bool begun = node.type == "Concat" && has_slot_[static_cast<size_t>(node.outputs[0])];
    const bool concat = begun && concat_in_place(node, &step);
    if (!concat && try_view(layer, &step, node.outputs)) {
        step.action = Action::kNothing;
    } else if (!concat) {
        if (!try_in_place(layer, step, node.outputs)) {
            for (const ValueId output : node.outputs) {
                ensure_slot(output);
            }
        }
        std::vector<TensorDesc> in;
        std::vector<TensorDesc> out;
        for (const SlotId id : step.inputs) {
            in.push_back(slot(id).tensor.desc());
        }
        for (const SlotId id : step.outputs) {
            out.push_back(slot(id).tensor.desc());
        }
        step.workspace_bytes = layer.workspace_bytes(in, out, threads_);
    }
    for (const ValueId output : node.outputs) {
        plan_->producer[static_cast<size_t>(output)] = static_cast<int>(plan_->steps.size());
    }
    plan_->steps.push_back(std::move(step));
}

}  // namespace

Result<std::shared_ptr<const Plan>> make_plan(const Model& model, const std::shared_ptr<const Program>& program,
                                              const std::vector<InputDesc>& inputs, int threads, uint64_t max_bytes,
                                              const std::string& cpu_reason) {
    return Planner(model, program, inputs, threads, max_bytes, cpu_reason).run();
}

}  // namespace fw
