// Pooling: Caffe's rounding and its divisor of averages.
#include <algorithm>
#include <string>
#include <vector>

#include "caffe2fw/layers.h"

namespace fw::caffe {

namespace {

struct PoolAxis {
    int64_t in = 0, kernel = 0, stride = 1, pad = 0;
    int64_t out = 0;         // Caffe's extent
    int64_t pad_end = 0;     // with floor rounding: the padding after the input that gives `out`
    bool trimmed = false;    // not what ceil rounding alone gives: Caffe drops a last window that starts in the padding
    bool overhangs = false;  // the last window ends beyond the padding
};

bool read_axis(LayerContext* ctx, bool ceil, PoolAxis* a) {
    if (!ctx->in_range("kernel_size", a->kernel, 1) || !ctx->in_range("stride", a->stride, 1) ||
        !ctx->in_range("pad", a->pad, 0)) {
        return false;
    }
    if (a->pad >= a->kernel) {
        ctx->error("pad is %lld, expected less than the kernel of %lld", static_cast<long long>(a->pad),
                   static_cast<long long>(a->kernel));
        return false;
    }
    const int64_t padded = a->in + 2 * a->pad;
    const int64_t room = padded - a->kernel;
    if (room < 0 && (!ceil || room <= -a->stride)) {
        ctx->error("its kernel of %lld exceeds the padded input of %lld", static_cast<long long>(a->kernel),
                   static_cast<long long>(padded));
        return false;
    }
    const int64_t steps = room < 0 ? 0 : (room + (ceil ? a->stride - 1 : 0)) / a->stride;
    a->out = steps + 1;
    if (a->pad > 0 && steps * a->stride >= a->in + a->pad) {
        --a->out;
        a->trimmed = true;
    }
    a->trimmed = a->trimmed || room < 0;
    const int64_t end = (a->out - 1) * a->stride + a->kernel;
    a->pad_end = std::max<int64_t>(0, end - a->in - a->pad);
    a->overhangs = end > padded;
    return true;
}

// The Pooling layer for these windows, and the Padding before it where Caffe's divisor needs one. `suffix` = name of an
// inner layer, "" = the Caffe layer itself.
LayerBuilder& window_pooling(LayerContext* ctx, BlobId in, const std::string& suffix, bool average, bool ceil,
                             PoolAxis h, PoolAxis w) {
    const bool trimmed = h.trimmed || w.trimmed;
    const bool padded = h.pad > 0 || w.pad > 0;
    bool count_padding = average && padded;
    int64_t pad_top = h.pad;
    int64_t pad_left = w.pad;
    if (average && padded && (h.overhangs || w.overhangs)) {
        // Caffe's divisor counts the declared padding but not what rounding adds after it: pad with zeros first, then
        // average over the cells inside.
        LayerBuilder& pads = ctx->add_inner("Padding", suffix + "pad", {in});
        pads.set("top", static_cast<double>(h.pad)).set("bottom", static_cast<double>(h.pad));
        pads.set("left", static_cast<double>(w.pad)).set("right", static_cast<double>(w.pad));
        const Dims with_pad = {1, ctx->dims(0)[1], h.in + 2 * h.pad, w.in + 2 * w.pad};
        in = ctx->inner_top(&pads, suffix + "pad", with_pad, natural_shape(with_pad));
        pad_top = pad_left = 0;
        count_padding = false;
        h.pad_end = std::max<int64_t>(0, h.pad_end - h.pad);
        w.pad_end = std::max<int64_t>(0, w.pad_end - w.pad);
    }
    LayerBuilder& layer = suffix.empty() ? ctx->add("Pooling", {in}) : ctx->add_inner("Pooling", suffix, {in});
    layer.set("pooling_type", average ? 1 : 0);
    layer.set("kernel_w", static_cast<double>(w.kernel)).set("kernel_h", static_cast<double>(h.kernel));
    layer.set("stride_w", static_cast<double>(w.stride)).set("stride_h", static_cast<double>(h.stride));
    layer.set("pad_left", static_cast<double>(pad_left)).set("pad_top", static_cast<double>(pad_top));
    if (trimmed) {
        // Fixed to this input size: what is padded at the end depends on it.
        layer.set("pad_right", static_cast<double>(w.pad_end)).set("pad_bottom", static_cast<double>(h.pad_end));
        layer.set("pad_mode", 1);
    } else {
        layer.set("pad_right", static_cast<double>(pad_left)).set("pad_bottom", static_cast<double>(pad_top));
        layer.set("pad_mode", ceil ? 0 : 1);
    }
    layer.set("avgpool_count_include_pad", count_padding ? 1 : 0);
    return layer;
}

}  // namespace

void convert_pooling(LayerContext* ctx) {
    const PoolingParameter& pool = ctx->param().pooling_param();
    if (pool.pool() == PoolingParameter::STOCHASTIC) {
        ctx->error("pool is STOCHASTIC, expected MAX or AVE");
        return ctx->give_up();
    }
    if (!ctx->is_image(0)) {
        return ctx->give_up();
    }
    const Dims dims = ctx->dims(0);
    const bool average = pool.pool() == PoolingParameter::AVE;
    if (pool.global_pooling()) {
        if (pool.pad() != 0 || pool.pad_h() != 0 || pool.pad_w() != 0) {
            ctx->error("global_pooling with a pad, expected none");
            return ctx->give_up();
        }
        LayerBuilder& layer = ctx->add("Pooling", {ctx->natural(0)});
        layer.set("pooling_type", average ? 1 : 0).set("global_pooling", 1);
        return ctx->top(&layer, 0, {1, dims[1], 1, 1}, {dims[1]});
    }
    const bool ceil = pool.round_mode() == PoolingParameter::CEIL && pool.ceil_mode();
    PoolAxis h;
    PoolAxis w;
    h.in = dims[2];
    w.in = dims[3];
    h.kernel = pool.has_kernel_h() ? pool.kernel_h() : pool.kernel_size();
    w.kernel = pool.has_kernel_w() ? pool.kernel_w() : pool.kernel_size();
    h.stride = pool.has_stride_h() ? pool.stride_h() : pool.stride();
    w.stride = pool.has_stride_w() ? pool.stride_w() : pool.stride();
    h.pad = pool.has_pad_h() ? pool.pad_h() : pool.pad();
    w.pad = pool.has_pad_w() ? pool.pad_w() : pool.pad();
    if (!read_axis(ctx, ceil, &h) || !read_axis(ctx, ceil, &w)) {
        return ctx->give_up();
    }
    LayerBuilder& layer = window_pooling(ctx, ctx->natural(0), "", average, ceil, h, w);
    const Dims out = {1, dims[1], h.out, w.out};
    ctx->top(&layer, 0, out);
}

// Spatial pyramid pooling (He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks", 2014): level l divides
// the map into 2^l x 2^l cells, as Caffe rounds them; their values follow each other.
void convert_spp(LayerContext* ctx) {
    const SPPParameter& spp = ctx->param().spp_param();
    if (spp.pool() == SPPParameter::STOCHASTIC) {
        ctx->error("pool is STOCHASTIC, expected MAX or AVE");
        return ctx->give_up();
    }
    if (!ctx->is_image(0)) {
        return ctx->give_up();
    }
    const int64_t levels = spp.pyramid_height();
    if (levels < 1 || levels > 20) {
        ctx->error("pyramid_height is %lld, expected 1 to 20", static_cast<long long>(levels));
        return ctx->give_up();
    }
    const Dims dims = ctx->dims(0);
    const bool average = spp.pool() == SPPParameter::AVE;
    const BlobId in = ctx->natural(0);
    std::vector<BlobId> parts;
    int64_t total = 0;
    for (int64_t level = 0; level < levels; ++level) {
        const int64_t bins = int64_t{1} << level;
        PoolAxis axes[2];
        for (size_t k = 0; k < 2; ++k) {
            PoolAxis& a = axes[k];
            a.in = dims[2 + k];
            a.kernel = a.stride = (a.in + bins - 1) / bins;
            a.pad = (a.kernel * bins - a.in + 1) / 2;
            if (!read_axis(ctx, true, &a)) {
                return ctx->give_up();
            }
        }
        const std::string name = levels == 1 ? "" : "level" + std::to_string(level);
        LayerBuilder& pool = window_pooling(ctx, in, name, average, true, axes[0], axes[1]);
        const Dims out = {1, dims[1], axes[0].out, axes[1].out};
        if (levels == 1) {
            return ctx->top(&pool, 0, out);
        }
        const int64_t count = dims_count(out);
        const BlobId pooled = ctx->inner_top(&pool, name, out, natural_shape(out));
        parts.push_back(ctx->reshape(pooled, name + "_flatten", {count}, {1, count}, {count}));
        total += count;
    }
    LayerBuilder& layer = ctx->add("Concat", parts);
    ctx->top(&layer, 0, {1, total});
}

}  // namespace fw::caffe
