// Constant folding: arithmetic, comparisons, sums.
#include <algorithm>
#include <cmath>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/fold_rules.h"

namespace fw::onnx {

namespace {

// Whole numbers wrap around as they do in the frameworks; division by 0 gives 0.
int64_t int_arith(const std::string& op, int64_t a, int64_t b) {
    const auto ua = static_cast<uint64_t>(a);
    const auto ub = static_cast<uint64_t>(b);
    if (op == "Add") {
        return static_cast<int64_t>(ua + ub);
    }
    if (op == "Sub") {
        return static_cast<int64_t>(ua - ub);
    }
    if (op == "Mul") {
        return static_cast<int64_t>(ua * ub);
    }
    if (op == "Div") {
        return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - ua) : a / b;
    }
    if (op == "Mod") {
        const int64_t rest = b == 0 || b == -1 ? 0 : a % b;
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    if (op == "Max") {
        return std::max(a, b);
    }
    return std::min(a, b);
}

double real_arith(const std::string& op, double a, double b) {
    if (op == "Add") {
        return a + b;
    }
    if (op == "Sub") {
        return a - b;
    }
    if (op == "Mul") {
        return a * b;
    }
    if (op == "Div") {
        return a / b;
    }
    if (op == "Pow") {
        return std::pow(a, b);
    }
    if (op == "Mod") {
        return std::fmod(a, b);
    }
    if (op == "Max") {
        return std::max(a, b);
    }
    return std::min(a, b);
}

int64_t compare(const std::string& op, double a, double b) {
    if (op == "Equal") {
        return a == b ? 1 : 0;
    }
    if (op == "Less") {
        return a < b ? 1 : 0;
    }
    if (op == "LessOrEqual") {
        return a <= b ? 1 : 0;
    }
    if (op == "Greater") {
        return a > b ? 1 : 0;
    }
    if (op == "GreaterOrEqual") {
        return a >= b ? 1 : 0;
    }
    if (op == "And") {
        return a != 0 && b != 0 ? 1 : 0;
    }
    if (op == "Or") {
        return a != 0 || b != 0 ? 1 : 0;
    }
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

}  // namespace

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

}  // namespace fw::onnx
