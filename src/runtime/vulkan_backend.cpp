// The Vulkan device as an Accelerator: which steps have shaders, what is copied where, one command buffer a stretch of
// steps.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/half.h"
#include "base/log.h"
#include "base/memory.h"
#include "layer/operation.h"
#include "layer/vulkan/recorder.h"
#include "model/model_io.h"
#include "runtime/accelerator.h"
#include "runtime/plan.h"
#include "vulkan/commands.h"
#include "vulkan/device.h"

namespace fw {

namespace {

using vulkan::Buffer;
using vulkan::BufferRange;
using vulkan::Commands;
using vulkan::Constants;
using vulkan::Device;
using vulkan::Dispatch;
using Storage = vulkan::Recorder::Storage;

/// Dispatches of every step, and the constants of those that depend on shapes.
struct VulkanPlan final : AcceleratorPlan {
    explicit VulkanPlan(std::shared_ptr<Device> device) : constants(std::move(device)) {}
    Constants constants;
    std::vector<std::vector<Dispatch>> dispatches;  ///< by step
    uint64_t scratch_bytes = 0;                     ///< after the arena
};

// What the plan lays out in float32, as float16.
uint64_t bytes_on_device(uint64_t bytes, bool half) {
    return half ? bytes / 2 : bytes;
}
// The end of the plan's arena on the device.
uint64_t scratch_offset(const Plan& plan, bool half) {
    return bytes_on_device(plan.arena_bytes, half) + kOverread;
}

class VulkanRun final : public AcceleratorRun {
public:
    VulkanRun(std::shared_ptr<Device> device, std::shared_ptr<const Plan> plan, Storage storage)
        : device_(std::move(device)), plan_(std::move(plan)), half_(storage != Storage::kFloat) {}

    Status allocate() {
        const uint64_t bytes = scratch_offset(*plan_, half_);
        const uint64_t scratch = static_cast<const VulkanPlan&>(*plan_->device).scratch_bytes;
        if (half_) {
            wide_ = allocate_shared_bytes(plan_->arena_bytes, nullptr);
            if (wide_ == nullptr) {
                return Status::error(Code::kOutOfMemory, "no memory for %zu bytes of activations", plan_->arena_bytes);
            }
        }
        FW_ASSIGN_OR_RETURN(device_arena_, device_->create_buffer(bytes + scratch, Device::Place::kDevice));
        if (device_arena_.host() == nullptr) {
            FW_ASSIGN_OR_RETURN(host_arena_, device_->create_buffer(bytes, Device::Place::kHost));
        }
        return {};
    }

    void* arena() const override { return half_ ? wide_.get() : seen(); }

    Status run(size_t first, size_t last, double* milliseconds) override {
        return remember(run_steps(first, last, milliseconds));
    }
    Status fetch(int root) override { return remember(fetch_root(root)); }
    Status failure() const override { return failure_; }

private:
    Status remember(const Status& status) {
        failure_ = status.with_prefix("device '%s'", device_->description().name.c_str());
        return failure_;
    }

