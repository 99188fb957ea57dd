// Constant folding: tensors out of shapes, numbers and attributes.
#include <algorithm>
#include <cmath>
#include <utility>

#include "onnx2fw/fold_rules.h"

namespace fw::onnx {

bool fold_constant_of_shape(NodeContext* ctx, const Inputs& in) {
    Constant value = Constant::reals({1}, {0.0F});
    if (const AttributeProto* a = ctx->find("value")) {
        Result<Constant> given = decode(a->t(), {});
        if (!given.ok() || given->count() != 1) {
            ctx->error("value is not one number");
            return true;
        }
        value = std::move(*given);
    }
    Constant out;
    if (in[0]->real() || !make(ctx, value.type, in[0]->i, &out)) {
        return !in[0]->real();
    }
    for (size_t k = 0; k < out.count(); ++k) {
        copy(value, 0, &out, k);
    }
    ctx->constant_out(0, std::move(out));
    return true;
}

bool fold_range(NodeContext* ctx, const Inputs& in) {
    for (const ConstantPtr& c : in) {
        if (c->count() != 1) {
            ctx->error("start, limit or delta is not one number");
            return true;
        }
    }
    const double start = in[0]->at(0);
    const double delta = in[2]->at(0);
    const double count = std::ceil((in[1]->at(0) - start) / delta);
    if (delta == 0 || !(count <= static_cast<double>(kMaxFolded))) {
        ctx->error("from %g to %g by %g, expected at most %lld numbers", start, in[1]->at(0), delta,
                   static_cast<long long>(kMaxFolded));
        return true;
    }
    Constant out;
    if (make(ctx, in[0]->type, {std::max<int64_t>(0, static_cast<int64_t>(count))}, &out)) {
        for (size_t k = 0; k < out.count(); ++k) {
            out.set(k, start + static_cast<double>(k) * delta);
        }
        ctx->constant_out(0, std::move(out));
    }
    return true;
}

bool fold_shape(NodeContext* ctx) {
    Dims dims = ctx->in(0).dims;
    const auto rank = static_cast<int64_t>(dims.size());
    const auto place = [&](const char* name, int64_t fallback) {
        const int64_t value = ctx->attr(name, fallback);
        return std::min(std::max<int64_t>(value < 0 ? value + rank : value, 0), rank);
    };
    const int64_t start = place("start", 0);
    const int64_t end = std::max(start, place("end", rank));
    dims = Dims(dims.begin() + start, dims.begin() + end);
    const auto count = static_cast<int64_t>(dims.size());
    ctx->constant_out(0, Constant::ints({count}, dims));
    return true;
}

bool fold_constant(NodeContext* ctx) {
    if (const AttributeProto* a = ctx->find("value")) {
        Value v;
        v.initializer = &a->t();
        v.dims.assign(a->t().dims().begin(), a->t().dims().end());
        if (ctx->load(&v)) {
            ctx->constant_out(0, *v.constant);
        }
    } else if (ctx->has_attr("value_float")) {
        ctx->constant_out(0, Constant::reals({}, {static_cast<float>(ctx->attr_f("value_float", 0))}));
    } else if (ctx->has_attr("value_int")) {
        ctx->constant_out(0, Constant::ints({}, {ctx->attr("value_int", 0)}));
    } else if (ctx->has_attr("value_floats")) {
        const std::vector<float> values = ctx->attr_floats("value_floats");
        ctx->constant_out(0, Constant::reals({static_cast<int64_t>(values.size())}, values));
    } else if (ctx->has_attr("value_ints")) {
        const std::vector<int64_t> values = ctx->attr_ints("value_ints");
        ctx->constant_out(0, Constant::ints({static_cast<int64_t>(values.size())}, values));
    } else {
        ctx->error("has no value, expected a tensor, a number or numbers");
    }
    return true;
}

}  // namespace fw::onnx
