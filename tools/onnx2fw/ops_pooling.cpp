// MaxPool, AveragePool, the global ones, and RoiAlign.
#include <algorithm>

#include "onnx2fw/ops.h"

namespace fw::onnx {

void convert_pool(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    Window w;
    const BlobId bottom = ctx->image(x, &order);
    if (bottom == kNoBlob || !read_window(ctx, x, {}, &w)) {
        return;
    }
    const bool average = ctx->op() == "AveragePool";
    if (w.dilation[0] != 1 || w.dilation[1] != 1) {
        ctx->error("dilations are %lld x %lld, expected 1", static_cast<long long>(w.dilation[0]),
                   static_cast<long long>(w.dilation[1]));
        return;
    }
    if (ctx->wants(1) && ctx->conversion().readers[ctx->node().output(1)] > 0) {
        ctx->error("the indices of the maxima are read, expected the maxima alone");
        return;
    }
    const bool counts_pad = average && ctx->attr("count_include_pad", 0) != 0;
    for (int axis = 0; axis < 2; ++axis) {
        const int64_t padded = w.in[axis] + w.pad[axis] + w.pad[axis + 2];
        if (padded < w.kernel[axis] || w.pad[axis] >= w.kernel[axis]) {
            ctx->error("the window %lld x %lld does not fit an input of shape %s with its padding",
                       static_cast<long long>(w.kernel[0]), static_cast<long long>(w.kernel[1]),
                       dims_text(x.dims).c_str());
            return;
        }
        const int64_t rest = (padded - w.kernel[axis]) % w.stride[axis];
        const int64_t last = w.out(axis) * w.stride[axis];  // where one more window would begin
        if (ctx->attr("ceil_mode", 0) != 0 && rest != 0 && last < w.in[axis] + w.pad[axis]) {
            if (counts_pad) {
                ctx->error("ceil_mode and count_include_pad together, where windows reach beyond the padding");
                return;
            }
            w.pad[axis + 2] += w.stride[axis] - rest;
        }
        if (average && !counts_pad && w.out(axis) > 0 &&
            (w.out(axis) - 1) * w.stride[axis] >= w.in[axis] + w.pad[axis]) {
            ctx->error("a window lies wholly in the padding");
            return;
        }
    }
    LayerBuilder& layer = ctx->add("Pooling", {bottom});
    layer.set("pooling_type", average ? 1 : 0).set("pad_mode", 1);
    layer.set("kernel_w", static_cast<double>(w.kernel[1])).set("kernel_h", static_cast<double>(w.kernel[0]));
    layer.set("stride_w", static_cast<double>(w.stride[1])).set("stride_h", static_cast<double>(w.stride[0]));
    layer.set("pad_left", static_cast<double>(w.pad[1])).set("pad_right", static_cast<double>(w.pad[3]));
    layer.set("pad_top", static_cast<double>(w.pad[0])).set("pad_bottom", static_cast<double>(w.pad[2]));
    if (counts_pad) {
        layer.set("avgpool_count_include_pad", 1);
    }
    const Dims shape = {x.dims[1], w.out(0), w.out(1)};
    if (x.rank() == 4) {
        ctx->out(0, &layer, {1, shape[0], shape[1], shape[2]}, shape, {kNoAxis, 0, 1, 2});
    } else {
        ctx->out(0, &layer, {1, shape[0], shape[2]}, shape, {kNoAxis, 0, 2});
    }
}

void convert_global_pool(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    const BlobId bottom = ctx->image(x, &order);
    if (bottom == kNoBlob) {
        return;
    }
    LayerBuilder& layer = ctx->add("Pooling", {bottom});
    layer.set("pooling_type", ctx->op() == "GlobalAveragePool" ? 1 : 0).set("global_pooling", 1);
    Dims dims(x.dims.size(), 1);
    dims[1] = x.dims[1];
    std::vector<int> axes(dims.size(), kNoAxis);
    axes[1] = 0;
    ctx->out(0, &layer, dims, {dims[1]}, axes);
}

void convert_roi_align(NodeContext* ctx) {
    const Value x = ctx->in(0);
    const Value rois = ctx->in(1);
    std::vector<int> order;
    if (x.rank() != 4 || rois.rank() != 2 || rois.dims[1] != 4) {
        ctx->error("inputs are %s and %s, expected an image and rows of x1, y1, x2, y2", dims_text(x.dims).c_str(),
                   dims_text(rois.dims).c_str());
        return;
    }
    const BlobId map = ctx->image(x, &order);
    // A batch of 1 leaves 0 as the only index; known ones are checked.
    if (const ConstantPtr indices = ctx->constant(2)) {
        for (size_t k = 0; k < indices->count(); ++k) {
            if (indices->at(k) != 0.0) {
                ctx->error("batch_indices holds %g, expected 0, the batch being 1", indices->at(k));
                return;
            }
        }
    }
    const std::string mode = ctx->attr_s("mode", "avg");
    const std::string place =
        ctx->attr_s("coordinate_transformation_mode", ctx->opset() < 16 ? "output_half_pixel" : "half_pixel");
    if ((mode != "avg" && mode != "max") || (place != "half_pixel" && place != "output_half_pixel")) {
        ctx->error(
            "mode is '%s' and coordinate_transformation_mode '%s', expected avg or max, half_pixel or "
            "output_half_pixel",
            mode.c_str(), place.c_str());
        return;
    }
    const int64_t height = ctx->attr("output_height", 1);
    const int64_t width = ctx->attr("output_width", 1);
    const int64_t ratio = ctx->attr("sampling_ratio", 0);
    if (!ctx->in_range("output_height", height, 1, 1 << 12) || !ctx->in_range("output_width", width, 1, 1 << 12) ||
        !ctx->in_range("sampling_ratio", ratio, 0, 1 << 8)) {
        return;
    }
    const BlobId regions = ctx->arrange(rois, {0, 1});
    if (map == kNoBlob || regions == kNoBlob) {
        return;
    }
    LayerBuilder& layer = ctx->add("ROIAlign", {map, regions});
    layer.set("pooled_width", static_cast<double>(width)).set("pooled_height", static_cast<double>(height));
    layer.set("spatial_scale", ctx->attr_f("spatial_scale", 1.0)).set("sampling_ratio", static_cast<double>(ratio));
    layer.set("aligned", place == "half_pixel" ? 1 : 0).set("version", 1).set("max", mode == "max" ? 1 : 0);
    const Dims dims = {rois.dims[0], x.dims[1], height, width};
    if (dims[0] == 1) {
        ctx->out(0, &layer, dims, {dims[1], height, width}, {kNoAxis, 0, 1, 2});
    } else {
        ctx->out(0, &layer, dims, dims, {0, 1, 2, 3});
    }
}

}  // namespace fw::onnx
