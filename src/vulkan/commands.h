// Commands: a command buffer with what it needs, recorded once and run as often as wanted.
#pragma once

#include <memory>
#include <vector>

#include "vulkan/device.h"

namespace fw::vulkan {

class Commands {
public:
    /// Room for `dispatches`, and for `timestamps` where the device has them.
    static Result<Commands> create(const std::shared_ptr<Device>& device, uint32_t dispatches, uint32_t timestamps);
    Commands(Commands&& other) noexcept;
    Commands& operator=(Commands&& other) noexcept;
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;
    ~Commands();

    /// What follows sees everything that comes before.
    void barrier();
    /// Takes a foreign buffer (Buffer::foreign) over, to read it, or gives it back.
    void acquire(VkBuffer buffer) { transfer(buffer, VK_QUEUE_FAMILY_FOREIGN_EXT, device_->queue_family()); }
    void release(VkBuffer buffer) { transfer(buffer, device_->queue_family(), VK_QUEUE_FAMILY_FOREIGN_EXT); }
    void copy(VkBuffer from, uint64_t from_offset, VkBuffer to, uint64_t to_offset, uint64_t bytes);
    /// `bindings` has kBindings entries.
    Status dispatch(VkPipeline pipeline, Span<const BufferRange> bindings, Span<const uint32_t> push,
                    const uint32_t (&groups)[3]);
    void timestamp();
    /// Ends the recording. The CPU sees all results of a run.
    Status finish();
    /// Runs it and waits.
    Status run() const { return device_->run(buffer_); }
    /// Milliseconds between the timestamps of the last run; empty where the device has none.
    Result<std::vector<double>> times() const;

private:
    Commands() = default;
    Status make(uint32_t dispatches, uint32_t timestamps);
    void swap(Commands* other);
    void transfer(VkBuffer buffer, uint32_t from_family, uint32_t to_family);

    std::shared_ptr<Device> device_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkCommandBuffer buffer_ = VK_NULL_HANDLE;
    VkDescriptorPool sets_ = VK_NULL_HANDLE;
    VkQueryPool queries_ = VK_NULL_HANDLE;
    uint32_t written_ = 0;  ///< timestamps
};

}  // namespace fw::vulkan
