// Arithmetic on whole blobs: element-wise, reductions, softmax, conversions of type.
#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kEltwise = params(int_param(0, "op_type", 0, "0 product, 1 sum, 2 maximum"),
                                 floats_param(1, "coeffs", "factors of the inputs of a sum; empty = 1"));
constexpr auto kBinaryOp = params(
    int_param(0, "op_type", 0, "0 add 1 sub 2 mul 3 div 4 max 5 min 6 pow 7 rsub 8 rdiv 9 rpow 10 atan2 11 ratan2"),
    int_param(1, "with_scalar", 0, "1 = the second operand is b"), float_param(2, "b", 0, "second operand"));
constexpr auto kUnaryOp = params(int_param(
    0, "op_type", 0,
    "0 abs 1 neg 2 floor 3 ceil 4 square 5 sqrt 6 rsqrt 7 exp 8 log 9 sin 10 cos 11 tan 12 asin 13 acos 14 atan "
    "15 reciprocal 16 tanh 17 log10 18 round 19 trunc"));
constexpr auto kPower = params(float_param(0, "power", 1, "exponent"), float_param(1, "scale", 1, "factor of x"),
                               float_param(2, "shift", 0, "added to scale * x"));
constexpr auto kExpLog = params(float_param(0, "base", -1, "base, -1 = e"), float_param(1, "scale", 1, "factor of x"),
                                float_param(2, "shift", 0, "added to scale * x"));
constexpr auto kReduction =
    params(int_param(0, "operation", 0,
                     "0 sum 1 sum of |x| 2 sum of squares 3 mean 4 max 5 min 6 product 7 L1 norm 8 L2 norm 9 log sum "
                     "10 log sum exp"),
           int_param(1, "reduce_all", 1, "1 = over every axis"), float_param(2, "coeff", 1, "factor of the result"),
           ints_param(3, "axes", "axes to reduce, where reduce_all is 0"),
           int_param(4, "keepdims", 0, "1 = reduced axes stay, as 1"),
           int_param(5, "fixbug0", 0, "1 = written by a converter whose axes are right"));
constexpr auto kSoftmax = params(int_param(0, "axis", 0, "axis of the sum"),
                                 int_param(1, "fixbug0", 0, "1 = written by a converter whose axis is right"));
constexpr auto kArgMax =
    params(int_param(0, "out_max_val", 0, "1 = values besides indices"), int_param(1, "topk", 1, "how many"),
           int_param(2, "axis", -233, "axis to search along and drop, -233 = the whole blob"),
           int_param(3, "last", 0, "along an axis: 1 = of equal values the last counts, not the first"));
constexpr auto kCast = params(int_param(0, "type_from", 0, "0 auto 1 float32 2 float16 3 int8 4 bfloat16"),
                              int_param(1, "type_to", 0, "the same codes"));
constexpr auto kQuantize = params(int_param(0, "scale_data_size", 1, "1 or one scale a channel"));
constexpr auto kDequantize = params(int_param(0, "scale_data_size", 1, "1 or one scale a channel"),
                                    int_param(1, "bias_data_size", 0, "0, 1 or one bias a channel"));
constexpr auto kRequantize = params(int_param(0, "scale_in_data_size", 1, "1 or one scale a channel"),
                                    int_param(1, "scale_out_data_size", 1, "1 or one scale a channel"),
                                    int_param(2, "bias_data_size", 0, "0, 1 or one bias a channel"),
                                    int_param(3, "activation_type", 0, "as in Convolution"),
                                    floats_param(4, "activation_params", "as in Convolution"));

/// With a number a table; of two blobs those operations that have an int8 formula: not powers and atan2.
QuantRule binary_op_rule(const Params& p) {
    if (p.i(1) != 0) {
        return QuantRule::kPointwise;
    }
    const int op = p.i(0);
    return (op >= 0 && op <= 5) || op == 7 || op == 8 ? QuantRule::kArith : QuantRule::kFloat;
}

/// Sums and means have an integer formula.
QuantRule reduction_rule(const Params& p) {
    return p.i(0) == 0 || p.i(0) == 3 ? QuantRule::kArith : QuantRule::kFloat;
}

Status quantize_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t scales, count_param(p, 0, 1));
    out->push_back({"scale_data", scales, false});
    return {};
}

Status dequantize_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_RETURN_IF_ERROR(quantize_blobs(p, out));
    FW_ASSIGN_OR_RETURN(const int64_t biases, count_param(p, 1, 0));
    if (biases > 0) {
        out->push_back({"bias_data", biases, false});
    }
    return {};
}

Status requantize_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t scales_in, count_param(p, 0, 1));
    FW_ASSIGN_OR_RETURN(const int64_t scales_out, count_param(p, 1, 1));
    FW_ASSIGN_OR_RETURN(const int64_t biases, count_param(p, 2, 0));
    out->push_back({"scale_in_data", scales_in, false});
    out->push_back({"scale_out_data", scales_out, false});
    if (biases > 0) {
        out->push_back({"bias_data", biases, false});
    }
    return {};
}

constexpr LayerSchema kSchemas[] = {
    {"Eltwise", span(kEltwise), nullptr, 2, kAny, 1, 1, QuantRule::kArith,
     "product, weighted sum or maximum of equal shapes"},
    {"BinaryOp", span(kBinaryOp), nullptr, 1, 2, 1, 1, QuantRule::kArith,
     "operation of two inputs, or of one and a number, with broadcasting", binary_op_rule},
    {"UnaryOp", span(kUnaryOp), nullptr, 1, 1, 1, 1, QuantRule::kPointwise, "function of each element"},
    {"Power", span(kPower), nullptr, 1, 1, 1, 1, QuantRule::kPointwise, "(shift + scale * x) ^ power"},
    {"Exp", span(kExpLog), nullptr, 1, 1, 1, 1, QuantRule::kPointwise, "base ^ (shift + scale * x)"},
    {"Log", span(kExpLog), nullptr, 1, 1, 1, 1, QuantRule::kPointwise, "log of (shift + scale * x) to the base"},
    {"Reduction", span(kReduction), nullptr, 1, 1, 1, 1, QuantRule::kFloat, "sum, mean, norm ... over axes",
     reduction_rule},
    {"Softmax", span(kSoftmax), nullptr, 1, 1, 1, 1, QuantRule::kReader, "exp(x) / sum of exp along an axis"},
    {"ArgMax", span(kArgMax), nullptr, 1, 1, 1, 1, QuantRule::kFloat, "indices of the largest elements"},
    {"Cast", span(kCast), nullptr, 1, 1, 1, 1, QuantRule::kFloat, "changes the element type; values stay float32 here"},
    {"Quantize", span(kQuantize), quantize_blobs, 1, 1, 1, 1, QuantRule::kFloat, "float to int8"},
    {"Dequantize", span(kDequantize), dequantize_blobs, 1, 1, 1, 1, QuantRule::kFloat,
     "int8 (or int32) to float, plus bias"},
    {"Requantize", span(kRequantize), requantize_blobs, 1, 1, 1, 1, QuantRule::kFloat,
     "int8 (or int32) to int8 of another scale"},
};

}  // namespace

Span<const LayerSchema> arithmetic_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
