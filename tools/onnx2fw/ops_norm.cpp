// BatchNormalization, InstanceNormalization, LayerNormalization, GroupNormalization, LRN, LpNormalization.
#include <numeric>
#include <utility>

#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

// The input with its channels (ONNX's axis 1) as axis 0 of the blob; their number, or 0 after an error.
int64_t channels_first(NodeContext* ctx, Value* x) {
    *x = ctx->in(0);
    if (x->rank() < 2 || x->dims[0] != 1) {
        ctx->error("input is %s, expected a batch of 1 and channels", dims_text(x->dims).c_str());
        return 0;
    }
    if (x->blob == kNoBlob || x->axes[1] != 0) {
        *x = ctx->arranged(*x);
    }
    if (x->blob == kNoBlob || x->axes[1] != 0) {
        ctx->error("input %s has no axis of channels", dims_text(x->dims).c_str());
        return 0;
    }
    return x->dims[1];
}

// Values of input i, one a channel.
bool channel_values(NodeContext* ctx, int i, const char* what, int64_t channels, std::vector<float>* out) {
    if (!ctx->floats(i, what, out)) {
        return false;
    }
    if (static_cast<int64_t>(out->size()) != channels) {
        ctx->error("%s has %zu values, expected %lld", what, out->size(), static_cast<long long>(channels));
        return false;
    }
    return true;
}

}  // namespace

void convert_batch_norm(NodeContext* ctx) {
    Value x = ctx->in(0);
    int64_t channels = 0;
    if (x.rank() >= 2 && x.rank() <= 4 && x.dims[0] > 1) {  // every pixel on its own: a batch goes behind the channels
        std::vector<int> order(x.dims.size());
        std::iota(order.begin(), order.end(), 0);
        std::swap(order[0], order[1]);
        x.blob = ctx->arrange(x, order);
        x.axes = order;
        x.shape = x.dims;
        std::swap(x.shape[0], x.shape[1]);
        channels = x.blob == kNoBlob ? 0 : x.dims[1];
    } else {
        channels = channels_first(ctx, &x);
    }
    std::vector<float> slope;
    std::vector<float> bias;
    std::vector<float> mean;
    std::vector<float> variance;
    if (channels == 0 || !channel_values(ctx, 1, "scale", channels, &slope) ||
        !channel_values(ctx, 2, "B", channels, &bias) || !channel_values(ctx, 3, "mean", channels, &mean) ||
        !channel_values(ctx, 4, "var", channels, &variance)) {
        return;
    }
    if (ctx->attr("training_mode", 0) != 0 || ctx->attr("spatial", 1) != 1) {
        ctx->error("training_mode or spatial is set, expected inference with one mean a channel");
        return;
    }
    LayerBuilder& layer = ctx->add("BatchNorm", {x.blob});
    layer.set("channels", static_cast<double>(channels));
    layer.set("eps", ctx->attr_f("epsilon", static_cast<double>(1e-5F)));
    layer.weight(std::move(slope)).weight(std::move(mean)).weight(std::move(variance)).weight(std::move(bias));
    ctx->out(0, &layer, x.dims, x.shape, x.axes);
}

void convert_instance_norm(NodeContext* ctx) {
    Value x;
    const int64_t channels = channels_first(ctx, &x);
    std::vector<float> gamma;
    std::vector<float> beta;
    if (channels == 0 || !channel_values(ctx, 1, "scale", channels, &gamma) ||
        !channel_values(ctx, 2, "B", channels, &beta)) {
        return;
    }
    LayerBuilder& layer = ctx->add("InstanceNorm", {x.blob});
    layer.set("channels", static_cast<double>(channels)).set("affine", 1);
    layer.set("eps", ctx->attr_f("epsilon", static_cast<double>(1e-5F)));
    layer.weight(std::move(gamma)).weight(std::move(beta));
    ctx->out(0, &layer, x.dims, x.shape, x.axes);
}

