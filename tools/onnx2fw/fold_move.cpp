// Constant folding: values that are moved, repeated or picked.
#include <algorithm>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/fold_rules.h"

namespace fw::onnx {

namespace {

bool same_values(NodeContext* ctx, const Constant& c, const Dims& dims) {
    Constant out;
    if (make(ctx, c.type, dims, &out)) {
        out.f = c.f;
        out.i = c.i;
        if (dims == c.dims) {
            out.quant_steps = c.quant_steps;
            out.quant_axis = c.quant_axis;
        }
        ctx->constant_out(0, std::move(out));
    }
    return true;
}

}  // namespace

bool fold_identity(NodeContext* ctx, const Inputs& in) {
    return same_values(ctx, *in[0], in[0]->dims);
}

bool fold_reshape(NodeContext* ctx, const Inputs& in) {
    Dims dims;
    return !read_reshape(ctx, in[0]->dims, &dims) || same_values(ctx, *in[0], dims);
}

bool fold_squeeze(NodeContext* ctx, const Inputs& in) {
    std::vector<int> axes;
    const Dims& from = in[0]->dims;
    if (!read_axes(ctx, 1, static_cast<int>(from.size()), &axes)) {
        return true;
    }
    Dims dims;
    for (size_t k = 0; k < from.size(); ++k) {
        const bool named = std::find(axes.begin(), axes.end(), static_cast<int>(k)) != axes.end();
        if (from[k] != 1 || (!named && !axes.empty())) {
            dims.push_back(from[k]);
        }
    }
    if (dims_count(dims) != dims_count(from)) {
        ctx->error("squeezes axes of %s that are not 1", dims_text(from).c_str());
        return true;
    }
    return same_values(ctx, *in[0], dims);
}

bool fold_unsqueeze(NodeContext* ctx, const Inputs& in) {
    std::vector<int> axes;
    std::vector<int64_t> given = ctx->attr_ints("axes");
    if (ctx->has(1) && !ctx->ints(1, "axes", &given)) {
        return true;
    }
    const size_t rank = in[0]->dims.size() + given.size();
    if (rank > 16 || !read_axes(ctx, 1, static_cast<int>(rank), &axes)) {
        if (rank > 16) {
            ctx->error("gives %zu axes, expected at most 16", rank);
        }
        return true;
    }
    Dims dims;
    size_t next = 0;
    for (size_t k = 0; k < rank; ++k) {
        const bool added = std::find(axes.begin(), axes.end(), static_cast<int>(k)) != axes.end();
        dims.push_back(added ? 1 : in[0]->dims[next++]);
    }
    return same_values(ctx, *in[0], dims);
}

bool fold_transpose(NodeContext* ctx, const Inputs& in) {
    std::vector<int> order;
    const int rank = static_cast<int>(in[0]->dims.size());
    const std::vector<int64_t> perm = ctx->attr_ints("perm");
    order.reserve(in[0]->dims.size());
    for (int k = 0; k < rank; ++k) {
        order.push_back(perm.empty() ? rank - 1 - k : 0);
    }
    for (size_t k = 0; k < perm.size() && k < order.size(); ++k) {
        order[k] = perm[k] >= 0 && perm[k] < rank ? static_cast<int>(perm[k]) : -1;
    }
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (int k = 0; k < rank; ++k) {
        if (sorted[static_cast<size_t>(k)] != k || (!perm.empty() && perm.size() != order.size())) {
            ctx->error("perm is %s, expected the axes of %s in some order", dims_text(perm).c_str(),
                       dims_text(in[0]->dims).c_str());
            return true;
        }
    }
    if (ctx->take_budget(static_cast<int64_t>(in[0]->count()))) {
        ctx->constant_out(0, transposed(*in[0], order));
    }
    return true;
}

bool fold_concat(NodeContext* ctx, const Inputs& in) {
    Dims dims = in[0]->dims;
    const int axis = ctx->axis(ctx->attr("axis", 0), static_cast<int>(dims.size()));
    if (axis < 0) {
        return true;
    }
    const auto along = static_cast<size_t>(axis);
    dims[along] = 0;
    for (const ConstantPtr& c : in) {
        Dims rest = c->dims;
        if (rest.size() == dims.size()) {
            dims[along] += rest[along];
            rest[along] = dims[along];
        }
        if (rest != dims) {
            ctx->error("joins %s and %s", dims_text(in[0]->dims).c_str(), dims_text(c->dims).c_str());
            return true;
        }
    }
    Constant out;
    if (!make(ctx, in[0]->type, dims, &out)) {
        return true;
    }
    size_t outer = 1;
    size_t inner = 1;
    for (size_t k = 0; k < dims.size(); ++k) {
        (k < along ? outer : inner) *= k == along ? 1 : static_cast<size_t>(dims[k]);
    }
    size_t at = 0;
    for (size_t o = 0; o < outer; ++o) {
        for (const ConstantPtr& c : in) {
            const size_t run = inner * static_cast<size_t>(c->dims[along]);
            for (size_t k = 0; k < run; ++k) {
                copy(*c, o * run + k, &out, at++);
            }
        }
    }
    ctx->constant_out(0, std::move(out));
    return true;
}

bool fold_gather(NodeContext* ctx, const Inputs& in) {
    const Constant& data = *in[0];
    const int axis = ctx->axis(ctx->attr("axis", 0), static_cast<int>(data.dims.size()));
    if (axis < 0 || in[1]->real()) {
        return axis < 0;
    }
    const auto along = static_cast<size_t>(axis);
    const int64_t extent = data.dims[along];
    Dims dims(data.dims.begin(), data.dims.begin() + axis);
    dims.insert(dims.end(), in[1]->dims.begin(), in[1]->dims.end());
    dims.insert(dims.end(), data.dims.begin() + axis + 1, data.dims.end());
    for (const int64_t index : in[1]->i) {
        if (index < -extent || index >= extent) {
            ctx->error("index %lld of an extent of %lld", static_cast<long long>(index),
                       static_cast<long long>(extent));
            return true;
        }
    }
    Constant out;
    if (!make(ctx, data.type, dims, &out)) {
        return true;
    }
    size_t outer = 1;
    size_t inner = 1;
    for (size_t k = 0; k < data.dims.size(); ++k) {
        (k < along ? outer : inner) *= k == along ? 1 : static_cast<size_t>(data.dims[k]);
    }
    size_t at = 0;
    for (size_t o = 0; o < outer && out.count() > 0; ++o) {
        for (const int64_t index : in[1]->i) {
            const auto row = static_cast<size_t>(index < 0 ? index + extent : index);
            for (size_t k = 0; k < inner; ++k) {
                copy(data, (o * static_cast<size_t>(extent) + row) * inner + k, &out, at++);
            }
        }
    }
    ctx->constant_out(0, std::move(out));
    return true;
}

bool fold_slice(NodeContext* ctx, const Inputs& in) {
    SliceBox box;
    Constant out;
    if (!read_slice(ctx, in[0]->dims, &box) || !make(ctx, in[0]->type, box.extent, &out)) {
        return true;
    }
    Dims steps = steps_of(in[0]->dims);
    int64_t start = 0;
    for (size_t k = 0; k < steps.size(); ++k) {
        start += steps[k] * box.start[k];
        steps[k] *= box.step[k];
    }
    walk(box.extent, {steps}, {start},
         [&](size_t k, const Dims& at) { copy(*in[0], static_cast<size_t>(at[0]), &out, k); });
    ctx->constant_out(0, std::move(out));
    return true;
}

bool fold_expand(NodeContext* ctx, const Inputs& in) {
    Dims dims;
    Constant out;
    if (in[1]->real() || !broadcast(in[0]->dims, in[1]->i, &dims)) {
        ctx->error("%s does not broadcast to %s", dims_text(in[0]->dims).c_str(), dims_text(in[1]->i).c_str());
        return true;
    }
    if (make(ctx, in[0]->type, dims, &out)) {
        walk(dims, {steps_in(in[0]->dims, dims)}, {0},
             [&](size_t k, const Dims& at) { copy(*in[0], static_cast<size_t>(at[0]), &out, k); });
        ctx->constant_out(0, std::move(out));
    }
    return true;
}

}  // namespace fw::onnx
