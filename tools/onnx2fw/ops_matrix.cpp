// Gemm, MatMul.
#include <algorithm>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/ops.h"

namespace fw::onnx {

bool inner_product(NodeContext* ctx, const Value& x, int64_t n, std::vector<float> weights, std::vector<float> bias,
                   const std::string& suffix, Value* out) {
    const int64_t k = x.dims.back();
    std::vector<int> order;  // the axes of rows that are not 1, and k
    for (int axis = 0; axis + 1 < x.rank(); ++axis) {
        if (x.dims[static_cast<size_t>(axis)] != 1) {
            order.push_back(axis);
        }
    }
    if (order.size() > 3) {
        ctx->error("input %s has more than three axes of rows", dims_text(x.dims).c_str());
        return false;
    }
    const std::vector<int> rows = order;
    int64_t count = 1;
    for (const int axis : rows) {
        count *= x.dims[static_cast<size_t>(axis)];
    }
    order.push_back(x.rank() - 1);
    BlobId bottom = ctx->arrange(x, order);
    if (bottom == kNoBlob) {
        return false;
    }
    if (rows.size() > 1) {
        LayerBuilder& flat = ctx->add_inner("Reshape", "rows", {bottom});
        import::set_extents(&flat, {count, k});
        bottom = ctx->inner(&flat, "rows");
    }
    LayerBuilder& layer =
        suffix.empty() ? ctx->add("InnerProduct", {bottom}) : ctx->add_inner("InnerProduct", suffix, {bottom});
    layer.set("num_output", static_cast<double>(n)).set("bias_term", bias.empty() ? 0 : 1);
    layer.set("weight_data_size", static_cast<double>(weights.size()));
    layer.weight(std::move(weights));
    if (!bias.empty()) {
        layer.weight(std::move(bias));
    }
    Dims dims = x.dims;
    dims.back() = n;
    std::vector<int> axes(dims.size(), kNoAxis);
    Dims shape;
    for (const int axis : rows) {
        axes[static_cast<size_t>(axis)] = static_cast<int>(shape.size());
        shape.push_back(x.dims[static_cast<size_t>(axis)]);
    }
    axes.back() = static_cast<int>(shape.size());
    shape.push_back(n);
    if (dims_count(dims) < 1) {
        ctx->error("output would be %s", dims_text(dims).c_str());
        return false;
    }
    if (rows.size() > 1) {
        const BlobId product = ctx->inner(&layer, suffix + "product");
        LayerBuilder& back = ctx->add_inner("Reshape", suffix + "back", {product});
        import::set_extents(&back, shape);
        ctx->out(0, &back, dims, shape, axes);
    } else {
        ctx->out(0, &layer, dims, shape, axes);
    }
    *out = ctx->conversion().values[ctx->node().output(0)];
    return !ctx->failed();
}

namespace {

// [k][n] or, if `is_nk`, [n][k] -> [n][k], times a factor.
std::vector<float> weights_nk(const std::vector<float>& b, int64_t k, int64_t n, bool is_nk, float factor) {
    std::vector<float> out(b.size());
    for (int64_t r = 0; r < n; ++r) {
        for (int64_t c = 0; c < k; ++c) {
            out[static_cast<size_t>(r * k + c)] = factor * b[static_cast<size_t>(is_nk ? r * k + c : c * n + r)];
        }
    }
    return out;
}

Value swapped(Value v) {
    std::swap(v.dims[0], v.dims[1]);
    if (!v.axes.empty()) {
        std::swap(v.axes[0], v.axes[1]);
    }
    return v;
}

// Keeps the int8 scales of a matrix [k][n] (or [n][k] if `is_nk`) under the name of the layer.
void keep_scales(NodeContext* ctx, const Constant& b, bool is_nk, int64_t n) {
    std::vector<double> steps = b.quant_steps;
    if (steps.empty() || (steps.size() != 1 && b.quant_axis != (is_nk ? 0 : 1))) {
        return;
    }
    if (steps.size() == 1) {
        steps.assign(static_cast<size_t>(n), steps[0]);
    }
    ctx->conversion().weight_quant[import::file_safe_name(ctx->name())] = std::move(steps);
}

}  // namespace

void convert_gemm(NodeContext* ctx) {
    Value a = ctx->in(0);
    const Value b = ctx->in(1);
    const auto alpha = static_cast<float>(ctx->attr_f("alpha", 1));
    const auto beta = static_cast<float>(ctx->attr_f("beta", 1));
    const bool trans_b = ctx->attr("transB", 0) != 0;
    if (a.rank() != 2 || b.rank() != 2) {
        ctx->error("inputs are %s and %s, expected two matrices", dims_text(a.dims).c_str(), dims_text(b.dims).c_str());
        return;
    }
    const int64_t k = b.dims[trans_b ? 1 : 0];
    const int64_t n = b.dims[trans_b ? 0 : 1];
    const bool trans_a = ctx->attr("transA", 0) != 0;
    if (a.dims[trans_a ? 0 : 1] != k) {
        ctx->error("inputs are %s and %s: inner extents do not match", dims_text(a.dims).c_str(),
                   dims_text(b.dims).c_str());
        return;
    }
    const ConstantPtr known_b = ctx->constant(1);
    const ConstantPtr known_c = ctx->constant(2);
    // One value a column, or one in all, is a bias.
    const bool bias_c =
        !ctx->has(2) ||
        (known_c != nullptr &&
         (known_c->count() == 1 || (static_cast<int64_t>(known_c->count()) == n && known_c->dims.back() == n)));
    if (known_b == nullptr || a.blob == kNoBlob || !bias_c) {
        // Both are computed, or C is: our Gemm scales C by alpha too.
        const BlobId left = ctx->arrange(a, {0, 1});
        const BlobId right = ctx->arrange(b, {0, 1});
        std::vector<BlobId> bottoms = {left, right};
        const Value c = ctx->has(2) ? ctx->in(2) : Value();
        if (ctx->has(2)) {
            std::vector<int> order;
            for (int axis = c.rank() == 2 ? 0 : -1; static_cast<int>(order.size()) < 2; ++axis) {
                order.push_back(axis < 0 || axis >= c.rank() ? kNoAxis : axis);
            }
            Dims whole;
            const Dims result = {a.dims[trans_a ? 1 : 0], n};
            if (c.rank() > 2 || !broadcast(c.dims, result, &whole) || whole != result || alpha == 0.0F) {
                ctx->error("C is %s and alpha %g, expected what fits %s, and alpha above 0", dims_text(c.dims).c_str(),
                           static_cast<double>(alpha), dims_text(result).c_str());
                return;
            }
            bottoms.push_back(ctx->arrange(c, c.rank() == 0 ? std::vector<int>{kNoAxis, kNoAxis} : order));
        }
        if (ctx->failed()) {
            return;
        }
        LayerBuilder& layer = ctx->add("Gemm", bottoms);
        layer.set("alpha", static_cast<double>(alpha)).set("transA", trans_a ? 1 : 0).set("transB", trans_b ? 1 : 0);
        if (ctx->has(2)) {
            layer.set("beta", static_cast<double>(beta / alpha));
        }
        const Dims dims = {a.dims[trans_a ? 1 : 0], n};
        ctx->out(0, &layer, dims, dims, {0, 1});
        return;
    }
    a = trans_a ? swapped(a) : a;
    std::vector<float> values;
    if (!ctx->floats(1, "B", &values)) {
        return;
    }
    keep_scales(ctx, *known_b, trans_b, n);
    std::vector<float> bias;
    if (known_c != nullptr) {
        bias = known_c->floats();
        bias.resize(static_cast<size_t>(n), bias[0]);
        for (float& value : bias) {
            value *= beta;
        }
    }
    Value out;
    inner_product(ctx, a, n, weights_nk(values, k, n, trans_b, alpha), std::move(bias), "", &out);
}

void convert_matmul(NodeContext* ctx) {
    const Value a = ctx->in(0);
    const Value b = ctx->in(1);
    if (a.rank() == 0 || b.rank() == 0) {
        ctx->error("inputs are %s and %s, expected at least one axis", dims_text(a.dims).c_str(),
                   dims_text(b.dims).c_str());
        return;
    }
    const int64_t inner = b.dims[b.rank() == 1 ? 0 : b.dims.size() - 2];
    if (a.dims.back() != inner) {
        ctx->error("inputs are %s and %s: inner extents do not match", dims_text(a.dims).c_str(),
                   dims_text(b.dims).c_str());
        return;
    }
    const ConstantPtr known = ctx->constant(1);
    if (known != nullptr && b.rank() == 2 && a.blob != kNoBlob) {
        std::vector<float> values;
        Value out;
        if (ctx->floats(1, "B", &values)) {
            keep_scales(ctx, *known, false, b.dims[1]);
            inner_product(ctx, a, b.dims[1], weights_nk(values, inner, b.dims[1], false, 1.0F), {}, "", &out);
        }
        return;
    }
    const Dims a_outer(a.dims.begin(), a.dims.end() - std::min(2, a.rank()));
    const Dims b_outer(b.dims.begin(), b.dims.end() - std::min(2, b.rank()));
    Dims dims;
    if (!broadcast(a_outer, b_outer, &dims)) {
        ctx->error("inputs are %s and %s: outer extents do not fit together", dims_text(a.dims).c_str(),
                   dims_text(b.dims).c_str());
        return;
    }
    // Outer axes of which one is above 1, aligned at the innermost.
    const size_t outer = dims.size();
    std::vector<int> kept;
    for (size_t k = 0; k < outer; ++k) {
        if (dims[k] != 1) {
            kept.push_back(static_cast<int>(k));
        }
    }
    if (kept.size() > 2) {
        ctx->error("inputs are %s and %s, expected at most two outer axes above 1", dims_text(a.dims).c_str(),
                   dims_text(b.dims).c_str());
        return;
    }
    const auto order_of = [&](const Value& v, bool swap) {
        std::vector<int> order;
        const int own = std::max(0, v.rank() - 2);
        for (const int k : kept) {
            const int axis = k - static_cast<int>(outer) + own;
            order.push_back(axis < 0 || v.rank() < 3 ? kNoAxis : axis);
        }
        if (v.rank() == 1) {
            order.clear();
            order.push_back(0);
            return order;
        }
        order.push_back(swap ? v.rank() - 1 : v.rank() - 2);
        order.push_back(swap ? v.rank() - 2 : v.rank() - 1);
        return order;
    };
    // B may lie transposed already, as attention's keys do.
    const bool trans_b = b.rank() > 1 && !ctx->lies(b, order_of(b, false)) && ctx->lies(b, order_of(b, true));
    const BlobId left = ctx->arrange(a, order_of(a, false));
    const BlobId right = ctx->arrange(b, order_of(b, trans_b));
    if (ctx->failed() || left == kNoBlob || right == kNoBlob) {
        return;
    }
    LayerBuilder& layer = ctx->add("MatMul", {left, right});
    layer.set("transB", trans_b ? 1 : 0);
    Dims shape;
    std::vector<int> axes(outer, kNoAxis);
    for (const int k : kept) {
        axes[static_cast<size_t>(k)] = static_cast<int>(shape.size());
        shape.push_back(dims[static_cast<size_t>(k)]);
    }
    const auto push = [&](int64_t extent) {
        axes.push_back(static_cast<int>(shape.size()));
        dims.push_back(extent);
        shape.push_back(extent);
    };
    if (a.rank() > 1) {
        push(a.dims[a.dims.size() - 2]);
    }
    if (b.rank() > 1) {
        push(b.dims.back());
    }
    if (shape.empty()) {
        shape.push_back(1);
    }
    ctx->out(0, &layer, dims, shape, axes);
}

}  // namespace fw::onnx