namespace {

// Outputs 1 and 2 of LayerNormalization: mean and 1 / sqrt(variance + eps) over the axes from `axis` on.
void layer_norm_statistics(NodeContext* ctx, const Value& x, int axis, int64_t size, double eps) {
    Dims dims = x.dims;
    Dims shape = x.shape;
    std::vector<int> ours;
    for (auto k = static_cast<size_t>(axis); k < dims.size(); ++k) {
        dims[k] = 1;
        if (x.axes[k] != kNoAxis) {
            ours.push_back(x.axes[k]);
            shape[static_cast<size_t>(x.axes[k])] = 1;
        }
    }
    if (ours.empty()) {
        ctx->error("mean or deviation of single values is read, expected the first output alone");
        return;
    }
    const auto reduced = [&](const char* suffix, BlobId bottom, int operation, double coeff) -> LayerBuilder& {
        LayerBuilder& layer = ctx->add_inner("Reduction", suffix, {bottom});
        layer.set("operation", operation).set("reduce_all", 0).set("axes", ours).set("coeff", coeff);
        layer.set("keepdims", 1).set("fixbug0", 1);
        return layer;
    };
    LayerBuilder& average = reduced("mean", x.blob, 3, 1.0);
    BlobId mean = kNoBlob;
    if (ctx->wants(1)) {
        ctx->out(1, &average, dims, shape, x.axes);
        mean = ctx->conversion().values[ctx->node().output(1)].blob;
    } else {
        mean = ctx->inner(&average, "mean");
    }
    if (ctx->wants(2)) {
        LayerBuilder& centred = ctx->add_inner("BinaryOp", "centred", {x.blob, mean});
        centred.set("op_type", 1);
        LayerBuilder& variance =
            reduced("variance", ctx->inner(&centred, "centred"), 2, 1.0 / static_cast<double>(size));
        LayerBuilder& bounded = add_scalar_op(ctx, "bounded", 0, eps, ctx->inner(&variance, "variance"));
        LayerBuilder& inverse = ctx->add_inner("UnaryOp", "inverse", {ctx->inner(&bounded, "bounded")});
        inverse.set("op_type", 6);
        ctx->out(2, &inverse, dims, shape, x.axes);
    }
}

}  // namespace

void convert_layer_norm(NodeContext* ctx) {
    const Value x = ctx->arranged(ctx->in(0));
    const int axis = ctx->axis(ctx->attr("axis", -1), x.rank());
    if (axis < 0 || x.blob == kNoBlob) {
        return;
    }
    int64_t size = 1;
    for (int k = axis; k < x.rank(); ++k) {
        size *= x.dims[static_cast<size_t>(k)];
    }
    std::vector<float> gamma;
    std::vector<float> beta(static_cast<size_t>(size), 0.0F);
    if (!channel_values(ctx, 1, "scale", size, &gamma) || (ctx->has(2) && !channel_values(ctx, 2, "B", size, &beta))) {
        return;
    }
    const double eps = ctx->attr_f("epsilon", static_cast<double>(1e-5F));
    LayerBuilder& layer = ctx->add("LayerNorm", {x.blob});
    layer.set("affine_size", static_cast<double>(size)).set("affine", 1).set("eps", eps);
    layer.weight(std::move(gamma)).weight(std::move(beta));
    ctx->out(0, &layer, x.dims, x.shape, x.axes);
    if (ctx->wants(1) || ctx->wants(2)) {
        layer_norm_statistics(ctx, x, axis, size, eps);
    }
}

