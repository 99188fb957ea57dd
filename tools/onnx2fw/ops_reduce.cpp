// Reduce*, Softmax, LogSoftmax, ArgMax, ArgMin.
#include <algorithm>
#include <cstring>

#include "onnx2fw/fold.h"
#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

struct Reduce {
    const char* op;
    int operation;
};

constexpr Reduce kReduces[] = {{"ReduceSum", 0},    {"ReduceSumSquare", 2}, {"ReduceMean", 3}, {"ReduceMax", 4},
                               {"ReduceMin", 5},    {"ReduceProd", 6},      {"ReduceL1", 7},   {"ReduceL2", 8},
                               {"ReduceLogSum", 9}, {"ReduceLogSumExp", 10}};

// The blob as it lies, or a constant in natural order.
Value lying(NodeContext* ctx, const Value& v) {
    return v.blob == kNoBlob ? ctx->arranged(v) : v;
}

// View of a result whose blob lost the axes `gone` of the blob of `x`; `dropped` = the reduced ONNX axes vanish too.
void out_reduced(NodeContext* ctx, LayerBuilder* layer, const Value& x, const std::vector<int>& axes, bool keep) {
    Value v;
    std::vector<int> place(x.shape.size(), kNoAxis);
    std::vector<bool> gone(x.shape.size(), false);
    for (const int axis : axes) {
        if (x.axes[static_cast<size_t>(axis)] != kNoAxis) {
            gone[static_cast<size_t>(x.axes[static_cast<size_t>(axis)])] = true;
        }
    }
    for (size_t k = 0; k < x.shape.size(); ++k) {
        if (!gone[k]) {
            place[k] = static_cast<int>(v.shape.size());
            v.shape.push_back(x.shape[k]);
        }
    }
    if (v.shape.empty()) {
        v.shape.push_back(1);
    }
    for (int k = 0; k < x.rank(); ++k) {
        const bool reduced = std::find(axes.begin(), axes.end(), k) != axes.end();
        if (!reduced) {
            const int own = x.axes[static_cast<size_t>(k)];
            v.dims.push_back(x.dims[static_cast<size_t>(k)]);
            v.axes.push_back(own == kNoAxis ? kNoAxis : place[static_cast<size_t>(own)]);
        } else if (keep) {
            v.dims.push_back(1);
            v.axes.push_back(kNoAxis);
        }
    }
    ctx->out(0, layer, v.dims, v.shape, v.axes);
}

// Softmax of operator sets before 13 runs over all axes from `axis` on, the input being seen as a matrix.
bool softmax_axis(NodeContext* ctx, Value* x, int* ours, bool* flattened) {
    const Value in = lying(ctx, ctx->in(0));
    *flattened = false;
    const int axis = ctx->axis(ctx->attr("axis", ctx->opset() < 13 ? 1 : -1), in.rank());
    if (axis < 0 || in.blob == kNoBlob) {
        return false;
    }
    int above = 0;
    int last = axis;
    for (int k = axis; k < in.rank(); ++k) {
        if (in.dims[static_cast<size_t>(k)] != 1) {
            ++above;
            last = k;
        }
    }
    *x = in;
    if (ctx->opset() < 13 && above > 1) {
        Dims dims = {1, 1};
        for (int k = 0; k < in.rank(); ++k) {
            dims[k < axis ? 0 : 1] *= in.dims[static_cast<size_t>(k)];
        }
        const Value natural = ctx->arranged(in);
        if (natural.blob == kNoBlob) {
            return false;
        }
        LayerBuilder& flat = ctx->add_inner("Reshape", "matrix", {natural.blob});
        import::set_extents(&flat, dims);
        x->blob = ctx->inner(&flat, "matrix");
        x->shape = dims;
        *ours = 1;
        *flattened = true;
        return true;
    }
    *ours = in.axes[static_cast<size_t>(ctx->opset() < 13 ? last : axis)];
    if (*ours == kNoAxis) {  // the softmax of one number
        *x = ctx->arranged(in);
        LayerBuilder& column = ctx->add_inner("Reshape", "column", {x->blob});
        const Dims dims = {dims_count(in.dims), 1};
        import::set_extents(&column, dims);
        x->blob = ctx->inner(&column, "column");
        x->shape = dims;
        *ours = 1;
        *flattened = true;
    }
    return true;
}

// The output as `layer` gives it, back from a matrix where softmax_axis made one.
void softmax_out(NodeContext* ctx, LayerBuilder* layer, const Value& x, bool flattened) {
    if (!flattened) {
        ctx->out(0, layer, x.dims, x.shape, x.axes);
        return;
    }
    const BlobId flat = ctx->inner(layer, "flat");
    std::vector<int> axes;
    const Dims shape = ctx->natural(x.dims, &axes);
    if (shape.empty()) {
        return;
    }
    LayerBuilder& back = ctx->add_inner("Reshape", "back", {flat});
    import::set_extents(&back, shape);
    ctx->out(0, &back, x.dims, shape, axes);
}

}  // namespace