    Status run_steps(size_t first, size_t last, double* milliseconds) {
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

    Status fetch_root(int root) {
        if (staged()) {
            FW_ASSIGN_OR_RETURN(Commands commands, Commands::create(device_, 0, 0));
            copy_root(&commands, root, device_arena_, host_arena_);
            FW_RETURN_IF_ERROR(commands.finish());
            FW_RETURN_IF_ERROR(commands.run());
        }
        if (half_) {
            widen(root);
        }
        return {};
    }

    bool staged() const { return host_arena_.handle() != VK_NULL_HANDLE; }
    /// The device's arena, or the copy of it, that the CPU sees.
    void* seen() const { return staged() ? host_arena_.host() : device_arena_.host(); }
    /// Bytes and offsets there of what the plan lays out in float32.
    uint64_t on_device(uint64_t bytes) const { return bytes_on_device(bytes, half_); }

    // A root between float32, where the CPU computes, and float16.
    void narrow(int root) const {
        const Root& r = plan_->roots[static_cast<size_t>(root)];
        const float* from = static_cast<const float*>(wide_.get()) + r.offset / sizeof(float);
        uint16_t* to = static_cast<uint16_t*>(seen()) + r.offset / sizeof(float);
        std::transform(from, from + r.bytes / sizeof(float), to, float_to_half);
    }
    void widen(int root) const {
        const Root& r = plan_->roots[static_cast<size_t>(root)];
        const uint16_t* from = static_cast<const uint16_t*>(seen()) + r.offset / sizeof(float);
        float* to = static_cast<float*>(wide_.get()) + r.offset / sizeof(float);
        std::transform(from, from + r.bytes / sizeof(float), to, half_to_float);
    }

    void copy_root(Commands* commands, int root, const Buffer& from, const Buffer& to) const {
        const Root& r = plan_->roots[static_cast<size_t>(root)];
        commands->copy(from.handle(), on_device(r.offset), to.handle(), on_device(r.offset), on_device(r.bytes));
    }

    Result<Commands> record(size_t first, size_t last) {
        const auto& made = static_cast<const VulkanPlan&>(*plan_->device);
        uint32_t dispatches = 0;
        for (size_t step = first; step < last; ++step) {
            dispatches += static_cast<uint32_t>(made.dispatches[step].size());
        }
        FW_ASSIGN_OR_RETURN(Commands commands,
                            Commands::create(device_, dispatches, static_cast<uint32_t>(last - first) + 1));
        commands.timestamp();
        for (size_t step = first; step < last; ++step) {
            const PlanStep& current = plan_->steps[step];
            if (staged() && !current.to_device.empty()) {
                commands.barrier();
                for (const int root : current.to_device) {
                    copy_root(&commands, root, host_arena_, device_arena_);
                }
            }
            for (const Dispatch& dispatch : made.dispatches[step]) {
                commands.barrier();
                FW_RETURN_IF_ERROR(record(dispatch, &commands));
            }
            commands.timestamp();
        }
        FW_RETURN_IF_ERROR(commands.finish());
        return Result<Commands>(std::move(commands));
    }

    Status record(const Dispatch& dispatch, Commands* commands) {
        FW_ASSIGN_OR_RETURN(const VkPipeline pipeline, device_->pipeline(*dispatch.shader, dispatch.specialization));
        const uint64_t most = device_->limits().maxStorageBufferRange;
        std::vector<BufferRange> bindings;
        for (const uint64_t offset : dispatch.arena_offset) {
            bindings.push_back({device_arena_.handle(), offset, std::min(most, device_arena_.bytes() - offset)});
        }
        bindings.push_back(dispatch.constants);
        const uint32_t groups[3] = {dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]};
        return commands->dispatch(pipeline, bindings, dispatch.push, groups);
    }

    std::shared_ptr<Device> device_;
    std::shared_ptr<const Plan> plan_;
    bool half_;
    std::shared_ptr<void> wide_;  ///< kHalf: the arena in float32, for the CPU
    Buffer device_arena_;
    Buffer host_arena_;  ///< empty where the CPU sees the device's
    std::map<std::pair<size_t, size_t>, Commands> recorded_;
    Status failure_;
};

class VulkanProgram final : public AcceleratorProgram {
public:
    VulkanProgram(std::shared_ptr<Device> device, Storage storage)
        : device_(std::move(device)), storage_(storage), weights_(device_) {}

    Status place(Plan* plan) override;
    Result<std::unique_ptr<AcceleratorRun>> start(std::shared_ptr<const Plan> plan) override {
        auto run = std::make_unique<VulkanRun>(device_, std::move(plan), storage_);
        FW_RETURN_IF_ERROR(run->allocate());
        return Result<std::unique_ptr<AcceleratorRun>>(std::move(run));
    }
    size_t weight_bytes() const override { return static_cast<size_t>(weights_.bytes()); }

private:
    Status place(const Plan& plan, const PlanStep& step, vulkan::Recorder* recorder,
                 std::vector<Dispatch>* dispatches) const;

