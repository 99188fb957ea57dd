#include "fwopt/optimize.h"

#include <cstdio>
#include <utility>

#include "fw/option.h"
#include "graph/weighted.h"
#include "import/finish.h"
#include "import/net_builder.h"

namespace fw::opt {

namespace {

constexpr int kInt8ScaleTerm = 8;
// Parameters of Input.
constexpr int kWidth = 0, kHeight = 1, kChannels = 2, kDepth = 11;

std::string names_of(const std::vector<LayerDef*>& inputs) {
    std::string names;
    for (const LayerDef* input : inputs) {
        names += (names.empty() ? "'" : ", '") + input->tops[0] + "'";
    }
    return names;
}

// A convolution over what global pooling leaves is an InnerProduct. ncnn takes such a vector in a Convolution only by a
// path that it warns of, and whose int8 output has the wrong size.
void convolutions_of_vectors(Graph* graph) {
    constexpr int kGlobalPooling = 4;
    for (const NodeId id : graph->order()) {
        Node& node = graph->node(id);
        if (node.type != "Convolution" || !has_constant_weights(node) || !check_weights(node).ok()) {
            continue;
        }
        const Params params = graph->params(id);
        const Node& source = graph->node(graph->value(node.inputs[0]).producer);
        const bool one_tap = params.i(1) == 1 && params.i(11) == 1;
        const bool padded = params.i(4) != 0 || params.i(14) != 0 || params.i(15) != 0 || params.i(16) != 0;
        if (!one_tap || padded || source.type != "Pooling" || source.params.get(kGlobalPooling, 0) == 0) {
            continue;
        }
        ParamDict inner;
        inner.set(0, num_output(node));
        inner.set(1, params.i(5));
        inner.set(2, params.i(6));
        for (const int kept : {kActivationType, kActivationParams}) {
            const auto value = node.params.values().find(kept);
            if (value != node.params.values().end()) {
                inner.set(kept, value->second);
            }
        }
        node.type = "InnerProduct";
        node.params = std::move(inner);
    }
}

// ncnn's attention has its projections in it.
void note_parts_of_attention(const Graph& graph, BakeResult* result) {
    size_t count = 0;
    std::string first;
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        if (node.type == "MultiHeadAttention" && node.weights.empty() && count++ == 0) {
            first = node.name;
        }
    }
    if (count > 0) {
        result->notes.push_back("attention in parts, so that its projections are int8 (" + std::to_string(count) +
                                " layers, the first '" + first + "'): ncnn does not read it");
    }
}

}  // namespace

Status set_input_shape(const std::string& text, NetDef* net) {
    const size_t separator = text.find_last_of("=:");
    const std::string name = separator == std::string::npos ? "" : text.substr(0, separator);
    std::string extents = separator == std::string::npos ? text : text.substr(separator + 1);
    if (std::count(extents.begin(), extents.end(), ',') == 3 && extents.rfind("1,", 0) == 0) {
        extents.erase(0, 2);  // the batch
    }
    int c = 0;
    int h = 0;
    int w = 0;
    int end = 0;
    const bool digits = extents.find_first_not_of("0123456789,") == std::string::npos && extents.size() < 30;
    if (!digits || std::sscanf(extents.c_str(), "%9d,%9d,%9d%n", &c, &h, &w, &end) != 3 ||
        static_cast<size_t>(end) != extents.size() || c < 1 || h < 1 || w < 1) {
        return Status::error(Code::kInvalidArgument, "--input-shape '%s': expected C,H,W or NAME=C,H,W of at least 1",
                             text.c_str());
    }
    std::vector<LayerDef*> inputs;
    LayerDef* chosen = nullptr;
    for (LayerDef& layer : net->layers) {
        if (layer.type == "Input" && !layer.tops.empty()) {
            inputs.push_back(&layer);
            chosen = layer.tops[0] == name ? &layer : chosen;
        }
    }
    if (name.empty() && inputs.size() == 1) {
        chosen = inputs[0];
    }
    if (chosen == nullptr) {
        return Status::error(Code::kInvalidArgument, "--input-shape '%s' names none of the inputs: %s", text.c_str(),
                             inputs.empty() ? "the network has none" : names_of(inputs).c_str());
    }
    chosen->params.set(kWidth, w);
    chosen->params.set(kHeight, h);
    chosen->params.set(kChannels, c);
    chosen->params.erase(kDepth);
    return {};
}

Status embed_preprocess(const tools::PreprocessOptions& options, NetDef* net) {
    if (!options.given()) {
        return {};
    }
    LayerDef* input = nullptr;
    for (LayerDef& layer : net->layers) {
        const int channels = layer.params.get(kChannels, 0);
        if (input == nullptr && layer.type == "Input" && (channels == 1 || channels == 3)) {
            input = &layer;
        }
    }
    if (input == nullptr) {
        return Status::error(
            Code::kInvalidArgument,
            "--mean, --norm, --pixel and --size need an input of 1 or 3 channels, height and width; the "
            "network declares none (--input-shape gives one)");
    }
    if (!options.size.empty()) {
        int width = 0;
        int height = 0;
        FW_RETURN_IF_ERROR(tools::parse_size("--size", options.size, &width, &height));
        input->params.set(kWidth, width);
        input->params.set(kHeight, height);
    }
    const import::ImageInput image = {input->params.get(kChannels, 0), input->params.get(kHeight, 0),
                                      input->params.get(kWidth, 0)};
    return import::store_preprocess(options, net->preprocess(), image, net);
}

Result<BakeResult> optimize(const ScaleTable& table, NetDef* net, ScaleTable* kept) {
    BakeResult result;
    std::set<std::string> with_top;
    for (const LayerDef& layer : net->layers) {
        if (layer.params.get(kInt8ScaleTerm, 0) > 100) {
            with_top.insert(layer.name);
        }
    }
    ScaleTable working = table;
    make_symmetric(&working, &result);
    Option option;
    PassContext context;
    context.option = &option;
    context.table = &working;
    context.for_file = true;
    FW_ASSIGN_OR_RETURN(Graph graph, Graph::build(*net));
    FW_RETURN_IF_ERROR(run_passes(&graph, context));
    convolutions_of_vectors(&graph);
    if (kept != nullptr) {
        *kept = working;
    } else if (!working.empty()) {
        bake_int8(&graph, context, with_top, &result);
        note_parts_of_attention(graph, &result);
    }
    const std::string source = net->source;
    *net = graph.to_net_def();
    net->source = source;
    import::insert_splits(net);
    return result;
}

}  // namespace fw::opt
