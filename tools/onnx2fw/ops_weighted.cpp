// Conv, ConvTranspose.
#include <algorithm>
#include <utility>

#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

// One number an axis, height first; a 1-d window is a row.
bool read_pair(NodeContext* ctx, const char* name, int spatial, int64_t fallback, int64_t* out) {
    const std::vector<int64_t> values = ctx->attr_ints(name);
    out[0] = out[1] = fallback;
    if (values.empty()) {
        return true;
    }
    if (static_cast<int>(values.size()) != spatial) {
        ctx->error("%s has %zu values, expected %d", name, values.size(), spatial);
        return false;
    }
    out[1] = values.back();
    out[0] = spatial == 2 ? values[0] : 1;
    return ctx->in_range(name, out[0], 1) && ctx->in_range(name, out[1], 1);
}

void set_window(LayerBuilder* layer, const Window& w) {
    layer->set("kernel_w", static_cast<double>(w.kernel[1])).set("kernel_h", static_cast<double>(w.kernel[0]));
    layer->set("stride_w", static_cast<double>(w.stride[1])).set("stride_h", static_cast<double>(w.stride[0]));
    layer->set("dilation_w", static_cast<double>(w.dilation[1])).set("dilation_h", static_cast<double>(w.dilation[0]));
    layer->set("pad_left", static_cast<double>(w.pad[1])).set("pad_top", static_cast<double>(w.pad[0]));
    layer->set("pad_right", static_cast<double>(w.pad[3])).set("pad_bottom", static_cast<double>(w.pad[2]));
}

// Bias (input 2), if there is one, of `outputs` values.
bool read_bias(NodeContext* ctx, int64_t outputs, std::vector<float>* bias) {
    if (!ctx->has(2)) {
        return true;
    }
    if (!ctx->floats(2, "bias", bias)) {
        return false;
    }
    if (static_cast<int64_t>(bias->size()) != outputs) {
        ctx->error("bias has %zu values, expected %lld", bias->size(), static_cast<long long>(outputs));
        return false;
    }
    return true;
}

// The int8 scales that weights were trained with, if any: one an output channel.
void keep_weight_scales(NodeContext* ctx, int64_t outputs) {
    const ConstantPtr w = ctx->constant(1);
    if (w == nullptr || w->quant_steps.empty() || (w->quant_axis != 0 && w->quant_steps.size() != 1)) {
        return;
    }
    std::vector<double> steps = w->quant_steps;
    if (steps.size() == 1) {
        steps.assign(static_cast<size_t>(outputs), steps[0]);
    }
    ctx->conversion().weight_quant[import::file_safe_name(ctx->name())] = std::move(steps);
}

struct Weights {
    std::vector<float> values, bias;
    Dims dims;
    int64_t group = 1;
};

bool read_weights(NodeContext* ctx, const Value& x, Weights* out) {
    const Value& w = ctx->in(1);
    out->dims = w.dims;
    out->group = ctx->attr("group", 1);
    if (w.rank() != x.rank() || dims_count(w.dims) < 1) {
        ctx->error("weights are %s for an input of shape %s", dims_text(w.dims).c_str(), dims_text(x.dims).c_str());
        return false;
    }
    if (!ctx->in_range("group", out->group, 1) || out->dims[0] % out->group != 0 || x.dims[1] % out->group != 0) {
        ctx->error("group %lld does not divide weights %s and input %s", static_cast<long long>(out->group),
                   dims_text(out->dims).c_str(), dims_text(x.dims).c_str());
        return false;
    }
    return ctx->floats(1, "weights", &out->values);
}

LayerBuilder& add_weighted(NodeContext* ctx, const char* plain, const char* grouped, BlobId bottom, int64_t outputs,
                           const Window& window, Weights* w) {
    LayerBuilder& layer = ctx->add(w->group == 1 ? plain : grouped, {bottom});
    layer.set("num_output", static_cast<double>(outputs));
    set_window(&layer, window);
    layer.set("bias_term", w->bias.empty() ? 0 : 1).set("weight_data_size", static_cast<double>(w->values.size()));
    if (w->group != 1) {
        layer.set("group", static_cast<double>(w->group));
    }
    layer.weight(std::move(w->values));
    if (!w->bias.empty()) {
        layer.weight(std::move(w->bias));
    }
    return layer;
}

}  // namespace

