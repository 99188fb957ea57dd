// Choosing a device, errors, the pipeline cache's file, crossings.
#include "vulkan/device.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

#include "device_support.h"
#include "faults.h"
#include "fw/c_api.h"
#include "model/model_io.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

using VulkanDevice = VulkanTest;

const char* const kNet =
    "7767517\n3 3\nInput data 0 1 data 0=6 1=5 2=4\nConvolution conv 1 1 data conv 0=8 1=1 5=1 6=32\n"
    "Softmax prob 1 1 conv prob 0=0 1=1\n";

Status load(const Option& option, Net* net, zoo::ModelFiles* files) {
    const std::string text = kNet;
    FW_ASSIGN_OR_RETURN(NetDef def, parse_param({text.data(), text.size()}, "test"));
    FW_RETURN_IF_ERROR(random_weights(&def, 1));
    FW_RETURN_IF_ERROR(net->set_option(option));
    return zoo::load(def, net, files);
}

Status load_on(const std::string& device) {
    Option option;
    option.device = device;
    Net net;
    zoo::ModelFiles files;
    return load(option, &net, &files);
}

TEST_F(VulkanDevice, IsChosenByName) {
    EXPECT_TRUE(load_on("vulkan").ok());
    EXPECT_TRUE(load_on("vulkan:0").ok());
    for (const char* name : {"", "gpu", "vulkan:", "vulkan:x", "vulkan:-1", "vulkan:0x", "vulkan0"}) {
        EXPECT_EQ(load_on(name).code(), Code::kInvalidArgument) << name;
    }
    const Status far = load_on("vulkan:99");
    EXPECT_EQ(far.code(), Code::kNotFound);
    EXPECT_NE(std::string(far.message()).find("99"), std::string::npos) << far.message();
}

bool stores_float16() {
    const Result<std::vector<vulkan::DeviceDescription>> devices = vulkan::list_devices();
    return devices.ok() && devices->front().features.float16_storage;
}

// What a Net with this device came to: its device, and the reason that its plan gives.
struct Choice {
    std::string device, reason;
    Precision precision = Precision::kAuto;
    DType type = DType::kFloat32;  ///< of the convolution's input
};

Choice choose(Option option, const std::string& device, const ScaleTable* table = nullptr) {
    option.device = device;
    Net net;
    zoo::ModelFiles files;
    if (table != nullptr) {
        EXPECT_TRUE(net.set_option(option).ok());
        EXPECT_TRUE(net.load_table(*table).ok());
    }
    const Status status = load(option, &net, &files);
    EXPECT_TRUE(status.ok()) << status.message();
    const Result<std::vector<LayerPlan>> plan = net.plan();
    EXPECT_TRUE(plan.ok());
    Choice choice;
    choice.device = net.option().device;
    choice.precision = net.option().precision;
    if (plan.ok() && !plan->empty()) {
        choice.reason = plan->back().cpu_reason;
        for (const LayerPlan& step : *plan) {
            choice.type = step.type == "Convolution" ? step.input_type : choice.type;
        }
    }
    return choice;
}

Choice choose(const std::string& device, int threads) {
    Option option;
    option.threads = threads;
    return choose(option, device);
}

