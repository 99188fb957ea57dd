#include "runtime/runner.h"

#include <algorithm>
#include <chrono>

#include "base/memory.h"
#include "layer/support/float_runs.h"
#include "layer/support/strided_copy.h"
#include "quant/quant.h"

namespace fw {

namespace {

void dequantize_tensor(const Tensor& from, const Tensor& to) {
    float values[256];
    for (int i = -128; i < 128; ++i) {
        values[i + 128] = dequantize(static_cast<int8_t>(i), from.quant);
    }
    const auto* source = from.ptr<int8_t>();
    auto* target = to.ptr<float>();
    for (int c = 0; c < from.c(); ++c) {
        for (int z = 0; z < from.d(); ++z) {
            for (int y = 0; y < from.h(); ++y) {
                const int8_t* s = source + c * from.c_stride() + z * from.d_stride() + y * from.h_stride();
                float* t = target + c * to.c_stride() + z * to.d_stride() + y * to.h_stride();
                for (int x = 0; x < from.w(); ++x) {
                    t[x * to.w_stride()] = values[s[x * from.w_stride()] + 128];
                }
            }
        }
    }
}

void widen_tensor(const Tensor& from, const Tensor& to) {
    const FloatRuns runs(from.dtype);
    const RunPlan plan(to.shape, {to.stride, from.stride}, runs.in_blocks());
    plan.for_each(1, [&](const int64_t* offset, int64_t n) {
        float buffer[RunPlan::kBlock];
        const float* values = runs.load(from, offset[1], plan.step(1), n, buffer);
        for (int64_t i = 0; i < n; ++i) {
            to.ptr<float>()[offset[0] + i * plan.step(0)] = values[i];
        }
    });
}

void copy_converted(const Tensor& from, const Tensor& to) {
    if (from.dtype == DType::kInt8 && to.dtype == DType::kFloat32) {
        dequantize_tensor(from, to);
    } else if (kHasHalfBlobs && from.dtype == DType::kFloat16 && to.dtype == DType::kFloat32) {
        widen_tensor(from, to);
    } else {
        copy_elements(from, to, 1);
    }
}

Status data_dependent() {
    return Status::error(Code::kUnsupported, "cannot run on an input whose extent depends on the data");
}

// Makes the blob out of a dense value that equalize_channels scaled.
void divide_channels(const std::vector<float>& factors, Layout layout, const Tensor& value) {
    const auto channels = static_cast<int64_t>(factors.size());
    const int64_t pixels = factors.empty() ? 0 : value.count() / channels;
    const bool innermost = layout == Layout::kNhwc && value.rank() >= 3;
    for (int64_t c = 0; c < channels; ++c) {
        float* first = value.ptr() + (innermost ? c : c * pixels);
        const float inverse = 1.0F / factors[static_cast<size_t>(c)];
        for (int64_t i = 0; i < pixels; ++i) {
            first[innermost ? i * channels : i] *= inverse;
        }
    }
}

}  // namespace

void Runner::start(std::shared_ptr<const Plan> plan, std::shared_ptr<void> arena, const std::vector<Mat>& inputs,
                   AcceleratorRun* device) {
    plan_ = std::move(plan);
    device_ = device;
    imported_ = kHasAccelerator && device != nullptr && device->import_inputs(inputs);
    on_device_.assign(plan_->roots.size(), false);
    arena_ = std::move(arena);
    next_ = 0;
    lowered_ = false;
    tensors_.resize(plan_->slots.size());
    for (size_t i = 0; i < tensors_.size(); ++i) {
        const Slot& slot = plan_->slots[i];
        tensors_[i] = slot.tensor;
        if (slot.root == kNone) {
            continue;
        }
        const Root& root = plan_->roots[static_cast<size_t>(slot.root)];
        char* base = root.input == kNone ? static_cast<char*>(arena_.get()) + root.offset
                                         : static_cast<char*>(view_of(inputs[static_cast<size_t>(root.input)]).data);
        tensors_[i].data = base + slot.offset;
    }
}

Status Runner::run_to(const Model& model, ValueId value, int threads, const TensorObserver& observer,
                      std::vector<double>* profile) {
    const int last = plan_->producer[static_cast<size_t>(value)];
    if (profile != nullptr && next_ == 0) {
        profile->assign(plan_->steps.size(), 0.0);
    }
    if (observer && next_ == 0) {
        for (size_t i = 0; i < plan_->inputs.size(); ++i) {
            const ValueId input = plan_->program->inputs[i];
            const Slot& slot = plan_->slots[static_cast<size_t>(input)];
            // Inputs that a copy step fills are observed there.
            if (slot.root != kNone && plan_->roots[static_cast<size_t>(slot.root)].input != kNone) {
                PlanStep given;
                given.outputs = {input};
                FW_RETURN_IF_ERROR(observe(given, observer));
            }
        }
    }
    while (static_cast<int>(next_) <= last) {
        const PlanStep& current = plan_->steps[next_];
        if (kHasAccelerator && on_device(current) && !(lowered_ && current.action == Action::kNothing)) {
            // An observer sees the blobs one by one; memory may have another owner after the next step.
            size_t end = next_ + 1;
            while (!observer && !lowered_ && static_cast<int>(end) <= last && on_device(plan_->steps[end])) {
                ++end;
            }
            FW_RETURN_IF_ERROR(run_on_device(next_, end, profile));
            next_ = end;
            if (observer) {
                FW_RETURN_IF_ERROR(observe(current, observer));
            }
            continue;
        }
        if (profile == nullptr) {
            FW_RETURN_IF_ERROR(step(model, current, threads));
        } else {
            const auto begin = std::chrono::steady_clock::now();
            FW_RETURN_IF_ERROR(step(model, current, threads));
            const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
            (*profile)[next_] = spent.count();
        }
        ++next_;
        if (observer) {
            FW_RETURN_IF_ERROR(observe(current, observer));
        }
    }
    return fetch(value);
}

Status Runner::run_on_device(size_t first, size_t last, std::vector<double>* profile) {
    for (size_t i = first; i < last && lowered_; ++i) {
        FW_RETURN_IF_ERROR(check_planned_shapes(plan_->steps[i]));
    }
    FW_RETURN_IF_ERROR(device_->run(first, last, profile == nullptr ? nullptr : profile->data() + first));
    for (size_t i = first; i < last; ++i) {
        mark_written(plan_->steps[i]);
    }
    return {};
}

// Brings a tensor that the device wrote last to where its address says.
Status Runner::fetch(SlotId id) {
    const int root = plan_->slots[static_cast<size_t>(id)].root;
    if (root == kNone || !on_device_[static_cast<size_t>(root)]) {
        return {};
    }
    on_device_[static_cast<size_t>(root)] = false;
    return device_->fetch(root);
}

void Runner::mark_written(const PlanStep& current) {
    if (current.action == Action::kNothing) {
        return;
    }
    for (const SlotId id : current.outputs) {
        on_device_[static_cast<size_t>(plan_->slots[static_cast<size_t>(id)].root)] =
            kHasAccelerator && on_device(current);
    }
}

// Whether the tensor has the shape that was planned; a data-dependent extent upstream may have lowered it.
bool Runner::is_as_planned(SlotId id) const {
    const auto i = static_cast<size_t>(id);
    return tensors_[i].shape == plan_->slots[i].tensor.shape;
}

// Copies and the parts of a Concat that were written in place have their addresses from the plan.
bool Runner::needs_planned_shapes(const PlanStep& current) const {
    return current.action == Action::kCopy || (current.action == Action::kNothing && current.inputs == current.outputs);
}

Status Runner::check_planned_shapes(const PlanStep& current) const {
    bool planned =
        std::all_of(current.inputs.begin(), current.inputs.end(), [&](SlotId id) { return is_as_planned(id); });
    if (current.program_step != kNone) {
        const Node& node = node_of(current);
        planned = planned &&
                  std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return is_as_planned(id); });
    }
    return planned ? Status() : data_dependent();
}

