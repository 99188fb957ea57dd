// Layers with weights from and to float16 blobs: within the kernels' bounds where the level has such kernels, refused
// where it has none.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/cpu.h"
#include "base/half.h"
#include "conv_test_util.h"
#include "kernel/kernel.h"

namespace fw {
namespace {

using test::ConvCase;
using test::ConvData;
using test::HostTensor;
using test::RunOptions;
using test::Strides;

ConvCase conv(int channels, int outputs, int kernel, int stride = 1, int group = 1) {
    ConvCase c;
    c.channels = channels;
    c.outputs = outputs;
    c.height = 9;
    c.width = 11;
    c.kernel_w = c.kernel_h = kernel;
    c.stride_w = c.stride_h = stride;
    c.pad_left = c.pad_right = c.pad_top = c.pad_bottom = kernel / 2;
    c.group = group;
    c.depthwise_type = group > 1;
    return c;
}

ConvCase with(ConvCase c, int activation, std::vector<float> params = {}) {
    c.activation = activation;
    c.activation_params = std::move(params);
    return c;
}

std::vector<ConvCase> all_cases() {
    ConvCase padded = conv(20, 18, 3);
    padded.pad_value = 0.75F;
    ConvCase image = conv(3, 24, 3, 2);  // filter rows as taps
    image.pad_value = -0.5F;
    ConvCase up = conv(20, 18, 4, 2);
    up.transposed = true;
    up.pad_left = up.pad_right = up.pad_top = up.pad_bottom = 1;
    const std::vector<float> swish = {1.0F / 6, 0.5F};
    return {conv(24, 35, 1),
            with(conv(150, 16, 1), 1),
            with(conv(128, 192, 1), 1),  // by Strassen's way
            with(conv(128, 192, 1), 2, {0.1F}),
            with(conv(128, 192, 1), 6, swish),
            with(conv(17, 9, 1), 3, {-0.25F, 0.5F}),
            with(conv(33, 20, 1), 6, swish),
            padded,
            with(conv(20, 18, 3), 4),
            image,
            with(image, 5),
            conv(12, 10, 3, 1, 2),
            up,
            conv(48, 48, 3, 1, 48),
            with(conv(20, 20, 3, 2, 20), 1),
            with(conv(40, 40, 5, 1, 40), 6, swish),
            conv(24, 24, 5, 2, 24)};
}

HostTensor tensor_of(DType type, const Shape& shape, const std::vector<float>& values, Strides strides) {
    if (type == DType::kFloat32) {
        return HostTensor::floats(shape, values, strides);
    }
    std::vector<uint16_t> halves(values.size());
    std::transform(values.begin(), values.end(), halves.begin(), float_to_half);
    return HostTensor::from(TensorDesc{shape, type, {}}, halves, strides);
}

std::vector<float> floats_of(const HostTensor& host) {
    if (host.tensor().dtype == DType::kFloat32) {
        return host.values();
    }
    const std::vector<uint16_t> halves = host.values<uint16_t>();
    std::vector<float> values(halves.size());
    std::transform(halves.begin(), halves.end(), values.begin(), half_to_float);
    return values;
}

class HalfConvolutions : public testing::TestWithParam<ConvCase> {};
INSTANTIATE_TEST_SUITE_P(All, HalfConvolutions, testing::ValuesIn(all_cases()));

TEST_P(HalfConvolutions, AreWithinTheKernelsBounds) {
    const ConvCase& c = GetParam();
    ConvData data = test::random_conv_data(c);
    for (float& x : data.input) {
        x = half_to_float(float_to_half(x));
    }
    std::vector<double> want;
    std::vector<double> bound;
    test::reference_conv(c, data, &want, &bound);
    std::vector<double> sum(want.size(), 0.0);
    test::for_each_product(c, [&](int64_t o, int64_t i, int64_t w) {
        const float x = i < 0 ? c.pad_value : data.input[static_cast<size_t>(i)];
        sum[static_cast<size_t>(o)] += std::fabs(static_cast<double>(x * data.weights[static_cast<size_t>(w)]));
    });
    const int64_t n = int64_t{c.channels / c.group} * c.kernel_h * c.kernel_w;
    const auto roundings =
        static_cast<double>(std::min(n, kHalfBlock) + (n + kHalfBlock - 1) / kHalfBlock + 2) * 0x1p-11;
    for (size_t i = 0; i < want.size(); ++i) {
        const double y = test::reference_activation(c.activation, c.activation_params, want[i]);
        // Slopes of the activations are below 1.2; outputs and the bias are rounded.
        bound[i] = 1.2 * (roundings * sum[i] + 0x1p-23 * static_cast<double>(n)) + 0x1p-10 * (std::fabs(y) + 1.0);
        want[i] = y;
    }
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        const auto loaded = test::load_layer(c.type(), c.params(), test::conv_weights(c, data));
        ASSERT_TRUE(loaded.ok()) << loaded.status().message();
        const HalfUse use = (*loaded)->half_use(true);
        EXPECT_EQ((*loaded)->half_use(false), use == HalfUse::kEach ? HalfUse::kNone : use);
        for (const DType in : {DType::kFloat32, DType::kFloat16}) {
            for (const DType out : {DType::kFloat32, DType::kFloat16}) {
                const bool floats = in == DType::kFloat32 && out == DType::kFloat32;
                const bool can = floats || use == HalfUse::kEach || (use == HalfUse::kSame && in == out);
                std::vector<float> first;
                for (const int threads : {1, 3}) {
                    for (const Strides strides : {Strides::kDense, Strides::kAdjacent}) {
                        RunOptions options;
                        options.threads = threads;
                        options.strides = strides;
                        options.fp16_arithmetic = true;
                        options.outputs = {TensorDesc{Shape(), out, {}}};
                        const auto got = test::run_loaded(loaded->get(),
                                                          {tensor_of(in, c.shape(), data.input, strides)}, 1, options);
                        ASSERT_EQ(got.ok(), can) << fw::name(isa) << " " << fw::name(in) << " to " << fw::name(out)
                                                 << ": " << (got.ok() ? "done" : got.status().message());
                        if (!can) {
                            EXPECT_EQ(got.status().code(), Code::kUnsupported);
                            continue;
                        }
                        const std::vector<float> values = floats_of((*got)[0]);
                        ASSERT_EQ(values.size(), want.size());
                        for (size_t i = 0; i < values.size(); ++i) {
                            ASSERT_NEAR(static_cast<double>(values[i]), want[i], bound[i])
                                << fw::name(isa) << " " << fw::name(in) << " to " << fw::name(out) << " at " << i;
                        }
                        first = first.empty() ? values : first;
                        EXPECT_EQ(values, first) << threads << " threads, " << test::name(strides);
                    }
                }
            }
        }
    }
}

TEST(HalfConvolutionsBeyondFloat16, StayFloat) {
    ConvCase padded = conv(20, 18, 3);
    padded.pad_value = 7e4F;
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        const auto use = [](const ConvCase& c, float weight, float bias) {
            ConvData data = test::random_conv_data(c);
            data.weights[0] = weight;
            data.bias[1] = bias;
            const auto loaded = test::load_layer(c.type(), c.params(), test::conv_weights(c, data));
            EXPECT_TRUE(loaded.ok()) << loaded.status().message();
            return loaded.ok() ? (*loaded)->half_use(true) : HalfUse::kNone;
        };
        const bool can = isa_covers(isa, Isa::kFp16);
        for (const ConvCase& c : {conv(20, 18, 3), conv(48, 48, 3, 1, 48)}) {
            EXPECT_EQ(use(c, 1.0F, -65504.0F) != HalfUse::kNone, can);
            EXPECT_EQ(use(c, 1.0F, -65520.0F), HalfUse::kNone);
        }
        EXPECT_EQ(use(conv(48, 48, 3, 1, 48), 7e4F, 0.0F), HalfUse::kNone);
        EXPECT_EQ(use(padded, 1.0F, 0.0F), HalfUse::kNone);
    }
}

}  // namespace
}  // namespace fw
