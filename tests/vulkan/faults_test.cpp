// A device that is lost, has no memory, lacks features or rejects a shader: an error of one line, or, where the
// application allows it, the CPU's results with the reason in the plan.
#include "faults.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "device_support.h"
#include "model/model_io.h"
#include "support/source_dir.h"
#include "zoo/golden.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

using vulkan::Faults;
using vulkan::FaultyDriver;

constexpr uint64_t kSeed = 3;

// Two parts on the device with a step of the CPU between them (RNN).
const char* const kNet =
    "7767517\n6 6\nInput data 0 1 data 0=6 1=5 2=4\nConvolution a 1 1 data a 0=8 1=3 4=1 5=1 6=288\n"
    "Reshape s 1 1 a s 0=30 1=8\nRNN m 1 1 s m 0=12 1=360 2=0\nReshape t 1 1 m t 0=6 1=2 2=8\n"
    "Convolution b 1 1 t b 0=8 1=1 5=1 6=64\n";

class VulkanFaults : public VulkanTest {
protected:
    void SetUp() override {
        VulkanTest::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        Result<NetDef> def = parse_param({kNet, std::strlen(kNet)}, "test");
        ASSERT_TRUE(def.ok()) << def.status().message();
        def_ = std::move(*def);
        ASSERT_TRUE(random_weights(&def_, kSeed).ok());
        option_.device = "vulkan";
        const Status status = run_on("cpu", &want_);
        ASSERT_TRUE(status.ok()) << status.message();
    }

    Status run_on(const char* device, Mat* out) {
        Option option;
        option.device = device;
        Net net;
        zoo::ModelFiles files;
        FW_RETURN_IF_ERROR(load(option, &net, &files));
        Extractor extractor = net.create_extractor();
        return run(&extractor, out);
    }

    Status load(const Option& option, Net* net, zoo::ModelFiles* files) {
        FW_RETURN_IF_ERROR(net->set_option(option));
        return zoo::load(def_, net, files);
    }

    Status run(Extractor* extractor, Mat* out) {
        FW_ASSIGN_OR_RETURN(const Mat image, Mat::create(Shape(4, 5, 6)));
        for (int64_t i = 0; i < image.count(); ++i) {
            const_cast<float*>(image.data())[i] = static_cast<float>(i % 13) - 6.0F;
        }
        FW_RETURN_IF_ERROR(extractor->input("data", image));
        return extractor->extract("b", out);
    }

    // Loads a net and runs it once; the error of the part that failed.
    Status load_and_run(Mat* out, std::vector<LayerPlan>* plan = nullptr) {
        Net net;
        zoo::ModelFiles files;
        FW_RETURN_IF_ERROR(load(option_, &net, &files));
        Extractor extractor = net.create_extractor();
        FW_RETURN_IF_ERROR(run(&extractor, out));
        if (plan != nullptr) {
            FW_ASSIGN_OR_RETURN(*plan, net.plan());
        }
        return {};
    }

    void expect_cpu_result(const Mat& got) const {
        ASSERT_EQ(got.shape(), want_.shape());
        EXPECT_EQ(std::memcmp(got.data(), want_.data(), want_.bytes()), 0);
    }

    static void expect_on_cpu(const std::vector<LayerPlan>& plan, const std::string& reason) {
        EXPECT_FALSE(plan.empty());
        for (const LayerPlan& step : plan) {
            EXPECT_EQ(step.device, "cpu") << step.name;
            EXPECT_NE(step.cpu_reason.find(reason), std::string::npos) << step.name << ": " << step.cpu_reason;
        }
    }

    // The fault is an error that has `reason`, and with the fallback it gives the CPU's result and a warning.
    void expect_error_or_cpu(const Faults& faults, Code code, const std::string& reason) {
        SCOPED_TRACE(reason);
        FaultyDriver driver(faults);
        Mat out;
        option_.device_fallback = false;
        const Status status = load_and_run(&out);
        EXPECT_EQ(status.code(), code) << status.message();
        EXPECT_NE(std::string(status.message()).find(reason), std::string::npos) << status.message();
        EXPECT_EQ(std::string(status.message()).find('\n'), std::string::npos) << status.message();
        EXPECT_EQ(take_validation_messages(), "");

        driver.set(faults);
        option_.device_fallback = true;
        std::vector<LayerPlan> plan;
        const Status fallen = load_and_run(&out, &plan);
        ASSERT_TRUE(fallen.ok()) << fallen.message();
        expect_cpu_result(out);
        expect_on_cpu(plan, reason);
        const std::string warning = take_validation_messages();
        EXPECT_NE(warning.find(reason), std::string::npos) << warning;
        EXPECT_NE(warning.find(": everything runs on the CPU\n"), std::string::npos) << warning;
        EXPECT_EQ(warning.find('\n'), warning.size() - 1) << warning;
    }

    NetDef def_;
    Option option_;
    Mat want_;
};

