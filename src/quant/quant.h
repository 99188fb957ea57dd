// Scales to integers: the only place where a scale becomes a multiplier (docs/int8-contract.md gives every formula).
#pragma once

#include <cstdint>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"
#include "fw/table.h"

namespace fw {

/// Range of int8 activations: [-127, 127] where zero_point is 0 (symmetric, as legacy tables mean it), else [-128, 127].
int quant_min(const QuantParams& q);
constexpr int kQuantMax = 127;

/// Round to nearest, ties to even, of a value already clamped to int32's range; independent of the rounding mode.
int32_t round_half_even(double x);
/// q = clamp(rne(x * scale) + zero_point); one float multiply. NaN gives the lower bound.
int8_t quantize(float x, const QuantParams& q);
/// x = float(q - zero_point) * inverse_scale(q).
float inverse_scale(const QuantParams& q);  ///< float(1 / double(scale))
inline float dequantize(int8_t v, const QuantParams& q) {
    return static_cast<float>(v - q.zero_point) * inverse_scale(q);
}

/// Epilogue of an int8 convolution-like kernel: q = clamp(rne(float(acc + bias) * multiplier) + zero_point, lo, hi), or, for a
/// float output, x = float(acc + bias) * multiplier. Vectors have one element an output channel.
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

/// Quantizes weights [channels x per_channel] with one scale a channel: q = clamp(rne(w * scale), -127, 127). A scale of 0
/// (dead channel) gives zeros.
void quantize_weights(Span<const float> weights, Span<const float> scales, std::vector<int8_t>* out);
/// 127 / max|w| for each channel; 0 for a channel of zeros.
std::vector<float> absmax_weight_scales(Span<const float> weights, int channels);

/// Builds the epilogue for int8 outputs. `weight_sums` are the sums of the quantized weights, one a channel.
Requant make_requant(const QuantParams& in, Span<const float> weight_scales, Span<const int32_t> weight_sums,
                     Span<const float> bias, const QuantParams& out, const RealClamp& clamp);
/// Builds it for float outputs (the activation is applied in float afterwards).
Requant make_dequant(const QuantParams& in, Span<const float> weight_scales, Span<const int32_t> weight_sums,
                     Span<const float> bias);

/// 256-entry table, index q + 128: out = quantize(fn(dequantize(q))), in double precision with one final rounding.
using PointwiseTable = int8_t[256];
void make_pointwise_table(const QuantParams& in, const QuantParams& out, double (*fn)(double x, const void* context),
                          const void* context, PointwiseTable table);
/// The table of the identity: one scale to another (Concat, Requantize).
void make_rescale_table(const QuantParams& in, const QuantParams& out, PointwiseTable table);

/// Element-wise sum of n int8 tensors with coefficients:
/// q = clamp(zp_out + ((sum_i (q_i - zp_i) * multiplier_i + (1 << (shift - 1))) >> shift), lo, hi), all in int32.
struct SumParams {
    std::vector<int32_t> multiplier;
    std::vector<int32_t> zero_point;
    int shift = 0;
    int32_t zero_point_out = 0;
    int32_t lo = -127, hi = 127;
};
SumParams make_sum(Span<const QuantParams> inputs, Span<const float> coefficients, const QuantParams& out,
                   const RealClamp& clamp);

}  // namespace fw
