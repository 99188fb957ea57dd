// Inputs in Android's hardware buffers, on a driver of the tests that imports them.
#include <cstdlib>
#include <memory>

#include "android_driver.h"
#include "fw/c_api.h"
#include "import_support.h"

namespace fw {
namespace {

using vulkan::AndroidDriver;

const char* const kNet =
    "7767517\n3 3\nInput a 0 1 a 0=6 1=5 2=4\nConvolution c 1 1 a c 0=8 1=3 4=1 5=1 6=288\n"
    "Pooling p 1 1 c p 0=0 1=2 2=2\n";
constexpr size_t kPages = 4 * 4096;

// The buffers are host memory, which the device has to import.
class VulkanHardwareBuffer : public VulkanImport {
protected:
    // The buffer holds `values` from `offset` on.
    void put(const Mat& values, size_t offset) {
        std::memcpy(static_cast<char*>(memory_.get()) + offset, values.data(), values.bytes());
    }
    // With `seen` as what the CPU sees of the buffer.
    std::vector<float> run(Loaded* loaded, const Mat& seen, size_t offset) {
        EXPECT_TRUE(loaded->extractor->input("a", seen, {&buffer_, offset}).ok());
        Mat out;
        const Status status = loaded->extractor->extract("p", &out);
        EXPECT_TRUE(status.ok()) << status.message();
        return {out.data(), out.data() + out.count()};
    }

    std::unique_ptr<void, void (*)(void*)> memory_{std::aligned_alloc(4096, kPages), std::free};
    AHardwareBuffer buffer_ = {memory_.get(), kPages};
};

TEST_F(VulkanHardwareBuffer, IsReadInTheMatsPlace) {
    for (const bool dedicated : {false, true}) {
        for (const Precision precision : {Precision::kFloat, Precision::kInt8}) {
            SCOPED_TRACE(testing::Message() << dedicated << static_cast<int>(precision));
            AndroidDriver driver(dedicated);
            Both nets;
            nets.load(kNet, precision, true);
            Mat other = new_inputs(1)[0];
            const Mat values = other.clone().value();
            fill(&other, 7);
            const std::vector<float> want = ImportNets::run(&nets.copies, {values});
            EXPECT_NE(ImportNets::run(&nets.copies, {other}), want);
            for (const size_t offset : {size_t{0}, size_t{256}, kPages - 4096}) {
                put(values, offset);
                EXPECT_EQ(run(&nets.imports, other, offset), want) << offset;
            }
            EXPECT_EQ(driver.calls().imports, 3);
            EXPECT_EQ(driver.calls().dedicated, dedicated ? 3 : 0);
            EXPECT_EQ(driver.calls().acquires, 3);
            EXPECT_EQ(driver.calls().releases, 3);
            // New values in the same buffer: no new import. None for a net that copies either.
            put(other, kPages - 4096);
            EXPECT_NE(run(&nets.imports, other, kPages - 4096), want);
            EXPECT_EQ(run(&nets.copies, values, 0), want);
            EXPECT_EQ(driver.calls().imports, 3);
        }
    }
}

// Beyond the buffer's end, where no storage buffer may begin, without such a driver: what the CPU sees.
TEST_F(VulkanHardwareBuffer, IsLeftWhereItCannotBeImported) {
    const Mat values = new_inputs(1)[0];
    for (const bool android : {true, false}) {
        std::optional<AndroidDriver> driver;
        if (android) {
            driver.emplace(false);
        }
        Both nets;
        nets.load(kNet, Precision::kFloat, true);
        const std::vector<float> want = ImportNets::run(&nets.copies, {values});
        std::memset(memory_.get(), 0, kPages);
        for (const size_t offset : {kPages - 256, kPages + 4096, SIZE_MAX - 255, size_t{4}}) {
            EXPECT_EQ(run(&nets.imports, values, offset), want) << offset;
        }
        EXPECT_EQ(android ? driver->calls().imports : 0, 0);
    }
}

// By the C interface: what the buffer holds, not what the CPU would see.
TEST_F(VulkanHardwareBuffer, IsReadThroughTheCInterface) {
    AndroidDriver driver(false);
    Both nets;
    nets.load(kNet, Precision::kFloat, true);
    const Mat values = new_inputs(1)[0];
    const std::vector<float> want = ImportNets::run(&nets.copies, {values});
    fw_net* net = fw_net_create();
    EXPECT_EQ(fw_net_set_device(net, "vulkan", 0), FW_OK);
    EXPECT_EQ(fw_net_set_precision(net, 1), FW_OK);
    EXPECT_EQ(fw_net_set_option(net, "import_inputs", "1"), FW_OK);
    EXPECT_EQ(fw_net_set_option(net, "staged_device_memory", "1"), FW_OK);
    const zoo::ModelFiles& files = nets.imports.files;
    ASSERT_EQ(fw_net_load_model_memory(net, files.param.data(), files.param.size(), files.bin.data(), files.bin.size()),
              FW_OK)
        << fw_last_error();
    EXPECT_STREQ(fw_net_device(net), "vulkan");
    fw_extractor* extractor = fw_extractor_create(net);
    Mat other = values.clone().value();
    fill(&other, 7);
    put(values, 256);
    const fw_shape shape = {3, {values.shape()[0], values.shape()[1], values.shape()[2], 0}};
    const auto run_with = [&](void* buffer, size_t offset) {
        EXPECT_EQ(fw_extractor_input_buffer(extractor, "a", other.data(), shape, buffer, offset), FW_OK);
        const float* out = nullptr;
        EXPECT_EQ(fw_extractor_extract(extractor, "p", &out, nullptr), FW_OK) << fw_last_error();
        return out == nullptr ? std::vector<float>() : std::vector<float>(out, out + want.size());
    };
    EXPECT_EQ(run_with(&buffer_, 256), want);
    EXPECT_EQ(driver.calls().imports, 1);
    EXPECT_EQ(run_with(nullptr, 0), ImportNets::run(&nets.copies, {other}));
    EXPECT_EQ(driver.calls().imports, 1);
    fw_extractor_destroy(extractor);
    fw_net_destroy(net);
}

}  // namespace
}  // namespace fw
