// Add, Sub, Mul, Div, Pow, Min, Max, Sum, Mean, Where.
#include <algorithm>
#include <cmath>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/fold_rules.h"
#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

struct BinaryKind {
    const char* op;
    int forward, reverse;  // BinaryOp's op_type for a op b, and for b op a
};

constexpr BinaryKind kKinds[] = {{"Add", 0, 0}, {"Sum", 0, 0}, {"Mean", 0, 0}, {"Sub", 1, 7}, {"Mul", 2, 2},
                                 {"Div", 3, 8}, {"Max", 4, 4}, {"Min", 5, 5},  {"Pow", 6, 9}};

const BinaryKind& kind_of(const std::string& op) {
    for (const BinaryKind& kind : kKinds) {
        if (op == kind.op) {
            return kind;
        }
    }
    return kKinds[0];
}

// `v` seen with `rank` axes: axes of 1 in front.
Value widened(const Value& v, size_t rank) {
    Value out = v;
    const size_t more = rank - v.dims.size();
    out.dims.insert(out.dims.begin(), more, 1);
    if (v.blob != kNoBlob) {
        out.axes.insert(out.axes.begin(), more, kNoAxis);
    }
    if (v.constant != nullptr) {
        Constant c = *v.constant;
        c.dims = out.dims;
        out.constant = std::make_shared<const Constant>(std::move(c));
    }
    return out;
}

// ONNX's axes in the order of the blob of `v`; an axis of the blob that ONNX does not have is kNoAxis.
std::vector<int> order_of(const Value& v) {
    std::vector<int> order(v.shape.size(), kNoAxis);
    for (size_t k = 0; k < v.axes.size(); ++k) {
        if (v.axes[k] != kNoAxis) {
            order[static_cast<size_t>(v.axes[k])] = static_cast<int>(k);
        }
    }
    return order;
}

// x op constant, where the constant has one value a channel (axis 0 of the blob of x): Scale. False if it is another
// case.
bool channel_constant(NodeContext* ctx, const Value& x, const Constant& c, int op_type, Value* out) {
    const std::vector<int> order = order_of(x);
    const int channel = order.empty() ? kNoAxis : order[0];
    if (channel == kNoAxis || x.shape.size() < 3 || (op_type != 0 && op_type != 1 && op_type != 2 && op_type != 3)) {
        return false;
    }
    for (size_t k = 0; k < c.dims.size(); ++k) {
        if (c.dims[k] != 1 && static_cast<int>(k) != channel) {
            return false;
        }
    }
    if (static_cast<int64_t>(c.count()) != x.shape[0] || !ctx->take_budget(static_cast<int64_t>(c.count()))) {
        return false;
    }
    std::vector<float> values = c.floats();
    std::vector<float> ones(values.size(), 1.0F);
    for (float& value : values) {
        value = op_type == 1 ? -value : op_type == 3 ? 1.0F / value : value;
        if (!std::isfinite(value)) {
            return false;
        }
    }
    LayerBuilder& layer = ctx->add("Scale", {x.blob});
    const bool adds = op_type <= 1;
    layer.set("scale_data_size", static_cast<double>(values.size())).set("bias_term", adds ? 1 : 0);
    layer.weight(adds ? std::move(ones) : values);
    if (adds) {
        layer.weight(std::move(values));
    }
    *out = x;
    ctx->out(0, &layer, x.dims, x.shape, x.axes);
    return true;
}

}  // namespace

bool emit_binary(NodeContext* ctx, const std::string& op, const Value& first, const Value& second, bool last,
                 Value* out) {
    Dims dims;
    if (!broadcast(first.dims, second.dims, &dims)) {
        ctx->error("shapes %s and %s do not fit together", dims_text(first.dims).c_str(),
                   dims_text(second.dims).c_str());
        return false;
    }
    Value a = widened(first, dims.size());
    Value b = widened(second, dims.size());
    const BinaryKind& kind = kind_of(op);
    int op_type = kind.forward;
    // The operand whose extents are the result's leads; the other is brought to its order.
    const bool swap = a.blob == kNoBlob || (b.blob != kNoBlob && a.dims != dims && b.dims == dims);
    if (swap) {
        std::swap(a, b);
        op_type = kind.reverse;
    }
    if (a.blob == kNoBlob) {
        a = ctx->arranged(a);
    }
    if (a.dims == dims && b.blob == kNoBlob && b.constant != nullptr) {
        const Constant& c = *b.constant;
        if (c.count() == 1 && std::isfinite(c.at(0))) {
            const int square = op_type == 6 && c.at(0) == 2.0 ? 4 : op_type == 6 && c.at(0) == 0.5 ? 5 : -1;
            LayerBuilder& layer = square >= 0 && last
                                      ? ctx->add("UnaryOp", {a.blob}).set("op_type", square)
                                      : add_scalar_op(ctx, last ? nullptr : "scalar", op_type, c.at(0), a.blob);
            *out = a;
            if (last) {
                ctx->out(0, &layer, a.dims, a.shape, a.axes);
            } else {
                out->blob = ctx->inner(&layer, "scalar");
            }
            return !ctx->failed();
        }
        if (last && channel_constant(ctx, a, c, op_type, out)) {
            return !ctx->failed();
        }
    }
    if (a.dims != dims) {
        // Both are repeated: natural order of the result.
        std::vector<int> axes;
        Value whole;
        whole.dims = dims;
        whole.shape = ctx->natural(dims, &whole.axes);
        if (whole.shape.empty()) {
            return false;
        }
        const std::vector<int> order = order_of(whole);
        a.blob = ctx->arrange(a, order);
        a.axes = whole.axes;
        a.shape = whole.shape;
    }
    const std::vector<int> order = order_of(a);
    const bool equal = b.dims == dims && first.dims == second.dims;
    // One value a channel beside an image: BinaryOp aligns a vector at the outermost axis, no Reshape is needed.
    BlobId other = kNoBlob;
    if (!equal && a.shape.size() == 3 && b.blob != kNoBlob && b.shape.size() == 1 && b.shape[0] == a.shape[0] &&
        order[0] >= 0 && b.dims[static_cast<size_t>(order[0])] == b.shape[0]) {
        other = b.blob;
    } else if (a.blob != kNoBlob) {
        other = ctx->arrange(b, order);
    }
    if (a.blob == kNoBlob || other == kNoBlob || ctx->failed()) {
        return false;
    }
    const bool eltwise = equal && (op_type == 0 || op_type == 2 || op_type == 4);
    const char* type = eltwise ? "Eltwise" : "BinaryOp";
    LayerBuilder& layer = last ? ctx->add(type, {a.blob, other}) : ctx->add_inner(type, "part", {a.blob, other});
    layer.set("op_type", eltwise ? (op_type == 0 ? 1 : op_type == 2 ? 0 : 2) : op_type);
    Dims shape;
    for (const int axis : order) {
        shape.push_back(axis == kNoAxis ? 1 : dims[static_cast<size_t>(axis)]);
    }
    *out = a;
    out->dims = dims;
    out->shape = shape;
    out->constant = nullptr;
    if (last) {
        ctx->out(0, &layer, dims, shape, a.axes);
    } else {
        out->blob = ctx->inner(&layer, "part");
    }
    return !ctx->failed();
}