void convert_group_norm(NodeContext* ctx) {
    Value x;
    const int64_t channels = channels_first(ctx, &x);
    const int64_t groups = ctx->attr("num_groups", 0);
    std::vector<float> gamma;
    std::vector<float> beta;
    if (channels == 0 || !ctx->in_range("num_groups", groups, 1, channels)) {
        return;
    }
    // Operator set 18 has a scale a group, 21 one a channel.
    const ConstantPtr scale = ctx->constant(1);
    const int64_t values = scale != nullptr && static_cast<int64_t>(scale->count()) == groups ? groups : channels;
    if (channels % groups != 0) {
        ctx->error("num_groups %lld does not divide %lld channels", static_cast<long long>(groups),
                   static_cast<long long>(channels));
        return;
    }
    if (!channel_values(ctx, 1, "scale", values, &gamma) || !channel_values(ctx, 2, "bias", values, &beta)) {
        return;
    }
    std::vector<float> all_gamma;
    std::vector<float> all_beta;
    for (int64_t k = 0; k < channels; ++k) {
        const auto at = static_cast<size_t>(values == channels ? k : k / (channels / groups));
        all_gamma.push_back(gamma[at]);
        all_beta.push_back(beta[at]);
    }
    LayerBuilder& layer = ctx->add("GroupNorm", {x.blob});
    layer.set("group", static_cast<double>(groups)).set("channels", static_cast<double>(channels)).set("affine", 1);
    layer.set("eps", ctx->attr_f("epsilon", static_cast<double>(1e-5F)));
    layer.weight(std::move(all_gamma)).weight(std::move(all_beta));
    ctx->out(0, &layer, x.dims, x.shape, x.axes);
}

void convert_lrn(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    const BlobId bottom = ctx->image(x, &order);
    const int64_t size = ctx->attr("size", 0);
    if (bottom == kNoBlob || !ctx->in_range("size", size, 1)) {
        return;
    }
    if (size % 2 == 0) {
        ctx->error("size is %lld, expected an odd number", static_cast<long long>(size));
        return;
    }
    LayerBuilder& layer = ctx->add("LRN", {bottom});
    layer.set("local_size", static_cast<double>(size)).set("alpha", ctx->attr_f("alpha", static_cast<double>(1e-4F)));
    layer.set("beta", ctx->attr_f("beta", 0.75)).set("bias", ctx->attr_f("bias", 1.0));
    Dims shape(order.size(), 1);
    std::vector<int> axes(x.dims.size(), kNoAxis);
    for (size_t k = 0; k < order.size(); ++k) {
        if (order[k] != kNoAxis) {
            const auto axis = static_cast<size_t>(order[k]);
            shape[k] = x.dims[axis];
            axes[axis] = static_cast<int>(k);
        }
    }
    ctx->out(0, &layer, x.dims, shape, axes);
}

void convert_lp_norm(NodeContext* ctx) {
    const Value x = ctx->arranged(ctx->in(0));
    const int axis = ctx->axis(ctx->attr("axis", -1), x.rank());
    const int64_t p = ctx->attr("p", 2);
    if (axis < 0 || x.blob == kNoBlob || !ctx->in_range("p", p, 1, 2)) {
        return;
    }
    const int ours = x.axes[static_cast<size_t>(axis)];
    if (ours == kNoAxis) {
        ctx->error("axis %d of %s is 1", axis, dims_text(x.dims).c_str());
        return;
    }
    LayerBuilder& norm = ctx->add_inner("Reduction", "norm", {x.blob});
    norm.set("operation", p == 1 ? 7 : 8).set("reduce_all", 0).set("axes", std::vector<int>{ours});
    norm.set("keepdims", 1).set("fixbug0", 1);
    const BlobId length = ctx->inner(&norm, "norm");
    LayerBuilder& bounded = add_scalar_op(ctx, "bounded", 4, 1e-30, length);  // nothing but zeros gives zeros
    const BlobId divisor = ctx->inner(&bounded, "bounded");
    LayerBuilder& layer = ctx->add("BinaryOp", {x.blob, divisor});
    layer.set("op_type", 3);
    ctx->out(0, &layer, x.dims, x.shape, x.axes);
}

}  // namespace fw::onnx
