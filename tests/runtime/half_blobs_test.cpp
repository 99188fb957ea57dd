// Blobs in float16 between layers that compute so: types, memory, what the caller sees of them.
#include <algorithm>

#include "base/cpu.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

// Convolutions with a pooling, a sum and a Concat between them.
NetFiles make_net() {
    NetFiles files;
    Random random(3);
    const auto conv = [&](const std::string& text, size_t weights, size_t outputs) {
        files.layer(text);
        files.tagged(random.floats(weights, -0.2F, 0.2F));
        files.raw(random.floats(outputs));
    };
    files.layer("Input in 0 1 data 0=20 1=18 2=5");
    conv("Convolution c1 1 1 data a 0=32 1=3 4=1 5=1 6=1440 9=1", 1440, 32);
    files.layer("Pooling pool 1 1 a p 0=0 1=2 2=2");
    files.layer("Split split 1 3 p p0 p1 p2");
    conv("Convolution c2 1 1 p0 b 0=32 1=1 5=1 6=1024", 1024, 32);
    files.layer("Eltwise sum 2 1 b p1 s 0=1");
    conv("Convolution c3 1 1 s d 0=16 1=1 5=1 6=512 9=1", 512, 16);
    files.layer("Concat cat 2 1 d p2 j");
    conv("Convolution c4 1 1 j e 0=24 1=1 5=1 6=1152", 1152, 24);
    files.layer("Softmax prob 1 1 e out");
    return files;
}

void load(const NetFiles& files, bool halves, int threads, Net* net) {
    Option option;
    option.precision = Precision::kFp16;
    option.fp16_arithmetic = true;
    option.threads = threads;
    if (!halves) {
        option.disabled_passes = {"keep_half"};
    }
    FW_ASSERT_OK(net->set_option(option));
    FW_ASSERT_OK(files.load(net));
}

const Shape kInput(5, 18, 20);

TEST(HalfBlobs, LieBetweenLayersWhereTheProcessorMultipliesInFloat16) {
    const NetFiles files = make_net();
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        Net net;
        Net plain;
        load(files, true, 1, &net);
        load(files, false, 1, &plain);
        const Mat data = Random(4).mat(kInput);
        const Mat got = test::run(net, {{"data", data}}, "out");
        const Mat want = test::run(plain, {{"data", data}}, "out");
        ASSERT_FALSE(got.empty());
        EXPECT_EQ(got.dtype(), DType::kFloat32);
        const Result<std::vector<LayerPlan>> plan = net.plan();
        ASSERT_TRUE(plan.ok());
        const bool halves = isa_covers(isa, Isa::kFp16);
        for (const LayerPlan& layer : *plan) {
            const bool is_float = layer.output == "data" || layer.output == "e" || layer.output == "out";
            EXPECT_EQ(layer.output_type, halves && !is_float ? DType::kFloat16 : DType::kFloat32) << layer.output;
        }
        if (halves) {
            EXPECT_LT(test::relative_difference(got, want), 0x1p-8);
            EXPECT_LT(net.memory_use().activations, plain.memory_use().activations);
        } else {
            EXPECT_EQ(test::values(got), test::values(want));
        }
        Net threaded;
        load(files, true, 3, &threaded);
        EXPECT_EQ(test::values(test::run(threaded, {{"data", data}}, "out")), test::values(got));
    }
}

// A blob by name is float32, and so is what an observer sees.
TEST(HalfBlobs, TheCallerSeesFloat32) {
    const NetFiles files = make_net();
    Net net;
    Net plain;
    load(files, true, 1, &net);
    load(files, false, 1, &plain);
    const Mat data = Random(4).mat(kInput);
    std::map<std::string, Mat> seen;
    Extractor extractor = net.create_extractor();
    extractor.set_observer([&](const std::string& name, const Mat& blob) {
        EXPECT_EQ(blob.dtype(), DType::kFloat32) << name;
        seen[name] = test::mat_of(blob.shape(), test::values(blob));
        return Status();
    });
    FW_ASSERT_OK(extractor.input("data", data));
    Mat out;
    FW_ASSERT_OK(extractor.extract("out", &out));
    for (const char* blob : {"a", "p", "b", "s", "d", "j", "e", "out"}) {
        const Mat got = test::run(net, {{"data", data}}, blob);
        const Mat want = test::run(plain, {{"data", data}}, blob);
        ASSERT_FALSE(got.empty()) << blob;
        EXPECT_EQ(got.dtype(), DType::kFloat32) << blob;
        EXPECT_LT(test::relative_difference(got, want), 0x1p-8) << blob;
        if (seen.count(blob) != 0) {
            EXPECT_LT(test::relative_difference(seen.at(blob), want), 0x1p-8) << blob;
        }
        QuantParams quant;
        Mat raw;
        FW_ASSERT_OK(extractor.extract_raw(blob, &raw, &quant));
        EXPECT_EQ(raw.dtype(), DType::kFloat32) << blob;
    }
    EXPECT_EQ(seen.count("s"), 1U);
}

}  // namespace
}  // namespace fw