TEST_F(VulkanFaults, ALostDevice) {
    Faults faults;
    faults.create_device = VK_ERROR_INITIALIZATION_FAILED;
    expect_error_or_cpu(faults, Code::kDeviceLost, "vkCreateDevice failed with VK_ERROR_INITIALIZATION_FAILED");
    for (const int successes : {0, 1}) {  // in the first part of the network, in the second
        faults = {};
        faults.successes = successes;
        faults.submit = VK_ERROR_DEVICE_LOST;
        expect_error_or_cpu(faults, Code::kDeviceLost, "vkQueueSubmit failed with VK_ERROR_DEVICE_LOST");
        std::swap(faults.submit, faults.wait);
        expect_error_or_cpu(faults, Code::kDeviceLost, "vkWaitForFences failed with VK_ERROR_DEVICE_LOST");
    }
    option_.staged_device_memory = true;  // two weights are copied by submissions then, and two crossings
    for (int successes = 0; successes < 6; ++successes) {
        faults = {};
        faults.successes = successes;
        faults.submit = VK_ERROR_DEVICE_LOST;
        expect_error_or_cpu(faults, Code::kDeviceLost, "vkQueueSubmit failed with VK_ERROR_DEVICE_LOST");
    }
}

TEST_F(VulkanFaults, OutOfMemory) {
    Faults faults;
    faults.allocate = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    for (const int successes : {0, 1}) {  // weights, activations
        faults.successes = successes;
        expect_error_or_cpu(faults, Code::kOutOfMemory, "vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY");
    }
    faults = {};
    faults.submit = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    expect_error_or_cpu(faults, Code::kOutOfMemory, "vkQueueSubmit failed with VK_ERROR_OUT_OF_DEVICE_MEMORY");
}

TEST_F(VulkanFaults, ARejectedShader) {
    Faults faults;
    faults.create_pipeline = VK_ERROR_INITIALIZATION_FAILED;
    for (const int successes : {0, 2}) {  // for the first part, for the second
        faults.successes = successes;
        expect_error_or_cpu(faults, Code::kShaderRejected, "shader 'conv_float' on");
    }
}

TEST_F(VulkanFaults, NoFloat16Storage) {
    Faults faults;
    faults.no_float16_storage = true;
    option_.precision = Precision::kFp16;
    {
        FaultyDriver driver(faults);
        Mat out;
        const Status status = load_and_run(&out);
        EXPECT_EQ(status.code(), Code::kUnsupported);
        option_.device_fallback = true;
        std::vector<LayerPlan> plan;
        EXPECT_TRUE(load_and_run(&out, &plan).ok());
        expect_on_cpu(plan, "keeps no float16 in storage buffers");
        EXPECT_NE(take_validation_messages(), "");
    }
    {
        FaultyDriver driver(faults);
        option_.precision = Precision::kAuto;
        option_.fp16 = true;
        option_.device_fallback = false;
        Mat out;
        EXPECT_TRUE(load_and_run(&out).ok());
    }
    // The same device does floats.
    option_.precision = Precision::kFloat;
    option_.device_fallback = false;
    FaultyDriver driver(faults);
    Mat out;
    std::vector<LayerPlan> plan;
    const Status status = load_and_run(&out, &plan);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(plan.back().device, "vulkan");
}

TEST_F(VulkanFaults, NoFloat16Arithmetic) {
    Faults faults;
    faults.no_float16_arithmetic = true;
    option_.precision = Precision::kFp16;
    FaultyDriver driver(faults);
    Mat out;
    Status status = load_and_run(&out);
    EXPECT_TRUE(status.ok()) << status.message();
    option_.fp16_arithmetic = true;
    status = load_and_run(&out);
    EXPECT_EQ(status.code(), Code::kUnsupported);
    EXPECT_NE(std::string(status.message()).find("does not compute in float16"), std::string::npos) << status.message();
    // kAuto takes what there is.
    option_.precision = Precision::kAuto;
    option_.fp16 = true;
    Net net;
    zoo::ModelFiles files;
    status = load(option_, &net, &files);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(net.option().precision, Precision::kFp16);
    EXPECT_FALSE(net.option().fp16_arithmetic);
}

// Several inferences, Extractors and shapes after the loss; then another Net gets a device that works.
TEST_F(VulkanFaults, TheNetStaysOnTheCpuAndTheNextOneStartsAnew) {
    FaultyDriver driver({});
    option_.device_fallback = true;
    Net net;
    zoo::ModelFiles files;
    ASSERT_TRUE(load(option_, &net, &files).ok());
    Extractor first = net.create_extractor();
    Extractor second = net.create_extractor();
    Mat out;
    ASSERT_TRUE(run(&first, &out).ok());
    ASSERT_TRUE(run(&second, &out).ok());
    EXPECT_EQ(take_validation_messages(), "");
    Faults lost;
    lost.submit = VK_ERROR_DEVICE_LOST;
    driver.set(lost);
    first.enable_profile(true);
    for (Extractor* extractor : {&first, &second, &first}) {
        const Status status = run(extractor, &out);
        ASSERT_TRUE(status.ok()) << status.message();
        expect_cpu_result(out);
    }
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    expect_on_cpu(*plan, "VK_ERROR_DEVICE_LOST");
    EXPECT_EQ(first.profile().size(), plan->size() + 1);  // and the output's copy
    Extractor third = net.create_extractor();
    ASSERT_TRUE(run(&third, &out).ok());
    expect_cpu_result(out);
    const std::string warnings = take_validation_messages();
    EXPECT_EQ(warnings.find('\n'), warnings.size() - 1) << warnings;

    driver.set({});
    std::vector<LayerPlan> later;
    option_.device_fallback = false;
    const Status status = load_and_run(&out, &later);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(later.back().device, "vulkan");
}

