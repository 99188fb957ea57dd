// What drivers may do otherwise than the one at hand: old loaders, few bits in a timestamp, small memory, functions
// that are missing; and what is asked of them.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "device_support.h"
#include "faults.h"
#include "fw/net.h"
#include "layer/vulkan/recorder.h"
#include "model/model_io.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

using vulkan::Faults;
using vulkan::FaultyDriver;

const char* const kNet =
    "7767517\n3 3\nInput data 0 1 data 0=6 1=5 2=4\nConvolution conv 1 1 data conv 0=8 1=3 4=1 5=1 6=288\n"
    "Softmax prob 1 1 conv prob 0=0 1=1\n";

class VulkanDrivers : public VulkanTest {
protected:
    struct Loaded {
        zoo::ModelFiles files;
        Net net;
    };
    static Status load(const Option& option, Loaded* out) {
        FW_ASSIGN_OR_RETURN(NetDef def, parse_param({kNet, std::strlen(kNet)}, "test"));
        FW_RETURN_IF_ERROR(random_weights(&def, 3));
        FW_RETURN_IF_ERROR(out->net.set_option(option));
        if (option.precision == Precision::kInt8) {
            FW_ASSIGN_OR_RETURN(const ScaleTable table, zoo::made_table(def, 3, 1));
            FW_RETURN_IF_ERROR(out->net.load_table(table));
        }
        return zoo::load(def, &out->net, &out->files);
    }
    static Status run(Extractor* extractor, std::vector<float>* values) {
        FW_ASSIGN_OR_RETURN(Mat image, Mat::create(Shape(4, 5, 6)));
        for (int64_t i = 0; i < image.count(); ++i) {
            image.data()[i] = static_cast<float>(i % 13) / 6.0F - 1.0F;
        }
        FW_RETURN_IF_ERROR(extractor->input("data", image));
        Mat out;
        FW_RETURN_IF_ERROR(extractor->extract("prob", &out));
        values->assign(out.data(), out.data() + out.count());
        return {};
    }
    static Status load_and_run(const Option& option, std::vector<float>* values) {
        Loaded loaded;
        FW_RETURN_IF_ERROR(load(option, &loaded));
        Extractor extractor = loaded.net.create_extractor();
        return run(&extractor, values);
    }
    static Option on_vulkan(bool staged = false) {
        Option option;
        option.device = "vulkan";
        option.staged_device_memory = staged;
        return option;
    }
};

// Features of a later core are then extensions, which have to be enabled: else the validation layer complains.
TEST_F(VulkanDrivers, ALoaderOfVulkan11) {
    for (const bool old : {false, true}) {
        Faults faults;
        faults.old_loader = old;
        FaultyDriver driver(faults);
        const Result<std::vector<vulkan::DeviceDescription>> devices = vulkan::list_devices();
        ASSERT_TRUE(devices.ok()) << devices.status().message();
        EXPECT_TRUE(devices->front().features.int8);
        EXPECT_NE(devices->front().features.subgroup_size_control, old);
        for (const Precision precision : {Precision::kInt8, Precision::kFp16}) {
            Option option = on_vulkan();
            option.precision = precision;
            option.fp16_arithmetic = true;
            std::vector<float> values;
            const Status status = load_and_run(option, &values);
            EXPECT_TRUE(status.ok()) << status.message();
        }
    }
}

TEST_F(VulkanDrivers, ADriverOverAnotherInterface) {
    for (const bool portability : {false, true}) {
        Faults faults;
        faults.portability = portability;
        FaultyDriver driver(faults);
        std::vector<float> values;
        const Status status = load_and_run(on_vulkan(), &values);
        EXPECT_TRUE(status.ok()) << status.message();
    }
}

