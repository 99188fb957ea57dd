// Elementary functions of one number: AbsVal, Erf, Exp, Log, Power, Threshold, Shrink, UnaryOp, and Dropout (a factor).
#include <cmath>

#include "layer/support/functions.h"
#include "layer/support/pointwise.h"

namespace fw {

namespace {

struct AbsVal {
    Status load(const Params& /*params*/) { return {}; }
    Elementary elementary() const { return {Elementary::Function::kAbs}; }
    template <class T>
    T operator()(T x) const {
        return std::abs(x);
    }
};

struct Erf {
    Status load(const Params& /*params*/) { return {}; }
    Elementary elementary() const { return {Elementary::Function::kErf}; }
    template <class T>
    T operator()(T x) const {
        return fn::erf(x);
    }
};

// shift + scale * x, with a base (-1 = e) for Exp and Log.
struct Affine {
    float base = -1.0F;
    float scale = 1.0F;
    float shift = 0.0F;
    Status load(const Params& params) {
        base = params.f(0);
        scale = params.f(1);
        shift = params.f(2);
        if (base != -1.0F && !(base > 0.0F)) {
            return Status::error(Code::kInvalidArgument, "base is %g, expected -1 (for e) or a positive number",
                                 static_cast<double>(base));
        }
        return {};
    }
    template <class T>
    T inner(T x) const {
        return static_cast<T>(shift) + static_cast<T>(scale) * x;
    }
};

struct Exp : Affine {
    Elementary elementary() const {
        const float rate = base == -1.0F ? 1.0F : fn::log(base);
        return {Elementary::Function::kExp, rate * scale, rate * shift};
    }
    template <class T>
    T operator()(T x) const {
        return base == -1.0F ? fn::exp(inner(x)) : fn::pow(static_cast<T>(base), inner(x));
    }
};

struct Log : Affine {
    Elementary elementary() const {
        return {Elementary::Function::kLog, scale, shift, base == -1.0F ? 1.0F : 1.0F / fn::log(base)};
    }
    template <class T>
    T operator()(T x) const {
        const T value = fn::log(inner(x));
        return base == -1.0F ? value : value / fn::log(static_cast<T>(base));
    }
};

struct Power {
    float power = 1.0F;
    float scale = 1.0F;
    float shift = 0.0F;
    Status load(const Params& params) {
        power = params.f(0);
        scale = params.f(1);
        shift = params.f(2);
        return {};
    }
    Elementary elementary() const {
        using Function = Elementary::Function;
        return {power == 1.0F ? Function::kIdentity : Function::kPower, scale, shift, 1.0F, power};
    }
    template <class T>
    T operator()(T x) const {
        const T value = static_cast<T>(shift) + static_cast<T>(scale) * x;
        return power == 1.0F ? value : fn::pow(value, static_cast<T>(power));
    }
};

struct Threshold {
    float threshold = 0.0F;
    Status load(const Params& params) {
        threshold = params.f(0);
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kThreshold, 1.0F, 0.0F, 1.0F, threshold}; }
    template <class T>
    T operator()(T x) const {
        return x > static_cast<T>(threshold) ? T(1) : T(0);
    }
};

struct Shrink {
    float bias = 0.0F;
    float lambda = 0.5F;
    Status load(const Params& params) {
        bias = params.f(0);
        lambda = params.f(1);
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kShrink, 1.0F, 0.0F, 1.0F, lambda, bias}; }
    template <class T>
    T operator()(T x) const {
        const T half_width = static_cast<T>(lambda);
        if (x < -half_width) {
            return x + static_cast<T>(bias);
        }
        return x > half_width ? x - static_cast<T>(bias) : T(0);
    }
};

constexpr double kInverseLog10 = 0.43429448190325182765;  // 1 / log(10)

