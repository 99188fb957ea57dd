#include "onnx2fw/convert.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/node_context.h"
#include "onnx2fw/patterns.h"
#include "onnx2fw/qlinear.h"
#include "onnx2fw/table.h"

namespace fw::onnx {

namespace {

constexpr int64_t kOldestOpset = 7;
constexpr int64_t kNewestOpset = 21;
// The largest published vision networks have under 10000 nodes.
constexpr int kMaxNodes = 1000000;

bool read_model(const import::Source<uint8_t>& source, import::Report* report, ModelProto* model) {
    if (source.data.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
        report->error(source.name,
                      "larger than 2 GiB, the limit of the protobuf format (weights of larger models lie in "
                      "files of their own)");
        return false;
    }
    if (!model->ParseFromArray(source.data.data(), static_cast<int>(source.data.size()))) {
        report->error(source.name, "damaged: expected an ONNX model in protobuf format");
        return false;
    }
    if (!model->has_graph() || model->graph().node_size() == 0) {
        report->error(source.name, "has no nodes: expected an ONNX model in protobuf format");
        return false;
    }
    if (model->graph().node_size() > kMaxNodes) {
        report->error(source.name, "%d nodes, expected at most %d", model->graph().node_size(), kMaxNodes);
        return false;
    }
    return true;
}

int64_t opset_of(const ModelProto& model, const std::string& file, import::Report* report) {
    int64_t opset = 0;
    for (const OperatorSetIdProto& id : model.opset_import()) {
        if (id.domain().empty() || id.domain() == "ai.onnx") {
            opset = id.version();
        }
    }
    if (opset < kOldestOpset) {
        report->error(file, "operator set %lld, expected %lld to %lld (onnx.version_converter converts)",
                      static_cast<long long>(opset), static_cast<long long>(kOldestOpset),
                      static_cast<long long>(kNewestOpset));
    } else if (opset > kNewestOpset) {
        report->warn(file, "operator set %lld is newer than %lld, up to which operators are known",
                     static_cast<long long>(opset), static_cast<long long>(kNewestOpset));
    }
    return opset;
}

// Is the input of this name read by nothing but Transposes to NCHW? Then it is an image with the channels last.
bool born_in_nhwc(const GraphProto& graph, const std::string& name) {
    bool any = false;
    for (const NodeProto& node : graph.node()) {
        for (const std::string& input : node.input()) {
            if (input != name) {
                continue;
            }
            const bool transpose =
                node.op_type() == "Transpose" && node.attribute_size() == 1 &&
                std::vector<int64_t>(node.attribute(0).ints().begin(), node.attribute(0).ints().end()) ==
                    std::vector<int64_t>{0, 3, 1, 2};
            if (!transpose) {
                return false;
            }
            any = true;
        }
    }
    return any;
}

// The extents of an input: the user's, else the file's, an open batch being 1 and the open sides of an image --size.
bool input_dims(const Conversion& c, const OnnxOptions& options, const ValueInfoProto& info, bool only, Dims* dims) {
    const std::string& name = info.name();
    if (!info.type().has_tensor_type()) {
        c.report->error(c.file, "input '%s' is no tensor", name.c_str());
        return false;
    }
    const int elem = info.type().tensor_type().elem_type();
    if (!is_real(elem) && elem != TensorProto::UNDEFINED) {
        c.report->error(c.file, "input '%s' is %s, expected float", name.c_str(), type_name(elem));
        return false;
    }
    std::vector<int64_t> file_dims;
    for (const auto& dim : info.type().tensor_type().shape().dim()) {
        file_dims.push_back(dim.has_dim_value() ? dim.dim_value() : 0);
    }
    auto given = options.input_shapes.find(name);
    if (given == options.input_shapes.end() && only) {
        given = options.input_shapes.find("");
    }
    if (given != options.input_shapes.end()) {
        *dims = given->second;
        if (dims->size() + 1 == file_dims.size()) {
            dims->insert(dims->begin(), 1);
        }
    } else {
        *dims = file_dims;
        if (dims->size() >= 2 && (*dims)[0] <= 0) {
            (*dims)[0] = 1;
        }
        int width = 0;
        int height = 0;
        if (dims->size() == 4 && (*dims)[1] > 0 && (*dims)[1] <= 3 &&
            tools::parse_size("--size", options.common.preprocess.size, &width, &height).ok()) {
            (*dims)[2] = (*dims)[2] < 1 ? height : (*dims)[2];
            (*dims)[3] = (*dims)[3] < 1 ? width : (*dims)[3];
        }
    }
    if (!file_dims.empty() && dims->size() != file_dims.size()) {
        c.report->error(c.file, "input '%s' is given as %s, the file has %zu axes", name.c_str(),
                        dims_text(*dims).c_str(), file_dims.size());
        return false;
    }
    for (const int64_t d : *dims) {
        if (d < 1) {
            c.report->error(c.file,
                            "input '%s' is %s, 0 for what is open: give its extents with --input-shape %s:N,C,H,W",
                            name.c_str(), dims_text(*dims).c_str(), name.c_str());
            return false;
        }
    }
    if (dims_count(*dims) < 1) {
        c.report->error(c.file, "input '%s' is %s: not a size that a blob can have", name.c_str(),
                        dims_text(*dims).c_str());
        return false;
    }
    return true;
}

void add_input(Conversion* c, const OnnxOptions& options, const GraphProto& graph, const ValueInfoProto& info,
               bool only) {
    Value v;
    NodeProto node;
    node.set_op_type("Input");
    node.set_name(info.name());
    node.add_output(info.name());
    NodeContext ctx(c, node);
    if (!input_dims(*c, options, info, only, &v.dims)) {
        v.known = false;
        c->values[info.name()] = v;
        return;
    }
    tools::PreprocessOptions const& preprocess = options.common.preprocess;
    const bool nhwc = v.rank() == 4 && v.dims[0] == 1 && born_in_nhwc(graph, info.name());
    const bool image = v.rank() == 4 && v.dims[0] == 1 && c->image_input.channels == 0;
    Preprocess size;
    if (image && !preprocess.size.empty() &&
        tools::parse_size("--size", preprocess.size, &size.width, &size.height).ok()) {
        v.dims[nhwc ? 1 : 2] = size.height;
        v.dims[nhwc ? 2 : 3] = size.width;
    }
    v.shape = ctx.natural(v.dims, &v.axes);
    if (nhwc) {
        v.shape = {v.dims[3], v.dims[1], v.dims[2]};
        v.axes = {kNoAxis, 1, 2, 0};
        ctx.note("is read with channels last; the converted network takes it as channels, height, width");
    }
    if (v.shape.empty()) {
        v.known = false;
        c->values[info.name()] = v;
        return;
    }
    if (image) {
        c->image_input = {static_cast<int>(v.shape[0]), static_cast<int>(v.shape[1]), static_cast<int>(v.shape[2])};
    }
    LayerBuilder& layer = ctx.add("Input", {});
    import::set_extents(&layer, v.shape);
    ctx.out(0, &layer, v.dims, v.shape, v.axes);
}

void add_initializer(Conversion* c, const TensorProto& tensor) {
    Value v;
    v.type = tensor.data_type();
    v.dims.assign(tensor.dims().begin(), tensor.dims().end());
    v.initializer = &tensor;
    if (dims_count(v.dims) < 0) {
        c->report->error(c->file, "initializer '%s' is %s: not a size that a tensor can have", tensor.name().c_str(),
                         dims_text(v.dims).c_str());
        v.known = false;
    }
    c->values[tensor.name()] = std::move(v);
}

// Marks what a failed node would have given, so that its readers are not blamed.
void give_up(Conversion* c, const NodeProto& node) {
    for (const std::string& output : node.output()) {
        Value v;
        v.known = false;
        c->values[output] = v;
    }
}

// A computed value that QuantizeLinear wrote: it stands for integers, the blob holds floats.
bool is_quantized(const Value& v) {
    return v.blob != kNoBlob && !is_real(v.type);
}

bool inputs_known(NodeContext* ctx) {
    bool known = true;
    for (int i = 0; i < ctx->inputs(); ++i) {
        if (!ctx->has(i)) {
            continue;
        }
        const std::string& name = ctx->node().input(i);
        const auto it = ctx->conversion().values.find(name);
        if (it == ctx->conversion().values.end()) {
            ctx->error("input '%s' is no input, initializer or output of an earlier node", name.c_str());
            known = false;
        } else {
            known = known && it->second.known;
            if (is_quantized(it->second) && ctx->op() != "DequantizeLinear" && ctx->op() != "Shape") {
                ctx->error("input '%s' is quantized: such values are read by DequantizeLinear only", name.c_str());
                known = false;
            }
        }
    }
    return known;
}

void convert_node(Conversion* c, const NodeProto& node) {
    NodeContext ctx(c, node);
    for (const std::string& output : node.output()) {
        if (!output.empty() && c->values.count(output) != 0) {
            ctx.error("output '%s' exists already, expected one writer of every name", output.c_str());
            return;
        }
    }
    const bool known = inputs_known(&ctx);
    const OpHandler* handler = find_handler(node);
    if (handler == nullptr) {
        ctx.error("operator %s%s%s is not supported (docs/onnx2fw.md lists those that are)", node.domain().c_str(),
                  node.domain().empty() ? "" : ".", node.op_type().c_str());
    } else if (node.output_size() == 0) {
        ctx.error("has no output");
    } else if (ctx.inputs() < handler->min_inputs || (handler->max_inputs >= 0 && ctx.inputs() > handler->max_inputs)) {
        ctx.error("has %d inputs, expected %d to %d", ctx.inputs(), handler->min_inputs, handler->max_inputs);
    } else if (known) {
        for (int i = 0; i < handler->min_inputs; ++i) {
            if (!ctx.has(i)) {
                ctx.error("input %d is absent", i);
            }
        }
        if (!ctx.failed() && !fold(&ctx)) {
            handler->convert(&ctx);
        }
    }
    if (!known || ctx.failed()) {
        give_up(c, node);
    }
}

// The blob of a graph output in natural order, under the output's name.
void add_output(Conversion* c, const ValueInfoProto& info, std::vector<BlobId>* outputs) {
    NodeProto node;
    node.set_op_type("Output");
    node.set_name(info.name());
    node.add_output(info.name());
    NodeContext ctx(c, node);
    const auto it = c->values.find(info.name());
    if (it == c->values.end()) {
        c->report->error(c->file, "output '%s' is written by no node", info.name().c_str());
        return;
    }
    if (!it->second.known) {
        return;
    }
    const Value& v = it->second;
    if (is_quantized(v)) {
        c->report->error(c->file, "output '%s' is quantized, expected a DequantizeLinear before it",
                         info.name().c_str());
        return;
    }
    Value lying = ctx.arranged(v);
    if (lying.blob == kNoBlob || ctx.failed()) {
        return;
    }
    if (lying.blob != c->builder.find(info.name())) {
        LayerBuilder& layer = ctx.add_inner("Noop", "output", {lying.blob});
        const auto quant = c->blob_quant.find(lying.blob);
        lying.blob = layer.top(info.name());
        if (quant != c->blob_quant.end()) {
            c->blob_quant[lying.blob] = quant->second;
        }
    }
    outputs->push_back(lying.blob);
}

void add_outputs(Conversion* c, const GraphProto& graph, std::vector<BlobId>* outputs) {
    for (const ValueInfoProto& info : graph.output()) {
        add_output(c, info, outputs);
    }
    if (graph.output_size() == 0) {
        c->report->error(c->file, "has no output");
    }
}

}  // namespace

Status parse_input_shape(const std::string& text, std::map<std::string, std::vector<int64_t>>* out) {
    const size_t colon = text.rfind(':');
    const std::string name = colon == std::string::npos ? "" : text.substr(0, colon);
    FW_ASSIGN_OR_RETURN(const std::vector<float> numbers,
                        tools::parse_floats("--input-shape", text.substr(colon == std::string::npos ? 0 : colon + 1)));
    std::vector<int64_t> dims;
    for (const float value : numbers) {
        if (!(value >= 1.0F && value <= 1e6F) || value != static_cast<float>(static_cast<int64_t>(value))) {
            return Status::error(Code::kInvalidArgument, "--input-shape %s: expected [NAME:]N,C,H,W of whole numbers",
                                 text.c_str());
        }
        dims.push_back(static_cast<int64_t>(value));
    }
    (*out)[name] = dims;
    return {};
}

Result<Converted> convert(const import::Source<uint8_t>& model, const OnnxOptions& options, import::Report* report) {
    ModelProto proto;
    if (!read_model(model, report, &proto)) {
        return report->status();
    }
    Conversion c(options.common, model.name, report);
    c.folder = options.folder;
    c.budget = 2 * kMaxFolded + 16 * static_cast<int64_t>(model.data.size());
    c.opset = opset_of(proto, model.name, report);
    const GraphProto* graph = &proto.graph();
    for (const TensorProto& tensor : graph->initializer()) {
        add_initializer(&c, tensor);
    }
    std::vector<NodeProto> nodes;
    for (const NodeProto& node : simplified(*graph)) {
        const std::vector<NodeProto> parts = without_qlinear(node);
        nodes.insert(nodes.end(), parts.begin(), parts.end());
    }
    int inputs = 0;
    for (const ValueInfoProto& info : graph->input()) {
        inputs += c.values.count(info.name()) == 0 ? 1 : 0;
    }
    for (const ValueInfoProto& info : graph->input()) {
        if (c.values.count(info.name()) == 0) {
            add_input(&c, options, *graph, info, inputs == 1);
        }
    }
    for (const NodeProto& node : nodes) {
        for (const std::string& input : node.input()) {
            ++c.readers[input];
        }
        for (const std::string& output : node.output()) {
            c.writers[output] = node.op_type();
        }
    }
    for (const ValueInfoProto& info : graph->output()) {
        ++c.readers[info.name()];
    }
    for (const NodeProto& node : nodes) {
        convert_node(&c, node);
    }
    if (inputs == 0) {
        report->error(model.name, "has no input that is not an initializer");
    }
    std::vector<BlobId> outputs;
    add_outputs(&c, *graph, &outputs);
    FW_RETURN_IF_ERROR(report->status());
    Converted out;
    out.net = c.builder.finish(model.name);
    std::vector<std::string> names;
    names.reserve(outputs.size());
    for (const BlobId id : outputs) {
        names.push_back(c.builder.name(id));
    }
    FW_RETURN_IF_ERROR(import::store_preprocess(options.common.preprocess, Preprocess(), c.image_input, &out.net));
    FW_RETURN_IF_ERROR(import::optimize(options.common.optimize, names, &out.net));
    out.table = make_table(c, out.net);
    import::insert_splits(&out.net);
    return out;
}

}  // namespace fw::onnx
