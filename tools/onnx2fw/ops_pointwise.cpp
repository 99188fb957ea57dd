// Functions of one element: activations and elementary functions. They work in whatever order the blob lies.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

/// Input 0 as a blob, without moving it.
bool lying(NodeContext* ctx, Value* x) {
    *x = ctx->in(0);
    if (x->blob == kNoBlob) {
        *x = ctx->arranged(*x);
    }
    return x->blob != kNoBlob && !ctx->failed();
}

void same_shape(NodeContext* ctx, LayerBuilder* layer, const Value& x) {
    ctx->out(0, layer, x.dims, x.shape, x.axes);
}

struct Function {
    const char* op;
    const char* layer;
    int op_type;  // of UnaryOp
};

constexpr Function kFunctions[] = {
    {"Relu", "ReLU", 0},           {"Sigmoid", "Sigmoid", 0}, {"Tanh", "TanH", 0},     {"Softplus", "Softplus", 0},
    {"Mish", "Mish", 0},           {"Erf", "Erf", 0},         {"Abs", "AbsVal", 0},    {"Swish", "Swish", 0},
    {"Neg", "UnaryOp", 1},         {"Floor", "UnaryOp", 2},   {"Ceil", "UnaryOp", 3},  {"Sqrt", "UnaryOp", 5},
    {"Exp", "UnaryOp", 7},         {"Log", "UnaryOp", 8},     {"Sin", "UnaryOp", 9},   {"Cos", "UnaryOp", 10},
    {"Tan", "UnaryOp", 11},        {"Asin", "UnaryOp", 12},   {"Acos", "UnaryOp", 13}, {"Atan", "UnaryOp", 14},
    {"Reciprocal", "UnaryOp", 15}, {"Round", "UnaryOp", 18}};

}  // namespace

LayerBuilder& add_scalar_op(NodeContext* ctx, const char* suffix, int op, double b, BlobId bottom) {
    LayerBuilder& layer =
        suffix == nullptr ? ctx->add("BinaryOp", {bottom}) : ctx->add_inner("BinaryOp", suffix, {bottom});
    layer.set("op_type", op).set("with_scalar", 1).set("b", b);
    return layer;
}

void convert_unary(NodeContext* ctx) {
    Value x;
    if (!lying(ctx, &x)) {
        return;
    }
    const double alpha = ctx->attr_f("alpha", 1.0);
    if (ctx->op() == "Swish" && alpha != 1.0) {  // x * sigmoid(alpha * x)
        LayerBuilder& scaled = add_scalar_op(ctx, "scaled", 2, alpha, x.blob);
        LayerBuilder& gate = ctx->add_inner("Sigmoid", "gate", {ctx->inner(&scaled, "scaled")});
        LayerBuilder& layer = ctx->add("Eltwise", {x.blob, ctx->inner(&gate, "gate")});
        layer.set("op_type", 0);
        same_shape(ctx, &layer, x);
        return;
    }
    for (const Function& f : kFunctions) {
        if (ctx->op() == f.op) {
            LayerBuilder& layer = ctx->add(f.layer, {x.blob});
            if (std::strcmp(f.layer, "UnaryOp") == 0) {
                layer.set("op_type", f.op_type);
            }
            same_shape(ctx, &layer, x);
        }
    }
}

void convert_clip(NodeContext* ctx) {
    constexpr double kMax = std::numeric_limits<float>::max();
    double low = 0;
    double high = 0;
    Value x;
    if (!lying(ctx, &x) || !ctx->number(1, "min", -kMax, &low) || !ctx->number(2, "max", kMax, &high)) {
        return;
    }
    low = std::isnan(low) ? -kMax : std::min(std::max(low, -kMax), kMax);
    high = std::isnan(high) ? kMax : std::min(std::max(high, -kMax), kMax);
    low = std::min(low, high);  // where they cross, the upper bound wins
    if (low == 0 && high == kMax) {
        LayerBuilder& relu = ctx->add("ReLU", {x.blob});
        same_shape(ctx, &relu, x);
        return;
    }
    LayerBuilder& layer = ctx->add("Clip", {x.blob});
    layer.set("min", low).set("max", high);
    same_shape(ctx, &layer, x);
}

void convert_hard(NodeContext* ctx) {
    Value x;
    if (!lying(ctx, &x)) {
        return;
    }
    const bool swish = ctx->op() == "HardSwish";
    LayerBuilder& layer = ctx->add(swish ? "HardSwish" : "HardSigmoid", {x.blob});
    layer.set("alpha", swish ? 1.0 / 6.0 : ctx->attr_f("alpha", static_cast<double>(0.2F)));
    layer.set("beta", swish ? 0.5 : ctx->attr_f("beta", 0.5));
    same_shape(ctx, &layer, x);
}