void convert_reduce(NodeContext* ctx) {
    const Value x = lying(ctx, ctx->in(0));
    std::vector<int> axes;
    if (x.blob == kNoBlob || !read_axes(ctx, 1, x.rank(), &axes)) {
        return;
    }
    if (axes.empty() && ctx->attr("noop_with_empty_axes", 0) == 0) {
        for (int k = 0; k < x.rank(); ++k) {
            axes.push_back(k);
        }
    }
    std::vector<int> ours;
    for (const int axis : axes) {
        if (x.axes[static_cast<size_t>(axis)] != kNoAxis) {
            ours.push_back(x.axes[static_cast<size_t>(axis)]);
        }
    }
    std::sort(ours.begin(), ours.end());
    const bool keep = ctx->attr("keepdims", 1) != 0;
    // The mean (or maximum) of an image: a pooling, which int8 knows.
    const bool image = x.shape.size() == 3 && ours == std::vector<int>{1, 2};
    if (image && (ctx->op() == "ReduceMean" || ctx->op() == "ReduceMax")) {
        LayerBuilder& pool = ctx->add("Pooling", {x.blob});
        pool.set("pooling_type", ctx->op() == "ReduceMean" ? 1 : 0).set("global_pooling", 1);
        out_reduced(ctx, &pool, x, axes, keep);
        return;
    }
    int operation = 0;
    for (const Reduce& r : kReduces) {
        operation = ctx->op() == r.op ? r.operation : operation;
    }
    if (ours.empty()) {
        // No axes, or axes of 1 that the blob does not have: the function of single elements.
        Dims column = {dims_count(x.dims), 1};
        LayerBuilder& reshape = ctx->add_inner("Reshape", "column", {x.blob});
        import::set_extents(&reshape, column);
        const BlobId blob = ctx->inner(&reshape, "column");
        LayerBuilder& inner = ctx->add_inner("Reduction", "single", {blob});
        inner.set("operation", operation).set("reduce_all", 0).set("axes", std::vector<int>{1}).set("fixbug0", 1);
        const BlobId single = ctx->inner(&inner, "single");
        LayerBuilder& back = ctx->add("Reshape", {single});
        import::set_extents(&back, x.shape);
        out_reduced(ctx, &back, x, axes, keep);
        return;
    }
    LayerBuilder& layer = ctx->add("Reduction", {x.blob});
    layer.set("operation", operation).set("reduce_all", 0).set("axes", ours).set("keepdims", 0).set("fixbug0", 1);
    out_reduced(ctx, &layer, x, axes, keep);
}

void convert_softmax(NodeContext* ctx) {
    Value x;
    int axis = 0;
    bool flattened = false;
    if (!softmax_axis(ctx, &x, &axis, &flattened)) {
        return;
    }
    LayerBuilder& layer = ctx->add("Softmax", {x.blob});
    layer.set("axis", axis).set("fixbug0", 1);
    softmax_out(ctx, &layer, x, flattened);
}

// x - max - log(sum(exp(x - max))): exact where softmax itself would be 0.
void convert_log_softmax(NodeContext* ctx) {
    Value x;
    int axis = 0;
    bool flattened = false;
    if (!softmax_axis(ctx, &x, &axis, &flattened)) {
        return;
    }
    const auto reduced = [&](const char* suffix, int operation, BlobId blob) {
        LayerBuilder& layer = ctx->add_inner("Reduction", suffix, {blob});
        layer.set("operation", operation).set("reduce_all", 0).set("axes", std::vector<int>{axis});
        layer.set("keepdims", 1).set("fixbug0", 1);
        return ctx->inner(&layer, suffix);
    };
    const BlobId largest = reduced("max", 4, x.blob);
    LayerBuilder& centred = ctx->add_inner("BinaryOp", "centred", {x.blob, largest});
    centred.set("op_type", 1);
    const BlobId below = ctx->inner(&centred, "centred");
    const BlobId sum = reduced("logsumexp", 10, below);
    LayerBuilder& layer = ctx->add("BinaryOp", {below, sum});
    layer.set("op_type", 1);
    softmax_out(ctx, &layer, x, flattened);
}

void convert_arg(NodeContext* ctx) {
    const Value x = lying(ctx, ctx->in(0));
    const int axis = ctx->axis(ctx->attr("axis", 0), x.rank());
    if (axis < 0 || x.blob == kNoBlob) {
        return;
    }
    const int ours = x.axes[static_cast<size_t>(axis)];
    if (ours == kNoAxis) {
        ctx->error("the axis has an extent of 1");
        return;
    }
    BlobId blob = x.blob;
    if (ctx->op() == "ArgMin") {
        LayerBuilder& neg = ctx->add_inner("UnaryOp", "neg", {blob});
        neg.set("op_type", 1);
        blob = ctx->inner(&neg, "neg");
    }
    LayerBuilder& layer = ctx->add("ArgMax", {blob});
    layer.set("axis", ours).set("last", ctx->attr("select_last_index", 0) != 0 ? 1 : 0);
    out_reduced(ctx, &layer, x, {axis}, ctx->attr("keepdims", 1) != 0);
}

}  // namespace fw::onnx
