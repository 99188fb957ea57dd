// Weights kept in float16, the third precision, and arithmetic on floats of 16 bits: what they compute, their stated
// errors, who gets them and what is said of them.
#include <algorithm>

#include "base/cpu.h"
#include "base/half.h"
#include "run_util.h"
#include "runtime/cost_model.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

std::vector<float> rounded(std::vector<float> values) {
    for (float& v : values) {
        v = half_to_float(float_to_half(v));
    }
    return values;
}

// A convolution, a group convolution, a deconvolution and an inner product, with sizes beside the vectors'; weights as
// they are or rounded to float16 already.
NetFiles make_net(bool round, float scale = 1.0F) {
    NetFiles files;
    Random random(3);
    const auto weights = [&](size_t count) {
        const std::vector<float> values = random.floats(count, -0.3F * scale, 0.3F * scale);
        files.tagged(round ? rounded(values) : values);
    };
    files.layer("Input in 0 1 data 0=9 1=7 2=5");
    files.layer("Convolution c1 1 1 data a 0=34 1=3 4=1 5=1 6=1530 9=1");
    weights(1530);
    files.raw(random.floats(34));
    files.layer("ConvolutionDepthWise c2 1 1 a b 0=38 1=1 5=0 6=646 7=2");
    weights(646);
    files.layer("Deconvolution c3 1 1 b c 0=17 1=2 3=2 6=2584");
    weights(2584);
    files.layer("InnerProduct ip 1 1 c out 0=67 1=1 2=287028");
    weights(287028);
    files.raw(random.floats(67));
    return files;
}

std::vector<float> outputs(const NetFiles& files, Precision precision, int threads, Net* net,
                           bool fp16_arithmetic = false, bool bf16_arithmetic = false) {
    Option option;
    option.precision = precision;
    option.fp16_arithmetic = fp16_arithmetic;
    option.bf16_arithmetic = bf16_arithmetic;
    option.threads = threads;
    Status status = net->set_option(option);
    EXPECT_TRUE(status.ok()) << status.message();
    status = files.load(net);
    EXPECT_TRUE(status.ok()) << status.message();
    return test::values(test::run(*net, {{"data", Random(4).mat(Shape(5, 7, 9))}}, "out"));
}

TEST(Fp16Weights, AreTheFloatNetworkWithRoundedWeightsBitForBit) {
    const NetFiles exact = make_net(false);
    const NetFiles round = make_net(true);
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        for (const int threads : {1, 2, 3, 8}) {
            Net net;
            Net reference;
            Net half_of_half;
            const std::vector<float> got = outputs(exact, Precision::kFp16, threads, &net);
            const std::vector<float> want = outputs(round, Precision::kFloat, threads, &reference);
            EXPECT_EQ(got, want) << name(isa) << " threads " << threads;
            // What float16 holds already loses nothing.
            EXPECT_EQ(outputs(round, Precision::kFp16, threads, &half_of_half), want);
            EXPECT_LT(static_cast<double>(net.memory_use().weights),
                      0.53 * static_cast<double>(reference.memory_use().weights));
        }
    }
}

TEST(Fp16Weights, PlanSaysWhatRunsSoAndWhy) {
    const NetFiles files = make_net(false);
    Net net;
    outputs(files, Precision::kFp16, 1, &net);
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    int halves = 0;
    for (const LayerPlan& layer : *plan) {
        halves += layer.fp16_weights ? 1 : 0;
        if (layer.fp16_weights) {
            EXPECT_EQ(layer.input_type, DType::kFloat32);
            EXPECT_NE(layer.reason.find("the option wants it"), std::string::npos) << layer.reason;
        }
    }
    EXPECT_EQ(halves, 4);
}

TEST(Fp16Weights, WeightsBeyondTheRangeStayFloat32) {
    const NetFiles files = make_net(false, 1e6F);
    Net net;
    Net reference;
    EXPECT_EQ(outputs(files, Precision::kFp16, 1, &net), outputs(files, Precision::kFloat, 1, &reference));
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    for (const LayerPlan& layer : *plan) {
        EXPECT_FALSE(layer.fp16_weights) << layer.name;
        if (layer.name == "ip") {
            EXPECT_NE(layer.reason.find("65504"), std::string::npos) << layer.reason;
        }
    }
}

