// Scales to multipliers: convolution-like layers, averages, sums, tables.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "quant/math.h"
#include "quant/quant.h"

namespace fw {

namespace {

constexpr int32_t kBiasLimit = 1 << 30;

// A multiplier as a float: never infinite (0 * inf), never denormal (some vector units flush those).
float to_multiplier(double m) {
    if (!(m >= static_cast<double>(FLT_MIN))) {
        return 0.0F;
    }
    return m > static_cast<double>(FLT_MAX) ? FLT_MAX : static_cast<float>(m);
}

float bias_of(Span<const float> bias, size_t channel) {
    return channel < bias.size() ? bias[channel] : 0.0F;
}

int32_t accumulator_bias(const QuantParams& in, float weight_scale, int32_t weight_sum, float bias) {
    const double real = static_cast<double>(bias) * static_cast<double>(in.scale) * static_cast<double>(weight_scale);
    const int32_t rounded = std::min(std::max(round_half_even(real), -kBiasLimit), kBiasLimit);
    // Fits for every layer that accumulator_fits() lets through.
    return static_cast<int32_t>(rounded - int64_t{in.zero_point} * weight_sum);
}

Requant empty_requant(size_t channels) {
    Requant requant;
    requant.bias.resize(channels);
    requant.multiplier.resize(channels);
    return requant;
}

}  // namespace

QuantBounds quant_bounds(const QuantParams& q, const RealClamp& clamp) {
    const auto bound = [&](float real) {
        const double scaled = static_cast<double>(real) * static_cast<double>(q.scale);
        return static_cast<int32_t>(round_to_int8(scaled, q.zero_point, quant_min(q), kQuantMax));
    };
    return {bound(clamp.lo), bound(clamp.hi)};
}

Requant make_requant(const QuantParams& in, Span<const float> weight_scales, Span<const int32_t> weight_sums,
                     Span<const float> bias, const QuantParams& out, const RealClamp& clamp) {
    Requant requant = empty_requant(weight_scales.size());
    const QuantBounds bounds = quant_bounds(out, clamp);
    requant.zero_point = out.zero_point;
    requant.lo = bounds.lo;
    requant.hi = bounds.hi;
    for (size_t i = 0; i < weight_scales.size(); ++i) {
        const float b = bias_of(bias, i);
        if (!(weight_scales[i] > 0.0F)) {
            // Dead: the accumulator is the output itself; 2^20 is beyond any int8 and exact in float.
            const double real = static_cast<double>(b) * static_cast<double>(out.scale);
            requant.bias[i] = std::min(std::max(round_half_even(real), -(1 << 20)), 1 << 20);
            requant.multiplier[i] = 1.0F;
            continue;
        }
        requant.bias[i] = accumulator_bias(in, weight_scales[i], weight_sums[i], b);
        requant.multiplier[i] = to_multiplier(static_cast<double>(out.scale) /
                                              (static_cast<double>(in.scale) * static_cast<double>(weight_scales[i])));
    }
    return requant;
}

Requant make_dequant(const QuantParams& in, Span<const float> weight_scales, Span<const int32_t> weight_sums,
                     Span<const float> bias) {
    Requant requant = empty_requant(weight_scales.size());
    for (size_t i = 0; i < weight_scales.size(); ++i) {
        const float b = bias_of(bias, i);
        if (!(weight_scales[i] > 0.0F)) {
            // Dead: any float is a 24-bit integer times a power of two, so that the product is the bias exactly.
            int exponent = 0;
            const float fraction = std::frexp(b, &exponent);
            const bool vanishes = !std::isfinite(b) || exponent < -100;
            requant.bias[i] = vanishes ? 0 : static_cast<int32_t>(std::ldexp(fraction, 24));
            requant.multiplier[i] = vanishes ? 1.0F : std::ldexp(1.0F, exponent - 24);
            continue;
        }
        requant.bias[i] = accumulator_bias(in, weight_scales[i], weight_sums[i], b);
        requant.multiplier[i] =
            to_multiplier(1.0 / (static_cast<double>(in.scale) * static_cast<double>(weight_scales[i])));
    }
    return requant;
}

float average_multiplier(const QuantParams& in, const QuantParams& out, double count) {
    return to_multiplier(static_cast<double>(out.scale) / (static_cast<double>(in.scale) * count));
}

float rescale_multiplier(const QuantParams& in, const QuantParams& out) {
    return to_multiplier(static_cast<double>(out.scale) / static_cast<double>(in.scale));
}

float product_multiplier(Span<const QuantParams> inputs, const QuantParams& out) {
    double scale = 1.0;
    for (const QuantParams& in : inputs) {
        scale *= static_cast<double>(in.scale);
    }
    return to_multiplier(static_cast<double>(out.scale) / scale);
}

float quotient_multiplier(const QuantParams& a, const QuantParams& b, const QuantParams& out) {
    return to_multiplier(static_cast<double>(out.scale) * static_cast<double>(b.scale) / static_cast<double>(a.scale));
}

AffineParams make_affine(const QuantParams& in, Span<const float> scale, Span<const float> shift,
                         const QuantParams& out) {
    const auto to_float = [](double x) {
        const float magnitude = to_multiplier(std::fabs(x));
        return x < 0.0 ? -magnitude : magnitude;
    };
    AffineParams affine;
    for (size_t i = 0; i < scale.size(); ++i) {
        affine.a.push_back(
            to_float(static_cast<double>(scale[i]) * static_cast<double>(out.scale) / static_cast<double>(in.scale)));
        affine.b.push_back(to_float(static_cast<double>(shift[i]) * static_cast<double>(out.scale)));
    }
    return affine;
}

void make_pointwise_table(const QuantParams& in, const QuantParams& out, double (*fn)(double x, const void* context),
                          const void* context, PointwiseTable table) {
    for (int q = -128; q <= 127; ++q) {
        const double x = static_cast<double>(q - in.zero_point) / static_cast<double>(in.scale);
        const double y = fn(x, context) * static_cast<double>(out.scale);
        table[q + 128] = round_to_int8(y, out.zero_point, quant_min(out), kQuantMax);
    }
}

void make_rescale_table(const QuantParams& in, const QuantParams& out, PointwiseTable table) {
    make_pointwise_table(
        in, out, [](double x, const void* /*context*/) { return x; }, nullptr, table);
}

void make_softmax_table(const QuantParams& in, SoftmaxTable* table) {
    for (int d = 0; d < 256; ++d) {
        const double e = math::exp(-static_cast<double>(d) / static_cast<double>(in.scale));
        table->value[d] = e < std::ldexp(1.0, -64) ? 0.0F : static_cast<float>(e);
        table->weight[d] = static_cast<uint32_t>(round_half_even(std::ldexp(e, 30)));
    }
}

float softmax_factor(int64_t sum, const QuantParams* out) {
    const double scale = out != nullptr ? static_cast<double>(out->scale) : 1.0;
    return to_multiplier(scale * std::ldexp(1.0, 30) / static_cast<double>(sum));
}

SumParams make_sum(Span<const QuantParams> inputs, Span<const float> coefficients, const QuantParams& out,
                   const RealClamp& clamp) {
    SumParams sum;
    const QuantBounds bounds = quant_bounds(out, clamp);
    sum.zero_point_out = out.zero_point;
    sum.lo = bounds.lo;
    sum.hi = bounds.hi;
    sum.multiplier.resize(inputs.size());
    sum.zero_point.resize(inputs.size());
    for (int shift = 30; shift >= 1 && sum.shift == 0; --shift) {
        int64_t total = 0;
        bool fits = true;
        for (size_t i = 0; i < inputs.size(); ++i) {
            const double coefficient = i < coefficients.size() ? static_cast<double>(coefficients[i]) : 1.0;
            const double ratio = coefficient * static_cast<double>(out.scale) / static_cast<double>(inputs[i].scale);
            const int32_t k = round_half_even(std::ldexp(ratio, shift));
            const int64_t magnitude = k < 0 ? -int64_t{k} : int64_t{k};
            fits = fits && magnitude <= (1 << 20);
            total += magnitude;
            sum.multiplier[i] = k;
            sum.zero_point[i] = inputs[i].zero_point;
        }
        if (fits && total * 255 < kBiasLimit) {
            sum.shift = shift;
        }
    }
    return sum;
}

}  // namespace fw
