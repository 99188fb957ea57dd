// Pooling: Caffe's rounding and its divisor of averages.
#include <algorithm>

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
    const bool trimmed = h.trimmed || w.trimmed;
    const bool padded = h.pad > 0 || w.pad > 0;
    BlobId in = ctx->natural(0);
    bool count_padding = average && padded;
    int64_t pad_top = h.pad;
    int64_t pad_left = w.pad;
    if (average && padded && (h.overhangs || w.overhangs)) {
        // Caffe's divisor counts the declared padding but not what rounding adds after it: pad with zeros first, then
        // average over the cells inside.
        LayerBuilder& pads = ctx->add_inner("Padding", "pad", {in});
        pads.set("top", static_cast<double>(h.pad)).set("bottom", static_cast<double>(h.pad));
        pads.set("left", static_cast<double>(w.pad)).set("right", static_cast<double>(w.pad));
        const Dims with_pad = {1, dims[1], h.in + 2 * h.pad, w.in + 2 * w.pad};
        in = ctx->inner_top(&pads, "pad", with_pad, natural_shape(with_pad));
        pad_top = pad_left = 0;
        count_padding = false;
        h.pad_end = std::max<int64_t>(0, h.pad_end - h.pad);
        w.pad_end = std::max<int64_t>(0, w.pad_end - w.pad);
    }
    LayerBuilder& layer = ctx->add("Pooling", {in});
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
    const Dims out = {1, dims[1], h.out, w.out};
    ctx->top(&layer, 0, out);
}

}  // namespace fw::caffe
