// Networks of the zoo on the GPU: in int8 the bytes of the golden file, in float the CPU's values, in float16 nearly.
// Where these would take a software device minutes, floats are tried with a smaller input. FW_VULKAN_ZOO=all runs all
// of them at their published size, FW_VULKAN_ZOO=NAME,NAME... those alone.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "device_support.h"
#include "support/source_dir.h"
#include "zoo/golden.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw::zoo {
namespace {

// Of the largest value of an output.
constexpr float kFloatBound = 1e-3F;
constexpr float kHalfBound = 0.06F;
constexpr float kHalfArithmeticBound = 0.09F;
// Some networks magnify any small change. Where this many times what float16 weights alone, on the CPU, move an output
// by is more than the bounds above, it is the bound of float16.
constexpr float kMagnified = 3.0F;

constexpr int64_t kMostMacs = 160000000;  // of floats, without FW_VULKAN_ZOO
constexpr int kStride = 32;               // of the last layers of most networks

std::string golden_dir() {
    return std::string(FW_SOURCE_DIR) + "/tests/golden/zoo/";
}

bool runs_here(const Network& network) {
    const char* list = std::getenv("FW_VULKAN_ZOO");
    return list == nullptr || std::string(list) == "all" ||
           ("," + std::string(list) + ",").find("," + std::string(network.name) + ",") != std::string::npos;
}

// Of the published size where FW_VULKAN_ZOO or few multiply-accumulates allow it, otherwise of one with about as many
// as they may be.
Result<NetDef> build_small(const Network& network) {
    if (std::getenv("FW_VULKAN_ZOO") != nullptr || network.macs <= kMostMacs) {
        return build(network, kGoldenSeed);
    }
    constexpr double kPublishedSide = 224;  // or more, for even fewer
    const double share = static_cast<double>(kMostMacs) / static_cast<double>(network.macs);
    const int side = static_cast<int>(kPublishedSide * std::sqrt(share)) / kStride * kStride;
    return build(network, kGoldenSeed, std::max(side, kStride));
}

Option vulkan_option() {
    Option option;
    option.device = "vulkan";
    return option;
}

// The largest difference, in parts of the largest value; NaN is infinitely far.
float relative_error(const Mat& want, const Mat& got) {
    if (got.shape() != want.shape()) {
        ADD_FAILURE() << "an output of another shape";
        return INFINITY;
    }
    float largest = 0.0F;
    float error = 0.0F;
    for (int64_t k = 0; k < want.count(); ++k) {
        const float difference = std::fabs(want.data()[k] - got.data()[k]);
        largest = std::max(largest, std::fabs(want.data()[k]));
        error = std::max(error, std::isnan(difference) ? INFINITY : difference);
    }
    EXPECT_GT(largest, 0.0F);
    return error / largest;
}

std::vector<std::string> all_networks() {
    std::vector<std::string> names;
    for (const Network& network : networks()) {
        names.emplace_back(network.name);
    }
    return names;
}

class VulkanZoo : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        skip_or_fail_without_vulkan();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        network_ = find(GetParam());
        ASSERT_NE(network_, nullptr);
        if (!runs_here(*network_)) {
            GTEST_SKIP() << "FW_VULKAN_ZOO leaves it out";
        }
        Result<NetDef> def = build_as_tested();
        ASSERT_TRUE(def.ok()) << def.status().message();
        def_ = std::move(*def);
    }
    virtual Result<NetDef> build_as_tested() const { return build_small(*network_); }
    void TearDown() override { EXPECT_EQ(take_validation_messages(), ""); }

    // The values of these blobs.
    void run(const Option& option, const std::vector<std::string>& blobs, std::vector<Mat>* values) {
        Net net;
        ASSERT_TRUE(net.set_option(option).ok());
        ModelFiles files;
        const Status loaded = load(def_, &net, &files);
        ASSERT_TRUE(loaded.ok()) << loaded.message();
        Extractor extractor = net.create_extractor();
        for (const std::string& name : net.input_names()) {
            const Shape shape = net.input_shape(name.c_str());
            Result<Mat> input = Mat::create(shape);
            ASSERT_TRUE(input.ok());
            const std::vector<uint8_t> bytes = made_image(shape, kGoldenSeed);
            for (size_t i = 0; i < bytes.size(); ++i) {
                input->data()[i] = (static_cast<float>(bytes[i]) - 128.0F) / 64.0F;
            }
            ASSERT_TRUE(extractor.input(name.c_str(), *input).ok());
        }
        for (const std::string& name : blobs) {
            Mat out;
            const Status status = extractor.extract(name.c_str(), &out);
            ASSERT_TRUE(status.ok()) << status.message();
            values->push_back(out);
        }
    }

    // The blobs that no layer reads, and the scores that a softmax at the end makes one of: it may be 1 for one class
    // whatever their errors are. Boxes are chosen by comparisons, the smallest difference may lead to others:
    // without `boxes` it is what the layer that chooses them reads, before a softmax of it (the exponentials of the
    // large scores that made-up weights give would make a small error any error).
    std::vector<std::string> outputs(bool boxes) const {
        std::set<std::string> names;
        for (const LayerDef& layer : def_.layers) {
            names.insert(layer.tops.begin(), layer.tops.end());
        }
        std::vector<std::string> chosen_from;
        for (const LayerDef& layer : def_.layers) {
            for (const std::string& read : layer.bottoms) {
                names.erase(read);
            }
            if (!boxes && layer.type.find("DetectionOutput") != std::string::npos) {
                std::transform(layer.bottoms.begin(), layer.bottoms.end(), std::back_inserter(chosen_from),
                               [&](const std::string& blob) { return scores(blob); });
                for (const std::string& box : layer.tops) {
                    names.erase(box);
                }
            }
        }
        for (const LayerDef& layer : def_.layers) {
            if (layer.type == "Softmax" && names.count(layer.tops[0]) > 0) {
                chosen_from.push_back(scores(layer.bottoms[0]));
            }
        }
        names.insert(chosen_from.begin(), chosen_from.end());
        return {names.begin(), names.end()};
    }

    std::string scores(const std::string& blob) const {
        for (const LayerDef& layer : def_.layers) {
            const bool made_here = std::count(layer.tops.begin(), layer.tops.end(), blob) > 0;
            if (made_here && (layer.type == "Softmax" || layer.type == "Flatten" || layer.type == "Reshape")) {
                return scores(layer.bottoms[0]);
            }
        }
        return blob;
    }

    // Records the largest error under `name`.
    void compare_with_cpu(const std::string& name, const Option& option, float bound) {
        const std::vector<std::string> blobs = outputs(option.precision == Precision::kFloat);
        std::vector<Mat> want;
        std::vector<Mat> got;
        std::vector<Mat> half_weights;  // on the CPU
        run(Option(), blobs, &want);
        run(option, blobs, &got);
        if (option.precision == Precision::kFp16) {
            Option on_cpu;
            on_cpu.precision = Precision::kFp16;
            run(on_cpu, blobs, &half_weights);
            ASSERT_EQ(half_weights.size(), want.size());
        }
        ASSERT_FALSE(want.empty());
        ASSERT_EQ(got.size(), want.size());
        float worst = 0.0F;
        float magnified = 0.0F;
        for (size_t i = 0; i < want.size(); ++i) {
            const float error = relative_error(want[i], got[i]);
            const float weights = half_weights.empty() ? 0.0F : relative_error(want[i], half_weights[i]);
            EXPECT_LE(error, std::max(bound, kMagnified * weights)) << blobs[i];
            worst = std::max(worst, error);
            magnified = std::max(magnified, weights);
        }
        RecordProperty(name, std::to_string(worst));
        if (!half_weights.empty()) {
            RecordProperty(name + "_weights", std::to_string(magnified));
        }
    }

    const Network* network_ = nullptr;
    NetDef def_;
};
INSTANTIATE_TEST_SUITE_P(All, VulkanZoo, testing::ValuesIn(all_networks()),
                         [](const auto& instance) { return instance.param; });

