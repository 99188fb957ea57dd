#include "onnx2fw/fold.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace fw::onnx {

namespace {

using Inputs = std::vector<ConstantPtr>;
/// Computes one output, or reports an error; returns false if the node is none of its business.
using Folder = bool (*)(NodeContext* ctx, const Inputs& in);

// Room for a result of these extents; an error where folding would take too much.
bool make(NodeContext* ctx, int type, const Dims& dims, Constant* out) {
    const int64_t count = dims_count(dims);
    if (count < 0 || count > kMaxFolded) {
        ctx->error("would give a constant of shape %s, expected at most %lld elements", dims_text(dims).c_str(),
                   static_cast<long long>(kMaxFolded));
        return false;
    }
    if (!ctx->take_budget(count)) {
        return false;
    }
    out->type = type;
    out->dims = dims;
    out->reserve_count(static_cast<size_t>(count));
    return true;
}

void copy(const Constant& from, size_t k, Constant* to, size_t at) {
    if (from.real() != to->real()) {
        to->set(at, from.at(k));
    } else if (from.real()) {
        to->f[at] = from.f[k];
    } else {
        to->i[at] = from.i[k];
    }
}

// Steps of an operand through a result of extents `dims`: 0 along axes that it is repeated over.
Dims steps_in(const Dims& own, const Dims& dims) {
    Dims steps = steps_of(own);
    Dims out(dims.size(), 0);
    for (size_t k = 0; k < own.size(); ++k) {
        out[k + dims.size() - own.size()] = own[k] == 1 ? 0 : steps[k];
    }
    return out;
}

// fn(index of the result, element of operand) over a result of `dims` whose operands have these steps.
void walk(const Dims& dims, const std::vector<Dims>& steps, const Dims& start,
          const std::function<void(size_t, const Dims&)>& fn) {
    Dims offset = start;
    Dims index(dims.size(), 0);
    const int64_t count = dims_count(dims);
    for (int64_t n = 0; n < count; ++n) {
        fn(static_cast<size_t>(n), offset);
        for (size_t axis = dims.size(); axis-- > 0;) {
            const bool carry = ++index[axis] == dims[axis];
            for (size_t o = 0; o < steps.size(); ++o) {
                offset[o] += carry ? -steps[o][axis] * (dims[axis] - 1) : steps[o][axis];
            }
            if (!carry) {
                break;
            }
            index[axis] = 0;
        }
    }
}

// --- Arithmetic
// --------------------------------------------------------------------------------------------------------

// Whole numbers wrap around as they do in the frameworks; division by 0 gives 0.
int64_t int_arith(const std::string& op, int64_t a, int64_t b) {
    const auto ua = static_cast<uint64_t>(a);
    const auto ub = static_cast<uint64_t>(b);
    if (op == "Add")
        return static_cast<int64_t>(ua + ub);
    if (op == "Sub")
        return static_cast<int64_t>(ua - ub);
    if (op == "Mul")
        return static_cast<int64_t>(ua * ub);
    if (op == "Div")
        return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - ua) : a / b;
    if (op == "Mod") {
        const int64_t rest = b == 0 || b == -1 ? 0 : a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    if (op == "Max")
        return std::max(a, b);
    return std::min(a, b);
}

double real_arith(const std::string& op, double a, double b) {
    if (op == "Add")
        return a + b;
    if (op == "Sub")
        return a - b;
    if (op == "Mul")
        return a * b;
    if (op == "Div")
        return a / b;
    if (op == "Pow")
        return std::pow(a, b);
    if (op == "Mod")
        return std::fmod(a, b);
    if (op == "Max")
        return std::max(a, b);
    return std::min(a, b);
}

int64_t compare(const std::string& op, double a, double b) {
    if (op == "Equal")
        return a == b ? 1 : 0;
    if (op == "Less")
        return a < b ? 1 : 0;
    if (op == "LessOrEqual")
        return a <= b ? 1 : 0;
    if (op == "Greater")
        return a > b ? 1 : 0;
    if (op == "GreaterOrEqual")
        return a >= b ? 1 : 0;
    if (op == "And")
        return a != 0 && b != 0 ? 1 : 0;
    if (op == "Or")
        return a != 0 || b != 0 ? 1 : 0;
    return (a != 0) != (b != 0) ? 1 : 0;
}

bool binary(NodeContext* ctx, const Constant& a, const Constant& b, bool to_bool, Constant* out) {
    Dims dims;
    if (!broadcast(a.dims, b.dims, &dims)) {
        ctx->error("shapes %s and %s do not fit together", dims_text(a.dims).c_str(), dims_text(b.dims).c_str());
        return false;
    }
    if (!make(ctx, to_bool ? TensorProto::BOOL : a.type, dims, out)) {
        return false;
    }
    const std::string& op = ctx->op();
    const bool whole = !a.real() && !b.real();
    walk(dims, {steps_in(a.dims, dims), steps_in(b.dims, dims)}, {0, 0}, [&](size_t k, const Dims& at) {
        const auto x = static_cast<size_t>(at[0]);
        const auto y = static_cast<size_t>(at[1]);
        if (to_bool) {
            out->i[k] = compare(op, a.at(x), b.at(y));
        } else if (whole && op != "Pow") {
            out->i[k] = int_arith(op, a.i[x], b.i[y]);
        } else {
            out->set(k, real_arith(op, a.at(x), b.at(y)));
        }
    });
    return true;
}

bool fold_arith(NodeContext* ctx, const Inputs& in) {
    Constant sum = *in[0];
    for (size_t k = 1; k < in.size(); ++k) {
        Constant next;
        if (!binary(ctx, sum, *in[k], false, &next)) {
            return true;
        }
        sum = std::move(next);
    }
    ctx->constant_out(0, std::move(sum));
    return true;
}

bool fold_compare(NodeContext* ctx, const Inputs& in) {
    Constant out;
    if (in.size() == 2 && binary(ctx, *in[0], *in[1], true, &out)) {
        ctx->constant_out(0, std::move(out));
    }
    return true;
}

bool fold_unary(NodeContext* ctx, const Inputs& in) {
    Constant out;
    if (!make(ctx, in[0]->type, in[0]->dims, &out)) {
        return true;
    }
    const std::string& op = ctx->op();
    for (size_t k = 0; k < out.count(); ++k) {
        const double x = in[0]->at(k);
        out.set(k, op == "Neg"          ? -x
                   : op == "Abs"        ? std::fabs(x)
                   : op == "Sqrt"       ? std::sqrt(x)
                   : op == "Exp"        ? std::exp(x)
                   : op == "Log"        ? std::log(x)
                   : op == "Floor"      ? std::floor(x)
                   : op == "Ceil"       ? std::ceil(x)
                   : op == "Round"      ? std::nearbyint(x)
                   : op == "Reciprocal" ? 1.0 / x
                   : op == "Not"        ? (x == 0 ? 1.0 : 0.0)
                                        : (x > 0   ? 1.0
                                           : x < 0 ? -1.0
                                                   : 0.0));
    }
    ctx->constant_out(0, std::move(out));
    return true;
}

bool fold_where(NodeContext* ctx, const Inputs& in) {
    Dims dims;
    Dims all;
    Constant out;
    if (!broadcast(in[0]->dims, in[1]->dims, &dims) || !broadcast(dims, in[2]->dims, &all)) {
        ctx->error("shapes %s, %s and %s do not fit together", dims_text(in[0]->dims).c_str(),
                   dims_text(in[1]->dims).c_str(), dims_text(in[2]->dims).c_str());
        return true;
    }
    if (!make(ctx, in[1]->type, all, &out)) {
        return true;
    }
    walk(all, {steps_in(in[0]->dims, all), steps_in(in[1]->dims, all), steps_in(in[2]->dims, all)}, {0, 0, 0},
         [&](size_t k, const Dims& at) {
             const bool first = in[0]->at(static_cast<size_t>(at[0])) != 0;
             copy(first ? *in[1] : *in[2], static_cast<size_t>(first ? at[1] : at[2]), &out, k);
         });
    ctx->constant_out(0, std::move(out));
    return true;
}

bool fold_cast(NodeContext* ctx, const Inputs& in) {
    const auto to = static_cast<int>(ctx->attr("to", TensorProto::FLOAT));
    if (std::string(type_name(to)).find(' ') != std::string::npos || to == TensorProto::STRING) {
        ctx->error("to is data type %d, expected a number's", to);
        return true;
    }
    Constant out;
    if (make(ctx, to, in[0]->dims, &out)) {
        for (size_t k = 0; k < out.count(); ++k) {
            if (to == TensorProto::BOOL) {
                out.i[k] = in[0]->at(k) != 0 ? 1 : 0;
            } else {
                copy(*in[0], k, &out, k);
            }
        }
        ctx->constant_out(0, std::move(out));
    }
    return true;
}

// --- Shapes
// ------------------------------------------------------------------------------------------------------------

bool same_values(NodeContext* ctx, const Constant& c, const Dims& dims) {
    Constant out;
    if (make(ctx, c.type, dims, &out)) {
        out.f = c.f;
        out.i = c.i;
        if (dims == c.dims) {
            out.quant_scales = c.quant_scales;
            out.quant_axis = c.quant_axis;
        }
        ctx->constant_out(0, std::move(out));
    }
    return true;
}

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

bool fold_reduce(NodeContext* ctx, const Inputs& in) {
    std::vector<int> axes;
    const Dims& from = in[0]->dims;
    if (!read_axes(ctx, 1, static_cast<int>(from.size()), &axes)) {
        return true;
    }
    const bool keep = ctx->attr("keepdims", 1) != 0;
    const std::string& op = ctx->op();
    Dims dims;
    Dims steps;
    for (size_t k = 0; k < from.size(); ++k) {
        const bool reduced = axes.empty() || std::find(axes.begin(), axes.end(), static_cast<int>(k)) != axes.end();
        dims.push_back(reduced ? 1 : from[k]);
    }
    Constant out;
    const Dims kept = dims;
    if (!make(ctx, in[0]->type, dims, &out)) {
        return true;
    }
    std::vector<double> sum(out.count(), op == "ReduceProd"  ? 1.0
                                         : op == "ReduceMax" ? -INFINITY
                                         : op == "ReduceMin" ? INFINITY
                                                             : 0.0);
    walk(from, {steps_in(kept, from)}, {0}, [&](size_t k, const Dims& at) {
        double& to = sum[static_cast<size_t>(at[0])];
        const double x = in[0]->at(k);
        to = op == "ReduceProd"  ? to * x
             : op == "ReduceMax" ? std::max(to, x)
             : op == "ReduceMin" ? std::min(to, x)
                                 : to + x;
    });
    const double each = static_cast<double>(in[0]->count()) / static_cast<double>(std::max<size_t>(1, out.count()));
    for (size_t k = 0; k < out.count(); ++k) {
        out.set(k, op == "ReduceMean" && each > 0 ? sum[k] / each : sum[k]);
    }
    if (!keep) {
        out.dims.clear();
        for (size_t k = 0; k < from.size(); ++k) {
            if (!axes.empty() && std::find(axes.begin(), axes.end(), static_cast<int>(k)) == axes.end()) {
                out.dims.push_back(from[k]);
            }
        }
    }
    ctx->constant_out(0, std::move(out));
    return true;
}

// --- Those that need no known input
// ------------------------------------------------------------------------------------

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

struct FoldRule {
    const char* op;
    Folder folder;
};

constexpr FoldRule kRules[] = {{"Add", fold_arith},
                               {"Sub", fold_arith},
                               {"Mul", fold_arith},
                               {"Div", fold_arith},
                               {"Mod", fold_arith},
                               {"Pow", fold_arith},
                               {"Max", fold_arith},
                               {"Min", fold_arith},
                               {"Equal", fold_compare},
                               {"Less", fold_compare},
                               {"LessOrEqual", fold_compare},
                               {"Greater", fold_compare},
                               {"GreaterOrEqual", fold_compare},
                               {"And", fold_compare},
                               {"Or", fold_compare},
                               {"Xor", fold_compare},
                               {"Neg", fold_unary},
                               {"Abs", fold_unary},
                               {"Sqrt", fold_unary},
                               {"Exp", fold_unary},
                               {"Log", fold_unary},
                               {"Floor", fold_unary},
                               {"Ceil", fold_unary},
                               {"Round", fold_unary},
                               {"Reciprocal", fold_unary},
                               {"Not", fold_unary},
                               {"Sign", fold_unary},
                               {"Where", fold_where},
                               {"Cast", fold_cast},
                               {"Identity", fold_identity},
                               {"Reshape", fold_reshape},
                               {"Squeeze", fold_squeeze},
                               {"Unsqueeze", fold_unsqueeze},
                               {"Transpose", fold_transpose},
                               {"Concat", fold_concat},
                               {"Gather", fold_gather},
                               {"Slice", fold_slice},
                               {"Expand", fold_expand},
                               {"ConstantOfShape", fold_constant_of_shape},
                               {"Range", fold_range},
                               {"ReduceProd", fold_reduce},
                               {"ReduceSum", fold_reduce},
                               {"ReduceMax", fold_reduce},
                               {"ReduceMin", fold_reduce},
                               {"ReduceMean", fold_reduce}};

}  // namespace

bool fold(NodeContext* ctx) {
    if (ctx->op() == "Shape") {
        return fold_shape(ctx);
    }
    if (ctx->op() == "Size") {
        ctx->constant_out(0, Constant::ints({}, {dims_count(ctx->in(0).dims)}));
        return true;
    }
    if (ctx->op() == "Constant") {
        return fold_constant(ctx);
    }
    const FoldRule* rule = nullptr;
    for (const FoldRule& r : kRules) {
        if (ctx->op() == r.op) {
            rule = &r;
        }
    }
    if (rule == nullptr || ctx->inputs() == 0) {
        return false;
    }
    // Cheap test first: initializers are not decoded for a node that stays.
    Inputs in;
    for (int k = 0; k < ctx->inputs(); ++k) {
        if (ctx->has(k) && ctx->in(k).constant == nullptr && ctx->in(k).initializer == nullptr) {
            return false;
        }
    }
    for (int k = 0; k < ctx->inputs(); ++k) {
        if (ctx->has(k)) {
            in.push_back(ctx->constant(k));
            if (in.back() == nullptr) {
                return true;
            }
        }
    }
    return rule->folder(ctx, in);
}

}  // namespace fw::onnx
