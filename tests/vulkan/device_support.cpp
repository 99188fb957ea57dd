#include "device_support.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "vulkan/device.h"

namespace fw {

namespace {

std::mutex message_mutex;
std::string messages;

void on_log(LogLevel /*level*/, const char* message, void* /*user_data*/) {
    if (std::strstr(message, "deprecated \"enables\"") != nullptr) {
        return;  // newer layers say so of VK_LAYER_ENABLES, older ones know nothing else
    }
    const std::lock_guard<std::mutex> lock(message_mutex);
    messages += std::string(message) + "\n";
}

std::string find_device() {
    set_log_sink(on_log, nullptr, LogLevel::kWarn);
    // The layer finds hazards between dispatches and copies too.
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation", 0);
    setenv("VK_LAYER_ENABLES", "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT", 0);
    const Result<std::vector<DeviceInfo>> devices = list_devices();
    return devices.ok() ? "" : devices.status().message();
}

}  // namespace

const std::string& no_vulkan_device() {
    static const std::string kReason = find_device();
    return kReason;
}

std::string take_validation_messages() {
    const std::lock_guard<std::mutex> lock(message_mutex);
    std::string taken;
    taken.swap(messages);
    return taken;
}

bool gives_no_pipelines() {
    const Result<std::shared_ptr<vulkan::Device>> device = vulkan::Device::open(vulkan::Device::kAny);
    if (!device.ok()) {
        return false;
    }
    // Of the driver itself, not of the code that is tested: an empty cache has the header at least.
    const vulkan::Api& api = (*device)->api();
    const VkDevice handle = (*device)->handle();
    VkPipelineCacheCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
    VkPipelineCache cache = VK_NULL_HANDLE;
    size_t bytes = 0;
    if (api.CreatePipelineCache(handle, &info, nullptr, &cache) != VK_SUCCESS) {
        return true;
    }
    VkResult result = api.GetPipelineCacheData(handle, cache, &bytes, nullptr);
    if (result == VK_SUCCESS) {  // what is written may be less than that
        std::vector<uint8_t> data(bytes);
        result = api.GetPipelineCacheData(handle, cache, &bytes, data.data());
    }
    api.DestroyPipelineCache(handle, cache, nullptr);
    return result != VK_SUCCESS || bytes < sizeof(VkPipelineCacheHeaderVersionOne);
}

void skip_or_fail_without_vulkan() {
    if (no_vulkan_device().empty()) {
        return;
    }
    const char* expected = std::getenv("FW_EXPECT_VULKAN");
    if (expected != nullptr && std::string(expected) == "1") {
        GTEST_FAIL() << no_vulkan_device();
    }
    GTEST_SKIP() << no_vulkan_device();
}

void VulkanTest::SetUp() {
    skip_or_fail_without_vulkan();
}

void VulkanTest::TearDown() {
    EXPECT_EQ(take_validation_messages(), "");
}

}  // namespace fw
