// Normalisation, and scales and offsets by channel.
#include <cmath>
#include <utility>

#include "caffe2fw/layers.h"

namespace fw::caffe {

void convert_batch_norm(LayerContext* ctx) {
    const BatchNormParameter& norm = ctx->param().batch_norm_param();
    const int64_t channels = ctx->channels(0);
    if (norm.has_use_global_stats() && !norm.use_global_stats()) {
        ctx->warn("use_global_stats is false: the stored mean and variance are used all the same");
    }
    if (!(norm.eps() >= 0.0F)) {
        ctx->error("eps is %g, expected 0 or more", static_cast<double>(norm.eps()));
    }
    LayerBuilder& layer = ctx->add("BatchNorm", {ctx->in(0)});
    const bool known = !ctx->failed();
    std::vector<float> mean;
    std::vector<float> variance;
    std::vector<float> total;
    if (channels > 0 && ctx->weight(0, {channels}, "the mean", &mean) &&
        ctx->weight(1, {channels}, "the variance", &variance) &&
        ctx->weight(2, {1}, "the moving-average factor", &total)) {
        const float factor = total[0] == 0.0F ? 0.0F : 1.0F / total[0];
        for (size_t i = 0; i < mean.size(); ++i) {
            mean[i] *= factor;
            variance[i] *= factor;
            if (!(variance[i] + norm.eps() > 0.0F)) {
                ctx->error("variance of channel %zu is %g, expected more than -eps", i,
                           static_cast<double>(variance[i]));
                break;
            }
        }
        // A fork stores the Scale that usually follows as blobs 3 and 4.
        std::vector<float> slope(mean.size(), 1.0F);
        std::vector<float> bias(mean.size(), 0.0F);
        if (ctx->weight_count() == 5) {
            ctx->weight(3, {channels}, "the scale", &slope);
            ctx->weight(4, {channels}, "the offset", &bias);
        } else {
            ctx->ignore_weights_from(3);
        }
        layer.set("channels", static_cast<double>(channels)).set("eps", norm.eps());
        layer.weight(std::move(slope)).weight(std::move(mean)).weight(std::move(variance)).weight(std::move(bias));
    }
    ctx->top_despite_weights(&layer, known, ctx->dims(0), ctx->shape(0));
}

// "BN" of two families of forks: scale and shift with the statistics folded in (two blobs), or with mean and variance
// (four).
void convert_bn(LayerContext* ctx) {
    const int64_t channels = ctx->channels(0);
    const bool folded = ctx->weight_count() <= 2;
    LayerBuilder& layer = ctx->add(folded ? "Scale" : "BatchNorm", {ctx->in(0)});
    const bool known = !ctx->failed();
    std::vector<float> scale;
    std::vector<float> shift;
    std::vector<float> mean;
    std::vector<float> variance;
    const bool ok = channels > 0 && ctx->weight(0, {channels}, "the scale", &scale) &&
                    ctx->weight(1, {channels}, "the shift", &shift);
    if (ok && folded) {
        layer.set("scale_data_size", static_cast<double>(channels)).set("bias_term", 1);
        layer.weight(std::move(scale)).weight(std::move(shift));
    } else if (ok && ctx->weight(2, {channels}, "the mean", &mean) &&
               ctx->weight(3, {channels}, "the variance", &variance)) {
        layer.set("channels", static_cast<double>(channels)).set("eps", ctx->param().bn_param().eps());
        layer.weight(std::move(scale)).weight(std::move(mean)).weight(std::move(variance)).weight(std::move(shift));
        ctx->ignore_weights_from(4);
    }
    ctx->top_despite_weights(&layer, known, ctx->dims(0), ctx->shape(0));
}

namespace {

// What a Scale or Bias layer's parameter covers: all of a channel, or the whole blob by one number.
enum class Cover { kError, kChannel, kOne };

Cover cover_of(LayerContext* ctx, int64_t axis_value, int64_t num_axes) {
    const int axis = ctx->axis(0, axis_value, "axis");
    if (axis < 0) {
        return Cover::kError;
    }
    if (num_axes == 0) {
        return Cover::kOne;
    }
    const Dims& dims = ctx->dims(0);
    const int64_t rank = static_cast<int64_t>(dims.size());
    const int64_t end = num_axes == -1 ? rank : axis + num_axes;
    if (num_axes < -1 || end > rank) {
        ctx->error("num_axes is %lld at axis %d, expected at most the axes of %s", static_cast<long long>(num_axes),
                   axis, dims_text(dims).c_str());
        return Cover::kError;
    }
    bool only_channels = axis <= 1 && end >= 2 && batch_axes(dims) == 1;
    for (int64_t i = 2; i < end; ++i) {
        only_channels = only_channels && dims[static_cast<size_t>(i)] == 1;
    }
    if (!only_channels) {
        ctx->error("scales axes %d to %lld of %s, expected the channels (axis 1) alone", axis,
                   static_cast<long long>(end - 1), dims_text(dims).c_str());
        return Cover::kError;
    }
    return Cover::kChannel;
}

// The second bottom of a Scale or Bias: how it meets the first. Sets the two inputs; false after an error.
bool second_operand(LayerContext* ctx, int64_t axis_value, bool* by_channel, std::vector<BlobId>* inputs) {
    const Dims a = ctx->dims(0);
    const Dims b = ctx->dims(1);
    const int axis = ctx->axis(0, axis_value, "axis");
    if (axis < 0) {
        return false;
    }
    bool fits = axis + b.size() <= a.size();
    for (size_t i = 0; fits && i < b.size(); ++i) {
        fits = b[i] == a[static_cast<size_t>(axis) + i];
    }
    // In Caffe's terms the operand must cover the batch axis or lack it altogether; extent 1 makes both the same here.
    Dims full = b;
    if (axis == 1 && batch_axes(a) == 1) {
        full.insert(full.begin(), 1);
        fits = fits && axis + b.size() <= a.size();
    } else if (axis != 0) {
        fits = false;
    }
    if (!fits || batch_axes(a) == 0) {
        ctx->error("bottom '%s' has shape %s, expected the first axes of %s", ctx->param().bottom(1).c_str(),
                   dims_text(b).c_str(), dims_text(a).c_str());
        return false;
    }
    *by_channel = full.size() >= 2 && dims_count({full.begin() + 2, full.end()}) == 1;
    if (*by_channel) {
        const Dims channels = {full[1]};
        BlobId second = ctx->in(1);
        if (ctx->shape(1) != channels) {
            second = ctx->reshape(second, "flatten", {-1}, {1, full[1]}, channels);
        }
        *inputs = {ctx->in(0), second};
        return true;
    }
    const Dims wanted(full.begin() + 1, full.end());
    BlobId second = ctx->in(1);
    if (ctx->shape(1) != wanted) {
        second = ctx->reshape(second, "align", wanted, full, wanted);
    }
    *inputs = {ctx->natural(0), second};
    return true;
}

}  // namespace

void convert_scale(LayerContext* ctx) {
    const ScaleParameter& scale = ctx->param().scale_param();
    const Dims dims = ctx->dims(0);
    Dims shape = ctx->shape(0);
    std::vector<float> values;
    std::vector<float> bias;
    if (ctx->bottoms() == 2) {
        bool by_channel = false;
        std::vector<BlobId> inputs;
        if (!second_operand(ctx, scale.axis(), &by_channel, &inputs)) {
            return ctx->give_up();
        }
        if (!by_channel) {
            shape = natural_shape(dims);
        }
        LayerBuilder& layer = ctx->add(by_channel ? "Scale" : "BinaryOp", inputs);
        if (by_channel) {
            layer.set("scale_data_size", -233);
        } else {
            layer.set("op_type", 2);
        }
        if (!scale.bias_term()) {
            return ctx->top(&layer, 0, dims, shape);
        }
        const int64_t channels = ctx->channels(0);
        if (!by_channel || !ctx->weight(0, {channels}, "the bias", &bias)) {
            if (!by_channel) {
                ctx->error("has a bias besides a second bottom of more than the channels, which is not supported");
            }
            return ctx->give_up();
        }
        const BlobId scaled = ctx->inner_top(&layer, "scaled", dims, shape);
        LayerBuilder& add = ctx->add_inner("Bias", "bias", {scaled});
        add.set("bias_data_size", static_cast<double>(channels)).weight(std::move(bias));
        return ctx->top(&add, 0, dims, shape);
    }
    const Cover cover = cover_of(ctx, scale.axis(), scale.num_axes());
    if (cover == Cover::kError) {
        return ctx->give_up();
    }
    const Dims expected = {cover == Cover::kOne ? 1 : dims[1]};
    LayerBuilder& layer = ctx->add(cover == Cover::kOne ? "Power" : "Scale", {ctx->in(0)});
    const bool ok = ctx->weight(0, expected, "the scale", &values) &&
                    (!scale.bias_term() || ctx->weight(1, expected, "the bias", &bias));
    if (ok && cover == Cover::kOne) {
        layer.set("scale", values[0]).set("shift", bias.empty() ? 0.0F : bias[0]);
    } else if (ok) {
        layer.set("scale_data_size", static_cast<double>(values.size())).set("bias_term", scale.bias_term() ? 1 : 0);
        layer.weight(std::move(values));
        if (scale.bias_term()) {
            layer.weight(std::move(bias));
        }
    }
    ctx->ignore_weights_from(scale.bias_term() ? 2 : 1);
    ctx->top_despite_weights(&layer, true, dims, shape);
}

void convert_bias(LayerContext* ctx) {
    const BiasParameter& param = ctx->param().bias_param();
    const Dims dims = ctx->dims(0);
    Dims shape = ctx->shape(0);
    if (ctx->bottoms() == 2) {
        bool by_channel = false;
        std::vector<BlobId> inputs;
        if (!second_operand(ctx, param.axis(), &by_channel, &inputs)) {
            return ctx->give_up();
        }
        if (!by_channel) {
            shape = natural_shape(dims);
        }
        LayerBuilder& layer = ctx->add("BinaryOp", inputs);
        layer.set("op_type", 0);
        return ctx->top(&layer, 0, dims, shape);
    }
    const Cover cover = cover_of(ctx, param.axis(), param.num_axes());
    if (cover == Cover::kError) {
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add(cover == Cover::kOne ? "Power" : "Bias", {ctx->in(0)});
    std::vector<float> bias;
    if (ctx->weight(0, {cover == Cover::kOne ? 1 : dims[1]}, "the bias", &bias)) {
        if (cover == Cover::kOne) {
            layer.set("shift", bias[0]);
        } else {
            layer.set("bias_data_size", static_cast<double>(bias.size()));
            layer.weight(std::move(bias));
        }
    }
    ctx->ignore_weights_from(1);
    ctx->top_despite_weights(&layer, true, dims, shape);
}

void convert_lrn(LayerContext* ctx) {
    const LRNParameter& lrn = ctx->param().lrn_param();
    if (!ctx->is_image(0) || !ctx->in_range("local_size", lrn.local_size(), 1)) {
        return ctx->give_up();
    }
    if (lrn.local_size() % 2 == 0) {
        ctx->error("local_size is %u, expected an odd number", lrn.local_size());
        return ctx->give_up();
    }
    const bool within = lrn.norm_region() == LRNParameter::WITHIN_CHANNEL;
    LayerBuilder& layer = ctx->add("LRN", {ctx->natural(0)});
    layer.set("region_type", within ? 1 : 0).set("local_size", lrn.local_size());
    // Caffe's within-channel form is made of other layers and has no k: it is 1.
    layer.set("alpha", lrn.alpha()).set("beta", lrn.beta()).set("bias", within ? 1.0F : lrn.k());
    ctx->top(&layer, 0, ctx->dims(0));
}

void convert_mvn(LayerContext* ctx) {
    const MVNParameter& mvn = ctx->param().mvn_param();
    if (!ctx->is_image(0)) {
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("MVN", {ctx->natural(0)});
    layer.set("normalize_variance", mvn.normalize_variance() ? 1 : 0)
        .set("across_channels", mvn.across_channels() ? 1 : 0);
    layer.set("eps", mvn.eps());
    ctx->top(&layer, 0, ctx->dims(0));
}

void convert_normalize(LayerContext* ctx) {
    const NormalizeParameter& norm = ctx->param().norm_param();
    if (!ctx->is_image(0)) {
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("Normalize", {ctx->natural(0)});
    const bool known = !ctx->failed();
    layer.set("across_spatial", norm.across_spatial() ? 1 : 0).set("across_channel", 1);
    layer.set("channel_shared", norm.channel_shared() ? 1 : 0).set("eps", norm.eps());
    std::vector<float> scale;
    if (ctx->weight(0, {norm.channel_shared() ? 1 : ctx->dims(0)[1]}, "the scale", &scale)) {
        layer.set("scale_data_size", static_cast<double>(scale.size()));
        layer.weight(std::move(scale));
    }
    ctx->ignore_weights_from(1);
    ctx->top_despite_weights(&layer, known, ctx->dims(0), natural_shape(ctx->dims(0)));
}

}  // namespace fw::caffe
