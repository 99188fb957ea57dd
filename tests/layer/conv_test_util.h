// Naive references of convolution-like layers: loops over the definition, in double precision or exact integers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "quant/quant.h"
#include "support/layer_runner.h"

namespace fw::test {

struct ConvCase {
    bool transposed = false;
    bool depthwise_type = false;  ///< the ...DepthWise layer type, with `group`
    int channels = 1, height = 1, width = 1;
    int outputs = 1;
    int group = 1;
    int kernel_w = 1, kernel_h = 1;
    int stride_w = 1, stride_h = 1;
    int dilation_w = 1, dilation_h = 1;
    int pad_left = 0, pad_right = 0, pad_top = 0, pad_bottom = 0;
    int output_pad_right = 0, output_pad_bottom = 0;  ///< of a deconvolution
    float pad_value = 0.0F;
    bool bias = true;
    int activation = 0;
    std::vector<float> activation_params;
    Shape input_shape;  ///< rank 0: [channels x height x width]

    Shape shape() const { return input_shape.rank != 0 ? input_shape : Shape(channels, height, width); }
    const char* type() const {
        if (transposed) {
            return depthwise_type ? "DeconvolutionDepthWise" : "Deconvolution";
        }
        return depthwise_type ? "ConvolutionDepthWise" : "Convolution";
    }
    int64_t weight_count() const { return int64_t{outputs} * (channels / group) * kernel_h * kernel_w; }
    int out_h() const {
        return transposed ? (height - 1) * stride_h + dilation_h * (kernel_h - 1) + 1 - pad_top - pad_bottom +
                                output_pad_bottom
                          : (height + pad_top + pad_bottom - dilation_h * (kernel_h - 1) - 1) / stride_h + 1;
    }
    int out_w() const {
        return transposed
                   ? (width - 1) * stride_w + dilation_w * (kernel_w - 1) + 1 - pad_left - pad_right + output_pad_right
                   : (width + pad_left + pad_right - dilation_w * (kernel_w - 1) - 1) / stride_w + 1;
    }
    ParamDict params() const {
        ParamDict p;
        p.set(0, outputs);
        p.set(1, kernel_w);
        p.set(11, kernel_h);
        p.set(2, dilation_w);
        p.set(12, dilation_h);
        p.set(3, stride_w);
        p.set(13, stride_h);
        p.set(4, pad_left);
        p.set(15, pad_right);
        p.set(14, pad_top);
        p.set(16, pad_bottom);
        p.set(5, bias ? 1 : 0);
        p.set(6, static_cast<int>(weight_count()));
        if (depthwise_type) {
            p.set(7, group);
        }
        if (!transposed) {
            p.set(18, pad_value);
        } else {
            p.set(18, output_pad_right);
            p.set(19, output_pad_bottom);
        }
        if (activation != 0) {
            p.set(9, activation);
            p.set(10, activation_params);
        }
        return p;
    }
};

/// Calls fn(output index, input index or -1 for padding, weight index) for every product of the layer, all in row-major
/// order of [channel][y][x] and [output][channel / group][ky][kx]. Written from the definition: a convolution gathers,
/// a deconvolution scatters.
template <class Fn>
void for_each_product(const ConvCase& c, Fn&& fn) {
    const int cg = c.channels / c.group;
    const int og = c.outputs / c.group;
    const int oh = c.out_h();
    const int ow = c.out_w();
    for (int o = 0; o < c.outputs; ++o) {
        for (int i = 0; i < cg; ++i) {
            const int in_channel = o / og * cg + i;
            for (int ky = 0; ky < c.kernel_h; ++ky) {
                for (int kx = 0; kx < c.kernel_w; ++kx) {
                    const int64_t weight = ((int64_t{o} * cg + i) * c.kernel_h + ky) * c.kernel_w + kx;
                    if (c.transposed) {
                        for (int y = 0; y < c.height; ++y) {
                            for (int x = 0; x < c.width; ++x) {
                                const int oy = y * c.stride_h + ky * c.dilation_h - c.pad_top;
                                const int ox = x * c.stride_w + kx * c.dilation_w - c.pad_left;
                                if (oy >= 0 && oy < oh && ox >= 0 && ox < ow) {
                                    fn((int64_t{o} * oh + oy) * ow + ox,
                                       (int64_t{in_channel} * c.height + y) * c.width + x, weight);
                                }
                            }
                        }
                        continue;
                    }
                    for (int oy = 0; oy < oh; ++oy) {
                        for (int ox = 0; ox < ow; ++ox) {
                            const int y = oy * c.stride_h - c.pad_top + ky * c.dilation_h;
                            const int x = ox * c.stride_w - c.pad_left + kx * c.dilation_w;
                            const bool inside = y >= 0 && y < c.height && x >= 0 && x < c.width;
                            fn((int64_t{o} * oh + oy) * ow + ox,
                               inside ? (int64_t{in_channel} * c.height + y) * c.width + x : int64_t{-1}, weight);
                        }
                    }
                }
            }
        }
    }
}

inline double reference_activation(int type, const std::vector<float>& p, double x) {
    const auto param = [&](size_t i) { return static_cast<double>(p[i]); };
    switch (type) {
        case 1: return x < 0 ? 0 : x;
        case 2: return x > 0 ? x : x * param(0);
        case 3: return x < param(0) ? param(0) : x > param(1) ? param(1) : x;
        case 4: return 1 / (1 + std::exp(-x));
        case 5: return x * std::tanh(std::log1p(std::exp(x)));
        case 6: return x * std::min(1.0, std::max(0.0, param(0) * x + param(1)));
        default: return x;
    }
}

struct ConvData {
    std::vector<float> input, weights, bias;
};

inline ConvData random_conv_data(const ConvCase& c, unsigned seed = 1) {
    std::mt19937 rng(seed);
    std::uniform_real_distribution<float> value(-1.0F, 1.0F);
    ConvData d;
    d.input.resize(static_cast<size_t>(c.channels) * static_cast<size_t>(c.height * c.width));
    d.weights.resize(static_cast<size_t>(c.weight_count()));
    d.bias.resize(static_cast<size_t>(c.outputs));
    for (auto* v : {&d.input, &d.weights, &d.bias}) {
        for (float& x : *v) {
            x = value(rng);
        }
    }
    return d;
}

inline std::vector<Weight> conv_weights(const ConvCase& c, const ConvData& d) {
    std::vector<Weight> w{Weight::from_floats(d.weights)};
    if (c.bias) {
        w.push_back(Weight::from_floats(d.bias));
    }
    return w;
}

/// Exact outputs and a bound on the error of a float32 evaluation, before the activation.
inline void reference_conv(const ConvCase& c, const ConvData& d, std::vector<double>* out, std::vector<double>* bound) {
    const auto pixels = static_cast<size_t>(c.out_h()) * static_cast<size_t>(c.out_w());
    out->assign(static_cast<size_t>(c.outputs) * pixels, 0.0);
    bound->assign(out->size(), 0.0);
    std::vector<int> terms(out->size(), 1);
    for (size_t i = 0; i < out->size(); ++i) {
        (*out)[i] = c.bias ? static_cast<double>(d.bias[i / pixels]) : 0.0;
        (*bound)[i] = std::fabs((*out)[i]);
    }
    for_each_product(c, [&](int64_t o, int64_t i, int64_t w) {
        const double x = static_cast<double>(i < 0 ? c.pad_value : d.input[static_cast<size_t>(i)]);
        const double product = x * static_cast<double>(d.weights[static_cast<size_t>(w)]);
        (*out)[static_cast<size_t>(o)] += product;
        (*bound)[static_cast<size_t>(o)] += std::fabs(product);
        ++terms[static_cast<size_t>(o)];
    });
    for (size_t i = 0; i < bound->size(); ++i) {
        // Padding counts as terms too.
        const int longest = c.channels / c.group * c.kernel_h * c.kernel_w + 2;
        (*bound)[i] = std::max(terms[i], longest) * 0x1p-24 * (*bound)[i] + 1e-30;
    }
}

}  // namespace fw::test
