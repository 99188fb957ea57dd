// Layers with a weight matrix.
#include <algorithm>
#include <utility>

#include "caffe2fw/layers.h"

namespace fw::caffe {

namespace {

struct Window {
    int64_t kernel[2] = {0, 0};  // height, width
    int64_t stride[2] = {1, 1};
    int64_t pad[2] = {0, 0};
    int64_t dilation[2] = {1, 1};
};

// A repeated field that holds one number for both axes or one an axis, or its _h/_w form.
template <class Repeated>
bool pair_of(LayerContext* ctx, const char* what, const Repeated& repeated, bool has_h, uint32_t h, bool has_w,
             uint32_t w, int64_t fallback, int64_t low, int64_t* out) {
    if (repeated.size() > 2) {
        ctx->error("%s is given %d times, expected once or twice", what, repeated.size());
        return false;
    }
    if (repeated.size() > 0 && (has_h || has_w)) {
        ctx->error("%s is given together with its _h or _w form, expected one of the two", what);
        return false;
    }
    out[0] = out[1] = fallback;
    if (repeated.size() > 0) {
        out[0] = repeated[0];
        out[1] = repeated[repeated.size() - 1];
    }
    out[0] = has_h ? h : out[0];
    out[1] = has_w ? w : out[1];
    return ctx->in_range(what, out[0], low) && ctx->in_range(what, out[1], low);
}

bool read_window(LayerContext* ctx, const ConvolutionParameter& conv, Window* out) {
    if (conv.has_axis() && conv.axis() != 1 && conv.axis() != -3) {
        ctx->error("axis is %d, expected 1 (channels)", conv.axis());
        return false;
    }
    const bool ok = pair_of(ctx, "kernel_size", conv.kernel_size(), conv.has_kernel_h(), conv.kernel_h(),
                            conv.has_kernel_w(), conv.kernel_w(), 0, 1, out->kernel) &&
                    pair_of(ctx, "stride", conv.stride(), conv.has_stride_h(), conv.stride_h(), conv.has_stride_w(),
                            conv.stride_w(), 1, 1, out->stride) &&
                    pair_of(ctx, "pad", conv.pad(), conv.has_pad_h(), conv.pad_h(), conv.has_pad_w(), conv.pad_w(), 0,
                            0, out->pad) &&
                    pair_of(ctx, "dilation", conv.dilation(), false, 0, false, 0, 1, 1, out->dilation);
    return ok;
}

void set_window(LayerBuilder* layer, const Window& window) {
    static const char* const kAxis[2] = {"_h", "_w"};
    for (const int a : {1, 0}) {
        const auto set = [&](const char* key, int64_t value) {
            layer->set((std::string(key) + kAxis[a]).c_str(), static_cast<double>(value));
        };
        set("kernel", window.kernel[a]);
        set("stride", window.stride[a]);
        set("dilation", window.dilation[a]);
    }
    layer->set("pad_left", static_cast<double>(window.pad[1])).set("pad_right", static_cast<double>(window.pad[1]));
    layer->set("pad_top", static_cast<double>(window.pad[0])).set("pad_bottom", static_cast<double>(window.pad[0]));
}

// Shared by the convolutions: everything before the weights.
struct Convolution {
    int64_t in = 0, out = 0, group = 1;
    Window window;
};

bool read_convolution(LayerContext* ctx, int64_t group, Convolution* out) {
    const ConvolutionParameter& conv = ctx->param().convolution_param();
    if (!ctx->is_image(0) || !read_window(ctx, conv, &out->window) ||
        !ctx->in_range("num_output", conv.num_output(), 1) || !ctx->in_range("group", group, 1)) {
        return false;
    }
    out->in = ctx->dims(0)[1];
    out->out = conv.num_output();
    out->group = group;
    if (out->in % group != 0 || out->out % group != 0) {
        ctx->error("group is %lld, expected a divisor of %lld input and %lld output channels",
                   static_cast<long long>(group), static_cast<long long>(out->in), static_cast<long long>(out->out));
        return false;
    }
    return true;
}

// Reads weights and bias and sets the parameters that all convolutions have.
void finish_convolution(LayerContext* ctx, const Convolution& c, LayerBuilder* layer, bool deconvolution) {
    const bool bias = ctx->param().convolution_param().bias_term();
    const Window& w = c.window;
    std::vector<float> weights;
    const int64_t rows = deconvolution ? c.in : c.out;
    const int64_t columns = (deconvolution ? c.out : c.in) / c.group;
    if (!ctx->weight(0, {rows, columns, w.kernel[0], w.kernel[1]}, "the weights", &weights)) {
        return;
    }
    if (deconvolution) {
        // Caffe: [in][out / group][kh][kw]; ours: [out][in / group][kh][kw], group by group.
        const int64_t taps = w.kernel[0] * w.kernel[1];
        const int64_t in_g = c.in / c.group;
        const int64_t out_g = c.out / c.group;
        std::vector<float> turned(weights.size());
        for (int64_t g = 0; g < c.group; ++g) {
            for (int64_t i = 0; i < in_g; ++i) {
                for (int64_t o = 0; o < out_g; ++o) {
                    const auto from = weights.begin() + ((g * in_g + i) * out_g + o) * taps;
                    std::copy(from, from + taps, turned.begin() + ((g * out_g + o) * in_g + i) * taps);
                }
            }
        }
        weights = std::move(turned);
    }
    layer->set("num_output", static_cast<double>(c.out));
    set_window(layer, w);
    layer->set("weight_data_size", static_cast<double>(weights.size()));
    layer->set("bias_term", bias ? 1 : 0);
    if (c.group > 1) {
        layer->set("group", static_cast<double>(c.group));
    }
    layer->weight(std::move(weights));
    if (bias) {
        std::vector<float> values;
        if (ctx->weight(1, {c.out}, "the bias", &values)) {
            layer->weight(std::move(values));
        }
    }
    ctx->ignore_weights_from(bias ? 2 : 1);
}

void convolution(LayerContext* ctx, int64_t group) {
    Convolution c;
    if (!read_convolution(ctx, group, &c)) {
        return ctx->give_up();
    }
    const Window& w = c.window;
    Dims out = {1, c.out, 0, 0};
    for (size_t a = 0; a < 2; ++a) {
        const int64_t extent = ctx->dims(0)[a + 2] + 2 * w.pad[a];
        const int64_t kernel = w.dilation[a] * (w.kernel[a] - 1) + 1;
        if (extent < kernel) {
            ctx->error("its kernel covers %lld pixels, more than the padded input of %lld",
                       static_cast<long long>(kernel), static_cast<long long>(extent));
            return ctx->give_up();
        }
        out[a + 2] = (extent - kernel) / w.stride[a] + 1;
    }
    // A 1x1 convolution of [C] is an inner product, and its result [N].
    const bool flat =
        ctx->shape(0).size() == 1 && c.group == 1 && w.kernel[0] * w.kernel[1] == 1 && w.pad[0] + w.pad[1] == 0;
    const BlobId in = flat ? ctx->in(0) : ctx->natural(0);
    LayerBuilder& layer = ctx->add(c.group > 1 ? "ConvolutionDepthWise" : "Convolution", {in});
    const bool known = !ctx->failed();
    finish_convolution(ctx, c, &layer, false);
    ctx->top_despite_weights(&layer, known, out, flat ? Dims{c.out} : natural_shape(out));
}

}  // namespace

void convert_convolution(LayerContext* ctx) {
    convolution(ctx, ctx->param().convolution_param().group());
}

void convert_depthwise(LayerContext* ctx) {
    const ConvolutionParameter& conv = ctx->param().convolution_param();
    convolution(ctx, conv.has_group() && conv.group() > 1 ? conv.group() : conv.num_output());
}

void convert_deconvolution(LayerContext* ctx) {
    Convolution c;
    if (!read_convolution(ctx, ctx->param().convolution_param().group(), &c)) {
        return ctx->give_up();
    }
    const Window& w = c.window;
    Dims out = {1, c.out, 0, 0};
    for (size_t a = 0; a < 2; ++a) {
        out[a + 2] = w.stride[a] * (ctx->dims(0)[a + 2] - 1) + w.dilation[a] * (w.kernel[a] - 1) + 1 - 2 * w.pad[a];
    }
    const BlobId in = ctx->natural(0);
    LayerBuilder& layer = ctx->add(c.group > 1 ? "DeconvolutionDepthWise" : "Deconvolution", {in});
    const bool known = !ctx->failed();
    finish_convolution(ctx, c, &layer, true);
    ctx->top_despite_weights(&layer, known, out, natural_shape(out));
}

void convert_inner_product(LayerContext* ctx) {
    const InnerProductParameter& ip = ctx->param().inner_product_param();
    const int axis = ctx->axis(0, ip.axis(), "axis");
    if (axis < 0 || !ctx->in_range("num_output", ip.num_output(), 1)) {
        return ctx->give_up();
    }
    const Dims& dims = ctx->dims(0);
    const int64_t rows = dims_count({dims.begin(), dims.begin() + axis});
    const int64_t columns = dims_count({dims.begin() + axis, dims.end()});
    const int64_t outputs = ip.num_output();
    const Dims shape = natural_shape(dims);
    Dims out(dims.begin(), dims.begin() + axis);
    out.push_back(outputs);
    // Our layer takes all of a blob, or the rows of a 2-d blob one by one.
    BlobId in = ctx->in(0);
    Dims out_shape = natural_shape(out);
    if (rows == 1) {
        const bool rows_look_alike = ctx->shape(0).size() == 2 && ctx->shape(0)[1] == columns;
        if (rows_look_alike) {
            in = ctx->reshape(in, "flatten", {-1}, {1, columns}, {columns});
        }
        out_shape = {outputs};
    } else if (shape.size() == 2 && axis == static_cast<int>(dims.size()) - 1) {
        in = ctx->natural(0);
    } else {
        in = ctx->reshape(in, "rows", {-1, columns}, {1, rows, columns}, {rows, columns});
        out_shape = {rows, outputs};
    }
    LayerBuilder& layer = ctx->add("InnerProduct", {in});
    const bool known = !ctx->failed();
    std::vector<float> weights;
    std::vector<float> bias;
    const Dims expected = ip.transpose() ? Dims{columns, outputs} : Dims{outputs, columns};
    if (ctx->weight(0, expected, "the weights", &weights)) {
        if (ip.transpose()) {
            std::vector<float> turned(weights.size());
            for (int64_t k = 0; k < columns; ++k) {
                for (int64_t n = 0; n < outputs; ++n) {
                    turned[static_cast<size_t>(n * columns + k)] = weights[static_cast<size_t>(k * outputs + n)];
                }
            }
            weights = std::move(turned);
        }
        layer.set("weight_data_size", static_cast<double>(weights.size()));
        layer.weight(std::move(weights));
    }
    layer.set("num_output", static_cast<double>(outputs)).set("bias_term", ip.bias_term() ? 1 : 0);
    if (ip.bias_term() && ctx->weight(1, {outputs}, "the bias", &bias)) {
        layer.weight(std::move(bias));
    }
    ctx->ignore_weights_from(ip.bias_term() ? 2 : 1);
    ctx->top_despite_weights(&layer, known, out, out_shape);
}

void convert_embed(LayerContext* ctx) {
    const EmbedParameter& embed = ctx->param().embed_param();
    if (!ctx->in_range("num_output", embed.num_output(), 1) || !ctx->in_range("input_dim", embed.input_dim(), 1)) {
        return ctx->give_up();
    }
    if (natural_shape(ctx->dims(0)).size() != 1) {
        ctx->error("bottom '%s' has shape %s, expected one row of indices", ctx->param().bottom(0).c_str(),
                   dims_text(ctx->dims(0)).c_str());
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("Embed", {ctx->natural(0)});
    std::vector<float> weights;
    std::vector<float> bias;
    if (ctx->weight(0, {embed.input_dim(), embed.num_output()}, "the table", &weights)) {
        layer.set("num_output", embed.num_output()).set("input_dim", embed.input_dim());
        layer.set("bias_term", embed.bias_term() ? 1 : 0).set("weight_data_size", static_cast<double>(weights.size()));
        layer.weight(std::move(weights));
    }
    if (embed.bias_term() && ctx->weight(1, {embed.num_output()}, "the bias", &bias)) {
        layer.weight(std::move(bias));
    }
    Dims out = ctx->dims(0);
    out.push_back(embed.num_output());
    ctx->top_despite_weights(&layer, true, out, natural_shape(out));
}

}  // namespace fw::caffe