void convert_alpha(NodeContext* ctx) {
    Value x;
    if (!lying(ctx, &x)) {
        return;
    }
    const std::string& op = ctx->op();
    LayerBuilder& layer = ctx->add(op == "LeakyRelu" ? "ReLU"
                                   : op == "Elu"     ? "ELU"
                                   : op == "Celu"    ? "CELU"
                                   : op == "Selu"    ? "SELU"
                                                     : "Shrink",
                                   {x.blob});
    if (op == "LeakyRelu") {
        layer.set("slope", ctx->attr_f("alpha", static_cast<double>(0.01F)));
    } else if (op == "Shrink") {
        layer.set("bias", ctx->attr_f("bias", 0)).set("lambd", ctx->attr_f("lambd", 0.5));
    } else {
        layer.set("alpha", ctx->attr_f("alpha", op == "Selu" ? 1.67326319217681884765625 : 1.0));
        if (op == "Selu") {
            layer.set("lambda", ctx->attr_f("gamma", 1.05070102214813232421875));
        }
    }
    same_shape(ctx, &layer, x);
}

void convert_gelu(NodeContext* ctx) {
    Value x;
    if (!lying(ctx, &x)) {
        return;
    }
    const std::string form = ctx->attr_s("approximate", "none");
    if (form != "none" && form != "tanh") {
        ctx->error("approximate is '%s', expected none or tanh", form.c_str());
        return;
    }
    LayerBuilder& layer = ctx->add("GELU", {x.blob});
    layer.set("fast_gelu", form == "tanh" ? 1 : 0);
    same_shape(ctx, &layer, x);
}

namespace {

// One slope, or one a channel: the only extent above 1 meets the axis of channels, the outermost one of a blob.
bool slope_by_channel(const Dims& slope, const Value& x) {
    const auto channel = static_cast<size_t>(x.rank() > 1 ? 1 : 0);
    const bool one = std::all_of(slope.begin(), slope.end(), [](int64_t d) { return d == 1; });
    if (one || slope.size() > x.dims.size()) {
        return one;
    }
    for (size_t k = 0; k < slope.size(); ++k) {
        const size_t axis = k + x.dims.size() - slope.size();
        if (slope[k] != 1 && (axis != channel || slope[k] != x.dims[channel])) {
            return false;
        }
    }
    return channel == 0 || x.dims[0] == 1;
}

}  // namespace

void convert_prelu(NodeContext* ctx) {
    Value x;
    if (!lying(ctx, &x)) {
        return;
    }
    const ConstantPtr known = ctx->constant(1);
    if (known == nullptr || !slope_by_channel(known->dims, x)) {
        // max(x, 0) + slope * min(x, 0)
        LayerBuilder& relu = ctx->add_inner("ReLU", "above", {x.blob});
        LayerBuilder& min = add_scalar_op(ctx, "below", 5, 0.0, x.blob);
        Value above = x;
        Value below = x;
        Value product;
        Value out;
        above.blob = ctx->inner(&relu, "above");
        below.blob = ctx->inner(&min, "below");
        if (emit_binary(ctx, "Mul", below, ctx->in(1), false, &product)) {
            emit_binary(ctx, "Add", above, product, true, &out);
        }
        return;
    }
    std::vector<float> slopes;
    if (!ctx->floats(1, "slope", &slopes)) {
        return;
    }
    if (slopes.size() != 1 && x.axes[x.rank() > 1 ? 1 : 0] != 0) {
        x = ctx->arranged(x);
        if (x.blob == kNoBlob) {
            return;
        }
    }
    LayerBuilder& layer = ctx->add("PReLU", {x.blob});
    layer.set("num_slope", static_cast<double>(slopes.size()));
    layer.weight(std::move(slopes));
    same_shape(ctx, &layer, x);
}

void convert_softsign(NodeContext* ctx) {
    Value x;
    if (!lying(ctx, &x)) {
        return;
    }
    LayerBuilder& abs = ctx->add_inner("AbsVal", "abs", {x.blob});
    const BlobId size = ctx->inner(&abs, "abs");
    LayerBuilder& plus = add_scalar_op(ctx, "plus", 0, 1.0, size);
    const BlobId below = ctx->inner(&plus, "plus");
    LayerBuilder& layer = ctx->add("BinaryOp", {x.blob, below});
    layer.set("op_type", 3);
    same_shape(ctx, &layer, x);
}

void convert_nothing(NodeContext* ctx) {
    const Value x = ctx->in(0);
    if (ctx->op() == "Cast") {
        const auto to = static_cast<int>(ctx->attr("to", TensorProto::FLOAT));
        if (!is_real(to) && is_real(x.type)) {
            ctx->error("to is %s: the network's values are float32", type_name(to));
            return;
        }
    }
    if (ctx->op() == "Dropout" && ctx->has(2)) {
        const ConstantPtr training = ctx->constant(2);
        if (training == nullptr || training->count() != 1 || training->at(0) != 0) {
            ctx->error("training_mode is set, expected inference");
            return;
        }
    }
    if (ctx->wants(1) && ctx->conversion().readers[ctx->node().output(1)] > 0) {
        ctx->error("the mask is read, expected the values alone");
        return;
    }
    if (x.blob == kNoBlob && ctx->constant(0) != nullptr) {
        ctx->constant_out(0, *ctx->constant(0));
        return;
    }
    ctx->view(0, x);
}

}  // namespace fw::onnx
