// The zoo against what its publications say, and as networks that run.
#include "zoo/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "model/model_io.h"
#include "zoo/shapes.h"
#include "zoo/weights.h"

namespace fw::zoo {
namespace {

constexpr uint64_t kSeed = 1;

std::string name_of(const testing::TestParamInfo<Network>& info) {
    return info.param.name;
}

/// Multiply-accumulates as the papers count them: those of convolutions and matrix products, without biases.
int64_t count_macs(const NetDef& net, const std::map<std::string, Shape>& shapes) {
    int64_t sum = 0;
    for (const LayerDef& layer : net.layers) {
        if (layer.type == "InnerProduct") {
            sum += layer.weights[0].count() * shapes.at(layer.tops[0]).h();  // row by row
        } else if (layer.type == "Convolution" || layer.type == "ConvolutionDepthWise") {
            const Shape& out = shapes.at(layer.tops[0]);
            sum += layer.weights[0].count() * out.w() * out.h();
        } else if (layer.type == "MultiHeadAttention") {
            const Shape& out = shapes.at(layer.tops[0]);  // four square matrices, two products of tokens with tokens
            sum += int64_t{out.h()} * out.w() * 4 * out.w() + int64_t{2} * out.h() * out.h() * out.w();
        }
    }
    return sum;
}

int64_t count_params(const NetDef& net) {
    int64_t sum = 0;
    for (const LayerDef& layer : net.layers) {
        for (const Weight& weight : layer.weights) {
            sum += weight.count();
        }
    }
    return sum;
}

/// How far from the published figure a network may be. Batch normalisation folds into one bias a channel here.
struct Tolerance {
    const char* name;
    double macs, params;
};
constexpr double kTolerance = 0.03;
constexpr Tolerance kTolerances[] = {
    // The paper's 1.2 G are for the 91 classes of COCO; the model that engines measure has PASCAL VOC's 21.
    {"mobilenet_ssd", 0.05, kTolerance},
    // 0.72 GFLOP, two for a MAC, count normalisation, activation and resizing too.
    {"nanodet_m", 0.06, kTolerance},
    // 0.72 GFLOP, two for a MAC, hold for pooling that rounds down (13x13 maps at the end); Caffe's rounds up (14x14).
    {"squeezenet_v1_1", 0.08, kTolerance},
    // Darknet stores four parameters a channel for a batch normalisation.
    {"yolo_fastest", kTolerance, 0.08},
};

Tolerance tolerance(const std::string& name) {
    for (const Tolerance& entry : kTolerances) {
        if (entry.name == name) {
            return entry;
        }
    }
    return {"", kTolerance, kTolerance};
}

/// More MACs than this are only loaded and planned; networks with more parameters are left out. An emulator
/// (FW_EMULATED) takes a hundred times as long, and 32 bits have no room for several copies of VGG's weights.
#ifdef FW_EMULATED
constexpr int64_t kLight = 60000000;
constexpr int64_t kMostParams = 3000000;
#else
constexpr int64_t kLight = 1600000000;
constexpr int64_t kMostParams = sizeof(void*) == 4 ? 100000000 : INT64_MAX;
#endif

class Zoo : public testing::TestWithParam<Network> {
protected:
    void SetUp() override {
        if (GetParam().params > kMostParams) {
            GTEST_SKIP() << GetParam().name << " is too large here";
        }
    }
};
INSTANTIATE_TEST_SUITE_P(All, Zoo, testing::ValuesIn(networks().begin(), networks().end()), name_of);

TEST_P(Zoo, HasThePublishedMacsAndParameters) {
    const Network& network = GetParam();
    const Result<NetDef> net = build(network, kSeed);
    ASSERT_TRUE(net.ok()) << net.status().message();
    const auto shapes = blob_shapes(*net);
    ASSERT_TRUE(shapes.ok()) << shapes.status().message();
    const auto macs = static_cast<double>(count_macs(*net, *shapes));
    const auto params = static_cast<double>(count_params(*net));
    std::printf("%s: %.2f M MACs (published %.2f), %.3f M parameters (published %.3f)\n", network.name, macs / 1e6,
                static_cast<double>(network.macs) / 1e6, params / 1e6, static_cast<double>(network.params) / 1e6);
    EXPECT_NEAR(macs / static_cast<double>(network.macs), 1.0, tolerance(network.name).macs);
    EXPECT_NEAR(params / static_cast<double>(network.params), 1.0, tolerance(network.name).params);
}

/// Pixels of a seeded picture: a gradient in a direction of its own and noise, in [-1, 1].
Mat picture(const Shape& shape, uint32_t seed) {
    Result<Mat> mat = Mat::create(shape);
    EXPECT_TRUE(mat.ok());
    uint32_t state = seed * 2654435761U + 1U;
    for (int c = 0; c < shape.c(); ++c) {
        const float along = std::cos(static_cast<float>(seed + static_cast<uint32_t>(c)));
        const float down = std::sin(static_cast<float>(seed + static_cast<uint32_t>(c)));
        for (int y = 0; y < shape.h(); ++y) {
            for (int x = 0; x < shape.w(); ++x) {
                state = state * 1664525U + 1013904223U;
                const float noise = static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
                const float gradient = along * static_cast<float>(x) / static_cast<float>(shape.w()) +
                                       down * static_cast<float>(y) / static_cast<float>(shape.h());
                mat->channel(c)[y * shape.w() + x] = 0.5F * gradient + 0.5F * noise;
            }
        }
    }
    return *mat;
}

std::vector<float> run(const Net& net, const std::string& output, uint32_t seed) {
    Extractor extractor = net.create_extractor();
    EXPECT_TRUE(extractor.input("data", picture(net.input_shape("data"), seed)).ok());
    Mat out;
    const Status status = extractor.extract(output.c_str(), &out);
    EXPECT_TRUE(status.ok()) << status.message();
    return status.ok() ? std::vector<float>(out.data(), out.data() + out.count()) : std::vector<float>{};
}

/// Cosine of the angle between two vectors.
double cosine(const std::vector<float>& a, const std::vector<float>& b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        ab += double{a[i]} * double{b[i]};
        aa += double{a[i]} * double{a[i]};
        bb += double{b[i]} * double{b[i]};
    }
    return ab / std::sqrt(aa * bb);
}

struct Statistics {
    double mean = 0, deviation = 0;
};

Statistics statistics(const std::vector<float>& values) {
    Statistics s;
    for (const float value : values) {
        s.mean += double{value} / static_cast<double>(values.size());
    }
    for (const float value : values) {
        s.deviation += (double{value} - s.mean) * (double{value} - s.mean) / static_cast<double>(values.size());
    }
    s.deviation = std::sqrt(s.deviation);
    return s;
}

/// The outputs, but in front of what hides values: a softmax may be close to one-hot, detections are few or none.
std::vector<std::string> meaningful_outputs(const NetDef& def, const std::vector<std::string>& outputs) {
    const LayerDef& last = def.layers.back();
    if (last.type == "Softmax") {
        return last.bottoms;
    }
    if (last.type == "DetectionOutput") {
        return {last.bottoms[0], "mbox_conf"};
    }
    return last.type == "Yolov3DetectionOutput" ? last.bottoms : outputs;
}

TEST_P(Zoo, LoadsAndRunsToOutputsThatDependOnTheInput) {
    const Network& network = GetParam();
    const Result<NetDef> def = build(network, kSeed);
    ASSERT_TRUE(def.ok()) << def.status().message();
    Net net;
    ModelFiles files;
    const Status loaded = load(*def, &net, &files);
    ASSERT_TRUE(loaded.ok()) << loaded.message();
    const auto plan = net.plan();
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    if (network.macs > kLight) {
        return;
    }
    for (const std::string& blob : meaningful_outputs(*def, net.output_names())) {
        const std::vector<float> first = run(net, blob, 1);
        const std::vector<float> second = run(net, blob, 2);
        for (const float value : first) {
            ASSERT_TRUE(std::isfinite(value)) << blob;
        }
        if (first.size() == 1) {
            EXPECT_NE(first[0], second[0]) << blob;
            continue;
        }
        const Statistics s = statistics(first);
        EXPECT_GT(s.deviation, 0.01) << blob;
        EXPECT_LT(s.deviation, 30.0) << blob;
        EXPECT_LT(std::fabs(s.mean), 30.0) << blob;
        EXPECT_LT(cosine(first, second), 0.9999) << blob;
    }
}

// Those that end in a DetectionOutput and are light.
std::vector<Network> light_detectors() {
    std::vector<Network> detectors;
    for (const char* name : {"mobilenet_ssd", "mobilenetv3_ssdlite", "squeezenet_ssd", "yolo_fastest"}) {
        if (find(name)->macs <= kLight) {
            detectors.push_back(*find(name));
        }
    }
    return detectors;
}

class ZooDetectors : public testing::TestWithParam<Network> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ZooDetectors);  // all are too heavy for an emulator
INSTANTIATE_TEST_SUITE_P(All, ZooDetectors, testing::ValuesIn(light_detectors()), name_of);