    std::shared_ptr<Device> device_;
    Storage storage_;
    Constants weights_;
};

// The slot's tensor with its address in the arena of a Recorder.
Tensor in_arena(const Plan& plan, SlotId id) {
    const Slot& slot = plan.slots[static_cast<size_t>(id)];
    Tensor tensor = slot.tensor;
    const Root& root = plan.roots[static_cast<size_t>(slot.root)];
    tensor.data = reinterpret_cast<void*>(vulkan::kArenaAddress + root.offset + static_cast<uint64_t>(slot.offset));
    return tensor;
}

bool is_input(const Plan& plan, SlotId id) {
    const Slot& slot = plan.slots[static_cast<size_t>(id)];
    return slot.root != kNone && plan.roots[static_cast<size_t>(slot.root)].input != kNone;
}

Status VulkanProgram::place(const Plan& plan, const PlanStep& step, vulkan::Recorder* recorder,
                            std::vector<Dispatch>* dispatches) const {
    std::vector<Tensor> in;
    std::vector<Tensor> out;
    const bool reads_application =
        std::any_of(step.inputs.begin(), step.inputs.end(), [&](SlotId id) { return is_input(plan, id); });
    Status application = Status::error(Code::kUnsupported, "reads the application's memory");
    for (const SlotId id : step.inputs) {
        in.push_back(in_arena(plan, id));
    }
    for (const SlotId id : step.outputs) {
        out.push_back(in_arena(plan, id));
    }
    if (step.action == Action::kCopy) {
        if (reads_application) {
            return application;
        }
        CopyOperation copy;
        for (size_t i = 0; i < in.size(); ++i) {
            if (in[i].dtype != out[i].dtype) {
                return Status::error(Code::kUnsupported, "copies to another type");
            }
            if (step.inputs[i] != step.outputs[i]) {
                copy.parts.push_back({in[i].data, out[i].data, copy_dims(in[i], out[i]), {}});
            }
        }
        return recorder->record(kNone, copy, in, out, dispatches);
    }
    Operation operation;
    const Layer& layer = *plan.program->steps[static_cast<size_t>(step.program_step)].layer;
    FW_RETURN_IF_ERROR(layer.operation(in, out, &operation));
    if (reads_application && !std::holds_alternative<ConstantOperation>(operation)) {
        return application;
    }
    return recorder->record(step.program_step, operation, in, out, dispatches);
}

Status VulkanProgram::place(Plan* plan) {
    auto made = std::make_shared<VulkanPlan>(device_);
    made->dispatches.resize(plan->steps.size());
    vulkan::Recorder recorder(*device_, storage_, scratch_offset(*plan, storage_ != Storage::kFloat), &weights_,
                              &made->constants);
    for (size_t i = 0; i < plan->steps.size(); ++i) {
        PlanStep& step = plan->steps[i];
        if (step.action == Action::kNothing) {
            step.on_device = i > 0 && plan->steps[i - 1].on_device;
            continue;
        }
        Status status = place(*plan, step, &recorder, &made->dispatches[i]);
        step.on_device = status.ok();
        if (status.ok() && !made->dispatches[i].empty()) {
            step.shader = made->dispatches[i].back().shader->name;
        }
        if (!status.ok()) {
            if (status.code() != Code::kUnsupported) {
                return status;
            }
            made->dispatches[i].clear();
            step.cpu_reason = status.message();
        }
    }
    made->scratch_bytes = recorder.scratch_bytes();
    plan->device = made;
    return {};
}

Status no_such_device(const std::string& name) {
    return Status::error(Code::kInvalidArgument, "device is '%s', expected cpu, vulkan, vulkan:N, auto or auto:FILE",
                         name.c_str());
}

class VulkanAccelerator final : public Accelerator {
public:
    VulkanAccelerator(std::shared_ptr<Device> device, Storage storage, std::string cache_path)
        : device_(std::move(device)), storage_(storage), cache_path_(std::move(cache_path)) {}
    VulkanAccelerator(const VulkanAccelerator&) = delete;
    VulkanAccelerator& operator=(const VulkanAccelerator&) = delete;
    ~VulkanAccelerator() override {
        const Status status = save();
        if (!status.ok()) {
            log(LogLevel::kWarn, "pipeline cache: %s", status.message());
        }
    }

    std::unique_ptr<AcceleratorProgram> new_program() override {
        return std::make_unique<VulkanProgram>(device_, storage_);
    }
    std::string identity() const override { return device_->identity(); }
    Status load();

private:
    Status save() const;