TEST_F(VulkanDevice, AutoTakesTheFasterAndRemembersIt) {
    const std::string path = testing::TempDir() + "fw_vulkan_times";
    std::remove(path.c_str());
    const auto read = [&] {
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
    choose("auto:" + path, 1);
    const std::string measured = read();
    char key[17] = {};
    unsigned long long cpu = 0;
    unsigned long long device = 0;
    int length = 0;
    ASSERT_EQ(std::sscanf(measured.c_str(), "fwdevice 2\n%16[0-9a-f] %llu - %llu -\n%n", key, &cpu, &device, &length),
              3);
    ASSERT_EQ(measured.size(), static_cast<size_t>(length));
    // The file decides: its times, in either order, are not measured again.
    const std::string head = std::string("fwdevice 2\n") + key;
    write(head + " 9000 - 1000 -\n");
    EXPECT_EQ(choose("auto:" + path, 1).device, "vulkan");
    write(head + " 1000 - 9000 -\n");
    const Choice on_cpu = choose("auto:" + path, 1);
    EXPECT_EQ(on_cpu.device, "cpu");
    EXPECT_EQ(on_cpu.reason, "device 'auto': cpu takes 1 ms, vulkan 9 ms in float (measured before)");
    // Other options are measured on their own.
    choose("auto:" + path, 2);
    const std::string both = read();
    EXPECT_EQ(std::count(both.begin(), both.end(), '\n'), 3);
    EXPECT_NE(both.find(std::string(key) + " 1000 - 9000 -\n"), std::string::npos);
    // A file that is not exactly so is made anew.
    for (const std::string& damaged :
         {std::string(), measured.substr(0, measured.size() - 1), measured + "x", "fwdevice 1\n" + measured.substr(11),
          head + " 1000 - -1 -\n", head + "  1 - 2 -\n", head.substr(0, 20) + " 1 - 2 -\n", head + " 1.5 - 2 -\n",
          head + " 9999999999999 - 2 -\n", head + " - - 2 -\n", head + " 1 - 2\n"}) {
        SCOPED_TRACE(damaged);
        write(damaged);
        choose("auto:" + path, 1);
        const std::string made = read();
        EXPECT_EQ(made.compare(0, head.size(), head), 0) << made;
        EXPECT_EQ(std::count(made.begin(), made.end(), '\n'), 2);
    }
    EXPECT_EQ(load_on("auto:").code(), Code::kInvalidArgument);
    EXPECT_FALSE(load_on("auto:" + testing::TempDir()).ok());
}

// kAuto: the device's times in int8, in float and, where the application allows the loss, in float16.
TEST_F(VulkanDevice, AutoChoosesThePrecisionToo) {
    const Result<NetDef> def = parse_param({kNet, std::strlen(kNet)}, "test");
    ASSERT_TRUE(def.ok());
    NetDef weighted = *def;
    ASSERT_TRUE(random_weights(&weighted, 1).ok());
    const Result<ScaleTable> table = zoo::made_table(weighted, 1, 1);
    ASSERT_TRUE(table.ok());
    const std::string path = testing::TempDir() + "fw_vulkan_precisions";
    const std::string device = "auto:" + path;
    for (const bool with_table : {false, true}) {
        for (const bool fp16 : {false, true}) {
            SCOPED_TRACE(testing::Message() << with_table << fp16);
            const ScaleTable* use = with_table ? &*table : nullptr;
            Option option;
            option.fp16 = fp16;
            std::remove(path.c_str());
            choose(option, device, use);
            std::ifstream file(path, std::ios::binary);
            const std::string text(std::istreambuf_iterator<char>(file), {});
            ASSERT_GT(text.size(), 27U);
            const std::string head = text.substr(0, 27);  // with the key
            char int8[16] = {};
            char real[16] = {};
            char half[16] = {};
            ASSERT_EQ(std::sscanf(text.c_str() + 27, " %*u %15s %15s %15s", int8, real, half), 3) << text;
            EXPECT_EQ(std::string(int8) != "-", with_table);
            EXPECT_NE(std::string(real), "-");
            EXPECT_EQ(std::string(half) != "-", fp16 && stores_float16());
            const std::tuple<const char*, Precision, bool> cases[] = {
                {" 9000 1000 2000 3000\n", with_table ? Precision::kInt8 : Precision::kFloat, true},
                {" 9000 2000 1000 3000\n", Precision::kFloat, true},
                {" 9000 3000 2000 1000\n", fp16 && stores_float16() ? Precision::kFp16 : Precision::kFloat, true},
                {" 1000 3000 2000 1000\n", Precision::kAuto, false},
            };
            for (const auto& [times, precision, on_device] : cases) {
                SCOPED_TRACE(times);
                std::ofstream(path, std::ios::binary) << head << times;
                const Choice choice = choose(option, device, use);
                EXPECT_EQ(choice.device, on_device ? "vulkan" : "cpu");
                EXPECT_EQ(choice.precision, precision);
                EXPECT_TRUE(!on_device || (choice.type == DType::kInt8) == (precision == Precision::kInt8));
            }
        }
    }
}

// Without a measurement: int8 where there is a table, else float16 where the application allows it.
TEST_F(VulkanDevice, KeepsFloatsInFloat16WhereThatIsAllowed) {
    const Result<NetDef> def = parse_param({kNet, std::strlen(kNet)}, "test");
    ASSERT_TRUE(def.ok());
    NetDef weighted = *def;
    ASSERT_TRUE(random_weights(&weighted, 1).ok());
    const Result<ScaleTable> table = zoo::made_table(weighted, 1, 1);
    ASSERT_TRUE(table.ok());
    Option option;
    EXPECT_EQ(choose(option, "vulkan").precision, Precision::kAuto);
    option.fp16 = true;
    EXPECT_EQ(choose(option, "vulkan").precision, stores_float16() ? Precision::kFp16 : Precision::kAuto);
    const Choice with_table = choose(option, "vulkan", &*table);
    EXPECT_EQ(with_table.precision, Precision::kAuto);
    EXPECT_EQ(with_table.type, DType::kInt8);
    option.precision = Precision::kFloat;
    EXPECT_EQ(choose(option, "vulkan").precision, Precision::kFloat);
}

TEST_F(VulkanDevice, TheEnvironmentHidesIt) {
    ASSERT_EQ(setenv("FW_VULKAN", "0", 1), 0);
    const Status listed = list_devices().status();
    const Status named = load_on("vulkan");
    const Choice taken = choose("auto", 1);
    unsetenv("FW_VULKAN");
    EXPECT_EQ(listed.code(), Code::kNotFound);
    EXPECT_EQ(named.code(), Code::kNotFound);
    EXPECT_STREQ(named.message(), "device 'vulkan': FW_VULKAN=0 hides the Vulkan devices");
    EXPECT_EQ(taken.device, "cpu");
    EXPECT_EQ(taken.reason, "device 'auto': device 'vulkan': FW_VULKAN=0 hides the Vulkan devices");
    EXPECT_TRUE(load_on("vulkan").ok());
}

TEST_F(VulkanDevice, StatesWhatRunsWhere) {
    Option option;
    option.device = "vulkan";
    Net net;
    zoo::ModelFiles files;
    ASSERT_TRUE(load(option, &net, &files).ok());
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    for (const LayerPlan& step : *plan) {
        const bool input = step.type == "Copy";
        EXPECT_EQ(step.device, input ? "cpu" : "vulkan") << step.name;
        EXPECT_EQ(step.cpu_reason.empty(), !input) << step.name;
        // The input crosses once.
        EXPECT_EQ(step.crossing_bytes, step.type == "Convolution" ? 4 * 5 * 6 * 4 : 0) << step.name;
    }
}

TEST_F(VulkanDevice, KeepsPipelinesInAFile) {
    const std::string path = testing::TempDir() + "fw_vulkan_pipelines";
    std::remove(path.c_str());
    Option option;
    option.device = "vulkan";
    option.pipeline_cache = path;
    const auto run = [&] {
        Net net;
        zoo::ModelFiles files;
        ASSERT_TRUE(load(option, &net, &files).ok());
        Extractor extractor = net.create_extractor();
        Result<Mat> image = Mat::create(Shape(4, 5, 6));
        ASSERT_TRUE(image.ok());
        std::fill_n(image->data(), image->count(), 0.25F);
        ASSERT_TRUE(extractor.input("data", *image).ok());
        Mat out;
        ASSERT_TRUE(extractor.extract("prob", &out).ok());
    };
    const auto contents = [&] {
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    run();
    if (gives_no_pipelines()) {
        GTEST_SKIP() << "this driver gives no pipelines to keep";
    }
    const std::string good = contents();
    ASSERT_GT(good.size(), 32U);
    run();
    EXPECT_EQ(contents().substr(0, 8), good.substr(0, 8));
    // Damage anywhere is found, costs nothing but the time to compile, and is replaced.
    for (const size_t at : {size_t{0}, size_t{9}, size_t{17}, size_t{30}, good.size() - 1}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x5a);
        std::ofstream(path, std::ios::binary) << bad;
        run();
        EXPECT_NE(contents(), bad) << at;
    }
    std::ofstream(path, std::ios::binary) << good.substr(0, good.size() / 2);
    run();
    EXPECT_GT(contents().size(), good.size() / 2);
}

// The status of one inference through the C interface.
fw_status run_in_c(const zoo::ModelFiles& files) {
    fw_net* net = fw_net_create();
    fw_net_set_device(net, "vulkan", 0);
    fw_status status =
        fw_net_load_model_memory(net, files.param.data(), files.param.size(), files.bin.data(), files.bin.size());
    if (status == FW_OK) {
        fw_extractor* extractor = fw_extractor_create(net);
        const std::vector<float> image(4 * 5 * 6, 0.25F);
        fw_extractor_input(extractor, "data", image.data(), {3, {4, 5, 6, 0}});
        const float* out = nullptr;
        fw_shape shape;
        status = fw_extractor_extract(extractor, "prob", &out, &shape);
        fw_extractor_destroy(extractor);
    }
    fw_net_destroy(net);
    return status;
}

TEST_F(VulkanDevice, TheCInterfaceSaysWhatFailed) {
    zoo::ModelFiles files;
    {
        Net net;
        ASSERT_TRUE(load(Option(), &net, &files).ok());
    }
    vulkan::Faults faults;
    vulkan::FaultyDriver driver(faults);
    EXPECT_EQ(run_in_c(files), FW_OK) << fw_last_error();
    faults.wait = VK_ERROR_DEVICE_LOST;
    driver.set(faults);
    EXPECT_EQ(run_in_c(files), FW_DEVICE_LOST) << fw_last_error();
    faults = {};
    faults.create_pipeline = VK_ERROR_UNKNOWN;
    driver.set(faults);
    EXPECT_EQ(run_in_c(files), FW_SHADER_REJECTED) << fw_last_error();
}

TEST_F(VulkanDevice, MemoryIsBounded) {
    Result<std::shared_ptr<vulkan::Device>> device = vulkan::Device::open(vulkan::Device::kAny);
    ASSERT_TRUE(device.ok());
    const Result<vulkan::Buffer> buffer = (*device)->create_buffer(uint64_t{1} << 50, vulkan::Device::Place::kDevice);
    ASSERT_FALSE(buffer.ok());
    take_validation_messages();  // the layer warns of the size too
}

}  // namespace
}  // namespace fw
