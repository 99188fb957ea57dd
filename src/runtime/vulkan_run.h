// VulkanRun: the memory and command buffers of one Extractor on a Vulkan device.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "layer/vulkan/recorder.h"
#include "runtime/accelerator.h"
#include "runtime/plan.h"
#include "vulkan/commands.h"

namespace fw {

/// Dispatches of every step, and the constants of those that depend on shapes.
struct VulkanPlan final : AcceleratorPlan {
    explicit VulkanPlan(std::shared_ptr<vulkan::Device> device) : constants(std::move(device)) {}
    vulkan::Constants constants;
    /// By step. Those of the CPU's have some where they are PlanStep::imports.
    std::vector<std::vector<vulkan::Dispatch>> dispatches;
    uint64_t scratch_bytes = 0;  ///< after the arena
    uint64_t input_offset = 0;   ///< what has this offset in the arena, or a larger one, is the application's memory
};

/// The end of the plan's arena on the device; `half`: what the plan lays out in float32 is float16 there.
uint64_t device_arena_end(const Plan& plan, bool half);

class VulkanRun final : public AcceleratorRun {
public:
    VulkanRun(std::shared_ptr<vulkan::Device> device, std::shared_ptr<const Plan> plan,
              vulkan::Recorder::Storage storage)
        : device_(std::move(device)),
          plan_(std::move(plan)),
          half_(storage != vulkan::Recorder::Storage::kFloat),
          imports_(plan_->inputs.size()) {}

    Status allocate();
    void* arena() const override { return half_ ? wide_.get() : seen(); }
    void set_buffers(const std::vector<ExternalBuffer>& buffers) override { buffers_ = buffers; }
    bool import_inputs(const std::vector<Mat>& inputs) override;
    Status run(size_t first, size_t last, double* milliseconds) override {
        return remember(run_steps(first, last, milliseconds));
    }
    Status fetch(int root) override { return remember(fetch_root(root)); }
    Status failure() const override { return failure_; }

private:
    struct Memory {
        const void* data = nullptr;
        size_t bytes = 0;
        ExternalBuffer buffer;
        bool operator==(const Memory& other) const {
            return data == other.data && bytes == other.bytes &&
                   buffer.hardware_buffer == other.buffer.hardware_buffer && buffer.offset == other.buffer.offset;
        }
    };
    /// The memory of an input of the application.
    struct Import {
        Mat mat;  ///< as it was given: memory that it owns stays
        Memory memory;
        vulkan::Buffer buffer;
        uint64_t offset = 0;
        Memory refused;  ///< what could not be imported last; not tried again
        void release() {
            mat = Mat();
            memory = Memory();
            buffer = vulkan::Buffer();
        }
    };

    Status remember(const Status& status);
    Status run_steps(size_t first, size_t last, double* milliseconds);
    Status fetch_root(int root);
    const VulkanPlan& made() const { return static_cast<const VulkanPlan&>(*plan_->device); }
    bool staged() const { return host_arena_.handle() != VK_NULL_HANDLE; }
    /// The device's arena, or the copy of it, that the CPU sees.
    void* seen() const { return staged() ? host_arena_.host() : device_arena_.host(); }
    /// A root between float32, where the CPU computes, and float16.
    void narrow(int root) const;
    void widen(int root) const;
    void copy_root(vulkan::Commands* commands, int root, const vulkan::Buffer& from, const vulkan::Buffer& to) const;
    Result<vulkan::Commands> record(size_t first, size_t last);
    Status record(const PlanStep& step, const vulkan::Dispatch& dispatch, vulkan::Commands* commands);
    Result<Import> import(const Mat& mat, const ExternalBuffer& buffer) const;
    /// The foreign buffers that these steps read.
    std::vector<VkBuffer> foreign(size_t first, size_t last) const;

    std::shared_ptr<vulkan::Device> device_;
    std::shared_ptr<const Plan> plan_;
    bool half_;
    std::shared_ptr<void> wide_;  ///< half_: the arena in float32, for the CPU
    vulkan::Buffer device_arena_;
    vulkan::Buffer host_arena_;  ///< empty where the CPU sees the device's
    bool imported_ = false;      ///< all inputs of this run are `imports_`
    std::vector<Import> imports_;
    std::vector<ExternalBuffer> buffers_;                             ///< of the inputs
    std::map<std::pair<size_t, size_t>, vulkan::Commands> recorded_;  ///< goes before what it reads
    Status failure_;
};

}  // namespace fw