TEST_P(ZooDetectors, Detect) {
    const Result<NetDef> def = build(GetParam(), kSeed);
    ASSERT_TRUE(def.ok());
    Net net;
    ModelFiles files;
    ASSERT_TRUE(load(*def, &net, &files).ok());
    const std::vector<float> boxes = run(net, def->layers.back().tops[0], 1);
    EXPECT_GT(boxes.size(), 0U);
}

uint64_t fnv(const std::vector<uint8_t>& bytes) {
    uint64_t hash = 0xcbf29ce484222325U;
    for (const uint8_t byte : bytes) {
        hash = (hash ^ byte) * 0x100000001b3U;
    }
    return hash;
}

// The figures are those of x86-64; a processor or compiler that draws other weights fails here.
TEST(ZooWeights, AreTheSameBitsEverywhere) {
    const Result<NetDef> net = build(*find("mobilenet_v3_small"), kSeed);
    ASSERT_TRUE(net.ok());
    const auto bytes = bin_bytes(*net);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(fnv(*bytes), 0xd0728c1129296a64U);
    const Result<NetDef> other = build(*find("mobilenet_v3_small"), kSeed + 1);
    ASSERT_TRUE(other.ok());
    const auto other_bytes = bin_bytes(*other);
    ASSERT_TRUE(other_bytes.ok());
    EXPECT_NE(fnv(*other_bytes), fnv(*bytes));
}

