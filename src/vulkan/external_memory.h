// Memory that was not allocated here and that shaders read where it lies: the application's own, or a buffer that other
// devices write (a camera, another API).
#pragma once

#include "vulkan/api.h"

namespace fw::vulkan {

class Device;

/// Names such memory to a driver. Lives until it is imported; the memory must outlive the Buffer.
class ExternalMemory {
public:
    virtual ~ExternalMemory() = default;

    struct Description {
        uint64_t bytes = 0;      ///< of the import
        uint64_t offset = 0;     ///< in it, of the first byte that is wanted
        uint32_t types = 0;      ///< bits of the memory types that it may be of
        bool dedicated = false;  ///< only for one buffer, which the import names
        /// Others than this process's CPU and the device's queue write it: a Buffer is theirs between runs.
        bool foreign = false;
    };
    virtual VkExternalMemoryHandleTypeFlagBits type() const = 0;
    /// Asks the driver. kUnsupported where the device cannot, or not such memory.
    virtual Result<Description> describe(const Device& device) const = 0;
    /// For VkMemoryAllocateInfo, once it has been described. Ends a chain.
    virtual void* import_info() = 0;
};

/// `bytes` from `memory` on, with the pages around them (VK_EXT_external_memory_host).
class HostMemory final : public ExternalMemory {
public:
    HostMemory(const void* memory, uint64_t bytes) : memory_(memory), bytes_(bytes) {}
    VkExternalMemoryHandleTypeFlagBits type() const override {
        return VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    }
    Result<Description> describe(const Device& device) const override;
    void* import_info() override { return &info_; }

private:
    const void* memory_;
    uint64_t bytes_;
    mutable VkImportMemoryHostPointerInfoEXT info_ = {};
};

/// `bytes` from `offset` on of an AHardwareBuffer of the format BLOB with the usage GPU_DATA_BUFFER
/// (VK_ANDROID_external_memory_android_hardware_buffer). An import keeps the AHardwareBuffer.
class HardwareBuffer final : public ExternalMemory {
public:
    HardwareBuffer(AHardwareBuffer* buffer, uint64_t offset, uint64_t bytes) : offset_(offset), bytes_(bytes) {
        info_.sType = VK_STRUCTURE_TYPE_IMPORT_ANDROID_HARDWARE_BUFFER_INFO_ANDROID;
        info_.buffer = buffer;
    }
    VkExternalMemoryHandleTypeFlagBits type() const override {
        return VK_EXTERNAL_MEMORY_HANDLE_TYPE_ANDROID_HARDWARE_BUFFER_BIT_ANDROID;
    }
    Result<Description> describe(const Device& device) const override;
    void* import_info() override { return &info_; }

private:
    uint64_t offset_;
    uint64_t bytes_;
    VkImportAndroidHardwareBufferInfoANDROID info_ = {};
};

}  // namespace fw::vulkan
