// Every resizing of ONNX is linear and separable: a matrix along height, another along width. Interp does the usual
// ones without matrices; antialiasing, exclude_outside, cut-outs and other axes than height and width come here.
// Definitions: the Resize operator's page in the ONNX specification.
#include "onnx2fw/resize_matrix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

// Where output element i lies in the input.
double place(const ResizeAxis& a, const std::string& coordinates, double i) {
    const auto in = static_cast<double>(a.in);
    const auto out = static_cast<double>(a.out);
    if (coordinates == "asymmetric") {
        return i / a.scale;
    }
    if (coordinates == "align_corners") {
        const double length = a.scale * in;
        return length == 1.0 ? 0.0 : i * (in - 1.0) / (length - 1.0);
    }
    if (coordinates == "tf_crop_and_resize") {
        return a.out > 1 ? a.roi_begin * (in - 1.0) + i * (a.roi_end - a.roi_begin) * (in - 1.0) / (out - 1.0)
                         : 0.5 * (a.roi_begin + a.roi_end) * (in - 1.0);
    }
    const double half = (i + 0.5) / a.scale - 0.5;
    if (coordinates == "half_pixel_symmetric") {
        return 0.5 * in * (1.0 - out / (a.scale * in)) + half;
    }
    return coordinates == "pytorch_half_pixel" && a.out == 1 ? 0.0 : half;
}

double nearest_to(double x, const std::string& rounding) {
    if (rounding == "floor") {
        return std::floor(x);
    }
    if (rounding == "ceil") {
        return std::ceil(x);
    }
    return rounding == "round_prefer_floor" ? std::ceil(x - 0.5) : std::floor(x + 0.5);
}

// The weight of an element at distance d: a triangle, or Keys's cubic with coefficient a.
double weight(double d, const ResizeRule& rule) {
    d = std::fabs(d);
    if (rule.mode == "linear") {
        return std::max(0.0, 1.0 - d);
    }
    const double a = rule.cubic_a;
    if (d <= 1.0) {
        return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    }
    return d < 2.0 ? ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a : 0.0;
}

void add_row(const ResizeAxis& a, const ResizeRule& rule, double x, float* row) {
    const int64_t last = a.in - 1;
    if (!std::isfinite(x)) {
        return;  // a region of the input that is no number
    }
    if (rule.mode == "nearest") {
        const double k = std::max(nearest_to(x, rule.nearest), 0.0);
        row[static_cast<int64_t>(std::min(k, static_cast<double>(last)))] = 1.0F;
        return;
    }
    // Antialiasing widens the window where the input is made smaller. No window is wider than the input and its border.
    const double shrink = rule.antialias ? std::min(a.scale, 1.0) : 1.0;
    const double reach = std::min((rule.mode == "linear" ? 1.0 : 2.0) / shrink, static_cast<double>(a.in) + 4.0);
    const double centre = std::min(std::max(x, -reach - 4.0), static_cast<double>(last) + reach + 4.0);
    double sum = 0;
    std::vector<std::pair<int64_t, double>> taps;
    const auto first = static_cast<int64_t>(std::floor(centre - reach)) + 1;
    const auto end = static_cast<int64_t>(std::ceil(centre + reach));
    for (int64_t k = first; k < end; ++k) {
        const bool outside = k < 0 || k > last;
        const double w =
            rule.exclude_outside && outside ? 0.0 : weight((static_cast<double>(k) - centre) * shrink, rule);
        taps.emplace_back(k, w);
        sum += w;
    }
    for (const auto& [k, w] : taps) {
        row[std::min(std::max<int64_t>(k, 0), last)] += static_cast<float>(sum == 0.0 ? 0.0 : w / sum);
    }
}

// The axis as the last one, which InnerProduct works on.
Value with_last(Value v, int axis) {
    std::swap(v.dims[static_cast<size_t>(axis)], v.dims.back());
    if (!v.axes.empty()) {
        std::swap(v.axes[static_cast<size_t>(axis)], v.axes.back());
    }
    return v;
}

}  // namespace

std::vector<float> resize_matrix(const ResizeAxis& axis, const ResizeRule& rule, std::vector<bool>* outside) {
    std::vector<float> matrix(static_cast<size_t>(axis.in * axis.out), 0.0F);
    outside->assign(static_cast<size_t>(axis.out), false);
    for (int64_t i = 0; i < axis.out; ++i) {
        const double x = place(axis, rule.coordinates, static_cast<double>(i));
        if (rule.coordinates == "tf_crop_and_resize" && !(x >= 0.0 && x <= static_cast<double>(axis.in - 1))) {
            (*outside)[static_cast<size_t>(i)] = true;
        } else {
            add_row(axis, rule, x, matrix.data() + i * axis.in);
        }
    }
    return matrix;
}

void resize_by_matrices(NodeContext* ctx, const Value& x, const std::vector<ResizeAxis>& axes, const ResizeRule& rule) {
    Value v = x;
    for (size_t k = 0; k < axes.size(); ++k) {
        const ResizeAxis& axis = axes[k];
        if (axis.in * axis.out > kMaxFolded) {
            ctx->error("axis %d goes from %lld to %lld, too far for this kind of resizing", axis.axis,
                       static_cast<long long>(axis.in), static_cast<long long>(axis.out));
            return;
        }
        if (!ctx->take_budget(axis.in * axis.out)) {
            return;
        }
        std::vector<bool> outside;
        std::vector<float> matrix = resize_matrix(axis, rule, &outside);
        std::vector<float> bias;
        if (rule.extrapolation != 0.0) {
            for (const bool out : outside) {
                bias.push_back(out ? static_cast<float>(rule.extrapolation) : 0.0F);
            }
        }
        const std::string suffix = k + 1 == axes.size() ? "" : "axis" + std::to_string(axis.axis);
        if (!inner_product(ctx, with_last(v, axis.axis), axis.out, std::move(matrix), std::move(bias), suffix, &v)) {
            return;
        }
        v = with_last(v, axis.axis);
    }
    ctx->view(0, v);
}

}  // namespace fw::onnx