TEST(ZooWeights, AreNormalAndFollowSeedAndName) {
    const auto draw = [](uint64_t seed, const char* layer) { return Draws(seed, layer).normal(100000, 0.5); };
    const std::vector<float> values = draw(3, "conv1");
    const Statistics s = statistics(values);
    EXPECT_NEAR(s.mean, 0.0, 0.005);
    EXPECT_NEAR(s.deviation, 0.5, 0.005);
    const auto beyond = std::count_if(values.begin(), values.end(), [](float v) { return std::fabs(v) > 1.0F; });
    EXPECT_NEAR(static_cast<double>(beyond) / 100000.0, 0.0455, 0.008);  // two deviations
    EXPECT_EQ(values, draw(3, "conv1"));
    EXPECT_LT(std::fabs(cosine(values, draw(3, "conv2"))), 0.02);
    EXPECT_LT(std::fabs(cosine(values, draw(4, "conv1"))), 0.02);
}

TEST(ZooList, IsSortedAndFindsByName) {
    for (const Network& network : networks()) {
        EXPECT_EQ(find(network.name), &network);
    }
    EXPECT_TRUE(std::is_sorted(networks().begin(), networks().end(),
                               [](const Network& a, const Network& b) { return std::strcmp(a.name, b.name) < 0; }));
    EXPECT_EQ(find("mobilenet"), nullptr);
    EXPECT_EQ(find(""), nullptr);
}

}  // namespace
}  // namespace fw::zoo
