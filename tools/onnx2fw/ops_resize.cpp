// Resize, Upsample.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx2fw/fold.h"
#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

struct Named {
    const char* name;
    int value;
};

int lookup(NodeContext* ctx, const char* attribute, const std::string& text, std::initializer_list<Named> names) {
    for (const Named& n : names) {
        if (text == n.name) {
            return n.value;
        }
    }
    ctx->error("%s '%s' is not supported", attribute, text.c_str());
    return -1;
}

// Extents and, where they are given, scales of the result.
bool read_target(NodeContext* ctx, const Dims& in, Dims* dims, std::vector<double>* scales) {
    const bool upsample = ctx->op() == "Upsample";
    const int scale_input = upsample || ctx->opset() < 11 ? 1 : 2;
    std::vector<int> axes;
    if (!read_axes(ctx, 99, static_cast<int>(in.size()), &axes)) {
        return false;
    }
    if (axes.empty()) {
        axes.resize(in.size());
        std::iota(axes.begin(), axes.end(), 0);
    }
    std::vector<float> factors = ctx->attr_floats("scales");
    std::vector<int64_t> sizes;
    const bool sized = !upsample && ctx->opset() >= 11 && ctx->has(3);
    if (sized && !ctx->ints(3, "sizes", &sizes)) {
        return false;
    }
    if (!sized && factors.empty() && !ctx->floats(scale_input, "scales", &factors)) {
        return false;
    }
    *dims = in;
    scales->assign(in.size(), 0.0);
    if ((sized ? sizes.size() : factors.size()) != axes.size()) {
        ctx->error("%zu sizes or scales for %zu axes", sized ? sizes.size() : factors.size(), axes.size());
        return false;
    }
    for (size_t k = 0; k < axes.size(); ++k) {
        const auto axis = static_cast<size_t>(axes[k]);
        if (sized) {
            (*dims)[axis] = sizes[k];
        } else {
            const double extent = std::floor(static_cast<double>(in[axis]) * static_cast<double>(factors[k]));
            if (!(extent >= 1.0 && extent <= static_cast<double>(kMaxParam))) {
                ctx->error("scale %g of an extent of %lld", static_cast<double>(factors[k]),
                           static_cast<long long>(in[axis]));
                return false;
            }
            (*dims)[axis] = static_cast<int64_t>(extent);
            (*scales)[axis] = static_cast<double>(factors[k]);
        }
        if (!ctx->in_range("size", (*dims)[axis], 1)) {
            return false;
        }
    }
    const std::string policy = ctx->attr_s("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") {
        ctx->error("keep_aspect_ratio_policy is '%s', expected stretch", policy.c_str());
        return false;
    }
    return true;
}

}  // namespace

void convert_resize(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    const BlobId bottom = ctx->image(x, &order);
    Dims dims;
    std::vector<double> scales;
    if (bottom == kNoBlob || !read_target(ctx, x.dims, &dims, &scales)) {
        return;
    }
    if (dims[0] != 1 || dims[1] != x.dims[1]) {
        ctx->error("turns %s into %s, expected height and width to change", dims_text(x.dims).c_str(),
                   dims_text(dims).c_str());
        return;
    }
    const bool old = ctx->op() == "Upsample" || ctx->opset() < 11;
    const int type = lookup(ctx, "mode", ctx->attr_s("mode", "nearest"),
                            {{"nearest", 1}, {"linear", 2}, {"bilinear", 2}, {"cubic", 3}});
    const int place = lookup(ctx, "coordinate_transformation_mode",
                             ctx->attr_s("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
                             {{"half_pixel", 1}, {"asymmetric", 2}, {"align_corners", 3}, {"pytorch_half_pixel", 4}});
    const int rounding = lookup(ctx, "nearest_mode", ctx->attr_s("nearest_mode", old ? "floor" : "round_prefer_floor"),
                                {{"floor", 0}, {"ceil", 1}, {"round_prefer_floor", 2}, {"round_prefer_ceil", 3}});
    if (type < 0 || place < 0 || rounding < 0) {
        return;
    }
    if (ctx->attr("antialias", 0) != 0 || ctx->attr("exclude_outside", 0) != 0) {
        ctx->error("antialias or exclude_outside is set, expected 0");
        return;
    }
    const int64_t height = x.rank() == 4 ? dims[2] : 1;
    const bool scaled = scales.back() > 0;
    const double whole_w = scales.back() * static_cast<double>(x.dims.back());
    const double whole_h = x.rank() == 4 ? scales[2] * static_cast<double>(x.dims[2]) : 1.0;
    const bool fraction = scaled && (whole_w != std::floor(whole_w) || whole_h != std::floor(whole_h));
    if (fraction && place == 3) {
        ctx->error("align_corners with scales %g x %g, which give no whole size", scales.back(),
                   x.rank() == 4 ? scales[2] : 1.0);
        return;
    }
    LayerBuilder& layer = ctx->add("Interp", {bottom});
    layer.set("resize_type", type);
    if (fraction) {
        // The factor, not the ratio of the sizes, says where samples lie.
        layer.set("height_scale", x.rank() == 4 ? scales[2] : 1.0).set("width_scale", scales.back());
    } else {
        layer.set("output_height", static_cast<double>(height)).set("output_width", static_cast<double>(dims.back()));
    }
    // What ncnn's layer does by itself is written without our own keys.
    const bool plain_nearest = type == 1 && place == 2 && rounding == 0;
    const bool plain_linear = type != 1 && (place == 1 || (place == 4 && height > 1 && dims.back() > 1));
    if (place == 3 && type != 1) {
        layer.set("align_corner", 1);
    } else if (!plain_nearest && !plain_linear) {
        layer.set("coordinates", place);
        if (type == 1) {
            layer.set("nearest_rounding", rounding);
        }
    }
    const double cubic = ctx->attr_f("cubic_coeff_a", -0.75);
    if (type == 3 && cubic != -0.75) {
        layer.set("cubic_a", cubic);
    }
    const Dims shape = {x.dims[1], height, dims.back()};
    if (x.rank() == 4) {
        ctx->out(0, &layer, dims, shape, {kNoAxis, 0, 1, 2});
    } else {
        ctx->out(0, &layer, dims, shape, {kNoAxis, 0, 2});
    }
}

}  // namespace fw::onnx
