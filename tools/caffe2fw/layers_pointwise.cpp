// Element-wise layers, softmax, and the losses that end training networks.
#include <cmath>
#include <limits>

#include "caffe2fw/layers.h"

namespace fw::caffe {

namespace {

void pointwise(LayerContext* ctx, LayerBuilder* layer) {
    ctx->top(layer, 0, ctx->dims(0), ctx->shape(0));
}

template <class Param>
void exp_log(LayerContext* ctx, const char* type, const Param& param) {
    if (param.base() != -1.0F && param.base() <= 0.0F) {
        ctx->error("base is %g, expected -1 (for e) or more than 0", static_cast<double>(param.base()));
    }
    LayerBuilder& layer = ctx->add(type, {ctx->in(0)});
    layer.set("base", param.base()).set("scale", param.scale()).set("shift", param.shift());
    pointwise(ctx, &layer);
}

}  // namespace

void convert_relu(LayerContext* ctx) {
    LayerBuilder& layer = ctx->add("ReLU", {ctx->in(0)});
    layer.set("slope", ctx->param().relu_param().negative_slope());
    pointwise(ctx, &layer);
}

void convert_relu6(LayerContext* ctx) {
    LayerBuilder& layer = ctx->add("Clip", {ctx->in(0)});
    layer.set("min", 0).set("max", 6);
    pointwise(ctx, &layer);
}

void convert_clip(LayerContext* ctx) {
    const ClipParameter& clip = ctx->param().clip_param();
    if (!clip.has_min() || !clip.has_max() || !(clip.min() <= clip.max())) {
        ctx->error("clip_param needs min and max, min not above max");
    }
    LayerBuilder& layer = ctx->add("Clip", {ctx->in(0)});
    layer.set("min", clip.min()).set("max", clip.max());
    pointwise(ctx, &layer);
}

void convert_prelu(LayerContext* ctx) {
    const int64_t channels = ctx->channels(0);
    LayerBuilder& layer = ctx->add("PReLU", {ctx->in(0)});
    const bool known = !ctx->failed();
    const bool one = ctx->param().prelu_param().channel_shared();
    std::vector<float> slope;
    if (channels > 0 && ctx->weight(0, {one ? 1 : channels}, "the slope", &slope)) {
        layer.set("num_slope", static_cast<double>(slope.size()));
        layer.weight(std::move(slope));
    }
    const Dims dims = ctx->dims(0);
    const Dims shape = ctx->shape(0);
    ctx->top_despite_weights(&layer, known, dims, shape);
}

void convert_elu(LayerContext* ctx) {
    LayerBuilder& layer = ctx->add("ELU", {ctx->in(0)});
    layer.set("alpha", ctx->param().elu_param().alpha());
    pointwise(ctx, &layer);
}

void convert_swish(LayerContext* ctx) {
    const float beta = ctx->param().swish_param().beta();
    if (beta != 1.0F) {
        ctx->error("swish_param.beta is %g, expected 1", static_cast<double>(beta));
    }
    LayerBuilder& layer = ctx->add("Swish", {ctx->in(0)});
    pointwise(ctx, &layer);
}

void convert_same_name(LayerContext* ctx) {
    LayerBuilder& layer = ctx->add(ctx->param().type().c_str(), {ctx->in(0)});
    pointwise(ctx, &layer);
}

void convert_power(LayerContext* ctx) {
    const PowerParameter& power = ctx->param().power_param();
    LayerBuilder& layer = ctx->add("Power", {ctx->in(0)});
    layer.set("power", power.power()).set("scale", power.scale()).set("shift", power.shift());
    pointwise(ctx, &layer);
}

void convert_exp(LayerContext* ctx) {
    exp_log(ctx, "Exp", ctx->param().exp_param());
}

void convert_log(LayerContext* ctx) {
    exp_log(ctx, "Log", ctx->param().log_param());
}

void convert_threshold(LayerContext* ctx) {
    LayerBuilder& layer = ctx->add("Threshold", {ctx->in(0)});
    layer.set("threshold", ctx->param().threshold_param().threshold());
    pointwise(ctx, &layer);
}

void convert_dropout(LayerContext* ctx) {
    const DropoutParameter& dropout = ctx->param().dropout_param();
    if (dropout.scale_train() && ctx->optimize()) {
        return ctx->identity();
    }
    LayerBuilder& layer = ctx->add("Dropout", {ctx->in(0)});
    layer.set("scale", dropout.scale_train() ? 1.0F : 1.0F - dropout.dropout_ratio());
    pointwise(ctx, &layer);
}

void convert_eltwise(LayerContext* ctx) {
    const EltwiseParameter& eltwise = ctx->param().eltwise_param();
    bool same_shape = true;
    for (int i = 1; i < ctx->bottoms(); ++i) {
        if (ctx->dims(i) != ctx->dims(0)) {
            ctx->error("bottom '%s' has shape %s, expected %s like bottom '%s'", ctx->param().bottom(i).c_str(),
                       dims_text(ctx->dims(i)).c_str(), dims_text(ctx->dims(0)).c_str(),
                       ctx->param().bottom(0).c_str());
        }
        same_shape = same_shape && ctx->shape(i) == ctx->shape(0);
    }
    if (eltwise.coeff_size() > 0 && eltwise.operation() != EltwiseParameter::SUM) {
        ctx->error("has coefficients, expected them with operation SUM only");
    }
    if (eltwise.coeff_size() > 0 && eltwise.coeff_size() != ctx->bottoms()) {
        ctx->error("has %d coefficients, expected %d (one a bottom)", eltwise.coeff_size(), ctx->bottoms());
    }
    if (ctx->failed()) {
        return ctx->give_up();
    }
    const Dims dims = ctx->dims(0);
    const Dims shape = same_shape ? ctx->shape(0) : natural_shape(dims);
    LayerBuilder& layer = ctx->add("Eltwise", same_shape ? ctx->all_in() : ctx->all_natural());
    layer.set("op_type", eltwise.operation());
    bool weighted = false;
    for (const float c : eltwise.coeff()) {
        weighted = weighted || c != 1.0F;
    }
    if (weighted) {
        layer.set("coeffs", std::vector<float>(eltwise.coeff().begin(), eltwise.coeff().end()));
    }
    ctx->top(&layer, 0, dims, shape);
}

namespace {

// Softmax of bottom 0 along `axis` as top `name`.
void softmax(LayerContext* ctx, int64_t axis, const std::string& name) {
    const int ours = ctx->our_axis(0, axis, "axis");
    if (ours < 0) {
        return ctx->give_up();
    }
    const bool as_is = ctx->shape(0).size() == 1 && ours == 0;  // [C] for (1,C,1,1)
    const Dims dims = ctx->dims(0);
    const Dims shape = as_is ? ctx->shape(0) : natural_shape(dims);
    LayerBuilder& layer = ctx->add("Softmax", {as_is ? ctx->in(0) : ctx->natural(0)});
    layer.set("axis", ours).set("fixbug0", 1);
    ctx->named_top(&layer, name, dims, shape);
}

}  // namespace

// Of squeeze and excitation: a factor a channel times bottom 1, plus bottom 2.
void convert_axpy(LayerContext* ctx) {
    if (!ctx->is_image(1) || !ctx->is_image(2)) {
        return ctx->give_up();
    }
    const Dims x = ctx->dims(1);
    if (ctx->dims(2) != x || ctx->channels(0) != x[1] || dims_count(ctx->dims(0)) != x[1]) {
        ctx->error("bottoms are %s, %s and %s, expected a factor for each channel and two of one shape",
                   dims_text(ctx->dims(0)).c_str(), dims_text(x).c_str(), dims_text(ctx->dims(2)).c_str());
        return ctx->give_up();
    }
    const BlobId factors = ctx->shape(0).size() == 1 ? ctx->in(0) : ctx->natural(0);
    LayerBuilder& product = ctx->add_inner("BinaryOp", "product", {ctx->natural(1), factors});
    product.set("op_type", 2);
    const BlobId scaled = ctx->inner_top(&product, "product", x, natural_shape(x));
    LayerBuilder& layer = ctx->add("Eltwise", {scaled, ctx->natural(2)});
    layer.set("op_type", 1);
    ctx->top(&layer, 0, x);
}

void convert_softmax(LayerContext* ctx) {
    softmax(ctx, ctx->param().softmax_param().axis(), ctx->param().top(0));
}

namespace {

// The blob that a loss leaves in a deployed network: "prob" unless the network has one.
std::string loss_output(LayerContext* ctx) {
    const bool taken = ctx->conversion().builder.find("prob") != import::kNoBlob;
    return taken ? ctx->param().name() : "prob";
}

}  // namespace

void convert_softmax_loss(LayerContext* ctx) {
    const std::string name = loss_output(ctx);
    ctx->note("becomes Softmax, its blob is '%s'", name.c_str());
    softmax(ctx, ctx->param().softmax_param().axis(), name);
}

void convert_sigmoid_loss(LayerContext* ctx) {
    const std::string name = loss_output(ctx);
    ctx->note("becomes Sigmoid, its blob is '%s'", name.c_str());
    LayerBuilder& layer = ctx->add("Sigmoid", {ctx->in(0)});
    const Dims dims = ctx->dims(0);
    const Dims shape = ctx->shape(0);
    ctx->named_top(&layer, name, dims, shape);
}

}  // namespace fw::caffe