const Node& Runner::node_of(const PlanStep& current) const {
    return plan_->program->graph.node(plan_->program->steps[static_cast<size_t>(current.program_step)].node);
}

Status Runner::step(const Model& model, const PlanStep& current, int threads) {
    Status status;
    for (const int root : current.to_host) {
        if (on_device_[static_cast<size_t>(root)]) {
            FW_RETURN_IF_ERROR(device_->fetch(root));
            on_device_[static_cast<size_t>(root)] = false;
        }
    }
    mark_written(current);
    if (lowered_ && needs_planned_shapes(current)) {
        status = check_planned_shapes(current);
    }
    if (status.ok() && current.action == Action::kCopy) {
        for (size_t i = 0; i < current.inputs.size(); ++i) {
            if (current.inputs[i] != current.outputs[i]) {
                copy_converted(tensors_[static_cast<size_t>(current.inputs[i])],
                               tensors_[static_cast<size_t>(current.outputs[i])]);
            }
        }
    }
    if (status.ok() && (current.action == Action::kForward || (lowered_ && !needs_planned_shapes(current)))) {
        status = forward(current, threads);
    }
    if (!status.ok() && current.program_step != kNone) {
        const Node& node = node_of(current);
        return status.with_prefix("%s:%d: layer '%s' (%s)", model.def.source.c_str(), node.line, node.name.c_str(),
                                  node.type.c_str());
    }
    return status;
}