    std::shared_ptr<Device> device_;
    Storage storage_;
    std::string cache_path_;  ///< "" = none
    size_t known_ = 0;        ///< pipelines when the file was read
};

// The file: magic, the length and a hash of what the driver gave, then that. Whatever does not fit is left alone: the
// pipelines are then compiled anew, and the file is replaced.
constexpr char kMagic[8] = {'F', 'W', 'P', 'I', 'P', 'E', '0', '1'};

struct CacheHeader {
    char magic[8];
    uint64_t bytes;
    uint64_t hash;
};

uint64_t hash_of(Span<const uint8_t> data) {
    uint64_t hash = 0xcbf29ce484222325U;  // 64-bit FNV-1a
    for (const uint8_t byte : data) {
        hash = (hash ^ byte) * 0x100000001b3U;
    }
    return hash;
}

Status VulkanAccelerator::load() {
    if (cache_path_.empty()) {
        return {};
    }
    const Result<FileData> file = map_file(cache_path_.c_str());
    if (!file.ok()) {
        return file.status().code() == Code::kNotFound ? Status() : file.status();
    }
    CacheHeader header = {};
    const Span<const uint8_t> all = file->bytes;
    if (all.size() >= sizeof(header)) {
        std::copy_n(all.data(), sizeof(header), reinterpret_cast<uint8_t*>(&header));
        const Span<const uint8_t> data = all.subspan(sizeof(header), all.size() - sizeof(header));
        if (std::equal(kMagic, kMagic + sizeof(kMagic), header.magic) && header.bytes == data.size() &&
            header.hash == hash_of(data) && device_->use_cache_data(data)) {
            return {};
        }
    }
    log(LogLevel::kInfo, "pipeline cache '%s' is not of this device and driver, or damaged: made anew",
        cache_path_.c_str());
    return {};
}

Status VulkanAccelerator::save() const {
    if (cache_path_.empty() || device_->pipelines() == known_) {
        return {};
    }
    const std::vector<uint8_t> data = device_->cache_data();
    CacheHeader header = {};
    std::copy_n(kMagic, sizeof(kMagic), header.magic);
    header.bytes = data.size();
    header.hash = hash_of(data);
    const auto* begin = reinterpret_cast<const uint8_t*>(&header);
    std::vector<uint8_t> bytes(begin, begin + sizeof(header));
    bytes.insert(bytes.end(), data.begin(), data.end());
    return write_file_atomic(cache_path_.c_str(), bytes);
}

}  // namespace

Result<std::shared_ptr<Accelerator>> open_accelerator(const Option& option) {
    const std::string& name = option.device;
    if (name == "cpu") {
        return std::shared_ptr<Accelerator>();
    }
    const std::string prefix = "vulkan";
    int index = Device::kAny;
    if (name != prefix) {
        if (name.compare(0, prefix.size() + 1, prefix + ":") != 0) {
            return no_such_device(name);
        }
        const char* digits = name.c_str() + prefix.size() + 1;
        char* end = nullptr;
        const long value = std::strtol(digits, &end, 10);
        if (*digits < '0' || *digits > '9' || *end != '\0' || value > 1000) {
            return no_such_device(name);
        }
        index = static_cast<int>(value);
    }
    Result<std::shared_ptr<Device>> device = Device::open(index, option.staged_device_memory);
    if (!device.ok()) {
        return device.status().with_prefix("device '%s'", name.c_str());
    }
    const bool half = option.precision == Precision::kFp16;
    if (half && !(*device)->features().float16_storage) {
        return Status::error(Code::kUnsupported,
                             "device '%s': %s keeps no float16 in storage buffers, which precision "
                             "fp16 needs",
                             name.c_str(), (*device)->description().name.c_str());
    }
    const bool arithmetic = half && option.fp16_arithmetic;
    if (arithmetic && !(*device)->features().float16) {
        return Status::error(Code::kUnsupported,
                             "device '%s': %s does not compute in float16, which fp16_arithmetic needs", name.c_str(),
                             (*device)->description().name.c_str());
    }
    const Storage storage = arithmetic ? Storage::kHalfArithmetic : half ? Storage::kHalf : Storage::kFloat;
    auto made = std::make_shared<VulkanAccelerator>(*device, storage, option.pipeline_cache);
    FW_RETURN_IF_ERROR(made->load());
    return std::shared_ptr<Accelerator>(std::move(made));
}

Result<std::vector<DeviceInfo>> list_devices() {
    FW_ASSIGN_OR_RETURN(const std::vector<vulkan::DeviceDescription> found, vulkan::list_devices());
    std::vector<DeviceInfo> devices;
    for (size_t i = 0; i < found.size(); ++i) {
        const vulkan::Features& f = found[i].features;
        const std::pair<bool, const char*> features[] = {
            {f.int8, "int8"},
            {f.integer_dot, "integer dot product"},
            {f.float16_storage, "float16 storage"},
            {f.float16, "float16"},
            {f.subgroup_size_control, "subgroup size control"},
            {f.cooperative_matrix, "cooperative matrix"},
            {f.unified_memory, "unified memory"},
        };
        DeviceInfo info;
        info.device = "vulkan:" + std::to_string(i);
        info.description = found[i].name + " (" + found[i].type + ", Vulkan " + found[i].version + ")";
        for (const auto& [has, text] : features) {
            if (has) {
                info.description += std::string(", ") + text;
            }
        }
        devices.push_back(std::move(info));
    }
    return devices;
}

}  // namespace fw