struct UnaryOp {
    int op = 0;
    Status load(const Params& params) {
        op = params.i(0);
        if (op < 0 || op > 19) {
            return Status::error(Code::kInvalidArgument, "op_type is %d, expected 0 to 19", op);
        }
        return {};
    }
    Elementary elementary() const {
        using Function = Elementary::Function;
        constexpr Function kFunctions[] = {
            Function::kAbs,      Function::kIdentity,    Function::kFloor, Function::kCeil,  Function::kSquare,
            Function::kSqrt,     Function::kInverseSqrt, Function::kExp,   Function::kLog,   Function::kSin,
            Function::kCos,      Function::kTan,         Function::kAsin,  Function::kAcos,  Function::kAtan,
            Function::kDividend, Function::kTanh,        Function::kLog,   Function::kRound, Function::kTrunc};
        return {kFunctions[op], op == 1 ? -1.0F : 1.0F, 0.0F, op == 17 ? static_cast<float>(kInverseLog10) : 1.0F,
                1.0F};
    }
    template <class T>
    T operator()(T x) const {
        switch (op) {
            case 0: return std::abs(x);
            case 1: return -x;
            case 2: return std::floor(x);
            case 3: return std::ceil(x);
            case 4: return x * x;
            case 5: return std::sqrt(x);
            case 6: return T(1) / std::sqrt(x);
            case 7: return fn::exp(x);
            case 8: return fn::log(x);
            case 9: return fn::sin(x);
            case 10: return fn::cos(x);
            case 11: return fn::tan(x);
            case 12: return fn::asin(x);
            case 13: return fn::acos(x);
            case 14: return fn::atan(x);
            case 15: return T(1) / x;
            case 16: return fn::tanh(x);
            case 17: return fn::log(x) * T(kInverseLog10);
            case 18: return fn::round_half_even(x);
            default: return std::trunc(x);
        }
    }
};

// At inference a factor, 1 unless the training framework did not scale.
struct DropoutFunction {
    float scale = 1.0F;
    Status load(const Params& params) {
        scale = params.f(0);
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kIdentity, scale}; }
    template <class T>
    T operator()(T x) const {
        return x * static_cast<T>(scale);
    }
};

class Dropout final : public PointwiseOf<DropoutFunction> {
public:
    // With factor 1 any type passes; int8 keeps its bytes as the scale is the same.
    Status prepare(const PrepareContext& context) override {
        passes_ = f_.scale == 1.0F && context.inputs[0].dtype == context.outputs[0].dtype &&
                  context.inputs[0].quant == context.outputs[0].quant;
        return passes_ ? Status() : PointwiseOf::prepare(context);
    }
    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        if (passes_) {
            out[0] = in[0];
        }
        return passes_;
    }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (!passes_) {
            return PointwiseOf::forward(in, out, context);
        }
        if (in[0].data != out[0].data) {
            copy_tensor(in[0], out[0]);
        }
        return {};
    }

private:
    bool passes_ = false;
};

}  // namespace

std::unique_ptr<Layer> make_AbsVal() {
    return std::make_unique<PointwiseOf<AbsVal>>();
}
std::unique_ptr<Layer> make_Erf() {
    return std::make_unique<PointwiseOf<Erf>>();
}
std::unique_ptr<Layer> make_Exp() {
    return std::make_unique<PointwiseOf<Exp>>();
}
std::unique_ptr<Layer> make_Log() {
    return std::make_unique<PointwiseOf<Log>>();
}
std::unique_ptr<Layer> make_Power() {
    return std::make_unique<PointwiseOf<Power>>();
}
std::unique_ptr<Layer> make_Threshold() {
    return std::make_unique<PointwiseOf<Threshold>>();
}
std::unique_ptr<Layer> make_Shrink() {
    return std::make_unique<PointwiseOf<Shrink>>();
}
std::unique_ptr<Layer> make_UnaryOp() {
    return std::make_unique<PointwiseOf<UnaryOp>>();
}
std::unique_ptr<Layer> make_Dropout() {
    return std::make_unique<Dropout>();
}

}  // namespace fw
