#include "zoo_layers.h"

#include <algorithm>
#include <set>

#include "model/schema.h"
#include "zoo/shapes.h"
#include "zoo/zoo.h"

namespace fw::bench {

namespace {

/// Inputs with fewer channels run with filter rows as taps (layer/support/conv_layer.cpp).
constexpr int kRowTapChannels = 16;

std::string extents(const Shape& in, const ZooLayer& layer, int kernel, int stride, int dilation) {
    std::string text = std::to_string(in.rank == 1 ? 1 : in.h()) + "x" + std::to_string(in.rank == 1 ? 1 : in.w());
    text += layer.depthwise ? "_dw" + std::to_string(layer.k)
                            : "_" + std::to_string(in.rank == 1 ? in.w() : in.c()) + "_" + std::to_string(layer.n);
    text += "_k" + std::to_string(kernel) + "s" + std::to_string(stride);
    return dilation > 1 ? text + "d" + std::to_string(dilation) : text;
}

// Padding before the first pixel; where the parameter is a code for "same", half of what the output's extent needs.
int padding(int given, int in, int out, int reach, int stride) {
    return given >= 0 ? given : std::max(0, (out - 1) * stride + reach - in) / 2;
}

ZooLayer inner_product(const LayerDef& def, const Shape& in) {
    ZooLayer layer;
    const Params params(*find_schema(def.type), def.params);
    layer.n = params.i(0);
    layer.k = def.weights[0].count() / layer.n;
    layer.input_pixels = 1;
    const Shape line(static_cast<int>(layer.k));
    layer.name = extents(in.rank == 1 ? in : line, layer, 1, 1, 1);
    return layer;
}

ZooLayer convolution(const LayerDef& def, const Shape& in, const Shape& out) {
    const Params params(*find_schema(def.type), def.params);
    const int group = def.type == "ConvolutionDepthWise" ? params.i(7) : 1;
    ZooLayer layer;
    ConvGeometry& g = layer.geometry;
    g.in_h = in.h();
    g.in_w = in.w();
    g.out_h = out.h();
    g.out_w = out.w();
    g.kernel_w = params.i(1);
    g.kernel_h = params.i(11);
    g.dilation_w = params.i(2);
    g.dilation_h = params.i(12);
    g.stride_w = params.i(3);
    g.stride_h = params.i(13);
    g.pad_left = padding(params.i(4), g.in_w, g.out_w, (g.kernel_w - 1) * g.dilation_w + 1, g.stride_w);
    g.pad_top = padding(params.i(14), g.in_h, g.out_h, (g.kernel_h - 1) * g.dilation_h + 1, g.stride_h);
    layer.depthwise = group > 1 && group == in.c() && group == out.c();
    layer.k = layer.depthwise ? in.c() : in.c() / group;
    layer.n = layer.depthwise ? out.c() : out.c() / group;
    layer.name = extents(in, layer, g.kernel_h, g.stride_h, g.dilation_h);
    int64_t width = g.in_w;
    if (group == 1 && g.kernel_w > 1 && g.dilation_w == 1 && in.c() < kRowTapChannels) {
        width = std::max<int64_t>(g.in_w + g.pad_left, int64_t{g.out_w - 1} * g.stride_w + g.kernel_w);
        g.in_w = static_cast<int>(width) - g.kernel_w + 1;
        layer.k *= g.kernel_w;
        g.kernel_w = 1;
        g.pad_left = 0;
    }
    // Tensors of this group alone: a kernel sees its channels, the rest is stride.
    const int64_t channels = layer.depthwise ? in.c() : in.c() / group;
    layer.input_pixels = width * in.h();
    g.in_w_stride = channels;
    g.in_h_stride = channels * width;
    g.out_w_stride = layer.n;
    g.out_h_stride = layer.n * g.out_w;
    return layer;
}

}  // namespace

std::vector<ZooLayer> zoo_layers() {
    std::vector<ZooLayer> layers;
    std::set<std::string> seen;
    for (const zoo::Network& network : zoo::networks()) {
        const Result<NetDef> net = zoo::build(network, 1);
        const auto shapes = net.ok() ? zoo::blob_shapes(*net) : net.status();
        if (!shapes.ok()) {
            return {};
        }
        for (const LayerDef& def : net->layers) {
            const bool product = def.type == "InnerProduct";
            if (!product && def.type != "Convolution" && def.type != "ConvolutionDepthWise") {
                continue;
            }
            const Shape& in = shapes->at(def.bottoms[0]);
            ZooLayer layer = product ? inner_product(def, in) : convolution(def, in, shapes->at(def.tops[0]));
            if (seen.insert(layer.name).second) {
                layer.name = std::string(network.name) + "/" + layer.name;
                layers.push_back(std::move(layer));
            }
        }
    }
    return layers;
}

}  // namespace fw::bench
