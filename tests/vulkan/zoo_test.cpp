// Networks of the zoo on the GPU: in int8 the bytes of the golden file, in float the CPU's values, in float16 nearly.
// FW_VULKAN_ZOO=all runs the large ones too (minutes on a software device).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "device_support.h"
#include "support/source_dir.h"
#include "zoo/golden.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw::zoo {
namespace {

constexpr float kHalfBound = 0.03F;       // of the largest value of an output
constexpr int64_t kMostMacs = 160000000;  // without FW_VULKAN_ZOO=all

std::string golden_dir() {
    return std::string(FW_SOURCE_DIR) + "/tests/golden/zoo/";
}

bool runs_here(const Network& network) {
    const char* all = std::getenv("FW_VULKAN_ZOO");
    return network.macs <= kMostMacs || (all != nullptr && std::string(all) == "all");
}

Option vulkan_option() {
    Option option;
    option.device = "vulkan";
    return option;
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
            GTEST_SKIP() << "FW_VULKAN_ZOO=all runs it";
        }
        Result<NetDef> def = build(*network_, kGoldenSeed);
        ASSERT_TRUE(def.ok()) << def.status().message();
        def_ = std::move(*def);
    }
    void TearDown() override { EXPECT_EQ(take_validation_messages(), ""); }

    // The values of every output.
    void run(const Option& option, std::vector<Mat>* outputs) {
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
        for (const std::string& name : net.output_names()) {
            Mat out;
            const Status status = extractor.extract(name.c_str(), &out);
            ASSERT_TRUE(status.ok()) << status.message();
            outputs->push_back(out);
        }
    }

    // Boxes are chosen by comparisons: the smallest difference may lead to others.
    bool chooses_boxes() const {
        return std::any_of(def_.layers.begin(), def_.layers.end(), [](const LayerDef& layer) {
            return layer.type.find("DetectionOutput") != std::string::npos;
        });
    }

    const Network* network_ = nullptr;
    NetDef def_;
};
INSTANTIATE_TEST_SUITE_P(All, VulkanZoo, testing::ValuesIn(golden_networks()),
                         [](const auto& instance) { return instance.param; });

TEST_P(VulkanZoo, Int8HasTheBytesOfTheGoldenFile) {
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

// Float32 within a thousandth of the largest value, float16 within the bound of docs/vulkan.md.
TEST_P(VulkanZoo, FloatsAreNearThoseOfTheCpu) {
    std::vector<Mat> want;
    std::vector<Mat> got;
    std::vector<Mat> half;
    run(Option(), &want);
    Option option = vulkan_option();
    run(option, &got);
    option.precision = Precision::kFp16;
    run(option, &half);
    ASSERT_EQ(got.size(), want.size());
    ASSERT_EQ(half.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
        ASSERT_EQ(got[i].shape(), want[i].shape());
        ASSERT_EQ(half[i].shape(), want[i].shape());
        float largest = 0.0F;
        float error = 0.0F;
        float half_error = 0.0F;
        for (int64_t k = 0; k < want[i].count(); ++k) {
            largest = std::max(largest, std::fabs(want[i].data()[k]));
            error = std::max(error, std::fabs(want[i].data()[k] - got[i].data()[k]));
            half_error = std::max(half_error, std::fabs(want[i].data()[k] - half[i].data()[k]));
        }
        EXPECT_LE(error, 1e-3F * largest);
        EXPECT_TRUE(chooses_boxes() || half_error <= kHalfBound * largest) << half_error << " of " << largest;
        EXPECT_GT(largest, 0.0F);
    }
}

}  // namespace
}  // namespace fw::zoo
