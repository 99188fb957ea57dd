#include "runtime/cost_model.h"

#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "graph/int8_plan.h"
#include "graph/weighted.h"

namespace fw {

namespace {

size_t at(int id) {
    return static_cast<size_t>(id);
}

// Kernels work on this many output channels at once, and int8 ones on this many products.
constexpr int64_t kLanes = 16;
constexpr int64_t kProducts = 4;
// Fewer output pixels than this and the time goes into reading the weights.
constexpr int64_t kFewPixels = 4;

double rounded_up(int64_t n, int64_t multiple) {
    const int64_t blocks = (n + multiple - 1) / multiple;
    return static_cast<double>(blocks * multiple);
}

bool is_transposed(const Node& node) {
    return node.type == "Deconvolution" || node.type == "DeconvolutionDepthWise";
}

Work weighted_work(const Node& node, const Shape& in, const Shape& out) {
    const int64_t outputs = num_output(node);
    const int64_t weights = node.weights[0].count();
    const int64_t products = weights / outputs;
    const Shape& counted = is_transposed(node) ? in : out;
    const int64_t channels = counted.rank >= 3 ? counted[0] : counted.rank == 2 ? counted.w() : counted.count();
    const int64_t pixels = counted.count() / std::max<int64_t>(1, channels);
    const int64_t in_channels = in.rank >= 3 ? in[0] : in.count();
    const bool grouped = node.type == "ConvolutionDepthWise" || node.type == "DeconvolutionDepthWise";
    if (pixels <= kFewPixels && !grouped) {
        return {WorkKind::kWeights, static_cast<double>(weights)};
    }
    const int64_t groups = grouped ? std::max(1, node.params.get(7, 1)) : 1;
    if (groups == outputs && groups == in_channels) {
        return {WorkKind::kDepthwise, static_cast<double>(weights) * static_cast<double>(pixels)};
    }
    return {WorkKind::kGemm, static_cast<double>(pixels) * static_cast<double>(groups) *
                                 rounded_up(outputs / groups, kLanes) * rounded_up(products, kProducts)};
}

// Layers that hand on what they get, unless strides force a copy: the plan's affair, and the same in both precisions.
bool is_free(const Node& node) {
    static constexpr const char* kTypes[] = {"Split",   "Noop",       "Dropout", "Reshape", "Flatten",
                                             "Squeeze", "ExpandDims", "Slice",   "Permute", "Concat"};
    return std::any_of(std::begin(kTypes), std::end(kTypes), [&](const char* type) { return node.type == type; });
}

Work work_of(const Node& node, const std::vector<TensorDesc>& in, const std::vector<TensorDesc>& out) {
    if (node.type == "Input" || in.empty() || out.empty() || is_free(node)) {
        return {};
    }
    if (has_constant_weights(node) && check_weights(node).ok()) {
        return weighted_work(node, in[0].shape, out[0].shape);
    }
    if (node.type == "Pooling") {
        const bool global = node.params.get(4, 0) != 0 || node.params.get(7, 0) != 0;
        const int kernel_w = node.params.get(1, 0);
        const int kernel_h = node.params.get(11, kernel_w);
        const double covered =
            static_cast<double>(out[0].shape.count()) * std::max(1, kernel_w) * std::max(1, kernel_h);
        return {WorkKind::kWindow, global ? static_cast<double>(in[0].shape.count()) : covered};
    }
    double elements = 0;
    for (size_t slot = 0; slot < in.size(); ++slot) {
        elements += reads_only_shape(node, slot) ? 0.0 : static_cast<double>(in[slot].shape.count());
    }
    for (const TensorDesc& desc : out) {
        elements += static_cast<double>(desc.shape.count());
    }
    return {WorkKind::kElement, elements};
}

int64_t picoseconds(double value) {
    return std::llround(std::min(value, 1e12));  // a second at most: no sum leaves 60 bits
}

// What float16 weights cost beside float32 ones; negative where half the memory to read is worth more.
int64_t widening(const Node& node, const Work& work, const CostTable& table) {
    if (work.kind == WorkKind::kWeights) {
        const double more = table.fp16_read - table.in_float[static_cast<size_t>(WorkKind::kWeights)];
        return more < 0 ? -picoseconds(-more * work.units) : picoseconds(more * work.units);
    }
    return work.kind == WorkKind::kGemm ? picoseconds(table.fp16_widen * static_cast<double>(node.weights[0].count()))
                                        : 0;
}

bool is_reader(const Node& node) {
    const LayerSchema* schema = find_schema(node.type);
    return schema != nullptr && schema->quant == QuantRule::kReader;
}

// One layer with weights and 16 channels or more on both sides.
bool has_wide_layer(const Graph& graph) {
    return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
        return !node.removed && has_constant_weights(node) && check_weights(node).ok() && num_output(node) >= kLanes &&
               node.weights[0].count() / num_output(node) >= kLanes;
    });
}

}  // namespace

