// Weights to int8, and the checks that keep accumulators inside int32.
#include <cmath>
#include <limits>

#include "quant/quant.h"

namespace fw {

namespace {

// Half of int32's range is for the bias, the other half for the products: (128 for q_in + 128 for the zero point) * 127
// each.
constexpr int64_t kBiasLimit = int64_t{1} << 30;
constexpr int64_t kProductLimit = int64_t{256} * 127;

}  // namespace

bool accumulator_fits(int64_t k) {
    return k >= 0 && k <= (std::numeric_limits<int32_t>::max() - kBiasLimit) / kProductLimit;
}

bool all_finite(Span<const float> values) {
    // Without a way out of the loop, so that it becomes vectors: models have millions of values, nearly all finite.
    uint32_t not_finite = 0;
    for (const float v : values) {
        not_finite |= std::fabs(v) <= std::numeric_limits<float>::max() ? 0U : 1U;
    }
    return not_finite == 0;
}

std::vector<float> fit_weight_scales(const QuantParams& in, Span<const float> scales, Span<const float> bias) {
    std::vector<float> fitted(scales.begin(), scales.end());
    for (size_t i = 0; i < fitted.size() && i < bias.size(); ++i) {
        const double size = std::fabs(static_cast<double>(bias[i])) * static_cast<double>(in.scale);
        // 2^30 - 2^10: the limit itself is not reached by rounding up to a float.
        const double limit = 1073740800.0 / size;
        if (static_cast<double>(fitted[i]) > limit) {
            fitted[i] = static_cast<float>(limit);
        }
    }
    return fitted;
}

void quantize_weights(Span<const float> weights, Span<const float> scales, std::vector<int8_t>* out) {
    out->assign(weights.size(), 0);
    if (scales.empty()) {
        return;
    }
    const size_t per_channel = weights.size() / scales.size();
    for (size_t channel = 0; channel < scales.size(); ++channel) {
        const float scale = scales[channel];
        if (!(scale > 0.0F)) {
            continue;  // dead channel
        }
        const size_t first = channel * per_channel;
        quantize_run(weights.data() + first, static_cast<int64_t>(per_channel), QuantParams{scale, 0},
                     out->data() + first);
    }
}

std::vector<float> mse_weight_scales(Span<const float> weights, int channels) {
    std::vector<float> scales = absmax_weight_scales(weights, channels);
    const size_t per_channel = scales.empty() ? 0 : weights.size() / scales.size();
    for (size_t channel = 0; channel < scales.size(); ++channel) {
        const double full = static_cast<double>(scales[channel]);
        double least = std::numeric_limits<double>::infinity();
        for (int k = 64; k >= 24 && full > 0.0; --k) {
            const auto scale = static_cast<float>(full * 64.0 / k);
            double error = 0.0;
            for (size_t i = channel * per_channel; i < (channel + 1) * per_channel; ++i) {
                const double q = round_to_int8(static_cast<double>(weights[i] * scale), 0, -127, 127);
                const double difference = q / static_cast<double>(scale) - static_cast<double>(weights[i]);
                error += difference * difference;
            }
            if (error < least && std::isfinite(scale)) {
                least = error;
                scales[channel] = scale;
            }
        }
    }
    return scales;
}

std::vector<float> absmax_weight_scales(Span<const float> weights, int channels) {
    std::vector<float> scales(static_cast<size_t>(channels > 0 ? channels : 0), 0.0F);
    const size_t per_channel = scales.empty() ? 0 : weights.size() / scales.size();
    for (size_t channel = 0; channel < scales.size(); ++channel) {
        float largest = 0.0F;
        for (size_t i = channel * per_channel; i < (channel + 1) * per_channel; ++i) {
            const float magnitude = std::fabs(weights[i]);
            largest = magnitude > largest ? magnitude : largest;
        }
        const float scale = 127.0F / largest;
        scales[channel] = std::isfinite(scale) ? scale : 0.0F;
    }
    return scales;
}

}  // namespace fw