bool read_window(NodeContext* ctx, const Value& v, const Dims& kernel, Window* window) {
    const int spatial = v.rank() - 2;
    Dims size = ctx->attr_ints("kernel_shape");
    size = size.empty() ? kernel : size;
    if ((spatial != 1 && spatial != 2) || static_cast<int>(size.size()) != spatial) {
        ctx->error("input is %s and the kernel %s, expected one or two spatial axes", dims_text(v.dims).c_str(),
                   dims_text(size).c_str());
        return false;
    }
    window->kernel[0] = spatial == 2 ? size[0] : 1;
    window->kernel[1] = size.back();
    window->in[0] = spatial == 2 ? v.dims[2] : 1;
    window->in[1] = v.dims.back();
    if (!ctx->in_range("kernel_shape", window->kernel[0], 1) || !ctx->in_range("kernel_shape", window->kernel[1], 1) ||
        !read_pair(ctx, "strides", spatial, 1, window->stride) ||
        !read_pair(ctx, "dilations", spatial, 1, window->dilation)) {
        return false;
    }
    std::fill(window->pad, window->pad + 4, 0);
    const std::string mode = ctx->attr_s("auto_pad", "NOTSET");
    const std::vector<int64_t> pads = ctx->attr_ints("pads");
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
        window->same = true;
        for (int axis = 0; axis < 2; ++axis) {
            const int64_t in = window->in[axis];
            const int64_t last = (in - 1) / window->stride[axis] * window->stride[axis];
            const int64_t total = std::max<int64_t>(0, last + window->extent(axis) - in);
            window->pad[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
            window->pad[axis + 2] = total - window->pad[axis];
        }
    } else if (mode == "NOTSET" && !pads.empty()) {
        if (static_cast<int>(pads.size()) != 2 * spatial) {
            ctx->error("pads has %zu values, expected %d", pads.size(), 2 * spatial);
            return false;
        }
        if (spatial == 2) {
            std::copy(pads.begin(), pads.end(), window->pad);
        } else {
            window->pad[1] = pads[0];
            window->pad[3] = pads[1];
        }
        for (const int64_t pad : pads) {
            if (!ctx->in_range("pads", pad, 0)) {
                return false;
            }
        }
    } else if (mode != "NOTSET" && mode != "VALID") {
        ctx->error("auto_pad is '%s', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", mode.c_str());
        return false;
    }
    return true;
}

void convert_conv(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    Weights w;
    Window window;
    const BlobId bottom = ctx->image(x, &order);
    if (bottom == kNoBlob || !read_weights(ctx, x, &w) ||
        !read_window(ctx, x, Dims(w.dims.begin() + 2, w.dims.end()), &window)) {
        return;
    }
    const int64_t outputs = w.dims[0];
    if (w.dims[1] * w.group != x.dims[1] || w.dims.back() != window.kernel[1] ||
        (x.rank() == 4 && w.dims[2] != window.kernel[0])) {
        ctx->error("weights are %s, expected (outputs, %lld, kernel %lld x %lld)", dims_text(w.dims).c_str(),
                   static_cast<long long>(x.dims[1] / w.group), static_cast<long long>(window.kernel[0]),
                   static_cast<long long>(window.kernel[1]));
        return;
    }
    if (window.in[0] + window.pad[0] + window.pad[2] < window.extent(0) ||
        window.in[1] + window.pad[1] + window.pad[3] < window.extent(1)) {
        ctx->error("the kernel is larger than the padded input %s", dims_text(x.dims).c_str());
        return;
    }
    if (!read_bias(ctx, outputs, &w.bias)) {
        return;
    }
    keep_weight_scales(ctx, outputs);
    if (x.rank() == 4 && window.in[0] * window.in[1] * window.kernel[0] * window.kernel[1] == 1 && w.group == 1 &&
        window.out(0) * window.out(1) == 1) {
        // One pixel (after a global pooling): a matrix, and no Reshape before or after it.
        LayerBuilder& matrix = ctx->add("InnerProduct", {ctx->arrange(x, {1})});
        matrix.set("num_output", static_cast<double>(outputs)).set("bias_term", w.bias.empty() ? 0 : 1);
        matrix.set("weight_data_size", static_cast<double>(w.values.size())).weight(std::move(w.values));
        if (!w.bias.empty()) {
            matrix.weight(std::move(w.bias));
        }
        ctx->out(0, &matrix, {1, outputs, 1, 1}, {outputs}, {kNoAxis, 0, kNoAxis, kNoAxis});
        return;
    }
    LayerBuilder& layer = add_weighted(ctx, "Convolution", "ConvolutionDepthWise", bottom, outputs, window, &w);
    const Dims shape = {outputs, window.out(0), window.out(1)};
    if (x.rank() == 4) {
        ctx->out(0, &layer, {1, outputs, shape[1], shape[2]}, shape, {kNoAxis, 0, 1, 2});
    } else {
        ctx->out(0, &layer, {1, outputs, shape[2]}, shape, {kNoAxis, 0, 2});
    }
}

