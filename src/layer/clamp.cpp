// ReLU and Clip: functions that int8 does by clamping (a ReLU with a slope by table).
#include "layer/support/functions.h"
#include "layer/support/pointwise.h"

namespace fw {

namespace {

struct ReluFunction {
    float slope = 0.0F;
    Status load(const Params& params) {
        slope = params.f(0);
        return {};
    }
    Elementary elementary() const { return {Elementary::Function::kLeakyRelu, 1.0F, 0.0F, 1.0F, slope}; }
    template <class T>
    T operator()(T x) const {
        return x < T(0) ? x * static_cast<T>(slope) : x;
    }
};

class Relu final : public PointwiseOf<ReluFunction> {
protected:
    void apply(const float* in, float* out, int64_t count) const override {
        if (f_.slope != 0.0F) {
            PointwiseOf::apply(in, out, count);
            return;
        }
        for (int64_t i = 0; i < count; ++i) {
            out[i] = in[i] < 0.0F ? 0.0F : in[i];
        }
    }
    bool as_clamp(RealClamp* clamp) const override {
        clamp->lo = 0.0F;
        return f_.slope == 0.0F;
    }
};

struct ClipFunction {
    float lo = 0.0F;
    float hi = 0.0F;
    Status load(const Params& params) {
        lo = params.f(0);
        hi = params.f(1);
        if (!(lo <= hi)) {
            return Status::error(Code::kInvalidArgument, "min is %g and max is %g, expected min <= max",
                                 static_cast<double>(lo), static_cast<double>(hi));
        }
        return {};
    }
    // Not asked for: it is a clamp.
    Elementary elementary() const { return {}; }
    template <class T>
    T operator()(T x) const {
        return fn::clamp(x, static_cast<T>(lo), static_cast<T>(hi));
    }
};

class Clip final : public PointwiseOf<ClipFunction> {
protected:
    bool as_clamp(RealClamp* clamp) const override {
        *clamp = {f_.lo, f_.hi};
        return true;
    }
};

}  // namespace

std::unique_ptr<Layer> make_ReLU() {
    return std::make_unique<Relu>();
}
std::unique_ptr<Layer> make_Clip() {
    return std::make_unique<Clip>();
}

}  // namespace fw
