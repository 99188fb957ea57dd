#include "runtime/extractor_impl.h"

#include <chrono>

#include "base/cores.h"

namespace fw {

namespace {

std::string list_of_inputs(const Model& model) {
    std::string text;
    for (const InputInfo& input : model.inputs) {
        text += (text.empty() ? "'" : ", '") + input.name + "'";
    }
    return text;
}

// The scale in which the network reads an input as int8; unknown where it reads float.
QuantParams scale_of_input(const Program& program, int input) {
    const Graph& graph = program.graph;
    for (const NodeId reader : graph.consumers(program.inputs[static_cast<size_t>(input)])) {
        if (graph.node(reader).is_conversion) {
            return graph.value(graph.node(reader).outputs[0]).quant;
        }
    }
    return {};
}

}  // namespace

Extractor::Impl::~Impl() {
    if (arena) {
        runner = Runner();
        net->give_back_arena(std::move(arena), arena_bytes);
    }
}

int Extractor::Impl::find_input(const std::string& blob) const {
    for (size_t i = 0; i < net->model.inputs.size(); ++i) {
        if (net->model.inputs[i].name == blob) {
            return static_cast<int>(i);
        }
    }
    return kNone;
}

Status Extractor::Impl::start(const std::shared_ptr<const Program>& program) {
    std::vector<InputDesc> descs;
    for (size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].empty()) {
            return Status::error(Code::kFailedPrecondition, "input '%s' is not set", net->model.inputs[i].name.c_str());
        }
        descs.push_back(InputDesc{inputs[i].shape(), inputs[i].dtype()});
    }
    FW_ASSIGN_OR_RETURN(std::shared_ptr<const Plan> plan, net->plan_for(program, descs));
    if (kHasAccelerator && plan->device != nullptr) {
        Status status = start_on_device(plan);
        if (status.ok() || !net->leave_device(status)) {
            return status;
        }
        FW_ASSIGN_OR_RETURN(plan, net->plan_for(program, descs));
    }
    return start_on_cpu(std::move(plan));
}

Status Extractor::Impl::start_on_device(const std::shared_ptr<const Plan>& plan) {
    if (device_plan != plan) {
        runner = Runner();
        device_plan.reset();
        device.reset();
        FW_ASSIGN_OR_RETURN(device, plan->program->device->start(plan));
        device_plan = plan;
    }
    device->set_buffers(buffers);
    // The Extractor keeps the arena: nothing to release here.
    runner.start(plan, std::shared_ptr<void>(std::shared_ptr<void>(), device->arena()), inputs, device.get());
    return {};
}

Status Extractor::Impl::start_on_cpu(std::shared_ptr<const Plan> plan) {
    device_plan.reset();
    device.reset();
    if (!arena || arena_bytes < plan->arena_bytes) {
        runner = Runner();
        if (arena) {
            net->give_back_arena(std::move(arena), arena_bytes);
        }
        arena = net->take_arena(plan->arena_bytes, &arena_bytes);
        if (!arena) {
            return Status::error(Code::kOutOfMemory, "no memory for %zu bytes of activations", plan->arena_bytes);
        }
    }
    runner.start(std::move(plan), arena, inputs, nullptr);
    return {};
}

Status Extractor::Impl::compute(const char* blob, Tensor* out) {
    if (!net->loaded) {
        return Status::error(Code::kFailedPrecondition, "no model is loaded");
    }
    if (blob == nullptr) {
        return Status::error(Code::kInvalidArgument, "extract needs the name of a blob");
    }
    inputs.resize(net->model.inputs.size());  // created before the model was loaded
    const int input = find_input(blob);
    if (input != kNone) {
        const Mat& mat = inputs[static_cast<size_t>(input)];
        if (mat.empty()) {
            return Status::error(Code::kFailedPrecondition, "input '%s' is not set", blob);
        }
        *out = view_of(mat);
        out->quant = scale_of_input(*net->program, input);
        return {};
    }
    FW_ASSIGN_OR_RETURN(const std::shared_ptr<const Program> program, net->program_for(blob));
    if (runner.plan() == nullptr || runner.plan()->program != program) {
        FW_RETURN_IF_ERROR(start(program));
    }
    const ValueId value = program->outputs.at(blob);
    const CoreScope scope(cores_of(net->option.cores), net->threads());
    Status status = runner.run_to(net->model, value, net->threads(), observer, profiling ? &profile : nullptr);
    if (kHasAccelerator && !status.ok() && device != nullptr && !device->failure().ok() &&
        net->leave_device(device->failure())) {
        FW_RETURN_IF_ERROR(start(program));  // once more, from the first step
        status = runner.run_to(net->model, value, net->threads(), observer, profiling ? &profile : nullptr);
    }
    if (!status.ok()) {
        runner.stop();  // a step that failed half-way is not resumed
        return status;
    }
    *out = runner.tensor(value);
    return {};
}

