// Element-wise activations of one input.
#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kAlphaOne = params(float_param(0, "alpha", 1, "scale of the negative part"));
constexpr auto kElu = params(float_param(0, "alpha", 0.1, "scale of the negative part"));
constexpr auto kRelu = params(float_param(0, "slope", 0, "factor of negative values"));
constexpr auto kPrelu = params(int_param(0, "num_slope", 0, "1 = shared, else one slope a channel"));
constexpr auto kClip =
    params(float_param(0, "min", -kFloatMax, "lower bound"), float_param(1, "max", kFloatMax, "upper bound"));
constexpr auto kSelu = params(float_param(0, "alpha", 1.67326324, "scale of the negative part"),
                              float_param(1, "lambda", 1.050700987, "scale of both parts"));
constexpr auto kHard =
    params(float_param(0, "alpha", 0.2, "slope of the ramp"), float_param(1, "beta", 0.5, "value of the ramp at 0"));
constexpr auto kGelu = params(int_param(0, "fast_gelu", 0, "1 = the tanh approximation"));
constexpr auto kThreshold = params(float_param(0, "threshold", 0, "bound"));
constexpr auto kShrink =
    params(float_param(0, "bias", 0, "shift towards 0"), float_param(1, "lambd", 0.5, "half width of the dead zone"));

Status prelu_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t slopes, count_param(p, 0, 1));
    out->push_back({"slope_data", slopes, false});
    return {};
}

QuantRule relu_rule(const Params& p) {
    return p.f(0) == 0.0F ? QuantRule::kClamp : QuantRule::kPointwise;
}

/// One input, one output, no weights.
constexpr LayerSchema pointwise(const char* type, Span<const ParamSpec> params, const char* doc,
                                QuantRule rule = QuantRule::kPointwise) {
    return {type, params, nullptr, 1, 1, 1, 1, rule, doc};
}

constexpr LayerSchema kSchemas[] = {
    {"ReLU", span(kRelu), nullptr, 1, 1, 1, 1, QuantRule::kClamp, "max(x, 0), or x * slope below 0", relu_rule},
    {"PReLU", span(kPrelu), prelu_blobs, 1, 1, 1, 1, QuantRule::kPointwise, "x * slope of the channel where x < 0"},
    pointwise("Clip", span(kClip), "min(max(x, min), max)", QuantRule::kClamp),
    pointwise("ELU", span(kElu), "x, or alpha * (exp(x) - 1) below 0"),
    pointwise("CELU", span(kAlphaOne), "max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))"),
    pointwise("SELU", span(kSelu), "lambda * (x, or alpha * (exp(x) - 1) below 0)"),
    pointwise("Sigmoid", {}, "1 / (1 + exp(-x))"),
    pointwise("TanH", {}, "tanh(x)"),
    pointwise("HardSigmoid", span(kHard), "clip(alpha * x + beta, 0, 1)"),
    pointwise("HardSwish", span(kHard), "x * clip(alpha * x + beta, 0, 1)"),
    pointwise("Swish", {}, "x / (1 + exp(-x))"),
    pointwise("Mish", {}, "x * tanh(log(1 + exp(x)))"),
    pointwise("GELU", span(kGelu), "x * (1 + erf(x / sqrt(2))) / 2"),
    pointwise("AbsVal", {}, "|x|"),
    pointwise("BNLL", {}, "log(1 + exp(x))"),
    pointwise("Softplus", {}, "log(1 + exp(x))"),
    pointwise("Threshold", span(kThreshold), "1 where x > threshold, else 0"),
    pointwise("Erf", {}, "error function"),
    pointwise("Shrink", span(kShrink), "x + bias below -lambd, x - bias above lambd, else 0"),
};

}  // namespace

Span<const LayerSchema> activation_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