void convert_conv_transpose(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    Weights w;
    Window window;
    const BlobId bottom = ctx->image(x, &order);
    if (bottom == kNoBlob || !read_weights(ctx, x, &w) ||
        !read_window(ctx, x, Dims(w.dims.begin() + 2, w.dims.end()), &window)) {
        return;
    }
    const int64_t each = w.dims[1];
    const int64_t outputs = each * w.group;
    if (w.dims[0] != x.dims[1] || w.dims.back() != window.kernel[1] ||
        (x.rank() == 4 && w.dims[2] != window.kernel[0])) {
        ctx->error("weights are %s for an input of shape %s", dims_text(w.dims).c_str(), dims_text(x.dims).c_str());
        return;
    }
    const int spatial = x.rank() - 2;
    std::vector<int64_t> extra = ctx->attr_ints("output_padding");
    const std::vector<int64_t> wanted = ctx->attr_ints("output_shape");
    extra.resize(extra.empty() ? static_cast<size_t>(spatial) : extra.size(), 0);
    if (static_cast<int>(extra.size()) != spatial || (!wanted.empty() && static_cast<int>(wanted.size()) < spatial)) {
        ctx->error("output_padding or output_shape has not one value an axis");
        return;
    }
    int64_t more[2] = {0, extra.back()};
    more[0] = spatial == 2 ? extra[0] : 0;
    int64_t size[2];
    const std::string mode = ctx->attr_s("auto_pad", "NOTSET");
    for (int axis = 0; axis < 2; ++axis) {
        if (!ctx->in_range("output_padding", more[axis], 0) || !ctx->in_range("input", window.in[axis], 1)) {
            return;
        }
        const int64_t full = (window.in[axis] - 1) * window.stride[axis] + window.extent(axis) + more[axis];
        if (spatial == 1 && axis == 0) {
            size[0] = 1;
            window.pad[0] = window.pad[2] = 0;
            continue;
        }
        size[axis] = full - window.pad[axis] - window.pad[axis + 2];
        if (!wanted.empty() || window.same) {
            // The border that is cut follows from the wanted size; the odd cell goes where auto_pad says.
            size[axis] = wanted.empty() ? window.in[axis] * window.stride[axis]
                                        : wanted[wanted.size() - static_cast<size_t>(2 - axis)];
            const int64_t total = full - size[axis];
            if (total < 0) {
                more[axis] -= total;
            }
            const int64_t cut = std::max<int64_t>(0, total);
            window.pad[axis] = mode == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
            window.pad[axis + 2] = cut - window.pad[axis];
        }
        if (!ctx->in_range("output", size[axis], 1) || !ctx->in_range("output_padding", more[axis], 0)) {
            return;
        }
    }
    if (!read_bias(ctx, outputs, &w.bias)) {
        return;
    }
    // ONNX has [inputs][outputs of a group], ours [outputs][inputs of a group].
    const int64_t inputs = w.dims[0] / w.group;
    const int64_t area = window.kernel[0] * window.kernel[1];
    std::vector<float> turned(w.values.size());
    for (int64_t g = 0; g < w.group; ++g) {
        for (int64_t i = 0; i < inputs; ++i) {
            for (int64_t o = 0; o < each; ++o) {
                const float* from = w.values.data() + ((g * inputs + i) * each + o) * area;
                std::copy(from, from + area, turned.data() + ((g * each + o) * inputs + i) * area);
            }
        }
    }
    w.values = std::move(turned);
    LayerBuilder& layer = add_weighted(ctx, "Deconvolution", "DeconvolutionDepthWise", bottom, outputs, window, &w);
    layer.set("output_pad_right", static_cast<double>(more[1])).set("output_pad_bottom", static_cast<double>(more[0]));
    const Dims shape = {outputs, size[0], size[1]};
    if (x.rank() == 4) {
        ctx->out(0, &layer, {1, outputs, shape[1], shape[2]}, shape, {kNoAxis, 0, 1, 2});
    } else {
        ctx->out(0, &layer, {1, outputs, shape[2]}, shape, {kNoAxis, 0, 2});
    }
}

}  // namespace fw::onnx
