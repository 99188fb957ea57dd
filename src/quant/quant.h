// Scales to integers: the only place where a scale becomes a multiplier (docs/int8-contract.md gives every formula).
#pragma once

#include <cstdint>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"
#include "fw/table.h"

namespace fw {

/// Range of int8 activations: [-127, 127] where zero_point is 0 (symmetric, as legacy tables mean it), else [-128,
/// 127].
int quant_min(const QuantParams& q);
constexpr int kQuantMax = 127;

/// Round to nearest, ties to even, saturating at int32's bounds (NaN gives the lower one); independent of the rounding
/// mode.
int32_t round_half_even(double x);
/// clamp(rne(x) + zero_point, lo, hi) as min(max(., lo), hi), for any x. NaN gives `lo`.
int8_t round_to_int8(double x, int zero_point, int lo, int hi);
/// q = clamp(rne(x * scale) + zero_point); one float multiply. NaN gives the lower bound.
int8_t quantize(float x, const QuantParams& q);
/// quantize() of `count` adjacent values; the same bits, in the default rounding mode, at vector speed.
void quantize_run(const float* x, int64_t count, const QuantParams& q, int8_t* out);
/// dequantize() of `count` adjacent values.
void dequantize_run(const int8_t* x, int64_t count, const QuantParams& q, float* out);
/// x = float(q - zero_point) * inverse_scale(q).
float inverse_scale(const QuantParams& q);  ///< float(1 / double(scale))
inline float dequantize(int8_t v, const QuantParams& q) {
    return static_cast<float>(v - q.zero_point) * inverse_scale(q);
}

/// Epilogue of an int8 convolution-like kernel: q = clamp(rne(float(acc + bias) * multiplier) + zero_point, lo, hi),
/// or, for a float output, x = float(acc + bias) * multiplier. Vectors have one element an output channel.
struct Requant {
    std::vector<int32_t> bias;      ///< real bias, zero-point correction -zp_in * sum(w) included
    std::vector<float> multiplier;  ///< int8: scale_out / (scale_in * scale_w); float: 1 / (scale_in * scale_w)
    int32_t zero_point = 0;
    int32_t lo = -127, hi = 127;  ///< the output range with the fused activation in it
};

/// An activation that a clamp can carry (none, ReLU, Clip), in real numbers.
struct RealClamp {
    float lo = -3.402823466e+38F;
    float hi = 3.402823466e+38F;
};

/// The bounds of int8 outputs with the clamp in them: lo = max(qmin, rne(double(clamp.lo) * scale) + zero_point), hi
/// likewise.
struct QuantBounds {
    int32_t lo = -127, hi = 127;
};
QuantBounds quant_bounds(const QuantParams& q, const RealClamp& clamp);

/// True if no partial sum of a bias and `k` products can leave int32, for any weights and inputs
/// (docs/int8-contract.md). A layer with longer sums stays float.
bool accumulator_fits(int64_t k);
/// No inf or nan among the values: what weights and biases must be before they are quantized.
bool all_finite(Span<const float> values);
/// Weight scales as they are used: lowered where the bias of a channel with tiny weights would not fit the accumulator.
/// To be called before quantize_weights and make_requant. `bias` may be empty.
std::vector<float> fit_weight_scales(const QuantParams& in, Span<const float> scales, Span<const float> bias);

/// Quantizes weights [channels x per_channel] with one scale a channel: q = clamp(rne(w * scale), -127, 127). A scale
/// of 0 (dead channel) gives zeros.
void quantize_weights(Span<const float> weights, Span<const float> scales, std::vector<int8_t>* out);
/// 127 / max|w| for each channel; 0 for a channel of zeros (or so small that the scale is no finite float).
std::vector<float> absmax_weight_scales(Span<const float> weights, int channels);
/// For each channel the scale of least square error of its quantized weights, of 127 / (max|w| * k / 64), k = 24 to 64
/// (ties to the larger range); as absmax_weight_scales where that gives 0. W. Sung et al., "Resiliency of Deep Neural
/// Networks under Quantization", 2015, section 3.1, with an exhaustive search.
std::vector<float> mse_weight_scales(Span<const float> weights, int channels);

/// Builds the epilogue for int8 outputs. `weight_sums` are the sums of the quantized weights, one a channel.
Requant make_requant(const QuantParams& in, Span<const float> weight_scales, Span<const int32_t> weight_sums,
                     Span<const float> bias, const QuantParams& out, const RealClamp& clamp);
/// Builds it for float outputs (the activation is applied in float afterwards).
Requant make_dequant(const QuantParams& in, Span<const float> weight_scales, Span<const int32_t> weight_sums,
                     Span<const float> bias);

/// Multiplier of an average over `count` elements: q = clamp(rne(float(sum) * m) + zp_out), sum of (q_in - zp_in).
float average_multiplier(const QuantParams& in, const QuantParams& out, double count);

/// Factor of (q - zp_in) that gives the output's levels: s_out / s_in.
float rescale_multiplier(const QuantParams& in, const QuantParams& out);
/// Factor of the product of all (q_i - zp_i): s_out / (s_1 * s_2 * ...).
float product_multiplier(Span<const QuantParams> inputs, const QuantParams& out);
/// Factor of float(q_a - zp_a) / float(q_b - zp_b): s_out * s_b / s_a.
float quotient_multiplier(const QuantParams& a, const QuantParams& b, const QuantParams& out);

/// Constants of y = scale[c] * x + shift[c]: q = clamp(rne(float(q_in - zp_in) * a[c] + b[c]) + zp_out), the product
/// rounded before the sum.
struct AffineParams {
    std::vector<float> a;  ///< scale * s_out / s_in
    std::vector<float> b;  ///< shift * s_out
};
AffineParams make_affine(const QuantParams& in, Span<const float> scale, Span<const float> shift,
                         const QuantParams& out);

/// 256-entry table, index q + 128: out = quantize(fn(dequantize(q))), in double precision with one final rounding. `fn`
/// must use the functions of quant/math.h, never those of the platform.
using PointwiseTable = int8_t[256];
void make_pointwise_table(const QuantParams& in, const QuantParams& out, double (*fn)(double x, const void* context),
                          const void* context, PointwiseTable table);
/// The table of the identity: one scale to another (Concat, Requantize).
void make_rescale_table(const QuantParams& in, const QuantParams& out, PointwiseTable table);

/// Softmax of int8 levels: d = (largest level) - q gives exp(-d / scale), as a float and as a whole number for the sum.
struct SoftmaxTable {
    float value[256];      ///< exp(-d / scale); 0 below 2^-64
    uint32_t weight[256];  ///< rne(exp(-d / scale) * 2^30)
};
void make_softmax_table(const QuantParams& in, SoftmaxTable* table);
/// Factor of the values for a sum of weights: 2^30 / sum, with `out` (int8 outputs) times its scale.
float softmax_factor(int64_t sum, const QuantParams* out);

/// Convolutions add residuals to their outputs, and layers behind a global pooling pool, themselves. The smallest build
/// leaves that out, which changes no byte.
#ifdef FW_MINSIZE
constexpr bool kFusesNeighbours = false;
#else
constexpr bool kFusesNeighbours = true;
#endif

/// Element-wise sum of n int8 tensors with coefficients:
/// q = clamp(zp_out + ((sum_i (q_i - zp_i) * multiplier_i + (1 << (shift - 1))) >> shift), lo, hi), all in int32.
/// shift = 0: scales or coefficients that this formula cannot hold; the layer stays float.
struct SumParams {
    std::vector<int32_t> multiplier;
    std::vector<int32_t> zero_point;
    int shift = 0;
    int32_t zero_point_out = 0;
    int32_t lo = -127, hi = 127;
};
/// `coefficients` may be empty (all 1).
SumParams make_sum(Span<const QuantParams> inputs, Span<const float> coefficients, const QuantParams& out,
                   const RealClamp& clamp);

}  // namespace fw