namespace {

// Known inputs decoded, so that emit_binary() sees their values.
bool operand(NodeContext* ctx, int i, Value* v) {
    if (!ctx->has(i)) {
        ctx->error("input %d is absent", i);
        return false;
    }
    if (ctx->in(i).blob == kNoBlob && ctx->constant(i) == nullptr) {
        return false;
    }
    *v = ctx->in(i);
    return true;
}

}  // namespace

void convert_binary(NodeContext* ctx) {
    Value a;
    Value b;
    Value out;
    if (operand(ctx, 0, &a) && operand(ctx, 1, &b)) {
        emit_binary(ctx, ctx->op(), a, b, true, &out);
    }
}

void convert_variadic(NodeContext* ctx) {
    Value sum;
    if (!operand(ctx, 0, &sum)) {
        return;
    }
    const bool mean = ctx->op() == "Mean";
    const int count = ctx->inputs();
    if (count == 1) {
        ctx->view(0, sum);
        return;
    }
    for (int i = 1; i < count; ++i) {
        Value next;
        Value part = sum;
        if (!operand(ctx, i, &next) || !emit_binary(ctx, ctx->op(), part, next, !mean && i + 1 == count, &sum)) {
            return;
        }
    }
    if (mean) {
        LayerBuilder& layer = add_scalar_op(ctx, nullptr, 2, 1.0 / count, sum.blob);
        ctx->out(0, &layer, sum.dims, sum.shape, sum.axes);
    }
}

namespace {

// 1 where the condition is `chosen`, else 0.
Constant chosen_mask(const Constant& condition, bool chosen) {
    std::vector<float> values(condition.count());
    for (size_t k = 0; k < values.size(); ++k) {
        values[k] = (condition.at(k) != 0) == chosen ? 1.0F : 0.0F;
    }
    return Constant::reals(condition.dims, std::move(values));
}

// Operand i where the mask is 1, and 0 elsewhere. Known values are chosen, not multiplied: they may be infinite.
bool masked(NodeContext* ctx, int i, const Constant& mask, Value* out) {
    Value x;
    if (!operand(ctx, i, &x)) {
        return false;
    }
    Value m;
    m.dims = mask.dims;
    m.constant = std::make_shared<const Constant>(mask);
    if (x.blob != kNoBlob) {
        return emit_binary(ctx, "Mul", x, m, false, out);
    }
    Dims dims;
    if (!broadcast(x.dims, mask.dims, &dims)) {
        ctx->error("shapes %s and %s do not fit together", dims_text(x.dims).c_str(), dims_text(mask.dims).c_str());
        return false;
    }
    Constant c;
    if (!make(ctx, TensorProto::FLOAT, dims, &c)) {
        return false;
    }
    walk(dims, {steps_in(x.dims, dims), steps_in(mask.dims, dims)}, {0, 0}, [&](size_t k, const Dims& at) {
        const bool chosen = mask.f[static_cast<size_t>(at[1])] != 0;
        c.f[k] = chosen ? static_cast<float>(x.constant->at(static_cast<size_t>(at[0]))) : 0.0F;
    });
    out->dims = dims;
    out->constant = std::make_shared<const Constant>(std::move(c));
    return true;
}

}  // namespace

void convert_where(NodeContext* ctx) {
    const ConstantPtr condition = ctx->constant(0);
    if (condition == nullptr) {
        ctx->error("the condition is computed from the network's input, expected known values");
        return;
    }
    Value first;
    Value second;
    Value out;
    if (masked(ctx, 1, chosen_mask(*condition, true), &first) &&
        masked(ctx, 2, chosen_mask(*condition, false), &second)) {
        emit_binary(ctx, "Add", first, second, true, &out);
    }
}

}  // namespace fw::onnx