TEST_F(VulkanDrivers, TimestampsThatBeginAnew) {
    for (const uint32_t bits : {36U, 48U, 63U}) {
        Faults faults;
        faults.timestamp_bits = bits;
        FaultyDriver driver(faults);
        Loaded loaded;
        ASSERT_TRUE(load(on_vulkan(), &loaded).ok());
        Extractor extractor = loaded.net.create_extractor();
        extractor.enable_profile(true);
        std::vector<float> values;
        ASSERT_TRUE(run(&extractor, &values).ok());
        const double period = vulkan::Device::open(vulkan::Device::kAny).value()->limits().timestampPeriod;
        const Result<std::vector<LayerPlan>> plan = loaded.net.plan();
        int on_device = 0;
        for (size_t i = 0; i < plan->size(); ++i) {
            if ((*plan)[i].device == "vulkan") {
                EXPECT_DOUBLE_EQ(extractor.profile()[i], 1000 * period * 1e-6) << bits;
                ++on_device;
            }
        }
        EXPECT_GE(on_device, 2);
    }
}

TEST_F(VulkanDrivers, LessMemoryThanIsAskedFor) {
    Faults faults;
    faults.heap_bytes = 1 << 16;  // constants come in larger blocks
    FaultyDriver driver(faults);
    std::vector<float> values;
    const Status status = load_and_run(on_vulkan(), &values);
    EXPECT_EQ(status.code(), Code::kOutOfMemory);
    EXPECT_NE(std::strstr(status.message(), "whose memory has 65536"), nullptr) << status.message();
}

// Weights and a plan's constants: a block of each.
TEST_F(VulkanDrivers, ASmallNetworkTakesLittleMemory) {
    FaultyDriver driver({});
    std::vector<float> values;
    ASSERT_TRUE(load_and_run(on_vulkan(), &values).ok());
    EXPECT_GT(driver.allocated(), uint64_t{1152} + 320);  // weights and bias, the constants of a softmax
    EXPECT_LT(driver.allocated(), uint64_t{1} << 20);
}

// Blocks grow up to 16 MiB, and everything stays where it was put.
TEST_F(VulkanDrivers, ConstantsInManyBlocks) {
    for (const bool staged : {false, true}) {
        FaultyDriver driver({});
        const Result<std::shared_ptr<vulkan::Device>> device = vulkan::Device::open(vulkan::Device::kAny, staged);
        ASSERT_TRUE(device.ok());
        vulkan::Constants constants(*device);
        std::vector<vulkan::BufferRange> ranges;
        for (uint32_t i = 0; i < 600; ++i) {
            const std::vector<uint32_t> words(20000 + i, i);
            const Result<vulkan::BufferRange> range = constants.add(words);
            ASSERT_TRUE(range.ok()) << range.status().message();
            EXPECT_EQ(range->bytes, words.size() * sizeof(uint32_t));
            EXPECT_EQ(range->offset % (*device)->limits().minStorageBufferOffsetAlignment, 0U);
            for (const vulkan::BufferRange& other : ranges) {
                EXPECT_TRUE(other.buffer != range->buffer || other.offset + other.bytes <= range->offset) << i;
            }
            ranges.push_back(*range);
        }
        const uint64_t copies = staged ? constants.bytes() : 0;
        EXPECT_LT(driver.allocated() - copies, 2 * constants.bytes() + (uint64_t{16} << 20));
    }
}

// Each function, those that destroy what a device has among them.
TEST_F(VulkanDrivers, AFunctionIsMissing) {
#define FW_NAME(name) "vk" #name,
    const char* const names[] = {FW_VULKAN_DEVICE_FUNCTIONS(FW_NAME)};
#undef FW_NAME
    for (const char* name : names) {
        if (std::strcmp(name, "vkDestroyDevice") == 0) {
            continue;  // the device would stay
        }
        Faults faults;
        faults.missing = name;
        FaultyDriver driver(faults);
        std::vector<float> values;
        const Status status = load_and_run(on_vulkan(), &values);
        EXPECT_EQ(status.code(), Code::kUnsupported) << name;
        EXPECT_NE(std::strstr(status.message(), name), nullptr) << status.message();
    }
}

// A copy of an output sees what an earlier command buffer wrote by a barrier only.
TEST_F(VulkanDrivers, CopiesOfOutputsComeAfterABarrier) {
    FaultyDriver driver({});
    Loaded loaded;
    ASSERT_TRUE(load(on_vulkan(true), &loaded).ok());
    Extractor extractor = loaded.net.create_extractor();
    std::vector<float> values;
    ASSERT_TRUE(run(&extractor, &values).ok());
    const int before = driver.bare_copies();
    EXPECT_GT(before, 0);  // those of the weights
    ASSERT_TRUE(run(&extractor, &values).ok());
    EXPECT_EQ(driver.bare_copies(), before);
}

