#include "fw/net.h"

#include "base/cpu.h"
#include "model/model_hash.h"
#include "runtime/extractor_impl.h"
#include "runtime/live_set.h"
#include "runtime/net_state.h"

namespace fw {

namespace {

// OpenMP's runtime keeps its threads on the caller's stack: a million of them end the program.
constexpr int kMostThreads = 1024;

Status not_before_load(const NetState& state, const char* what) {
    if (state.loaded) {
        return Status::error(Code::kFailedPrecondition, "the network is loaded already: %s", what);
    }
    return {};
}

// A Status in the middle of a load must leave no trace: the model is built aside and moved in at the end.
Status load(NetState* state, Result<NetDef> def) {
    if (!def.ok()) {
        return def.status();
    }
    Model model;
    model.def = std::move(*def);
    model.custom = state->model.custom;
    return state->finish_load(std::move(model));
}

// A kernel's name ends in its level (kernel/kernel.h).
std::string isa_of(const std::string& kernel) {
    Isa isa = Isa::kScalar;
    const size_t suffix = kernel.rfind('_');
    return suffix != std::string::npos && parse_isa(kernel.c_str() + suffix + 1, &isa) ? name(isa) : "";
}

int64_t bytes_of(const std::vector<TensorDesc>& descs) {
    int64_t bytes = 0;
    for (const TensorDesc& desc : descs) {
        bytes += static_cast<int64_t>(desc.bytes());
    }
    return bytes;
}

std::vector<TensorDesc> descs_of(const Plan& plan, const std::vector<ValueId>& values) {
    std::vector<TensorDesc> descs;
    descs.reserve(values.size());
    for (const ValueId value : values) {
        descs.push_back(plan.slots[static_cast<size_t>(value)].tensor.desc());
    }
    return descs;
}

}  // namespace

Net::Net() : impl_(std::make_shared<Impl>()) {}
Net::~Net() = default;
Net::Net(Net&&) noexcept = default;
Net& Net::operator=(Net&&) noexcept = default;

Status Net::set_option(const Option& option) {
    FW_RETURN_IF_ERROR(not_before_load(impl_->state, "set_option must come before load_model"));
    if (option.threads < 0 || option.threads > kMostThreads) {
        return Status::error(Code::kInvalidArgument, "threads is %d, expected 0 (one for each core) to %d",
                             option.threads, kMostThreads);
    }
    impl_->state.option = option;
    return {};
}

Status Net::load_table(const char* path) {
    FW_RETURN_IF_ERROR(not_before_load(impl_->state, "load_table must come before load_model"));
    if (path == nullptr) {
        return Status::error(Code::kInvalidArgument, "load_table needs a path");
    }
    FW_ASSIGN_OR_RETURN(impl_->state.table, ScaleTable::load(path));
    return {};
}

Status Net::load_table(ScaleTable table) {
    FW_RETURN_IF_ERROR(not_before_load(impl_->state, "load_table must come before load_model"));
    impl_->state.table = std::move(table);
    return {};
}

Status Net::register_layer(const char* type, CustomLayerFactory factory, void* user_data) {
    FW_RETURN_IF_ERROR(not_before_load(impl_->state, "register_layer must come before load_model"));
    if (type == nullptr || *type == '\0' || factory == nullptr) {
        return Status::error(Code::kInvalidArgument, "register_layer needs a type and a factory");
    }
    if (find_schema(type) != nullptr) {
        return Status::error(Code::kInvalidArgument, "register_layer: '%s' is a built-in type", type);
    }
    impl_->state.model.custom[type] = CustomType{factory, user_data};
    return {};
}

Status Net::load_model(const char* param_path, const char* bin_path) {
    FW_RETURN_IF_ERROR(not_before_load(impl_->state, "make a new Net for another model"));
    if (param_path == nullptr || bin_path == nullptr) {
        return Status::error(Code::kInvalidArgument, "load_model needs two paths");
    }
    return load(&impl_->state, load_net_def(param_path, bin_path, custom_blobs(impl_->state.model.custom)));
}

Status Net::load_model_memory(Span<const char> param, Span<const uint8_t> bin) {
    NetState& state = impl_->state;
    FW_RETURN_IF_ERROR(not_before_load(state, "make a new Net for another model"));
    const CustomBlobs blobs = custom_blobs(state.model.custom);
    Result<NetDef> def = parse_param(param, "param in memory", blobs);
    if (def.ok()) {
        FW_RETURN_IF_ERROR(read_weights(FileData{bin, nullptr, false}, "bin in memory", &*def, blobs));
    }
    return load(&state, std::move(def));
}

const Option& Net::option() const {
    return impl_->state.option;
}

std::vector<std::string> Net::input_names() const {
    std::vector<std::string> names;
    for (const InputInfo& input : impl_->state.model.inputs) {
        names.push_back(input.name);
    }
    return names;
}

std::vector<std::string> Net::output_names() const {
    return impl_->state.model.outputs;
}

Shape Net::input_shape(const char* name) const {
    for (const InputInfo& input : impl_->state.model.inputs) {
        if (input.name == name) {
            return input.shape;
        }
    }
    return {};
}

const Preprocess& Net::preprocess() const {
    return impl_->state.model.preprocess;
}

Result<std::string> Net::model_hash() const {
    if (!impl_->state.loaded) {
        return Status::error(Code::kFailedPrecondition, "no model is loaded");
    }
    return fw::model_hash(impl_->state.model.def);
}

Extractor Net::create_extractor() const {
    return Extractor(std::make_unique<Extractor::Impl>(std::shared_ptr<NetState>(impl_, &impl_->state)));
}

Result<std::vector<LayerPlan>> Net::plan() const {
    NetState& state = impl_->state;
    if (!state.loaded) {
        return Status::error(Code::kFailedPrecondition, "no model is loaded");
    }
    FW_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, state.last_plan());
    const Graph& graph = plan->program->graph;
    std::vector<LayerPlan> steps;
    for (const PlanStep& step : plan->steps) {
        LayerPlan layer;
        layer.device = step.on_device ? state.option.device : "cpu";
        layer.cpu_reason = step.cpu_reason;
        for (const auto* roots : {&step.to_device, &step.to_host}) {
            for (const int root : *roots) {
                layer.crossing_bytes += static_cast<int64_t>(plan->roots[static_cast<size_t>(root)].bytes);
            }
        }
        if (step.program_step == kNone) {
            const Tensor& from = plan->slots[static_cast<size_t>(step.inputs[0])].tensor;
            const Tensor& to = plan->slots[static_cast<size_t>(step.outputs[0])].tensor;
            const bool input = static_cast<size_t>(step.outputs[0]) < graph.values().size();
            const SlotId value = input ? step.outputs[0] : step.inputs[0];
            layer.name = layer.output = graph.value(value).name;
            layer.type = "Copy";
            layer.input_type = from.dtype;
            layer.output_type = to.dtype;
            layer.output_quant = to.quant;
            layer.output_shape = to.shape;
            layer.bytes = bytes_of({from.desc(), to.desc()});
            layer.is_conversion = !input;
            layer.reason = input ? "input to NHWC" : "the layer after it needs dense memory";
            steps.push_back(std::move(layer));
            continue;
        }
        const ProgramStep& made = plan->program->steps[static_cast<size_t>(step.program_step)];
        const Node& node = graph.node(made.node);
        const Value& output = graph.value(node.outputs[0]);
        layer.name = node.is_conversion ? graph.value(node.inputs[0]).name : node.name;
        layer.type = node.type;
        layer.output = output.name;
        layer.kernel = step.action == Action::kForward
                           ? (step.shader != nullptr ? step.shader : made.layer->kernel_name())
                           : (step.action == Action::kNothing ? "in place" : "copy");
        layer.input_type = node.inputs.empty() ? output.dtype : graph.value(node.inputs[0]).dtype;
        layer.output_type = output.dtype;
        layer.output_quant = output.quant;
        layer.isa = isa_of(layer.kernel);
        const std::vector<TensorDesc> in = descs_of(*plan, node.inputs);
        const std::vector<TensorDesc> out = descs_of(*plan, node.outputs);
        layer.macs = made.layer->macs(in, out);
        if (step.action != Action::kNothing) {
            layer.bytes = bytes_of(in) + bytes_of(out) + static_cast<int64_t>(made.layer->weight_bytes());
        }
        layer.output_shape = plan->slots[static_cast<size_t>(node.outputs[0])].tensor.shape;
        layer.is_conversion = node.is_conversion;
        layer.fp16_weights = node.fp16_weights;
        layer.reason = node.reason;
        steps.push_back(std::move(layer));
    }
    return steps;
}

MemoryUse Net::memory_use() const {
    MemoryUse use;
    NetState& state = impl_->state;
    if (state.loaded) {
        use.weights = state.program->weight_bytes;
        const Result<std::shared_ptr<const Plan>> plan = state.last_plan();
        if (plan.ok()) {
            use.activations = (*plan)->arena_bytes;
            use.least_activations = static_cast<size_t>(least_activation_bytes(**plan));
            use.device_weights = (*plan)->device == nullptr ? 0 : (*plan)->program->device->weight_bytes();
        }
    }
    return use;
}

}  // namespace fw
