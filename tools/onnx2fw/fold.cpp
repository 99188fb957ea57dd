#include "onnx2fw/fold.h"

#include <algorithm>
#include <utility>

#include "onnx2fw/fold_rules.h"

namespace fw::onnx {

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

Dims steps_in(const Dims& own, const Dims& dims) {
    Dims steps = steps_of(own);
    Dims out(dims.size(), 0);
    for (size_t k = 0; k < own.size(); ++k) {
        out[k + dims.size() - own.size()] = own[k] == 1 ? 0 : steps[k];
    }
    return out;
}

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

namespace {

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
