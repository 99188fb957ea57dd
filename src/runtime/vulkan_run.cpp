#include "runtime/vulkan_run.h"

#include <algorithm>

#include "base/half.h"
#include "base/log.h"
#include "base/memory.h"
#include "vulkan/device.h"

namespace fw {

using vulkan::Buffer;
using vulkan::BufferRange;
using vulkan::Commands;
using vulkan::Device;
using vulkan::Dispatch;

namespace {

uint64_t bytes_on_device(uint64_t bytes, bool half) {
    return half ? bytes / 2 : bytes;
}

}  // namespace

uint64_t device_arena_end(const Plan& plan, bool half) {
    return bytes_on_device(plan.arena_bytes, half) + kOverread;
}

Status VulkanRun::allocate() {
    const uint64_t bytes = device_arena_end(*plan_, half_);
    if (half_) {
        wide_ = allocate_shared_bytes(plan_->arena_bytes, nullptr);
        if (wide_ == nullptr) {
            return Status::error(Code::kOutOfMemory, "no memory for %zu bytes of activations", plan_->arena_bytes);
        }
    }
    FW_ASSIGN_OR_RETURN(device_arena_, device_->create_buffer(bytes + made().scratch_bytes, Device::Place::kDevice));
    if (device_arena_.host() == nullptr) {
        FW_ASSIGN_OR_RETURN(host_arena_, device_->create_buffer(bytes, Device::Place::kHost));
    }
    return {};
}

Status VulkanRun::remember(const Status& status) {
    failure_ = status.with_prefix("device '%s'", device_->description().name.c_str());
    return failure_;
}

// All of them or none, so that what is recorded for a stretch of steps has two forms only: one is forgotten when the
// other, or other memory, comes.
bool VulkanRun::import_inputs(const std::vector<Mat>& inputs) {
    if (!plan_->imports_inputs) {
        return false;
    }
    std::vector<size_t> read;
    for (const Root& root : plan_->roots) {
        if (root.input != kNone) {
            read.push_back(static_cast<size_t>(root.input));
        }
    }
    buffers_.resize(inputs.size());
    const auto memory = [&](size_t i) { return Memory{inputs[i].data<char>(), inputs[i].bytes(), buffers_[i]}; };
    const bool before = imported_;
    bool others = false;
    imported_ = std::none_of(read.begin(), read.end(), [&](size_t i) { return imports_[i].refused == memory(i); });
    for (size_t i = 0; i < read.size() && imported_; ++i) {
        const Mat& mat = inputs[read[i]];
        Import& current = imports_[read[i]];
        if (current.memory == memory(read[i])) {
            current.mat = mat;
            continue;
        }
        others = true;
        Result<Import> made = import(mat, buffers_[read[i]]);
        imported_ = made.ok();
        if (made.ok()) {
            current = std::move(*made);
            current.memory = memory(read[i]);
        } else {
            log(LogLevel::kDebug, "an input is copied: %s", made.status().message());
            current.refused = memory(read[i]);
        }
    }
    if (imported_ != before || (imported_ && others)) {
        recorded_.clear();
    }
    for (Import& import : imports_) {
        if (!imported_) {
            import.release();
        }
    }
    return imported_;
}

Result<VulkanRun::Import> VulkanRun::import(const Mat& mat, const ExternalBuffer& buffer) const {
    Import made;
    vulkan::HostMemory host(mat.data<char>(), mat.bytes());
    vulkan::HardwareBuffer hardware(static_cast<AHardwareBuffer*>(buffer.hardware_buffer), buffer.offset, mat.bytes());
    vulkan::ExternalMemory* memory = &host;
    if (buffer.hardware_buffer != nullptr) {
        memory = &hardware;
    }
    FW_ASSIGN_OR_RETURN(made.buffer, device_->import_memory(memory, &made.offset));
    made.mat = mat;
    return Result<Import>(std::move(made));
}

std::vector<VkBuffer> VulkanRun::foreign(size_t first, size_t last) const {
    std::vector<VkBuffer> found;
    for (size_t i = first; i < last; ++i) {
        const PlanStep& step = plan_->steps[i];
        for (size_t k = 0; k < step.inputs.size() && step.imports; ++k) {
            const int root = plan_->slots[static_cast<size_t>(step.inputs[k])].root;
            const int input = root == kNone ? kNone : plan_->roots[static_cast<size_t>(root)].input;
            if (input == kNone) {
                continue;
            }
            const Buffer& buffer = imports_[static_cast<size_t>(input)].buffer;
            if (buffer.foreign() && std::count(found.begin(), found.end(), buffer.handle()) == 0) {
                found.push_back(buffer.handle());
            }
        }
    }
    return found;
}

Status VulkanRun::run_steps(size_t first, size_t last, double* milliseconds) {
    const auto key = std::make_pair(first, last);
    auto found = recorded_.find(key);
    if (found == recorded_.end()) {
        FW_ASSIGN_OR_RETURN(Commands commands, record(first, last));
        found = recorded_.emplace(key, std::move(commands)).first;
    }
    for (size_t step = first; half_ && step < last; ++step) {
        for (const int root : plan_->steps[step].to_device) {
            narrow(root);
        }
    }
    FW_RETURN_IF_ERROR(found->second.run());
    if (milliseconds != nullptr) {
        FW_ASSIGN_OR_RETURN(const std::vector<double> times, found->second.times());
        std::copy(times.begin(), times.end(), milliseconds);
    }
    return {};
}

Status VulkanRun::fetch_root(int root) {
    if (staged()) {
        FW_ASSIGN_OR_RETURN(Commands commands, Commands::create(device_, 0, 0));
        commands.barrier();  // a fence alone makes an earlier run's writes not visible
        copy_root(&commands, root, device_arena_, host_arena_);
        FW_RETURN_IF_ERROR(commands.finish());
        FW_RETURN_IF_ERROR(commands.run());
    }
    if (half_) {
        widen(root);
    }
    return {};
}

void VulkanRun::narrow(int root) const {
    const Root& r = plan_->roots[static_cast<size_t>(root)];
    const float* from = static_cast<const float*>(wide_.get()) + r.offset / sizeof(float);
    uint16_t* to = static_cast<uint16_t*>(seen()) + r.offset / sizeof(float);
    std::transform(from, from + r.bytes / sizeof(float), to, float_to_half);
}

void VulkanRun::widen(int root) const {
    const Root& r = plan_->roots[static_cast<size_t>(root)];
    const uint16_t* from = static_cast<const uint16_t*>(seen()) + r.offset / sizeof(float);
    float* to = static_cast<float*>(wide_.get()) + r.offset / sizeof(float);
    std::transform(from, from + r.bytes / sizeof(float), to, half_to_float);
}

void VulkanRun::copy_root(Commands* commands, int root, const Buffer& from, const Buffer& to) const {
    const Root& r = plan_->roots[static_cast<size_t>(root)];
    const uint64_t at = bytes_on_device(r.offset, half_);
    commands->copy(from.handle(), at, to.handle(), at, bytes_on_device(r.bytes, half_));
}

Result<Commands> VulkanRun::record(size_t first, size_t last) {
    uint32_t dispatches = 0;
    for (size_t step = first; step < last; ++step) {
        dispatches += static_cast<uint32_t>(made().dispatches[step].size());
    }
    FW_ASSIGN_OR_RETURN(Commands commands,
                        Commands::create(device_, dispatches, static_cast<uint32_t>(last - first) + 1));
    const std::vector<VkBuffer> others = foreign(first, last);
    for (const VkBuffer buffer : others) {
        commands.acquire(buffer);
    }
    commands.timestamp();
    for (size_t step = first; step < last; ++step) {
        const PlanStep& current = plan_->steps[step];
        bool begun = false;
        for (const int root : current.to_device) {
            if (staged() && !(imported_ && plan_->roots[static_cast<size_t>(root)].of_input)) {
                if (!begun) {
                    commands.barrier();
                    begun = true;
                }
                copy_root(&commands, root, host_arena_, device_arena_);
            }
        }
        for (const Dispatch& dispatch : made().dispatches[step]) {
            commands.barrier();
            FW_RETURN_IF_ERROR(record(current, dispatch, &commands));
        }
        commands.timestamp();
    }
    for (const VkBuffer buffer : others) {
        commands.release(buffer);
    }
    FW_RETURN_IF_ERROR(commands.finish());
    return Result<Commands>(std::move(commands));
}

Status VulkanRun::record(const PlanStep& step, const Dispatch& dispatch, Commands* commands) {
    FW_ASSIGN_OR_RETURN(const VkPipeline pipeline,
                        device_->pipeline(*dispatch.shader, dispatch.specialization, dispatch.subgroup_size));
    const uint64_t most = device_->limits().maxStorageBufferRange;
    std::vector<BufferRange> bindings;
    for (uint64_t offset : dispatch.arena_offset) {
        const Buffer* buffer = &device_arena_;
        if (step.imports && offset >= made().input_offset) {
            const Slot& from = plan_->slots[static_cast<size_t>(step.inputs[0])];
            const Import& input = imports_[static_cast<size_t>(plan_->roots[static_cast<size_t>(from.root)].input)];
            buffer = &input.buffer;
            offset += input.offset - made().input_offset;
        }
        bindings.push_back({buffer->handle(), offset, std::min(most, buffer->bytes() - offset)});
    }
    bindings.push_back(dispatch.constants);
    const uint32_t groups[3] = {dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]};
    return commands->dispatch(pipeline, bindings, dispatch.push, groups);
}

}  // namespace fw
