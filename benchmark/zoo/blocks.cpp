#include "zoo/blocks.h"

#include <algorithm>
#include <cmath>

#include "zoo/weights.h"

namespace fw::zoo {

namespace {

using import::BlobId;
using import::LayerBuilder;

/// What an activation makes of a variable of mean 0 and variance `gain`: a second moment of 1. Variances are a
/// tenth above those of a normal variable: sums in a random network have longer tails.
struct ActStatistics {
    double gain, mean, variance;
};

ActStatistics statistics(Act act) {
    switch (act) {
        case Act::kRelu:
        case Act::kRelu6: return {2.0, 0.564, 0.75};
        case Act::kLeakyRelu: return {1.98, 0.505, 0.8};
        case Act::kPRelu: return {1.88, 0.41, 0.9};
        case Act::kHardSwish: return {2.3, 0.39, 0.89};
        case Act::kSwish: return {2.4, 0.43, 0.86};
        case Act::kGelu: return {2.1, 0.48, 0.81};
        case Act::kSigmoid: return {1.0, 0.5, 0.04};
        case Act::kHardSigmoid: return {1.0, 0.5, 0.03};
        case Act::kNone: break;
    }
    return {1.0, 0.0, 1.0};
}

bool is_fused(Act act) {
    return act == Act::kRelu || act == Act::kRelu6;
}

// Extent after a window of `kernel` (dilated) moves in steps over the padded extent.
int windowed(int extent, int kernel, int stride, int pad, bool ceil) {
    if (pad == kSameUpper) {
        return (extent + stride - 1) / stride;
    }
    const int room = extent + 2 * pad - kernel;
    return (ceil ? room + stride - 1 : room) / stride + 1;
}

}  // namespace

LayerBuilder& Blocks::layer(const std::string& type, const std::string& name, const std::vector<Value>& inputs) {
    std::vector<BlobId> bottoms;
    for (const Value& value : inputs) {
        bottoms.push_back(value.id);
    }
    return net_->add(type, name, bottoms);
}

Value Blocks::input(int channels, int height, int width) {
    if (largest_side_ > 0) {
        height = std::min(height, largest_side_);
        width = std::min(width, largest_side_);
    }
    LayerBuilder& in = layer("Input", "data", {});
    in.set("w", width).set("h", height).set("c", channels);
    Value x{in.top("data"), channels, height, width};
    x.variance = 1.0 / 3.0;
    return x;
}

// Weights of variance gain / (fan-in * variance of x); the bias is small, less what the mean of x contributes.
Value Blocks::weighted(LayerBuilder* layer, const std::string& name, const Value& x, int out, int64_t fan_in, Act act,
                       double deviation, const std::vector<float>& offset) {
    const ActStatistics after = statistics(act);
    Draws draws(seed_, name);
    const double scale = deviation * std::sqrt(after.gain / (static_cast<double>(fan_in) * x.variance));
    std::vector<float> weights = draws.normal(static_cast<size_t>(out * fan_in), scale);
    std::vector<float> biases = draws.normal(static_cast<size_t>(out), 0.1 * deviation);
    for (size_t o = 0; o < biases.size(); ++o) {
        double sum = 0;
        for (int64_t i = 0; i < fan_in; ++i) {
            sum += static_cast<double>(weights[o * static_cast<size_t>(fan_in) + static_cast<size_t>(i)]);
        }
        biases[o] -= static_cast<float>(sum * x.mean);
        biases[o] += offset.empty() ? 0.0F : offset[o % offset.size()];
    }
    layer->weight(std::move(weights)).weight(std::move(biases));
    if (act == Act::kRelu) {
        layer->set("activation_type", 1);
    } else if (act == Act::kRelu6) {
        layer->set("activation_type", 3).set("activation_params", std::vector<float>{0.0F, 6.0F});
    }
    Value y{layer->top(name), out};
    y.variance = deviation * deviation * (is_fused(act) ? after.variance : after.gain);
    y.mean = is_fused(act) ? deviation * after.mean : 0.0;
    return y;
}

Value Blocks::conv(const std::string& name, const Value& x, const Conv& conv) {
    const int64_t fan_in = int64_t{x.c} / conv.group * conv.kernel * conv.kernel;
    const int window = conv.dilation * (conv.kernel - 1) + 1;
    const int pad = conv.pad == kSamePad ? (window - 1) / 2 : conv.pad;
    LayerBuilder& to = layer(conv.group == 1 ? "Convolution" : "ConvolutionDepthWise", name, {x});
    to.set("num_output", conv.out).set("kernel_w", conv.kernel).set("dilation_w", conv.dilation);
    to.set("stride_w", conv.stride).set("pad_left", pad).set("bias_term", 1);
    to.set("weight_data_size", static_cast<double>(conv.out * fan_in));
    if (conv.group != 1) {
        to.set("group", conv.group);
    }
    Value y = weighted(&to, name, x, conv.out, fan_in, conv.act, conv.deviation, conv.offset);
    y.h = windowed(x.h, window, conv.stride, pad, false);
    y.w = windowed(x.w, window, conv.stride, pad, false);
    return is_fused(conv.act) ? y : act(name + "/act", y, conv.act);
}

Value Blocks::depthwise(const std::string& name, const Value& x, Conv conv) {
    conv.out = x.c;
    conv.group = x.c;
    return this->conv(name, x, conv);
}

Value Blocks::fc(const std::string& name, const Value& x, int out, Act act, double deviation) {
    const int64_t fan_in = int64_t{x.c} * x.h * x.w;
    LayerBuilder& to = layer("InnerProduct", name, {x});
    to.set("num_output", out).set("bias_term", 1).set("weight_data_size", static_cast<double>(out * fan_in));
    const Value y = weighted(&to, name, x, out, fan_in, act, deviation, {});
    return is_fused(act) ? y : this->act(name + "/act", y, act);
}

Value Blocks::act(const std::string& name, const Value& x, Act act) {
    if (act == Act::kNone) {
        return x;
    }
    static const char* const kTypes[] = {"",          "ReLU",  "Clip",    "ReLU",        "PReLU",
                                         "HardSwish", "Swish", "Sigmoid", "HardSigmoid", "GELU"};
    LayerBuilder& to = layer(kTypes[static_cast<int>(act)], name, {x});
    if (act == Act::kRelu6) {
        to.set("min", 0).set("max", 6);
    } else if (act == Act::kLeakyRelu) {
        to.set("slope", 0.1);
    } else if (act == Act::kPRelu) {
        std::vector<float> slopes = Draws(seed_, name).normal(static_cast<size_t>(x.c), 0.05);
        for (float& slope : slopes) {
            slope += 0.25F;
        }
        to.set("num_slope", x.c).weight(std::move(slopes));
    } else if (act == Act::kHardSwish || act == Act::kHardSigmoid) {
        to.set("alpha", 1.0 / 6.0).set("beta", 0.5);
    }
    Value y = x;
    y.id = to.top(name);
    const ActStatistics after = statistics(act);
    if (act == Act::kSigmoid || act == Act::kHardSigmoid) {
        y.mean = after.mean;
        y.variance = after.variance;
        return y;
    }
    // What lies well above 0, as sums with a rectified blob do, passes as it is; in between, in proportion.
    const double size = x.variance / after.gain;
    const double passes = std::min(1.0, x.mean / std::sqrt(x.variance));
    y.mean = passes * x.mean + (1.0 - passes) * std::sqrt(size) * after.mean;
    y.variance = passes * x.variance + (1.0 - passes) * size * after.variance;
    return y;
}

Value Blocks::add(const std::string& name, const Value& a, const Value& b, Act act) {
    LayerBuilder& to = layer("Eltwise", name, {a, b});
    to.set("op_type", 1);
    Value y = a;
    y.id = to.top(name);
    y.mean = a.mean + b.mean;
    y.variance = a.variance + b.variance;
    return this->act(name + "/act", y, act);
}

Value Blocks::gate(const std::string& name, const Value& x, const Value& factors) {
    LayerBuilder& to = layer("BinaryOp", name, {x, factors});
    to.set("op_type", 2);
    Value y = x;
    y.id = to.top(name);
    y.mean = x.mean * factors.mean;
    y.variance = (x.variance + x.mean * x.mean) * (factors.variance + factors.mean * factors.mean) - y.mean * y.mean;
    return y;
}

Value Blocks::concat(const std::string& name, const std::vector<Value>& parts) {
    LayerBuilder& to = layer("Concat", name, parts);
    Value y = parts[0];
    y.id = to.top(name);
    y.c = 0;
    double sum = 0;
    double squares = 0;
    for (const Value& part : parts) {
        y.c += part.c;
        sum += part.c * part.mean;
        squares += part.c * (part.variance + part.mean * part.mean);
    }
    y.mean = sum / y.c;
    y.variance = squares / y.c - y.mean * y.mean;
    return y;
}

Value Blocks::pad_channels(const std::string& name, const Value& x, int channels) {
    LayerBuilder& to = layer("Padding", name, {x});
    to.set("behind", channels - x.c);
    Value y = x;
    y.id = to.top(name);
    y.c = channels;
    return y;
}

Value Blocks::channels(const std::string& name, const Value& x, int first, int count) {
    LayerBuilder& to = layer("Crop", name, {x});
    to.set("coffset", first).set("outw", x.w).set("outh", x.h).set("outc", count);
    Value y = x;
    y.id = to.top(name);
    y.c = count;
    return y;
}

Value Blocks::resize(const std::string& name, const Value& x, int height, int width, Resize kind) {
    LayerBuilder& to = layer("Interp", name, {x});
    to.set("resize_type", kind == Resize::kNearest ? 1 : 2).set("output_height", height).set("output_width", width);
    to.set("align_corner", kind == Resize::kBilinearAligned ? 1 : 0);
    Value y = x;
    y.id = to.top(name);
    y.h = height;
    y.w = width;
    return y;
}

Value Blocks::reshape(const std::string& name, const Value& x, int c, int h, int w) {
    LayerBuilder& to = layer("Reshape", name, {x});
    to.set("w", w).set("h", h);
    if (c > 1) {
        to.set("c", c);
    }
    Value y = x;
    y.id = to.top(name);
    y.c = c;
    y.h = h;
    y.w = w;
    return y;
}

Value Blocks::flatten_pixels(const std::string& name, const Value& x) {
    Value y = x;
    LayerBuilder& turn = layer("Permute", name + "_perm", {x});
    y.id = turn.set("order_type", 3).top(name + "_perm");
    y.id = layer("Flatten", name + "_flat", {y}).top(name + "_flat");
    y.c = x.c * x.h * x.w;
    y.h = 1;
    y.w = 1;
    return y;
}

Value Blocks::softmax(const std::string& name, const Value& x) {
    Value y = x;
    y.id = layer("Softmax", name, {x}).top(name);
    return y;
}

// A maximum lies about one deviation above the mean and, of rectified values, spreads wider (measured over the zoo); an
// average keeps the mean and loses most of the variance.
Value Blocks::pool(const std::string& name, const Value& x, Pool kind, int kernel, int stride, int pad, bool ceil) {
    LayerBuilder& to = layer("Pooling", name, {x});
    to.set("pooling_type", kind == Pool::kMax ? 0 : 1).set("kernel_w", kernel).set("stride_w", stride);
    to.set("pad_left", pad).set("pad_mode", ceil ? 0 : 1);
    Value y = x;
    y.id = to.top(name);
    y.h = windowed(x.h, kernel, stride, pad, ceil);
    y.w = windowed(x.w, kernel, stride, pad, ceil);
    y.mean = kind == Pool::kMax ? x.mean + std::sqrt(x.variance) : x.mean;
    y.variance = x.variance * (kind == Pool::kMax ? 1.5 : 0.4);
    return y;
}

Value Blocks::global_pool(const std::string& name, const Value& x) {
    LayerBuilder& to = layer("Pooling", name, {x});
    to.set("pooling_type", 1).set("global_pooling", 1);
    Value y{to.top(name), x.c};
    y.mean = x.mean;
    y.variance = x.variance * 0.2;
    return y;
}

Value Blocks::lrn(const std::string& name, const Value& x) {
    LayerBuilder& to = layer("LRN", name, {x});
    Value y = x;
    y.id = to.set("local_size", 5).set("alpha", 0.0001).set("beta", 0.75).top(name);
    return y;
}

Value Blocks::squeeze_excite(const std::string& name, const Value& x, int squeezed, Act inner, Act outer) {
    const Value mean = global_pool(name + "/squeeze", x);
    const Value hidden = fc(name + "/reduce", mean, squeezed, inner);
    return gate(name + "/scale", x, fc(name + "/expand", hidden, x.c, outer));
}

}  // namespace fw::zoo