class VulkanGoldenZoo : public VulkanZoo {
    Result<NetDef> build_as_tested() const override { return build(*network_, kGoldenSeed); }
};
INSTANTIATE_TEST_SUITE_P(All, VulkanGoldenZoo, testing::ValuesIn(golden_networks()),
                         [](const auto& instance) { return instance.param; });

TEST_P(VulkanGoldenZoo, Int8HasTheBytesOfTheGoldenFile) {
    const nlohmann::json json = nlohmann::json::parse(std::ifstream(golden_dir() + "golden.json"));
    const nlohmann::json& entry = json.at(GetParam());
    Golden want;
    want.blobs = entry.at("blobs").get<std::map<std::string, std::string>>();
    ASSERT_FALSE(want.blobs.empty());
    const Result<ScaleTable> table = ScaleTable::load((golden_dir() + GetParam() + ".table").c_str());
    ASSERT_TRUE(table.ok()) << table.status().message();
    Option option = vulkan_option();
    option.staged_device_memory = true;  // as if the device had memory of its own; the float test shares it
    const Result<Golden> got = run_golden(def_, *table, option, &want);
    ASSERT_TRUE(got.ok()) << got.status().message();
    EXPECT_EQ(got->blobs, want.blobs);
    EXPECT_EQ(got->conversions, entry.at("conversions").get<int>());
}

// Float32 within a thousandth of the largest value, float16 within the bounds of docs/vulkan.md. The errors are
// properties of the XML report (--gtest_output=xml).
TEST_P(VulkanZoo, FloatsAreNearThoseOfTheCpu) {
    Option option = vulkan_option();
    option.precision = Precision::kFloat;
    compare_with_cpu("float", option, kFloatBound);
}

TEST_P(VulkanZoo, Float16IsNearTheFloatsOfTheCpu) {
    Option option = vulkan_option();
    option.precision = Precision::kFp16;
    compare_with_cpu("fp16", option, kHalfBound);
}

TEST_P(VulkanZoo, Float16ArithmeticIsNearTheFloatsOfTheCpu) {
    Option option = vulkan_option();
    option.precision = Precision::kFp16;
    option.fp16_arithmetic = true;
    compare_with_cpu("fp16_arithmetic", option, kHalfArithmeticBound);
}

}  // namespace
}  // namespace fw::zoo