bool find_work(const Model& model, const Graph& graph, bool winograd, std::vector<Work>* work,
               std::vector<int64_t>* elements) {
    work->assign(graph.nodes().size(), {});
    elements->assign(graph.values().size(), 0);
    std::vector<TensorDesc> descs(graph.values().size());
    for (const InputInfo& input : model.inputs) {
        const ValueId id = graph.find_value(input.name);
        if (id != kNone) {
            descs[at(id)].shape = input.shape;
        }
    }
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        std::vector<TensorDesc> in;
        std::vector<TensorDesc> out;
        for (const ValueId v : node.inputs) {
            in.push_back(descs[at(v)]);
        }
        for (const ValueId v : node.outputs) {
            out.push_back(descs[at(v)]);
        }
        double float_share = 1.0;
        double int8_share = 1.0;
        if (node.type != "Input") {
            const Result<std::unique_ptr<Layer>> layer = load_layer(model, graph, id);
            if (!layer.ok() || !(*layer)->infer(in, out).ok()) {
                return false;
            }
            if (winograd) {
                float_share = (*layer)->time_share(false, in, out);
                int8_share = (*layer)->time_share(true, in, out);
            }
        }
        for (size_t i = 0; i < out.size(); ++i) {
            if (out[i].shape.rank == 0 || !out[i].shape.valid() || out[i].shape.count() <= 0) {
                return false;
            }
            descs[at(node.outputs[i])].shape = out[i].shape;
            (*elements)[at(node.outputs[i])] = out[i].shape.count();
        }
        (*work)[at(id)] = work_of(node, in, out);
        (*work)[at(id)].float_share = float_share;
        (*work)[at(id)].int8_share = int8_share;
    }
    return true;
}

bool estimate_costs(const Model& model, const Graph& graph, bool winograd, PrecisionCosts* costs) {
    const Result<Isa> isa = current_isa();
    const CostTable* found = isa.ok() ? cost_table(*isa) : nullptr;
    if (found == nullptr) {
        return false;
    }
    const CostTable& table = *found;
    std::vector<Work> work;
    std::vector<int64_t> elements;
    costs->in_float.assign(graph.nodes().size(), 0);
    costs->in_int8.assign(graph.nodes().size(), 0);
    costs->in_fp16.assign(graph.nodes().size(), 0);
    costs->conversion.assign(graph.values().size(), 0);
    if (!find_work(model, graph, winograd, &work, &elements)) {
        if (has_wide_layer(graph)) {
            return false;
        }
        costs->in_fp16.clear();
        std::fill(costs->in_int8.begin(), costs->in_int8.end(), picoseconds(table.layer));
        return true;
    }
    for (size_t i = 0; i < work.size(); ++i) {
        const auto kind = static_cast<size_t>(work[i].kind);
        if (work[i].kind != WorkKind::kNothing) {
            const double in_float = table.in_float[kind] * work[i].units;
            costs->in_float[i] = picoseconds(table.layer + in_float * work[i].float_share);
            costs->in_int8[i] = picoseconds(table.layer + table.in_int8[kind] * work[i].units * work[i].int8_share);
            costs->in_fp16[i] = picoseconds(table.layer + in_float) + widening(graph.nodes()[i], work[i], table);
            if (is_reader(graph.nodes()[i])) {
                // A tail follows what is before it: on its own it is no reason to run int8, which rounds.
                costs->in_int8[i] = costs->in_float[i];
            }
        }
    }
    for (size_t v = 0; v < elements.size(); ++v) {
        costs->conversion[v] = picoseconds(table.layer + table.conversion * static_cast<double>(elements[v]));
    }
    return true;
}

}  // namespace fw