// What is wrong with the call itself stays an error.
TEST_F(VulkanFaults, OtherErrorsStay) {
    option_.device_fallback = true;
    Mat out;
    option_.device = "gpu";
    EXPECT_EQ(load_and_run(&out).code(), Code::kInvalidArgument);
    option_.device = "vulkan";
    Net net;
    zoo::ModelFiles files;
    ASSERT_TRUE(load(option_, &net, &files).ok());
    Extractor extractor = net.create_extractor();
    int calls = 0;
    extractor.set_observer([&](const std::string&, const Mat&) {
        ++calls;
        return Status::error(Code::kFailedPrecondition, "stop");
    });
    EXPECT_EQ(run(&extractor, &out).code(), Code::kFailedPrecondition);
    EXPECT_EQ(calls, 1);
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->back().device, "vulkan");
    option_.device = "vulkan:99";
    EXPECT_TRUE(load_and_run(&out).ok());
    expect_cpu_result(out);
    EXPECT_NE(take_validation_messages().find("there is no Vulkan device 99"), std::string::npos);
}

// Networks of the zoo that devices with fewer features run in int8: the bytes of the golden file, whatever multiplies.
class VulkanInt8Paths : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override { skip_or_fail_without_vulkan(); }
    void TearDown() override { EXPECT_EQ(take_validation_messages(), ""); }

    // What dense convolutions run as: a shader, or "cpu".
    static std::set<std::string> expect_golden(const Faults& faults) {
        std::set<std::string> kernels;
        const std::string dir = std::string(FW_SOURCE_DIR) + "/tests/golden/zoo/";
        const nlohmann::json json = nlohmann::json::parse(std::ifstream(dir + "golden.json"));
        zoo::Golden want;
        want.blobs = json.at(GetParam()).at("blobs").get<std::map<std::string, std::string>>();
        const Result<ScaleTable> table = ScaleTable::load((dir + GetParam() + ".table").c_str());
        const zoo::Network* network = zoo::find(GetParam());
        const Result<NetDef> def = zoo::build(*network, zoo::kGoldenSeed);
        EXPECT_TRUE(table.ok() && def.ok());
        FaultyDriver driver(faults);
        Option option;
        option.device = "vulkan";
        const Result<zoo::Golden> got = zoo::run_golden(*def, *table, option, &want);
        EXPECT_TRUE(got.ok()) << got.status().message();
        if (got.ok()) {
            EXPECT_EQ(got->blobs, want.blobs);
        }
        Net net;
        zoo::ModelFiles files;
        option.precision = Precision::kInt8;
        EXPECT_TRUE(net.set_option(option).ok());
        EXPECT_TRUE(net.load_table(*table).ok());
        EXPECT_TRUE(zoo::load(*def, &net, &files).ok());
        const Result<std::vector<LayerPlan>> plan = net.plan();
        EXPECT_TRUE(plan.ok());
        for (const LayerPlan& step : *plan) {
            if (step.type == "Convolution") {
                kernels.insert(step.device == "vulkan" ? step.kernel : step.device);
            }
        }
        return kernels;
    }
};

TEST_P(VulkanInt8Paths, DotProducts) {
    Faults faults;
    faults.no_cooperative_matrix = true;
    EXPECT_EQ(expect_golden(faults), std::set<std::string>{"conv_int8_dot"});
}

TEST_P(VulkanInt8Paths, CooperativeMatrices) {
    if (list_devices()->front().description.find("cooperative matrix of int8") == std::string::npos) {
        GTEST_SKIP() << "this driver has no cooperative matrices (VK_KHR_cooperative_matrix) of int8";
    }
    const std::set<std::string> kernels = expect_golden({});
    EXPECT_EQ(kernels.count("conv_int8_matrix"), 1U);
    EXPECT_EQ(kernels.count("cpu"), 0U);
}

TEST_P(VulkanInt8Paths, PlainIntegers) {
    Faults faults;
    faults.no_cooperative_matrix = true;
    faults.no_integer_dot = true;
    EXPECT_EQ(expect_golden(faults), std::set<std::string>{"conv_int8"});
}

TEST_P(VulkanInt8Paths, No8BitStorage) {
    Faults faults;
    faults.no_int8 = true;
    EXPECT_EQ(expect_golden(faults), std::set<std::string>{"cpu"});
}

INSTANTIATE_TEST_SUITE_P(Small, VulkanInt8Paths, testing::Values("blazeface", "mobilenet_v3_small"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace fw
