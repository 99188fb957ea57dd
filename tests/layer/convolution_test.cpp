// Convolution, ConvolutionDepthWise and their deconvolutions against naive loops: float within the bound of float32
// summation, int8 exactly, at every level of this processor and for several numbers of threads.
#include "base/cpu.h"
#include "conv_test_util.h"
#include "kernel/dispatch.h"
#include "kernel/matched.h"

namespace fw::test {
namespace {

std::vector<ConvCase> cases() {
    std::vector<ConvCase> all;
    const auto add = [&](auto&& change) {
        ConvCase c;
        c.channels = 5;
        c.height = 9;
        c.width = 7;
        c.outputs = 6;
        change(c);
        all.push_back(c);
    };
    const auto kernel = [](ConvCase& c, int k, int pad) {
        c.kernel_w = c.kernel_h = k;
        c.pad_left = c.pad_right = c.pad_top = c.pad_bottom = pad;
    };
    add([](ConvCase&) {});  // 1x1
    add([](ConvCase& c) { c.outputs = 1000, c.channels = 33; });
    add([](ConvCase& c) { c.stride_w = 2, c.stride_h = 3; });
    add([&](ConvCase& c) { kernel(c, 3, 0), c.channels = 3, c.stride_w = c.stride_h = 2, c.outputs = 64; });
    add([&](ConvCase& c) { kernel(c, 3, 1), c.channels = 3, c.outputs = 33; });
    add([&](ConvCase& c) { kernel(c, 3, 1), c.channels = 16, c.outputs = 17, c.activation = 1; });
    add([&](ConvCase& c) { kernel(c, 3, 1), c.channels = 67, c.outputs = 40; });
    add([&](ConvCase& c) { kernel(c, 5, 2), c.stride_w = 2, c.pad_left = 0, c.pad_bottom = 4; });
    add([&](ConvCase& c) { kernel(c, 3, 2), c.dilation_w = c.dilation_h = 2, c.pad_value = -1.5F; });
    add([&](ConvCase& c) { kernel(c, 3, 1), c.channels = 20, c.pad_value = 0.75F, c.bias = false; });
    add([&](ConvCase& c) { kernel(c, 7, 3), c.channels = 3, c.pad_value = 2.0F; });
    add([&](ConvCase& c) { c.kernel_w = 5, c.pad_left = 2, c.pad_right = 1, c.dilation_h = 3; });
    add([&](ConvCase& c) { kernel(c, 3, 8); });  // windows wholly in the padding
    add([&](ConvCase& c) { kernel(c, 1, 2), c.channels = 18; });
    add([&](ConvCase& c) { c.channels = 1, c.input_shape = Shape(9, 7), kernel(c, 3, 1); });
    for (int activation = 1; activation <= 6; ++activation) {
        add([&](ConvCase& c) {
            c.outputs = 37;
            c.activation = activation;
            c.activation_params = activation == 3   ? std::vector<float>{-0.5F, 0.75F}
                                  : activation == 6 ? std::vector<float>{0.1666F, 0.5F}
                                                    : std::vector<float>{0.125F};
        });
    }
    // Groups: depthwise, grouped, with more outputs than inputs.
    const auto groups = [&](int channels, int outputs, int group, int k, int stride) {
        add([&](ConvCase& c) {
            kernel(c, k, k / 2), c.depthwise_type = true, c.channels = channels, c.outputs = outputs, c.group = group;
            c.stride_h = c.stride_w = stride;
        });
    };
    groups(8, 8, 8, 3, 1);
    groups(33, 33, 33, 3, 2);
    groups(70, 70, 70, 5, 1);
    groups(17, 17, 17, 1, 1);
    groups(6, 12, 6, 3, 1);
    groups(12, 8, 4, 3, 1);
    groups(64, 64, 2, 3, 2);
    groups(5, 5, 1, 3, 1);
    groups(1, 1, 1, 3, 1);
    add([&](ConvCase& c) {
        kernel(c, 3, 2), c.depthwise_type = true, c.channels = c.outputs = c.group = 21, c.dilation_h = 2,
                         c.pad_value = 1.0F;
        c.activation = 6, c.activation_params = {0.2F, 0.5F};
    });
    for (ConvCase c : std::vector<ConvCase>(all)) {
        if (c.pad_value == 0.0F && c.input_shape.rank == 0 && c.out_h() > 0) {
            c.transposed = true;
            if (c.pad_top < 8) {
                all.push_back(c);
            }
        }
    }
    add([&](ConvCase& c) { c.transposed = true, kernel(c, 4, 1), c.stride_w = c.stride_h = 2, c.outputs = 21; });
    add([&](ConvCase& c) { c.transposed = true, kernel(c, 2, 0), c.stride_w = c.stride_h = 3; });  // gaps hold the bias
    const auto padded = [&](int channels, int outputs, int group) {
        add([&](ConvCase& c) {
            kernel(c, 3, 2), c.transposed = true, c.depthwise_type = group > 0, c.group = std::max(group, 1);
            c.channels = channels, c.outputs = outputs, c.stride_w = 2, c.stride_h = 3;
            c.dilation_w = 2, c.dilation_h = 3, c.output_pad_right = 1, c.output_pad_bottom = 4;
        });
    };
    padded(5, 6, 0);
    padded(33, 33, 33);
    padded(6, 9, 3);
    padded(7, 14, 7);
    // Large enough for Winograd's way in float, with both tile sizes.
    add([&](ConvCase& c) { kernel(c, 3, 1), c.channels = 40, c.height = 14, c.width = 18, c.outputs = 36; });
    add([&](ConvCase& c) {
        kernel(c, 3, 0), c.channels = 32, c.height = 38, c.width = 20, c.outputs = 33, c.pad_left = 2, c.pad_top = 1;
        c.pad_value = 0.5F, c.activation = 2, c.activation_params = {0.125F};
    });
    // Long sums for many outputs: products of bytes, where the zero point says that most inputs are near the lowest.
    add([&](ConvCase& c) { c.channels = 129, c.outputs = 75, c.activation = 1; });
    add([&](ConvCase& c) { kernel(c, 3, 1), c.channels = 66, c.outputs = 50, c.stride_w = c.stride_h = 2; });
    add([&](ConvCase& c) { kernel(c, 5, 2), c.channels = 14, c.outputs = 64, c.pad_value = 0.75F; });
    add([&](ConvCase& c) {
        kernel(c, 3, 1), c.depthwise_type = true, c.channels = 44, c.outputs = 130, c.group = 2, c.activation = 6;
        c.activation_params = {0.1666F, 0.5F};
    });
    add([&](ConvCase& c) { c.transposed = true, kernel(c, 2, 0), c.stride_w = 2, c.channels = 40, c.outputs = 72; });
    // Wider images than are padded at once: several bands of output rows, or one for every row.
    add([&](ConvCase& c) {
        kernel(c, 3, 1), c.channels = 3, c.height = 60, c.width = 700, c.stride_w = c.stride_h = 2;
    });
    add([&](ConvCase& c) {
        kernel(c, 3, 1), c.channels = 15, c.height = 5, c.width = 1600, c.outputs = 2;
        c.stride_w = 9, c.dilation_h = 2, c.pad_top = 9, c.pad_bottom = 4, c.pad_value = 0.5F;
    });
    return all;
}

std::string describe(const ConvCase& c) {
    return std::string(c.type()) + " " + c.shape().str() + " to " + std::to_string(c.outputs) + " kernel " +
           std::to_string(c.kernel_h) + "x" + std::to_string(c.kernel_w) + " stride " + std::to_string(c.stride_h) +
           "," + std::to_string(c.stride_w) + " dilation " + std::to_string(c.dilation_h) + " group " +
           std::to_string(c.group) + " activation " + std::to_string(c.activation);
}

HostTensor run_or_fail(const ConvCase& c, const std::vector<Weight>& weights, const HostTensor& input,
                       const RunOptions& options) {
    auto result = run_layer(c.type(), c.params(), weights, {input}, 1, options);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? (*result)[0] : HostTensor();
}

TEST(Convolution, FloatMatchesNaiveLoops) {
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        for (const ConvCase& c : cases()) {
            SCOPED_TRACE(std::string(name(isa)) + ": " + describe(c));
            const ConvData d = random_conv_data(c);
            std::vector<double> want;
            std::vector<double> bound;
            reference_conv(c, d, &want, &bound);
            std::vector<float> first;
            const std::pair<Strides, int> ways[] = {
                {Strides::kDense, 1}, {Strides::kAdjacent, 2}, {Strides::kLoose, 3}, {Strides::kDense, 8}};
            for (const auto& [strides, threads] : ways) {
                RunOptions options;
                options.strides = strides;
                options.threads = threads;
                const HostTensor out =
                    run_or_fail(c, conv_weights(c, d), HostTensor::floats(c.shape(), d.input, strides), options);
                ASSERT_EQ(out.tensor().shape, Shape(c.outputs, c.out_h(), c.out_w()));
                const std::vector<float> got = out.values();
                if (first.empty()) {
                    first = got;
                    for (size_t i = 0; i < got.size(); ++i) {
                        // No activation here has a slope above 1.5.
                        const double y = reference_activation(c.activation, c.activation_params, want[i]);
                        ASSERT_NEAR(static_cast<double>(got[i]), y, 1.5 * bound[i] + 1e-6 * std::fabs(y)) << "at " << i;
                    }
                }
                ASSERT_EQ(got, first) << threads << " threads, " << name(strides);
            }
        }
    }
}

// The contract of docs/int8-contract.md, evaluated with loops of its own: quantized weights, exact sums, one multiply.
struct Int8Reference {
    std::vector<int32_t> acc;
    std::vector<double> multiplier;  ///< 1 / (scale_in * scale_w) a channel
};

Int8Reference reference_int8_conv(const ConvCase& c, const ConvData& d, const std::vector<int8_t>& input,
                                  const QuantParams& in, const std::vector<float>& weight_scales) {
    const auto pixels = static_cast<size_t>(c.out_h()) * static_cast<size_t>(c.out_w());
    const size_t row = d.weights.size() / static_cast<size_t>(c.outputs);
    std::vector<int64_t> acc(static_cast<size_t>(c.outputs) * pixels, 0);
    const double pad_steps = std::nearbyint(static_cast<double>(c.pad_value * in.scale)) + in.zero_point;
    const int pad = static_cast<int>(std::min(127.0, std::max<double>(quant_min(in), pad_steps)));
    for_each_product(c, [&](int64_t o, int64_t i, int64_t w) {
        const float scaled = d.weights[static_cast<size_t>(w)] * weight_scales[static_cast<size_t>(w) / row];
        const int q = static_cast<int>(std::min(127.0F, std::max(-127.0F, std::nearbyint(scaled))));
        const int x = i < 0 ? pad : input[static_cast<size_t>(i)];
        acc[static_cast<size_t>(o)] += int64_t{x - in.zero_point} * q;
    });
    Int8Reference r;
    for (size_t i = 0; i < acc.size(); ++i) {
        const double scale = static_cast<double>(in.scale) * static_cast<double>(weight_scales[i / pixels]);
        const double bias = c.bias ? std::nearbyint(static_cast<double>(d.bias[i / pixels]) * scale) : 0.0;
        r.acc.push_back(static_cast<int32_t>(acc[i] + static_cast<int64_t>(bias)));
        r.multiplier.push_back(1.0 / scale);
    }
    return r;
}

class ConvolutionInt8 : public testing::TestWithParam<QuantParams> {};

TEST_P(ConvolutionInt8, MatchesTheContractExactly) {
    const QuantParams in = GetParam();
    const QuantParams out_quant{9.5F, in.zero_point == 0 ? 0 : -128};
    for (const ConvCase& c : cases()) {
        const ConvData d = random_conv_data(c);
        std::mt19937 rng(3);
        std::vector<int8_t> input(d.input.size());
        for (int8_t& v : input) {
            v = static_cast<int8_t>(std::uniform_int_distribution<int>(quant_min(in), 127)(rng));
        }
        const size_t row = d.weights.size() / static_cast<size_t>(c.outputs);
        std::vector<float> weight_scales;
        for (size_t o = 0; o < static_cast<size_t>(c.outputs); ++o) {
            float largest = 0.0F;
            for (size_t i = 0; i < row; ++i) {
                largest = std::max(largest, std::fabs(d.weights[o * row + i]));
            }
            weight_scales.push_back(127.0F / largest);
        }
        const Int8Reference want = reference_int8_conv(c, d, input, in, weight_scales);
        const auto pixels = want.acc.size() / static_cast<size_t>(c.outputs);
        std::vector<std::vector<int8_t>> seen;
        for (const Isa isa : available_isas()) {
            const ScopedIsa forced(isa);
            SCOPED_TRACE(std::string(name(isa)) + ": " + describe(c));
            for (const int threads : {1, 3}) {
                RunOptions options;
                options.threads = threads;
                options.strides = threads == 1 ? Strides::kDense : Strides::kAdjacent;
                options.weight_scales = weight_scales;
                const HostTensor host = HostTensor::int8(c.shape(), in, input, options.strides);

                // int8 to float: exact but for what the activation rounds.
                const std::vector<float> floats = run_or_fail(c, conv_weights(c, d), host, options).values();
                ASSERT_EQ(floats.size(), want.acc.size());
                for (size_t i = 0; i < floats.size(); ++i) {
                    const float x = static_cast<float>(want.acc[i]) * static_cast<float>(want.multiplier[i]);
                    const double y = reference_activation(c.activation, c.activation_params, static_cast<double>(x));
                    if (c.activation <= 1 || c.activation == 3) {
                        ASSERT_EQ(floats[i], static_cast<float>(y)) << "at " << i;
                    } else {
                        ASSERT_NEAR(static_cast<double>(floats[i]), y, 1e-6 * std::fabs(y) + 1e-7) << "at " << i;
                    }
                }

                // int8 to int8.
                options.outputs = {TensorDesc{{}, DType::kInt8, out_quant}};
                const std::vector<int8_t> bytes = run_or_fail(c, conv_weights(c, d), host, options).values<int8_t>();
                ASSERT_EQ(bytes.size(), want.acc.size());
                for (size_t i = 0; i < bytes.size(); ++i) {
                    if (c.activation <= 1 || c.activation == 3) {
                        const double scale_w = static_cast<double>(weight_scales[i / pixels]);
                        const auto m = static_cast<float>(static_cast<double>(out_quant.scale) /
                                                          (static_cast<double>(in.scale) * scale_w));
                        const double rounded =
                            std::nearbyint(static_cast<double>(static_cast<float>(want.acc[i]) * m)) +
                            out_quant.zero_point;
                        double lo = quant_min(out_quant);
                        double hi = 127;
                        if (c.activation == 1) {
                            lo = std::max<double>(lo, out_quant.zero_point);
                        } else if (c.activation == 3) {
                            const double s = static_cast<double>(out_quant.scale);
                            lo = std::max(lo, std::nearbyint(static_cast<double>(c.activation_params[0]) * s) +
                                                  out_quant.zero_point);
                            hi = std::min(hi, std::nearbyint(static_cast<double>(c.activation_params[1]) * s) +
                                                  out_quant.zero_point);
                        }
                        ASSERT_EQ(bytes[i], static_cast<int>(std::min(std::max(rounded, lo), hi))) << "at " << i;
                    } else {
                        // The activation in float, then quantized.
                        ASSERT_EQ(bytes[i], quantize(floats[i], out_quant)) << "at " << i;
                    }
                }
                seen.push_back(bytes);
            }
        }
        for (const auto& bytes : seen) {
            ASSERT_EQ(bytes, seen[0]) << "levels or threads differ: " << describe(c);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Quant, ConvolutionInt8,
                         testing::Values(QuantParams{60.0F, 0}, QuantParams{101.5F, -128}, QuantParams{80.0F, 11}));

// Which layers multiply bytes: kernel/matched.h.
class Matches : public testing::TestWithParam<Isa> {};

TEST_P(Matches, WhereMostInputsAreNearTheLowest) {
    const std::vector<Isa> here = available_isas();
    if (!kHasMatched || std::count(here.begin(), here.end(), GetParam()) == 0) {
        GTEST_SKIP() << name(GetParam()) << " is not available";
    }
    const ScopedIsa forced(GetParam());
    const GemmKernel* kernel = find_matched_gemm_kernel(GetParam());
    ASSERT_NE(kernel, nullptr);
    struct Given {
        int channels = 128, outputs = 64, zero_point = -128;
        Rectified rectified = Rectified::kWholly;
        Shape image = Shape(128, 7, 7);
        float weight = 3.0F;
    };
    const auto matched = [&](const Given& given) {
        ConvCase c;
        c.channels = given.channels, c.outputs = given.outputs;
        const std::unique_ptr<Layer> layer = create_layer("Convolution");
        const ConvData d{{},
                         std::vector<float>(static_cast<size_t>(c.weight_count()), given.weight),
                         std::vector<float>(static_cast<size_t>(c.outputs), 0.0F)};
        EXPECT_TRUE(layer->load(Params(*find_schema("Convolution"), c.params()), conv_weights(c, d)).ok());
        const TensorDesc in = {given.image, DType::kInt8, {1.0F, given.zero_point}};
        const TensorDesc out;
        const std::vector<float> scales(static_cast<size_t>(c.outputs), 1.0F);
        PrepareContext context;
        context.inputs = {&in, 1};
        context.outputs = {&out, 1};
        context.weight_scales = scales;
        context.rectified = given.rectified;
        EXPECT_TRUE(layer->prepare(context).ok());
        return layer->kernel_name() == kernel->name;
    };
    const auto changed = [&](auto&& change) {
        Given given;
        change(given);
        return matched(given);
    };
    EXPECT_TRUE(matched({}));
    EXPECT_TRUE(changed([](Given& g) { g.image = Shape(); }));
    EXPECT_TRUE(changed([](Given& g) { g.zero_point = 0; })) << "as a legacy table has it";
    EXPECT_TRUE(changed([](Given& g) { g.zero_point = -110, g.rectified = Rectified::kMostly; }));
    EXPECT_FALSE(changed([](Given& g) { g.zero_point = 0, g.rectified = Rectified::kMostly; })) << "many are below";
    EXPECT_FALSE(changed([](Given& g) { g.rectified = Rectified::kNo; })) << "they may be anywhere";
    EXPECT_FALSE(changed([](Given& g) { g.weight = 127.0F; })) << "no two groups of such weights go together";
    EXPECT_FALSE(changed([](Given& g) { g.outputs = 8; })) << "too few outputs";
    EXPECT_FALSE(changed([](Given& g) { g.channels = 32, g.image = Shape(32, 7, 7); })) << "too short";
    EXPECT_FALSE(changed([](Given& g) { g.image = Shape(128, 1, 1); })) << "a single row";
}

INSTANTIATE_TEST_SUITE_P(Levels, Matches, testing::Values(Isa::kSse41, Isa::kAvx2, Isa::kAvx512),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(Convolution, HandComputed) {
    // 1 channel 3x3, kernel 2x2 of 1 2 3 4, bias 10, stride 1.
    ConvCase c;
    c.channels = 1, c.height = 3, c.width = 3, c.outputs = 1;
    c.kernel_w = c.kernel_h = 2;
    ConvData d{{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4}, {10}};
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        const HostTensor out = run_or_fail(c, conv_weights(c, d), HostTensor::floats(c.shape(), d.input), {});
        EXPECT_EQ(out.values(), (std::vector<float>{47, 57, 77, 87}));
        c.transposed = true;
        const HostTensor back = run_or_fail(c, conv_weights(c, d), HostTensor::floats(c.shape(), d.input), {});
        EXPECT_EQ(back.values(), (std::vector<float>{11, 14, 17, 16, 17, 33, 43, 34, 29, 63, 73, 52, 31, 62, 69, 46}));
        c.transposed = false;
    }
}

TEST(Convolution, LineInputActsAsInnerProduct) {
    ConvCase c;
    c.channels = 3, c.outputs = 2, c.input_shape = Shape(3);
    const ConvData d{{1, 2, 3}, {1, 0, -1, 2, 2, 2}, {0.5F, -1}};
    const HostTensor out = run_or_fail(c, conv_weights(c, d), HostTensor::floats(Shape(3), d.input), {});
    EXPECT_EQ(out.tensor().shape, Shape(2));
    EXPECT_EQ(out.values(), (std::vector<float>{-1.5F, 11}));
}

TEST(Convolution, SamePadding) {
    ParamDict p;
    p.set(0, 1);
    p.set(1, 2);
    p.set(6, 4);
    for (const int mode : {-233, -234}) {
        p.set(4, mode);
        const auto out = run_layer("Convolution", p, {Weight::from_floats({1, 10, 100, 1000})},
                                   {HostTensor::floats(Shape(1, 2, 2), {1, 2, 3, 4})});
        ASSERT_TRUE(out.ok()) << out.status().message();
        EXPECT_EQ((*out)[0].values(),
                  mode == -233 ? (std::vector<float>{4321, 402, 43, 4}) : (std::vector<float>{1000, 2100, 3010, 4321}));
    }
}

TEST(Deconvolution, OutputPadAndWantedSize) {
    ParamDict p;
    p.set(0, 1);
    p.set(1, 2);
    p.set(3, 2);
    p.set(5, 1);
    p.set(6, 4);
    p.set(18, 1);
    const std::vector<Weight> weights{Weight::from_floats({1, 2, 3, 4}), Weight::from_floats({5})};
    const HostTensor in = HostTensor::floats(Shape(1, 1, 2), {1, 10});
    auto out = run_layer("Deconvolution", p, weights, {in});
    ASSERT_TRUE(out.ok()) << out.status().message();
    EXPECT_EQ((*out)[0].tensor().shape, Shape(1, 3, 5));
    EXPECT_EQ((*out)[0].values(), (std::vector<float>{6, 7, 15, 25, 5, 8, 9, 35, 45, 5, 5, 5, 5, 5, 5}));
    p.set(18, 0);
    p.set(4, -233);
    p.set(20, 3);
    p.set(21, 1);
    out = run_layer("Deconvolution", p, weights, {in});
    ASSERT_TRUE(out.ok()) << out.status().message();
    EXPECT_EQ((*out)[0].values(), (std::vector<float>{6, 7, 15}));
    p.set(4, -234);
    out = run_layer("Deconvolution", p, weights, {in});
    ASSERT_TRUE(out.ok()) << out.status().message();
    EXPECT_EQ((*out)[0].values(), (std::vector<float>{9, 35, 45}));
}

// An int8 file: weights with scales behind the bias, run in float and in int8.
TEST(Convolution, WeightsStoredAsInt8) {
    ParamDict p;
    p.set(0, 2);
    p.set(1, 1);
    p.set(5, 1);
    p.set(6, 4);
    p.set(8, 1);
    const std::vector<Weight> weights{Weight::from_int8({10, -20, 127, 1}), Weight::from_floats({1, 0}),
                                      Weight::from_floats({2, 4}), Weight::from_floats({1})};
    const auto floats = run_layer("Convolution", p, weights, {HostTensor::floats(Shape(2, 1, 1), {3, 1})});
    ASSERT_TRUE(floats.ok()) << floats.status().message();
    EXPECT_EQ((*floats)[0].values(), (std::vector<float>{6, 95.5F}));
    const auto bytes = run_layer("Convolution", p, weights, {HostTensor::int8(Shape(2, 1, 1), {1.0F, 0}, {3, 1})});
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    EXPECT_EQ((*bytes)[0].values(), (std::vector<float>{6, 95.5F}));
}

TEST(Convolution, BadParametersAreErrors) {
    const auto message = [](const char* type, const std::vector<std::pair<int, int>>& changes,
                            Shape shape = Shape(2, 4, 4),
                            const std::vector<Weight>& weights = {Weight::from_floats(std::vector<float>(36))}) {
        ParamDict p;
        p.set(0, 2);
        p.set(1, 3);
        p.set(6, 36);
        for (const auto& [id, value] : changes) {
            p.set(id, value);
        }
        std::vector<float> values(static_cast<size_t>(shape.count()));
        const auto out = run_layer(type, p, weights, {HostTensor::floats(shape, values)});
        return std::string(out.ok() ? "ok" : out.status().message());
    };
    const auto contains = [](const std::string& text, const char* part) {
        return text.find(part) != std::string::npos;
    };
    EXPECT_EQ(message("Convolution", {}), "ok");
    EXPECT_PRED2(contains, message("Convolution", {{0, 0}}), "num_output (0) is 0");
    EXPECT_PRED2(contains, message("Convolution", {{0, -2}}), "num_output (0) is -2");
    EXPECT_PRED2(contains, message("Convolution", {{1, 0}}), "kernel");
    EXPECT_PRED2(contains, message("Convolution", {{3, 0}}), "stride");
    EXPECT_PRED2(contains, message("Convolution", {{2, -1}}), "dilation");
    EXPECT_PRED2(contains, message("Convolution", {{4, -1}}), "pads");
    EXPECT_PRED2(contains, message("Convolution", {{6, 35}}), "weight_data_size (6) is 35");
    EXPECT_PRED2(contains, message("Convolution", {{6, 72}}), "weight_data has 36");
    EXPECT_PRED2(contains, message("Convolution", {{5, 1}}), "weight blobs");
    EXPECT_PRED2(contains, message("Convolution", {{9, 7}}), "activation_type (9) is 7");
    EXPECT_PRED2(contains, message("Convolution", {{9, 3}}), "activation_params (10) has 0");
    EXPECT_PRED2(contains, message("Convolution", {{19, 1}}), "expected 2 with dynamic_weight");
    EXPECT_PRED2(contains, message("Convolution", {{1, 1 << 30}}), "weight_data_size");
    EXPECT_PRED2(contains, message("Convolution", {{4, 0x7fffffff}}), "");
    EXPECT_NE(message("Convolution", {{4, 0x7fffffff}}), "ok");
    EXPECT_PRED2(contains, message("Convolution", {}, Shape(3, 4, 4)), "weights are for 2 channels");
    EXPECT_PRED2(contains, message("Convolution", {}, Shape(2, 2, 2)), "no window fits");
    EXPECT_PRED2(contains, message("Convolution", {}, Shape(2, 1, 4, 4)), "at most 3 dimensions");
    EXPECT_PRED2(contains, message("ConvolutionDepthWise", {{7, 3}}), "group (7) is 3");
    EXPECT_PRED2(contains, message("ConvolutionDepthWise", {{7, 0}}), "group (7) is 0");
    EXPECT_PRED2(contains, message("Deconvolution", {{18, -1}}), "output_pad_right");
    EXPECT_PRED2(contains, message("Deconvolution", {{4, 50}}), "output height would be");
    EXPECT_PRED2(contains, message("Deconvolution", {{3, 0x7fffffff}}), "output height would be");
    EXPECT_PRED2(contains, message("Deconvolution", {{28, 1}}), "dynamic_weight");
}

}  // namespace
}  // namespace fw::test
