// Instance: the process's connection to the Vulkan loader.
#pragma once

#include <memory>
#include <vector>

#include "vulkan/device.h"

namespace fw::vulkan {

/// A device before it is opened.
struct PhysicalDevice {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties = {};
    uint32_t queue_family = 0;
    uint32_t timestamp_bits = 0;
    std::vector<const char*> extensions;  ///< to be enabled for `features`
    Features features;
};

class Instance {
public:
    /// Opened once and shared as long as somebody holds it. Warnings and errors of layers go to the log sink.
    static Result<std::shared_ptr<Instance>> open();
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    const Api& api() const { return api_; }
    /// kNotFound where there is none that has a compute queue and Vulkan 1.1.
    Result<std::vector<PhysicalDevice>> devices() const;

private:
    Instance() = default;
    Status create();

    Api api_;
    uint32_t version_ = 0;  ///< of Vulkan, that was asked for: devices have no features of a later one's core
    VkInstance instance_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
};

/// The description of such a device.
DeviceDescription describe(const PhysicalDevice& device);

}  // namespace fw::vulkan