Status Extractor::Impl::copy(const Tensor& from, Result<Mat> (*convert)(const Tensor&, Allocator*), Mat* to) {
    const auto begin = std::chrono::steady_clock::now();
    FW_ASSIGN_OR_RETURN(*to, convert(from, net->option.allocator));
    if (profiling) {
        const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
        profile.push_back(spent.count());
    }
    return {};
}

Extractor::Extractor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Extractor::~Extractor() = default;
Extractor::Extractor(Extractor&&) noexcept = default;
Extractor& Extractor::operator=(Extractor&&) noexcept = default;

Status Extractor::input(const char* blob, const Mat& mat) {
    return input(blob, mat, {});
}

Status Extractor::input(const char* blob, const Mat& mat, const ExternalBuffer& buffer) {
    if (!impl_->net->loaded) {
        return Status::error(Code::kFailedPrecondition, "no model is loaded");
    }
    const int index = blob == nullptr ? kNone : impl_->find_input(blob);
    if (index == kNone) {
        return Status::error(Code::kNotFound, "the network has no input '%s'; its inputs are %s",
                             blob == nullptr ? "" : blob, list_of_inputs(impl_->net->model).c_str());
    }
    if (mat.empty() || !mat.shape().valid()) {
        return Status::error(Code::kInvalidArgument, "input '%s': the Mat is empty", blob);
    }
    if (mat.dtype() != DType::kFloat32 && mat.dtype() != DType::kInt8) {
        return Status::error(Code::kInvalidArgument, "input '%s' is %s, expected float32 or int8", blob,
                             name(mat.dtype()));
    }
    impl_->inputs.resize(impl_->net->model.inputs.size());
    impl_->buffers.resize(impl_->inputs.size());
    impl_->inputs[static_cast<size_t>(index)] = mat;
    impl_->buffers[static_cast<size_t>(index)] = buffer;
    impl_->runner.stop();
    return {};
}

Status Extractor::extract(const char* blob, Mat* out) {
    if (out == nullptr) {
        return Status::error(Code::kInvalidArgument, "extract needs a Mat for the result");
    }
    Tensor tensor;
    FW_RETURN_IF_ERROR(impl_->compute(blob, &tensor));
    if (tensor.dtype == DType::kInt8 && !tensor.quant.known()) {
        return Status::error(Code::kInvalidArgument, "input '%s' is int8, but the network gives it no scale", blob);
    }
    return impl_->copy(tensor, to_float_mat, out);
}

Status Extractor::extract_raw(const char* blob, Mat* out, QuantParams* quant) {
    if (out == nullptr || quant == nullptr) {
        return Status::error(Code::kInvalidArgument, "extract_raw needs a Mat and a QuantParams for the result");
    }
    Tensor tensor;
    FW_RETURN_IF_ERROR(impl_->compute(blob, &tensor));
    FW_RETURN_IF_ERROR(impl_->copy(tensor, to_mat, out));
    *quant = tensor.dtype == DType::kInt8 ? tensor.quant : QuantParams();
    return {};
}

void Extractor::set_observer(Observer observer) {
    TensorObserver shows;
    if (observer) {
        shows = [observer = std::move(observer), plain = DenseBlob()](const ObservedBlob& blob) mutable -> Status {
            Tensor dense;
            FW_RETURN_IF_ERROR(plain.make(blob, Layout::kPlain, &dense));
            return observer(blob.value.name, Mat::wrap(dense.data, dense.shape));
        };
    }
    ExtractorAccess::observe_tensors(std::move(shows), this);
}

void ExtractorAccess::observe_tensors(TensorObserver observer, Extractor* extractor) {
    extractor->impl_->observer = std::move(observer);
    extractor->impl_->runner.stop();
}

void Extractor::enable_profile(bool enable) {
    impl_->profiling = enable;
    impl_->profile.clear();
    impl_->runner.stop();
}

const std::vector<double>& Extractor::profile() const {
    return impl_->profile;
}

}  // namespace fw