Status Runner::forward(const PlanStep& current, int threads) {
    const Layer& layer = *plan_->program->steps[static_cast<size_t>(current.program_step)].layer;
    in_.clear();
    out_.clear();
    for (const SlotId id : current.inputs) {
        in_.push_back(tensors_[static_cast<size_t>(id)]);
    }
    for (const SlotId id : current.outputs) {
        out_.push_back(tensors_[static_cast<size_t>(id)]);
    }
    bool empty = false;
    if (lowered_) {
        std::vector<TensorDesc> in;
        std::vector<TensorDesc> out;
        for (const Tensor& t : in_) {
            in.push_back(t.desc());
            empty = empty || t.count() == 0;
        }
        for (const Tensor& t : out_) {
            out.push_back(t.desc());
        }
        const Status status = layer.infer(in, out);
        for (size_t i = 0; i < out_.size(); ++i) {
            Tensor& t = out_[i];
            Shape shape = status.ok() ? out[i].shape : t.shape;
            if (empty && (!status.ok() || shape.count() > 0)) {
                shape = t.shape;
                shape[0] = 0;  // nothing in, nothing out
            }
            bool within = shape.valid() && shape.rank == t.shape.rank;
            for (int axis = 0; axis < t.shape.rank && within; ++axis) {
                within = shape[axis] <= t.shape[axis];
            }
            if (!within || (!status.ok() && !empty)) {
                return data_dependent();
            }
            t.shape = shape;
        }
        if (!empty) {
            FW_RETURN_IF_ERROR(adapt_to_shapes(layer, current.action));
        }
    }
    if (current.action == Action::kForward && !empty) {
        RunContext context;
        context.threads = threads;
        context.workspace =
            current.workspace_bytes > 0 ? static_cast<char*>(arena_.get()) + current.workspace : nullptr;
        FW_RETURN_IF_ERROR(layer.forward(in_, out_, context));
    }
    for (size_t i = 0; i < out_.size(); ++i) {
        Tensor& t = tensors_[static_cast<size_t>(current.outputs[i])];
        if (out_[i].shape != plan_->slots[static_cast<size_t>(current.outputs[i])].tensor.shape) {
            lowered_ = true;
        }
        t = out_[i];
    }
    return {};
}

// After in_ and out_ got other shapes than planned: views move with them; what needs dense memory may not have it now.
Status Runner::adapt_to_shapes(const Layer& layer, Action action) {
    if (action == Action::kNothing) {
        std::vector<Tensor> views = out_;
        if (!layer.view(in_, views)) {
            return data_dependent();
        }
        for (size_t i = 0; i < out_.size(); ++i) {
            out_[i].data = views[i].data;
            std::copy_n(views[i].stride, Shape::kMaxRank, out_[i].stride);
        }
        return {};
    }
    const LayerTraits traits = layer.traits();
    const bool fits =
        std::all_of(in_.begin(), in_.end(), [&](const Tensor& t) { return accepts_strides(traits, t); }) &&
        (traits.any_stride_output ||
         std::all_of(out_.begin(), out_.end(), [](const Tensor& t) { return t.is_dense(Layout::kNhwc); }));
    return fits ? Status() : data_dependent();
}

Status Runner::observe(const PlanStep& current, const TensorObserver& observer) {
    SlotId previous = kNone;
    for (const SlotId id : current.outputs) {
        const std::vector<Value>& values = plan_->program->graph.values();
        const bool is_value = static_cast<size_t>(id) < values.size() && id != previous;
        previous = id;
        // A space marks what a pass added (Value::name).
        if (!is_value || values[static_cast<size_t>(id)].name.find(' ') != std::string::npos) {
            continue;
        }
        FW_RETURN_IF_ERROR(fetch(id));
        FW_RETURN_IF_ERROR(observer(
            ObservedBlob{plan_->program->graph, values[static_cast<size_t>(id)], tensors_[static_cast<size_t>(id)]}));
    }
    return {};
}

Status DenseBlob::make(const ObservedBlob& blob, Layout layout, Tensor* dense) {
    const Tensor& tensor = blob.tensor;
    if (tensor.dtype == DType::kFloat32 && blob.value.factors.empty() && tensor.is_dense(layout)) {
        *dense = tensor;
        return {};
    }
    const size_t bytes = static_cast<size_t>(tensor.count()) * sizeof(float);
    if (bytes > bytes_) {
        memory_ = allocate_shared_bytes(bytes, nullptr);
        bytes_ = memory_ ? bytes : 0;
        if (!memory_) {
            return Status::error(Code::kOutOfMemory, "no memory for a copy of %zu bytes", bytes);
        }
    }
    *dense = make_tensor(memory_.get(), TensorDesc{tensor.shape, DType::kFloat32, {}}, layout);
    copy_converted(tensor, *dense);
    divide_channels(blob.value.factors, layout, *dense);
    return {};
}

Result<Mat> to_float_mat(const Tensor& tensor, Allocator* allocator) {
    FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(tensor.shape, DType::kFloat32, allocator));
    copy_converted(tensor, view_of(mat));
    return mat;
}

Result<Mat> to_mat(const Tensor& tensor, Allocator* allocator) {
    FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(tensor.shape, tensor.dtype, allocator));
    copy_elements(tensor, view_of(mat), 1);
    return mat;
}

}  // namespace fw