class VulkanPipelineFile : public VulkanDrivers {
protected:
    void SetUp() override {
        VulkanDrivers::SetUp();
        std::remove(path_.c_str());
        option_ = on_vulkan();
        option_.pipeline_cache = path_;
    }
    void TearDown() override {
        std::remove(path_.c_str());
        VulkanDrivers::TearDown();
    }

    const std::string path_ =
        testing::TempDir() + "fw_vulkan_pipeline_file_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    Option option_;
};

TEST_F(VulkanPipelineFile, IsWrittenWhereItChanges) {
    std::vector<float> values;
    ASSERT_TRUE(load_and_run(option_, &values).ok());
    struct stat first = {};
    if (gives_no_pipelines()) {
        GTEST_SKIP() << "this driver gives no pipelines to keep";
    }
    ASSERT_EQ(stat(path_.c_str(), &first), 0);
    const std::string kept = path_ + ".kept";  // a second name: its number is not given to another file
    std::remove(kept.c_str());
    ASSERT_EQ(link(path_.c_str(), kept.c_str()), 0);
    ASSERT_TRUE(load_and_run(option_, &values).ok());
    struct stat later = {};
    ASSERT_EQ(stat(path_.c_str(), &later), 0);
    EXPECT_EQ(later.st_ino, first.st_ino);
    std::remove(kept.c_str());
}

// The device has pipelines of a net that was loaded before.
TEST_F(VulkanPipelineFile, IsMergedWithWhatTheDeviceHas) {
    std::vector<float> values;
    ASSERT_TRUE(load_and_run(option_, &values).ok());
    if (gives_no_pipelines()) {
        GTEST_SKIP() << "this driver gives no pipelines to keep";
    }
    FaultyDriver driver({});
    Loaded other;
    ASSERT_TRUE(load(on_vulkan(), &other).ok());
    Extractor extractor = other.net.create_extractor();
    ASSERT_TRUE(run(&extractor, &values).ok());
    EXPECT_EQ(driver.merges(), 0);
    ASSERT_TRUE(load_and_run(option_, &values).ok());
    EXPECT_EQ(driver.merges(), 1);
}

// Packed weights of a group fill whole tiles: more words than an int counts, and none of them is made.
TEST_F(VulkanDrivers, WeightsThatGrowBeyondABuffer) {
    const Result<std::shared_ptr<vulkan::Device>> device = vulkan::Device::open(vulkan::Device::kAny);
    ASSERT_TRUE(device.ok());
    vulkan::Constants constants(*device);
    vulkan::Recorder recorder(**device, vulkan::Recorder::Storage::kFloat, 0, &constants, &constants);
    WeightRows rows;  // never read
    ConvOperation conv;
    conv.rows = &rows;
    conv.group = conv.channels = 1 << 23;
    conv.outputs = 1 << 24;
    const auto tensor = [](int channels) {
        TensorDesc desc;
        desc.shape = Shape(channels, 1, 1);
        return make_tensor(reinterpret_cast<void*>(vulkan::kArenaAddress), desc, Layout::kNhwc);
    };
    std::vector<vulkan::Dispatch> dispatches;
    const std::vector<Tensor> in = {tensor(conv.channels)};
    const std::vector<Tensor> out = {tensor(conv.outputs)};
    const Status status = recorder.record(0, conv, in, out, &dispatches);
    EXPECT_EQ(status.code(), Code::kUnsupported);
    EXPECT_NE(std::strstr(status.message(), "bytes of weights"), nullptr) << status.message();
    EXPECT_TRUE(dispatches.empty());
}

TEST_F(VulkanDrivers, GroupsOfNothing) {
    EXPECT_EQ(vulkan::linear_groups(0), (std::array<uint32_t, 3>{0, 1, 1}));
    EXPECT_EQ(vulkan::linear_groups(1), (std::array<uint32_t, 3>{1, 1, 1}));
    EXPECT_EQ(vulkan::linear_groups(int64_t{65535} * 64 + 1), (std::array<uint32_t, 3>{32768, 2, 1}));
}

}  // namespace
}  // namespace fw
