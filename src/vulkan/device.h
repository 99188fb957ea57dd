// Device: one Vulkan device with its queue, the memory it has and the pipelines made for it. Shared by threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "fw/span.h"
#include "vulkan/api.h"
#include "vulkan/cooperative_matrix.h"
#include "vulkan/external_memory.h"

namespace fw::vulkan {

/// What a device can do, as it says itself.
struct Features {
    bool int8 = false;              ///< 8-bit integers in shaders and in storage buffers
    bool integer_dot = false;       ///< packed 4x8-bit dot products
    bool integer_dot_fast = false;  ///< ... in hardware
    bool float16_storage = false;   ///< 16-bit floats in storage buffers
    bool float16 = false;           ///< ... and arithmetic with them
    bool subgroup_size_control = false;
    MatrixShapes matrices;          ///< of VK_KHR_cooperative_matrix
    bool unified_memory = false;    ///< device memory that the CPU reads and writes where it lies
    uint64_t import_alignment = 0;  ///< of host memory that it can import (VK_EXT_external_memory_host); 0 = none
    bool hardware_buffers = false;  ///< it can import Android's
    bool dedicated_hardware_buffers = false;  ///< ... each for one buffer only
};

struct DeviceDescription {
    std::string name;     ///< the driver's
    const char* type;     ///< "discrete GPU", "integrated GPU", "virtual GPU", "CPU" or "other"
    std::string version;  ///< of Vulkan, as "1.3.230"
    Features features;
};

/// Every device with a compute queue and Vulkan 1.1, in the loader's order. kNotFound without Vulkan or without any.
Result<std::vector<DeviceDescription>> list_devices();

/// Memory that shaders see as one storage buffer. Empty when default-constructed; releases what it holds.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(&other); }
    Buffer& operator=(Buffer&& other) noexcept {
        swap(&other);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer();

    VkBuffer handle() const { return buffer_; }
    uint64_t bytes() const { return bytes_; }
    /// Where the CPU sees it; nullptr for memory that only the device reaches.
    void* host() const { return host_; }
    /// ExternalMemory::Description::foreign
    bool foreign() const { return foreign_; }

private:
    friend class Device;
    void swap(Buffer* other);

    std::shared_ptr<const class Device> device_;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    uint64_t bytes_ = 0;
    void* host_ = nullptr;
    bool foreign_ = false;
};

/// A part of a Buffer.
struct BufferRange {
    VkBuffer buffer = VK_NULL_HANDLE;
    uint64_t offset = 0;
    uint64_t bytes = 0;
};

/// Compiled code of a shader and the name it has in messages.
struct Shader {
    const char* name;
    const uint32_t* code;
    size_t bytes;
};

/// Storage buffers that every shader has (bindings 0 to kBindings - 1 of set 0), and its push constants.
constexpr uint32_t kBindings = 4;
constexpr uint32_t kPushBytes = 128;

class Device : public std::enable_shared_from_this<Device> {
public:
    /// The device with this index of list_devices(), or with kAny the first that is a real GPU, else the first. Nets
    /// that ask for the same one share it. `staged`: as if the CPU could not see the device's memory (for tests).
    static constexpr int kAny = -1;
    static Result<std::shared_ptr<Device>> open(int index, bool staged = false);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    const DeviceDescription& description() const { return description_; }
    /// The device and its driver's version, for what is remembered about them.
    std::string identity() const;
    const Features& features() const { return description_.features; }
    const VkPhysicalDeviceLimits& limits() const { return limits_; }
    const Api& api() const { return api_; }
    VkDevice handle() const { return device_; }
    VkPipelineLayout pipeline_layout() const { return pipeline_layout_; }
    VkDescriptorSetLayout set_layout() const { return set_layout_; }
    uint32_t queue_family() const { return queue_family_; }
    /// Nanoseconds a tick of a timestamp; 0 where the queue has none.
    double timestamp_period() const { return timestamp_period_; }
    /// The bits of a timestamp that count; it begins anew after them.
    uint64_t timestamp_mask() const { return timestamp_mask_; }

    enum class Place : uint8_t {
        kDevice,  ///< the device's own; the CPU sees it too where features().unified_memory
        kHost,    ///< seen by both
    };
    Result<Buffer> create_buffer(uint64_t bytes, Place place);
    /// Such memory as a buffer that shaders read; what is wanted of it begins at `*offset`. kUnsupported where this
    /// device cannot, or not there.
    Result<Buffer> import_memory(ExternalMemory* memory, uint64_t* offset);
    /// Bits of the memory types that the CPU sees and that need no flush.
    uint32_t coherent_types() const { return coherent_types_; }

    /// The pipeline of a shader with constants 0, 1, ...; made once. A driver that rejects it is an error.
    /// `subgroup_size`: of whole subgroups, where not 0.
    Result<VkPipeline> pipeline(const Shader& shader, Span<const uint32_t> constants, uint32_t subgroup_size = 0);
    /// Submits and waits until it is done. After an error of the device nothing runs any more: is_lost(), and open()
    /// makes another one.
    Status run(VkCommandBuffer commands);

    bool is_lost() const { return lost_; }

    /// What the driver keeps of compiled pipelines, for a file; nothing where that could not be used.
    std::vector<uint8_t> cache_data() const;
    /// Gives the driver such bytes, beside what it has. They must be of this device and driver version (what the header
    /// says); false otherwise, and nothing is taken.
    bool use_cache_data(Span<const uint8_t> data);
    size_t pipelines() const;

private:
    Device() = default;
    Status create(int index, bool staged);
    bool is_own(Span<const uint8_t> cache_data) const;
    Status create_layouts();
    Status choose_memory();
    struct Allocation;
    Result<Buffer> allocate(const Allocation& wanted);
    friend class Buffer;

    Api api_;
    std::shared_ptr<class Instance> instance_;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    uint32_t queue_family_ = 0;
    VkPhysicalDeviceLimits limits_ = {};
    VkPhysicalDeviceProperties properties_ = {};
    DeviceDescription description_;
    double timestamp_period_ = 0;
    uint64_t timestamp_mask_ = 0;
    VkPhysicalDeviceMemoryProperties memory_ = {};
    uint32_t device_memory_ = 0;  ///< memory types
    uint32_t host_memory_ = 0;
    uint32_t coherent_types_ = 0;
    VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
    VkPipelineLayout pipeline_layout_ = VK_NULL_HANDLE;
    VkFence fence_ = VK_NULL_HANDLE;
    std::atomic<bool> lost_{false};
    std::mutex queue_mutex_;
    mutable std::mutex pipeline_mutex_;
    VkPipelineCache cache_ = VK_NULL_HANDLE;
    std::map<std::tuple<const uint32_t*, std::vector<uint32_t>, uint32_t>, VkPipeline> pipelines_;
};

}  // namespace fw::vulkan
