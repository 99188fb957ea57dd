#include "layer/support/fused_activation.h"

#include <algorithm>
#include <limits>

#include "quant/math.h"

namespace fw {

namespace {

template <class Fn>
void map(const float* from, float* to, int64_t count, Fn fn) {
    for (int64_t i = 0; i < count; ++i) {
        to[i] = fn(from[i]);
    }
}

float mish(float x) {
    const auto wide = static_cast<double>(x);
    return static_cast<float>(wide * math::tanh(math::softplus(wide)));
}

}  // namespace

RealClamp FusedActivation::clamp() const {
    const float infinity = std::numeric_limits<float>::infinity();
    switch (type) {
        case Type::kRelu: return {0.0F, infinity};
        case Type::kClip: return {a, b};
        default: return {-infinity, infinity};
    }
}

FunctionArgs FusedActivation::function() const {
    switch (type) {
        case Type::kLeakyRelu: return {FloatFunction::kLeakyRelu, a};
        case Type::kSigmoid: return {FloatFunction::kSigmoid};
        case Type::kMish: return {FloatFunction::kMish};
        default: return {FloatFunction::kHardSwish, a, b};
    }
}

float FusedActivation::apply(float x) const {
    float y = 0.0F;
    apply(&x, &y, 1);
    return y;
}

void FusedActivation::apply(const float* from, float* to, int64_t count) const {
    const float p = a;
    const float q = b;
    switch (type) {
        case Type::kIdentity: map(from, to, count, [](float x) { return x; }); break;
        case Type::kRelu: map(from, to, count, [](float x) { return x < 0.0F ? 0.0F : x; }); break;
        case Type::kLeakyRelu: map(from, to, count, [p](float x) { return x > 0.0F ? x : p * x; }); break;
        case Type::kClip:
            map(from, to, count, [p, q](float x) {
                const float above = x < p ? p : x;
                return above > q ? q : above;
            });
            break;
        case Type::kSigmoid:
            map(from, to, count, [](float x) { return static_cast<float>(math::sigmoid(static_cast<double>(x))); });
            break;
        case Type::kMish: map(from, to, count, mish); break;
        case Type::kHardSwish:
            map(from, to, count, [p, q](float x) {
                const float gate = p * x + q;
                const float above = gate < 0.0F ? 0.0F : gate;
                return x * (above > 1.0F ? 1.0F : above);
            });
            break;
    }
}

Status load_fused_activation(const Params& params, FusedActivation* out, int type_id, int params_id) {
    const int type = params.i(type_id);
    if (type < 0 || type > static_cast<int>(FusedActivation::Type::kHardSwish)) {
        return Status::error(Code::kUnsupported, "activation_type (%d) is %d, expected 0 to 6", type_id, type);
    }
    constexpr size_t kNeeded[] = {0, 0, 1, 2, 0, 0, 2};
    const std::vector<float> values = params.floats(params_id);
    if (values.size() < kNeeded[type]) {
        return Status::error(Code::kInvalidArgument,
                             "activation_params (%d) has %d values, activation_type %d expects %d", params_id,
                             static_cast<int>(values.size()), type, static_cast<int>(kNeeded[type]));
    }
    out->type = static_cast<FusedActivation::Type>(type);
    out->a = kNeeded[type] > 0 ? values[0] : 0.0F;
    out->b = kNeeded[type] > 1 ? values[1] : 0.0F;
    if (out->type == FusedActivation::Type::kClip && !(out->a <= out->b)) {
        return Status::error(Code::kInvalidArgument, "activation_params (%d) is %g,%g, expected min <= max", params_id,
                             static_cast<double>(out->a), static_cast<double>(out->b));
    }
    return {};
}

}  // namespace fw