// Without the option, in float32, or on a processor that lacks the instructions nothing changes.
TEST(Fp16Arithmetic, IsWhatTheOptionAndTheProcessorAllow) {
    const NetFiles files = make_net(false);
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        Net reference;
        const std::vector<float> want = outputs(files, Precision::kFp16, 1, &reference);
        const double largest = std::fabs(static_cast<double>(
            *std::max_element(want.begin(), want.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); })));
        for (const int threads : {1, 3}) {
            Net in_float;
            Net allowed;
            EXPECT_EQ(outputs(files, Precision::kFloat, threads, &allowed, true),
                      outputs(files, Precision::kFloat, 1, &in_float));
            Net net;
            const std::vector<float> got = outputs(files, Precision::kFp16, threads, &net, true);
            const Result<std::vector<LayerPlan>> plan = net.plan();
            ASSERT_TRUE(plan.ok());
            const auto halves = std::count_if(plan->begin(), plan->end(), [](const LayerPlan& layer) {
                return layer.kernel.rfind("gemm_f16_", 0) == 0;
            });
            if (!isa_covers(isa, Isa::kFp16)) {
                EXPECT_EQ(halves, 0) << name(isa);
                EXPECT_EQ(got, want) << name(isa);
                continue;
            }
            EXPECT_EQ(halves, 4) << name(isa);
            EXPECT_NE(got, want) << name(isa);
            for (size_t i = 0; i < want.size(); ++i) {
                ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i]), 0x1p-8 * largest) << i;
            }
        }
    }
}

TEST(Bf16Arithmetic, IsWhatTheOptionAndTheProcessorAllow) {
    const NetFiles files = make_net(false);
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        Net reference;
        const std::vector<float> want = outputs(files, Precision::kFloat, 1, &reference);
        for (const int threads : {1, 3}) {
            Net net;
            const std::vector<float> got = outputs(files, Precision::kFloat, threads, &net, false, true);
            const Result<std::vector<LayerPlan>> plan = net.plan();
            ASSERT_TRUE(plan.ok());
            const auto halves = std::count_if(plan->begin(), plan->end(), [](const LayerPlan& layer) {
                return layer.kernel.rfind("gemm_bf16_", 0) == 0;
            });
            if (!isa_covers(isa, Isa::kAvx512Bf16)) {
                EXPECT_EQ(halves, 0) << name(isa);
                EXPECT_EQ(got, want) << name(isa);
                continue;
            }
            EXPECT_EQ(halves, 4) << name(isa);
            EXPECT_LT(static_cast<double>(net.memory_use().weights),
                      0.53 * static_cast<double>(reference.memory_use().weights));
            double largest = 0.0;
            for (const float v : want) {
                largest = std::max(largest, std::fabs(static_cast<double>(v)));
            }
            for (size_t i = 0; i < want.size(); ++i) {
                ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i]), 0x1p-5 * largest) << i;
            }
        }
    }
}

TEST(Fp16Weights, ThePlannerTakesThemWhereReadingWeightsIsTheCost) {
    const Result<Isa> isa = current_isa();
    ASSERT_TRUE(isa.ok());
    const CostTable* costs = cost_table(*isa);
    if (costs == nullptr) {
        GTEST_SKIP() << "nobody has measured what layers cost on " << name(*isa);
    }
    const bool pays = costs->fp16_read < costs->in_float[static_cast<size_t>(WorkKind::kWeights)];
    const NetFiles files = make_net(false);
    for (const bool allowed : {false, true}) {
        Option option;
        option.fp16 = allowed;
        Net net;
        FW_ASSERT_OK(net.set_option(option));
        FW_ASSERT_OK(files.load(&net));
        const Result<std::vector<LayerPlan>> plan = net.plan();
        ASSERT_TRUE(plan.ok());
        for (const LayerPlan& layer : *plan) {
            EXPECT_EQ(layer.fp16_weights, allowed && pays && layer.name == "ip") << layer.name << ": " << layer.reason;
            if (allowed && layer.name == "ip") {
                EXPECT_NE(layer.reason.find("us with float16 weights"), std::string::npos) << layer.reason;
            }
        }
    }
}

}  // namespace
}  // namespace fw
