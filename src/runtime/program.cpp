#include "runtime/program.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/cpu.h"
#include "base/log.h"
#include "base/memory.h"
#include "graph/int8_plan.h"
#include "graph/pass.h"
#include "kernel/dispatch.h"
#include "quant/quant.h"
#include "runtime/cost_model.h"
#include "runtime/custom_layer.h"
#include "runtime/pooled_layer.h"

namespace fw {

namespace {

// Whether layers with weights can have float16 blobs around them.
bool has_half_kernels() {
    const Result<Isa> isa = current_isa();
    return kHasHalfBlobs && isa.ok() && find_half_gemm_kernel(HalfFormat::kFloat16, *isa, true) != nullptr;
}

// Declared shape of an Input layer: w, h, d, c; the ones left out lower the rank. Rank 0 where it is open.
Shape declared_shape(const ParamDict& params) {
    const int w = params.get(0, 0);
    const int h = params.get(1, 0);
    const int d = params.get(11, 0);
    const int c = params.get(2, 0);
    Shape shape;
    if (w > 0 && h > 0 && d > 0 && c > 0) {
        shape = Shape(c, d, h, w);
    } else if (w > 0 && h > 0 && c > 0 && d == 0) {
        shape = Shape(c, h, w);
    } else if (w > 0 && h > 0 && c == 0) {
        shape = Shape(h, w);
    } else if (w > 0 && h == 0 && c == 0) {
        shape = Shape(w);
    }
    return shape.valid() ? shape : Shape();
}

Status in_layer(const Status& status, const Model& model, const Node& node) {
    return status.with_prefix("%s:%d: layer '%s' (%s)", model.def.source.c_str(), node.line, node.name.c_str(),
                              node.type.c_str());
}

std::vector<TensorDesc> descs_of(const Graph& graph, const std::vector<ValueId>& ids,
                                 const std::vector<Shape>& shapes) {
    std::vector<TensorDesc> descs;
    for (const ValueId id : ids) {
        const Value& value = graph.value(id);
        descs.push_back(TensorDesc{shapes[static_cast<size_t>(id)], value.dtype, value.quant});
    }
    return descs;
}

// Shapes for the declared inputs as far as they are known; layers may use them to choose kernels, nothing depends on
// them.
std::vector<Shape> likely_shapes(const Model& model, const Program& program) {
    std::vector<Shape> shapes(program.graph.values().size());
    for (size_t i = 0; i < program.inputs.size(); ++i) {
        shapes[static_cast<size_t>(program.inputs[i])] = model.inputs[i].shape;
    }
    for (const ProgramStep& step : program.steps) {
        const Node& node = program.graph.node(step.node);
        std::vector<TensorDesc> in = descs_of(program.graph, node.inputs, shapes);
        std::vector<TensorDesc> out = descs_of(program.graph, node.outputs, shapes);
        bool known = true;
        for (const TensorDesc& desc : in) {
            known = known && desc.shape.rank > 0;
        }
        if (!known || !step.layer->infer(in, out).ok()) {
            continue;
        }
        for (size_t i = 0; i < out.size(); ++i) {
            bool sound = out[i].shape.valid();
            sound = sound && out[i].shape.count() > 0;
            shapes[static_cast<size_t>(node.outputs[i])] = sound ? out[i].shape : Shape();
        }
    }
    return shapes;
}

// What the point-wise layer that `node` applies by table makes of every level.
Status make_table(const Model& model, const Graph& graph, const Node& node, std::vector<int8_t>* table) {
    constexpr int kLevels = 256;
    const Node& function = graph.node(node.table);
    Result<std::unique_ptr<Layer>> layer = load_layer(model, graph, node.table);
    if (!layer.ok()) {
        return in_layer(layer.status(), model, function);
    }
    const TensorDesc in = {Shape(kLevels), DType::kInt8, node.before_table};
    const TensorDesc out = {Shape(kLevels), DType::kInt8, graph.value(node.outputs[0]).quant};
    PrepareContext context;
    context.inputs = {&in, 1};
    context.outputs = {&out, 1};
    const Status prepared = (*layer)->prepare(context);
    if (!prepared.ok()) {
        return in_layer(prepared, model, function);
    }
    std::vector<int8_t> levels(kLevels + kOverread);
    std::iota(levels.begin(), levels.begin() + kLevels, std::numeric_limits<int8_t>::min());
    table->assign(kLevels + kOverread, 0);
    const Tensor from = make_tensor(levels.data(), in);
    Tensor to = make_tensor(table->data(), out);
    FW_RETURN_IF_ERROR((*layer)->forward({&from, 1}, {&to, 1}, RunContext()));
    table->resize(kLevels);
    return {};
}

// The sum that `node` makes of its outputs and its last input, as the layer that stood for it has it: the outputs are
// its first operand.
Status make_fused_sum(const Model& model, const Graph& graph, const Node& node, SumParams* sum) {
    Result<std::unique_ptr<Layer>> layer = load_layer(model, graph, node.sum);
    FW_RETURN_IF_ERROR(layer.status());
    const TensorDesc own = {Shape(1), DType::kInt8, node.before_sum};
    const TensorDesc other = {Shape(1), DType::kInt8, graph.value(node.inputs.back()).quant};
    const TensorDesc in[] = {node.sum_slot == 0 ? own : other, node.sum_slot == 0 ? other : own};
    const TensorDesc out = {Shape(1), DType::kInt8,
                            node.table != kNone ? node.before_table : graph.value(node.outputs[0]).quant};
    PrepareContext context;
    context.inputs = in;
    context.outputs = {&out, 1};
    FW_RETURN_IF_ERROR((*layer)->prepare(context));
    const SumParams* made = (*layer)->int8_sum();
    if (made == nullptr || made->multiplier.size() != 2) {
        return Status::error(Code::kInternal, "is no sum of two blobs");
    }
    *sum = *made;
    if (node.sum_slot == 1) {
        std::swap(sum->multiplier[0], sum->multiplier[1]);
        std::swap(sum->zero_point[0], sum->zero_point[1]);
    }
    return {};
}

// What the outputs of a prepared layer are, where its inputs are as `values` says.
Rectified rectified_outputs(const Node& node, const Layer& layer, const std::vector<Rectified>& values) {
    const SumParams* sum = layer.int8_sum();
    if (sum != nullptr && sum->lo >= sum->zero_point_out) {
        return Rectified::kWholly;
    }
    const LayerSchema* schema = find_schema(node.type);
    if (schema == nullptr || node.inputs.empty() || layer.rectified() != Rectified::kNo) {
        return layer.rectified();
    }
    Rectified least = Rectified::kWholly;
    Rectified most = Rectified::kNo;
    for (size_t slot = 0; slot < node.inputs.size(); ++slot) {
        if (!reads_only_shape(node, slot)) {
            least = std::min(least, values[static_cast<size_t>(node.inputs[slot])]);
            most = std::max(most, values[static_cast<size_t>(node.inputs[slot])]);
        }
    }
    switch (schema->rule(Params(*schema, node.params))) {
        case QuantRule::kMove:
        case QuantRule::kUnify: return least;
        case QuantRule::kArith: return std::min(most, Rectified::kMostly);  // averages, products with a sigmoid
        default: return Rectified::kNo;
    }
}

// Each weight takes a byte or more.
size_t least_packed_bytes(const Node& node) {
    int64_t bytes = 0;
    for (const Weight& weight : node.weights) {
        bytes += weight.count();
    }
    return static_cast<size_t>(bytes);
}

// Prepares every layer. Those that cannot do the int8 that was planned for them are added to `keep_float`.
Status prepare(const Model& model, const Option& option, Program* program,
               std::map<std::string, std::string>* keep_float) {
    const std::vector<Shape> shapes = likely_shapes(model, *program);
    program->pages = std::make_unique<PagePool>();
    size_t to_come = 0;
    for (const ProgramStep& step : program->steps) {
        to_come += least_packed_bytes(program->graph.node(step.node));
    }
    PageRelease done;
    std::vector<Rectified> rectified(program->graph.values().size(), Rectified::kNo);
    for (ProgramStep& step : program->steps) {
        Node& node = program->graph.node(step.node);
        std::vector<TensorDesc> in = descs_of(program->graph, node.inputs, shapes);
        std::vector<TensorDesc> out = descs_of(program->graph, node.outputs, shapes);
        for (size_t slot = 0; slot < in.size(); ++slot) {
            if (reads_only_shape(node, slot)) {
                in[slot].dtype = DType::kFloat32;  // whatever it is, the layer does not look
            }
        }
        PrepareContext context;
        context.inputs = in;
        context.outputs = out;
        context.weight_scales = node.weight_scales;
        context.fp16_weights = node.fp16_weights;
        context.fp16_arithmetic = node.fp16_arithmetic;
        context.bf16_arithmetic = option.bf16_arithmetic;
        context.winograd = option.winograd;
        if (!node.inputs.empty()) {
            context.rectified = rectified[static_cast<size_t>(node.inputs[0])];
        }
        context.for_device = model.device != nullptr;
        context.pool = program->pages.get();
        to_come -= least_packed_bytes(node);
        program->pages->expect(to_come);
        std::vector<int8_t> table;
        if (node.table != kNone) {
            FW_RETURN_IF_ERROR(make_table(model, program->graph, node, &table));
            context.table = table;
            context.before_table = node.before_table;
        }
        SumParams sum;
        if (kFusesNeighbours && node.sum != kNone) {
            const Status made = make_fused_sum(model, program->graph, node, &sum);
            const Node& removed = program->graph.node(node.sum);
            if (made.code() == Code::kUnsupported && keep_float->emplace(removed.name, made.message()).second) {
                continue;
            }
            if (!made.ok()) {
                return in_layer(made, model, removed);
            }
            context.sum = &sum;
            context.before_sum = node.before_sum;
        }
        const Status status = step.layer->prepare(context);
        if (!status.ok()) {
            bool int8 = false;
            for (const auto* side : {&in, &out}) {
                for (const TensorDesc& desc : *side) {
                    int8 = int8 || desc.dtype == DType::kInt8;
                }
            }
            if (status.code() != Code::kUnsupported || !int8 || node.is_conversion ||
                !keep_float->emplace(node.name, status.message()).second) {
                return in_layer(status, model, node);
            }
            log(LogLevel::kInfo, "layer '%s' stays float: %s", node.name.c_str(), status.message());
        }
        for (const ValueId output : node.outputs) {
            rectified[static_cast<size_t>(output)] = rectified_outputs(node, *step.layer, rectified);
        }
        program->weight_bytes += step.layer->weight_bytes();
        for (const Weight& weight : node.weights) {
            done.add(weight);  // copies are what runs
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Layer>> load_layer(const Model& model, const Graph& graph, NodeId id) {
    const Node& node = graph.node(id);
    std::unique_ptr<Layer> layer;
    const auto custom = model.custom.find(node.type);
    if (custom != model.custom.end()) {
        layer = make_custom_layer(custom->second, node.params);
    } else {
        layer = create_layer(node.type);
    }
    if (!layer) {
        return Status::error(Code::kUnsupported, "this build has no layer of that type");
    }
    FW_RETURN_IF_ERROR(layer->load(graph.params(id), node.weights));
    return layer;
}

Status describe_model(Model* model) {
    std::map<std::string, bool> read;
    for (const LayerDef& layer : model->def.layers) {
        for (const std::string& bottom : layer.bottoms) {
            read[bottom] = true;
        }
    }
    for (const LayerDef& layer : model->def.layers) {
        if (layer.type == "Input") {
            for (const std::string& top : layer.tops) {
                model->inputs.push_back(InputInfo{top, declared_shape(layer.params)});
            }
        }
        for (const std::string& top : layer.tops) {
            if (!read[top]) {
                model->outputs.push_back(top);
            }
        }
    }
    if (model->inputs.empty()) {
        return Status::error(Code::kParseError, "%s: the network has no Input layer", model->def.source.c_str());
    }
    model->preprocess = model->def.preprocess();
    return {};
}

Result<std::shared_ptr<Program>> build_program(const Model& model, const Option& option, const ScaleTable* table,
                                               Span<const std::string> outputs, const Program* whole) {
    std::vector<std::string> kept(outputs.begin(), outputs.end());
    if (!outputs.empty()) {
        kept.insert(kept.end(), model.outputs.begin(), model.outputs.end());
    }
    std::map<std::string, std::string> keep_float;
    for (;;) {
        auto program = std::make_shared<Program>();
        FW_ASSIGN_OR_RETURN(program->graph, Graph::build(model.def, kept));
        Graph& graph = program->graph;

        ScaleTable working;
        if (table != nullptr) {
            working = *table;
        }
        const bool float_only = option.precision == Precision::kFloat || option.precision == Precision::kFp16;
        PassContext context{&option, float_only ? nullptr : &working, &keep_float, {}, nullptr};
        if (model.device == nullptr) {  // the figures are the CPU's: a device runs int8 wherever the table allows it
            context.costs = [&](const Graph& g, PrecisionCosts* costs) {
                return estimate_costs(model, g, option.winograd, costs);
            };
        }
        if (model.device == nullptr && option.fp16_arithmetic && has_half_kernels()) {
            context.half_use = [&](const Graph& g, NodeId id) {
                const Result<std::unique_ptr<Layer>> layer = load_layer(model, g, id);
                return layer.ok() ? (*layer)->half_use(g.node(id).fp16_arithmetic) : HalfUse::kNone;
            };
        }
        context.for_device = model.device != nullptr;
        context.decided = whole != nullptr ? &whole->int8_layers : nullptr;
        FW_RETURN_IF_ERROR(run_passes(&graph, context));
        if (!outputs.empty()) {
            for (Value& value : graph.values()) {
                value.output = false;
            }
            for (const std::string& name : outputs) {
                const ValueId id = graph.find_value(name);
                if (id == kNone) {
                    return Status::error(Code::kInternal, "a pass lost the blob '%s'", name.c_str());
                }
                graph.value(id).output = true;
            }
            graph.prune();
        }

        for (const InputInfo& input : model.inputs) {
            program->inputs.push_back(graph.find_value(input.name));
        }
        for (size_t i = 0; i < graph.values().size(); ++i) {
            const Value& value = graph.values()[i];
            if (value.producer != kNone) {
                program->values.emplace(value.name, static_cast<ValueId>(i));
                if (value.output) {
                    program->outputs.emplace(value.name, static_cast<ValueId>(i));
                }
            }
        }
        for (const NodeId id : graph.order()) {
            const Node& node = graph.node(id);
            if (node.type == "Input") {
                continue;
            }
            Result<std::unique_ptr<Layer>> layer = load_layer(model, graph, id);
            if (!layer.ok()) {
                return in_layer(layer.status(), model, node);
            }
            if (kFusesNeighbours && node.pooling != kNone) {
                Result<std::unique_ptr<Layer>> pooling = load_layer(model, graph, node.pooling);
                if (!pooling.ok()) {
                    return in_layer(pooling.status(), model, graph.node(node.pooling));
                }
                const Value& pooled = graph.value(graph.node(node.pooling).outputs[0]);
                layer = make_pooled_layer(std::move(*pooling), pooled.quant, std::move(*layer));
            }
            program->steps.push_back(ProgramStep{id, std::move(*layer)});
            if (!node.is_conversion) {
                const bool int8 = !node.inputs.empty() && graph.value(node.inputs[0]).dtype == DType::kInt8 &&
                                  !reads_only_shape(node, 0);
                program->int8_layers[node.name] = int8;
                for (const NodeId fused : {node.pooling, node.sum, node.table}) {
                    if (fused != kNone) {
                        program->int8_layers[graph.node(fused).name] = true;
                    }
                }
            }
        }
        const size_t refused = keep_float.size();
        FW_RETURN_IF_ERROR(prepare(model, option, program.get(), &keep_float));
        if (keep_float.size() > refused) {
            continue;  // every round takes at least one layer out of int8, so this ends
        }
        if (model.device != nullptr) {
            program->device = model.device->new_program();
        }
        for (Node& node : graph.nodes()) {
            node.weights.clear();  // the layers hold what they need
        }
        return program;
    }
}

}  // namespace fw
