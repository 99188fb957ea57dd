// Resize, Upsample.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx2fw/fold.h"
#include "onnx2fw/ops.h"
#include "onnx2fw/resize_matrix.h"

namespace fw::onnx {

namespace {

constexpr int kMatrixOnly = 5;  ///< a coordinate_transformation_mode that Interp has not

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

// One scale for all axes: the smallest (not_larger) or largest that the sizes ask for.
bool keep_aspect(NodeContext* ctx, const std::string& policy, const Dims& in, const std::vector<int>& axes, Dims* dims,
                 std::vector<double>* scales) {
    const bool smallest = policy == "not_larger";
    if (!smallest && policy != "not_smaller") {
        ctx->error("keep_aspect_ratio_policy is '%s', expected stretch, not_larger or not_smaller", policy.c_str());
        return false;
    }
    double scale = 0.0;
    for (const int k : axes) {
        const auto axis = static_cast<size_t>(k);
        const double wanted = static_cast<double>((*dims)[axis]) / static_cast<double>(in[axis]);
        scale = scale == 0.0 ? wanted : smallest ? std::min(scale, wanted) : std::max(scale, wanted);
    }
    for (const int k : axes) {
        const auto axis = static_cast<size_t>(k);
        (*scales)[axis] = scale;
        (*dims)[axis] = static_cast<int64_t>(std::floor(scale * static_cast<double>(in[axis]) + 0.5));
        if (!ctx->in_range("size", (*dims)[axis], 1)) {
            return false;
        }
    }
    return true;
}

// In float32, as ONNX infers shapes: 13 / 9 of 9 is 13.
double scaled_extent(int64_t extent, double scale) {
    return static_cast<double>(static_cast<float>(extent) * static_cast<float>(scale));
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
            const double extent = std::floor(scaled_extent(in[axis], static_cast<double>(factors[k])));
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
    return !sized || policy == "stretch" || keep_aspect(ctx, policy, in, axes, dims, scales);
}

// Part of each axis that tf_crop_and_resize cuts out: the starts of `roi`, then the ends, by axis or by `axes`.
bool read_roi(NodeContext* ctx, std::vector<ResizeAxis>* out) {
    std::vector<float> roi;
    std::vector<int> axes;
    if (!ctx->floats(1, "roi", &roi) || !read_axes(ctx, 99, ctx->in(0).rank(), &axes)) {
        return false;
    }
    if (axes.empty()) {
        axes.resize(ctx->in(0).dims.size());
        std::iota(axes.begin(), axes.end(), 0);
    }
    if (roi.size() != 2 * axes.size()) {
        ctx->error("roi has %zu values, expected a start and an end for %zu axes", roi.size(), axes.size());
        return false;
    }
    for (ResizeAxis& axis : *out) {
        const auto at = static_cast<size_t>(std::find(axes.begin(), axes.end(), axis.axis) - axes.begin());
        if (at < axes.size()) {
            axis.roi_begin = static_cast<double>(roi[at]);
            axis.roi_end = static_cast<double>(roi[at + axes.size()]);
        }
    }
    return true;
}

// All axes whose extent changes, and, for a cut-out, all that are cut.
void by_matrices(NodeContext* ctx, const Dims& dims, const std::vector<double>& scales, const ResizeRule& rule) {
    const Value x = ctx->in(0);
    std::vector<ResizeAxis> all;
    for (size_t k = 0; k < dims.size(); ++k) {
        const double ratio = static_cast<double>(dims[k]) / static_cast<double>(x.dims[k]);
        all.push_back({static_cast<int>(k), x.dims[k], dims[k], scales[k] > 0.0 ? scales[k] : ratio, 0.0, 1.0});
    }
    if (rule.coordinates == "tf_crop_and_resize" && !read_roi(ctx, &all)) {
        return;
    }
    std::vector<ResizeAxis> changed;
    for (const ResizeAxis& axis : all) {
        if (axis.in != axis.out || axis.scale != 1.0 || axis.roi_begin != 0.0 || axis.roi_end != 1.0) {
            changed.push_back(axis);
        }
    }
    if (changed.empty()) {
        ctx->view(0, x);
        return;
    }
    resize_by_matrices(ctx, x, changed, rule);
}

}  // namespace

void convert_resize(NodeContext* ctx) {
    const Value x = ctx->in(0);
    Dims dims;
    std::vector<double> scales;
    if (!read_target(ctx, x.dims, &dims, &scales)) {
        return;
    }
    const bool old = ctx->op() == "Upsample" || ctx->opset() < 11;
    ResizeRule rule;
    rule.mode = ctx->attr_s("mode", "nearest");
    rule.coordinates = ctx->attr_s("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    rule.nearest = ctx->attr_s("nearest_mode", old ? "floor" : "round_prefer_floor");
    rule.cubic_a = ctx->attr_f("cubic_coeff_a", -0.75);
    rule.extrapolation = ctx->attr_f("extrapolation_value", 0.0);
    rule.antialias = ctx->attr("antialias", 0) != 0;
    rule.exclude_outside = ctx->attr("exclude_outside", 0) != 0;
    const int type = lookup(ctx, "mode", rule.mode, {{"nearest", 1}, {"linear", 2}, {"bilinear", 2}, {"cubic", 3}});
    const int place = lookup(ctx, "coordinate_transformation_mode", rule.coordinates,
                             {{"half_pixel", 1},
                              {"asymmetric", 2},
                              {"align_corners", 3},
                              {"pytorch_half_pixel", 4},
                              {"half_pixel_symmetric", kMatrixOnly},
                              {"tf_crop_and_resize", kMatrixOnly}});
    const int rounding = lookup(ctx, "nearest_mode", rule.nearest,
                                {{"floor", 0}, {"ceil", 1}, {"round_prefer_floor", 2}, {"round_prefer_ceil", 3}});
    if (type < 0 || place < 0 || rounding < 0) {
        return;
    }
    if (!std::isfinite(rule.extrapolation) || !std::isfinite(rule.cubic_a)) {
        ctx->error("extrapolation_value is %g, cubic_coeff_a %g, expected finite numbers", rule.extrapolation,
                   rule.cubic_a);
        return;
    }
    rule.mode = type == 2 ? "linear" : rule.mode;  // "bilinear" is Upsample's word
    const bool image = (x.rank() == 3 || x.rank() == 4) && x.dims[0] == 1 && dims[0] == 1 && dims[1] == x.dims[1];
    const int64_t height = image && x.rank() == 4 ? dims[2] : 1;
    const bool scaled = image && scales.back() > 0;
    const double scale_h = image && x.rank() == 4 ? scales[2] : 1.0;
    const double whole_w = scaled ? scaled_extent(x.dims.back(), scales.back()) : 0.0;
    const double whole_h = scaled && x.rank() == 4 ? scaled_extent(x.dims[2], scale_h) : 1.0;
    const bool fraction = scaled && (whole_w != std::floor(whole_w) || whole_h != std::floor(whole_h));
    if (!image || place == kMatrixOnly || rule.antialias || (rule.exclude_outside && type == 3) ||
        (fraction && place == 3) || ctx->attr_s("keep_aspect_ratio_policy", "stretch") != "stretch") {
        by_matrices(ctx, dims, scales, rule);
        return;
    }
    std::vector<int> order;
    const BlobId bottom = ctx->image(x, &order);
    if (bottom == kNoBlob) {
        return;
    }
    LayerBuilder& layer = ctx->add("Interp", {bottom});
    layer.set("resize_type", type);
    if (fraction) {
        // The factor, not the ratio of the sizes, says where samples lie.
        layer.set("height_scale", scale_h).set("width_scale", scales.back());
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
    if (type == 3 && rule.cubic_a != -0.75) {
        layer.set("cubic_a", rule.cubic_a);
    }
    const Dims shape = {x.dims[1], height, dims.back()};
    if (x.rank() == 4) {
        ctx->out(0, &layer, dims, shape, {kNoAxis, 0, 1, 2});
    } else {
        ctx->out(0, &layer, dims, shape, {kNoAxis, 0, 2});
    }
}

}  // namespace fw::onnx
