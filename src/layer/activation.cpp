// Smooth activations: each a function of one number.
#include "layer/support/functions.h"
#include "layer/support/pointwise.h"

namespace fw {

namespace {

struct NoParameters {
    Status load(const Params& /*params*/) { return {}; }
};

struct Sigmoid : NoParameters {
    FunctionArgs kernel() const { return {FloatFunction::kSigmoid}; }
    double operator()(double x) const { return fn::sigmoid(x); }
};

struct TanH : NoParameters {
    FunctionArgs kernel() const { return {FloatFunction::kTanh}; }
    double operator()(double x) const { return fn::tanh(x); }
};

struct Swish : NoParameters {
    FunctionArgs kernel() const { return {FloatFunction::kSwish}; }
    double operator()(double x) const { return x * fn::sigmoid(x); }
};

struct Mish : NoParameters {
    FunctionArgs kernel() const { return {FloatFunction::kMish}; }
    double operator()(double x) const { return fn::mish(x); }
};

// log(1 + e^x): Softplus, and Caffe's name for it, BNLL.
struct Softplus : NoParameters {
    Elementary elementary() const { return {Elementary::Function::kSoftplus}; }
    template <class T>
    T operator()(T x) const {
        return fn::softplus(x);
    }
};

struct AlphaBeta {
    float alpha = 0.0F;
    float beta = 0.0F;
    Status load(const Params& params) {
        alpha = params.f(0);
        beta = params.f(1);
        return {};
    }
};

struct HardSigmoid : AlphaBeta {
    FunctionArgs kernel() const { return {FloatFunction::kHardSigmoid, alpha, beta}; }
    double operator()(double x) const { return fn::hard_sigmoid(x, double{alpha}, double{beta}); }
};

struct HardSwish : AlphaBeta {
    FunctionArgs kernel() const { return {FloatFunction::kHardSwish, alpha, beta}; }
    double operator()(double x) const { return x * fn::hard_sigmoid(x, double{alpha}, double{beta}); }
};

struct Gelu {
    bool fast = false;
    Status load(const Params& params) {
        fast = params.i(0) != 0;
        return {};
    }
    FunctionArgs kernel() const { return {fast ? FloatFunction::kGeluTanh : FloatFunction::kGelu}; }
    double operator()(double x) const {
        if (fast) {
            constexpr double kRootTwoOverPi = 0.79788456080286535588;
            return 0.5 * x * (1.0 + fn::tanh(kRootTwoOverPi * (x + 0.044715 * x * x * x)));
        }
        return 0.5 * x * (1.0 + fn::erf(x * 0.70710678118654752440));
    }
};

struct Elu {
    float alpha = 0.0F;
    Status load(const Params& params) {
        alpha = params.f(0);
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kElu, 1.0F, 0.0F, 1.0F, alpha}; }
    template <class T>
    T operator()(T x) const {
        return x < T(0) ? static_cast<T>(alpha) * fn::expm1(x) : x;
    }
};

struct Celu {
    float alpha = 1.0F;
    Status load(const Params& params) {
        alpha = params.f(0);
        if (alpha == 0.0F) {
            return Status::error(Code::kInvalidArgument, "alpha is 0, by which CELU divides");
        }
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kCelu, 1.0F, 0.0F, 1.0F, alpha}; }
    template <class T>
    T operator()(T x) const {
        const T negative = static_cast<T>(alpha) * fn::expm1(x / static_cast<T>(alpha));
        return (x < T(0) ? T(0) : x) + (negative < T(0) ? negative : T(0));
    }
};

struct Selu {
    float alpha = 0.0F;
    float lambda = 0.0F;
    Status load(const Params& params) {
        alpha = params.f(0);
        lambda = params.f(1);
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kElu, 1.0F, 0.0F, lambda, alpha}; }
    template <class T>
    T operator()(T x) const {
        return static_cast<T>(lambda) * (x < T(0) ? static_cast<T>(alpha) * fn::expm1(x) : x);
    }
};

}  // namespace

std::unique_ptr<Layer> make_Sigmoid() {
    return std::make_unique<KernelPointwise<Sigmoid>>();
}
std::unique_ptr<Layer> make_TanH() {
    return std::make_unique<KernelPointwise<TanH>>();
}
std::unique_ptr<Layer> make_Swish() {
    return std::make_unique<KernelPointwise<Swish>>();
}
std::unique_ptr<Layer> make_Mish() {
    return std::make_unique<KernelPointwise<Mish>>();
}
std::unique_ptr<Layer> make_Softplus() {
    return std::make_unique<PointwiseOf<Softplus>>();
}
std::unique_ptr<Layer> make_BNLL() {
    return std::make_unique<PointwiseOf<Softplus>>();
}
std::unique_ptr<Layer> make_HardSigmoid() {
    return std::make_unique<KernelPointwise<HardSigmoid>>();
}
std::unique_ptr<Layer> make_HardSwish() {
    return std::make_unique<KernelPointwise<HardSwish>>();
}
std::unique_ptr<Layer> make_GELU() {
    return std::make_unique<KernelPointwise<Gelu>>();
}
std::unique_ptr<Layer> make_ELU() {
    return std::make_unique<PointwiseOf<Elu>>();
}
std::unique_ptr<Layer> make_CELU() {
    return std::make_unique<PointwiseOf<Celu>>();
}
std::unique_ptr<Layer> make_SELU() {
    return std::make_unique<PointwiseOf<Selu>>();
}

}  // namespace fw
