// Which layers multiply bytes: those behind a rectifier, whatever moved its outputs in between (kernel/matched.h).
#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/matched.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

struct Ran {
    std::vector<float> values;
    std::map<std::string, std::string> kernels;  ///< by layer
};

// Layers of 96 to 96 channels: c2 is behind a ReLU, c3 behind its pooling and another's outputs, c4 behind a sigmoid.
Ran run_layers(int zero_point) {
    constexpr int kChannels = 96;
    NetFiles files;
    Random random(7);
    const auto convolution = [&](const std::string& names, const std::string& activation) {
        files.layer("Convolution " + names + " 0=96 1=1 6=9216 " + activation);
        std::vector<float> weights = random.floats(kChannels * kChannels, -1.0F, 1.0F);
        for (float& weight : weights) {
            weight *= 0.1F * weight * weight;  // most are small, as in trained networks
        }
        files.tagged(weights);
    };
    files.layer("Input in 0 1 data 0=9 1=10 2=96");
    convolution("c1 1 1 data a", "9=1");
    files.layer("Split s 1 2 a a1 a2");
    convolution("c2 1 1 a1 b", "9=1");
    files.layer("Concat cat 2 1 a2 b ab 0=0");
    files.layer("Pooling p 1 1 ab pooled 0=0 1=2 2=2");
    files.layer("Slice cut 1 2 pooled left right -23300=2,-233,-233 1=0");
    convolution("c3 1 1 left c", "9=4");
    convolution("c4 1 1 c d", "");
    files.layer("Concat all 2 1 d right out 0=0");
    Option option;
    option.precision = Precision::kInt8;
    Net net;
    Status status = net.set_option(option);
    ScaleTable table;
    table.source = "made up";
    table.blobs["data"] = {60.0F, zero_point};
    for (const char* blob : {"a", "a1", "a2", "b", "ab", "pooled", "left", "right"}) {
        table.blobs[blob] = {60.0F, zero_point};
    }
    table.blobs["c"] = {250.0F, -128};
    table.blobs["d"] = {40.0F, 3};
    table.blobs["out"] = {40.0F, 3};
    status = status.ok() ? net.load_table(table) : status;
    status = status.ok() ? files.load(&net) : status;
    EXPECT_TRUE(status.ok()) << status.message();
    Ran ran;
    ran.values = test::values(test::run(net, {{"data", Random(6).mat(Shape(kChannels, 10, 9))}}, "out"));
    const Result<std::vector<LayerPlan>> plan = net.plan();
    EXPECT_TRUE(plan.ok());
    for (const LayerPlan& layer : *plan) {
        ran.kernels[layer.name] = layer.kernel;
    }
    return ran;
}

class BehindRectifiers : public testing::TestWithParam<int> {};

TEST_P(BehindRectifiers, SameBytesAtEveryLevel) {
    std::vector<float> first;
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        const Ran ran = run_layers(GetParam());
        first = first.empty() ? ran.values : first;
        EXPECT_EQ(ran.values, first) << name(isa);
        const GemmKernel* kernel = find_matched_gemm_kernel(isa);
        const bool expected = isa == Isa::kSse41 || isa == Isa::kAvx2 || isa == Isa::kAvx512;
        EXPECT_EQ(kernel != nullptr, kHasMatched && expected) << name(isa);
        if (kernel != nullptr) {
            EXPECT_NE(ran.kernels.at("c1"), kernel->name) << "an input may be anything";
            EXPECT_EQ(ran.kernels.at("c2"), kernel->name);
            EXPECT_EQ(ran.kernels.at("c3"), kernel->name);
            EXPECT_NE(ran.kernels.at("c4"), kernel->name) << "a sigmoid's outputs are not near the lowest";
        }
    }
}

INSTANTIATE_TEST_SUITE_P(ZeroPoint, BehindRectifiers, testing::Values(-128, -115, 0));

}  // namespace
}  // namespace fw
