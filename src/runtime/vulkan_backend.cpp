// The Vulkan device as an Accelerator: which steps have shaders, what is copied where, one command buffer a stretch of
// steps.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/log.h"
#include "layer/operation.h"
#include "layer/vulkan/recorder.h"
#include "model/model_io.h"
#include "runtime/accelerator.h"
#include "runtime/plan.h"
#include "runtime/vulkan_run.h"
#include "vulkan/device.h"

namespace fw {

namespace {

using vulkan::Constants;
using vulkan::Device;
using vulkan::Dispatch;
using Storage = vulkan::Recorder::Storage;

class VulkanProgram final : public AcceleratorProgram {
public:
    VulkanProgram(std::shared_ptr<Device> device, Storage storage, bool imports)
        : device_(std::move(device)), storage_(storage), imports_(imports), weights_(device_) {}

    Status place(Plan* plan) override;
    Result<std::unique_ptr<AcceleratorRun>> start(std::shared_ptr<const Plan> plan) override {
        auto run = std::make_unique<VulkanRun>(device_, std::move(plan), storage_);
        FW_RETURN_IF_ERROR(run->allocate());
        return Result<std::unique_ptr<AcceleratorRun>>(std::move(run));
    }
    size_t weight_bytes() const override { return static_cast<size_t>(weights_.bytes()); }

private:
    Status place(const Plan& plan, uint64_t input_offset, PlanStep* placed, vulkan::Recorder* recorder,
                 std::vector<Dispatch>* dispatches) const;

    std::shared_ptr<Device> device_;
    Storage storage_;
    bool imports_;  ///< of the application's memory are wanted and possible
    Constants weights_;
};

// The slot's tensor with its address in the arena of a Recorder; what the application gave begins at `input_offset`.
Tensor in_arena(const Plan& plan, SlotId id, uint64_t input_offset) {
    const Slot& slot = plan.slots[static_cast<size_t>(id)];
    Tensor tensor = slot.tensor;
    const Root& root = plan.roots[static_cast<size_t>(slot.root)];
    const uint64_t begin = root.input == kNone ? root.offset : input_offset;
    tensor.data = reinterpret_cast<void*>(vulkan::kArenaAddress + begin + static_cast<uint64_t>(slot.offset));
    return tensor;
}

bool reads_application(const Plan& plan, const PlanStep& step) {
    return std::any_of(step.inputs.begin(), step.inputs.end(), [&](SlotId id) {
        const int root = plan.slots[static_cast<size_t>(id)].root;
        return root != kNone && plan.roots[static_cast<size_t>(root)].input != kNone;
    });
}

Status VulkanProgram::place(const Plan& plan, uint64_t input_offset, PlanStep* placed, vulkan::Recorder* recorder,
                            std::vector<Dispatch>* dispatches) const {
    const PlanStep& step = *placed;
    const bool given = reads_application(plan, step);
    const bool imports = imports_ && given && step.inputs.size() == 1;
    Status application = Status::error(Code::kUnsupported, "reads the application's memory");
    std::vector<Tensor> in;
    std::vector<Tensor> out;
    for (const SlotId id : step.inputs) {
        in.push_back(in_arena(plan, id, input_offset));
    }
    for (const SlotId id : step.outputs) {
        out.push_back(in_arena(plan, id, input_offset));
    }
    if (step.action == Action::kCopy) {
        if (given && !imports) {
            return application;
        }
        placed->imports = imports;
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
    if (given && !std::holds_alternative<ConstantOperation>(operation)) {
        if (!imports) {
            return application;
        }
        placed->imports = true;
    }
    return recorder->record(step.program_step, operation, in, out, dispatches);
}

Status VulkanProgram::place(Plan* plan) {
    auto made = std::make_shared<VulkanPlan>(device_);
    made->dispatches.resize(plan->steps.size());
    const uint64_t end = device_arena_end(*plan, storage_ != Storage::kFloat);
    vulkan::Recorder recorder(*device_, storage_, end, &weights_, &made->constants);
    const uint64_t alignment = std::max<uint64_t>(device_->limits().minStorageBufferOffsetAlignment, sizeof(uint32_t));
    made->input_offset = (end + alignment - 1) / alignment * alignment;
    for (size_t i = 0; i < plan->steps.size(); ++i) {
        PlanStep& step = plan->steps[i];
        if (step.action == Action::kNothing) {
            step.on_device = i > 0 && plan->steps[i - 1].on_device;
            step.imports = i > 0 && plan->steps[i - 1].imports;
            continue;
        }
        const uint64_t scratch = recorder.scratch_bytes();
        Status status = place(*plan, made->input_offset, &step, &recorder, &made->dispatches[i]);
        if (step.imports && recorder.scratch_bytes() != scratch) {
            return Status::error(Code::kInternal, "a step that reads the application's memory has scratch memory");
        }
        step.imports = step.imports && status.ok();
        if (step.imports) {
            step.cpu_reason = "reads the application's memory, where that is not imported";
            continue;
        }
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
    VulkanAccelerator(std::shared_ptr<Device> device, Storage storage, const Option& option)
        : device_(std::move(device)),
          storage_(storage),
          imports_(option.import_inputs && storage == Storage::kFloat &&
                   (device_->features().import_alignment > 0 || device_->features().hardware_buffers)),
          cache_path_(option.pipeline_cache) {}
    VulkanAccelerator(const VulkanAccelerator&) = delete;
    VulkanAccelerator& operator=(const VulkanAccelerator&) = delete;
    ~VulkanAccelerator() override {
        const Status status = save();
        if (!status.ok()) {
            log(LogLevel::kWarn, "pipeline cache: %s", status.message());
        }
    }

    std::unique_ptr<AcceleratorProgram> new_program() override {
        return std::make_unique<VulkanProgram>(device_, storage_, imports_);
    }
    std::string identity() const override { return device_->identity(); }
    Status load();

private:
    Status save();

    std::shared_ptr<Device> device_;
    Storage storage_;
    bool imports_;
    std::string cache_path_;  ///< "" = none
    uint64_t known_ = 0;      ///< hash of what the file has
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
            known_ = header.hash;
            return {};
        }
    }
    log(LogLevel::kInfo, "pipeline cache '%s' is not of this device and driver, or damaged: made anew",
        cache_path_.c_str());
    return {};
}

Status VulkanAccelerator::save() {
    if (cache_path_.empty() || device_->pipelines() == 0) {
        return {};
    }
    const std::vector<uint8_t> data = device_->cache_data();
    if (data.empty()) {
        return {};
    }
    CacheHeader header = {};
    std::copy_n(kMagic, sizeof(kMagic), header.magic);
    header.bytes = data.size();
    header.hash = hash_of(data);
    if (header.hash == known_) {
        return {};
    }
    const auto* begin = reinterpret_cast<const uint8_t*>(&header);
    std::vector<uint8_t> bytes(begin, begin + sizeof(header));
    bytes.insert(bytes.end(), data.begin(), data.end());
    return write_file_atomic(cache_path_.c_str(), bytes);
}

}  // namespace

Result<std::shared_ptr<Accelerator>> open_accelerator(bool all_float, Option* wanted) {
    Option& option = *wanted;
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
    const vulkan::Features& features = (*device)->features();
    if (option.precision == Precision::kAuto && option.fp16 && all_float && features.float16_storage) {
        option.precision = Precision::kFp16;
        option.fp16_arithmetic = option.fp16_arithmetic && features.float16;
    }
    const bool half = option.precision == Precision::kFp16;
    if (half && !features.float16_storage) {
        return Status::error(Code::kUnsupported,
                             "device '%s': %s keeps no float16 in storage buffers, which precision "
                             "fp16 needs",
                             name.c_str(), (*device)->description().name.c_str());
    }
    const bool arithmetic = half && option.fp16_arithmetic;
    if (arithmetic && !features.float16) {
        return Status::error(Code::kUnsupported,
                             "device '%s': %s does not compute in float16, which fp16_arithmetic needs", name.c_str(),
                             (*device)->description().name.c_str());
    }
    const Storage storage = arithmetic ? Storage::kHalfArithmetic : half ? Storage::kHalf : Storage::kFloat;
    auto made = std::make_shared<VulkanAccelerator>(*device, storage, option);
    FW_RETURN_IF_ERROR(made->load());
    return std::shared_ptr<Accelerator>(std::move(made));
}

namespace {

std::string shapes_text(const char* type, const std::vector<vulkan::MatrixShape>& shapes) {
    std::string text;
    for (const vulkan::MatrixShape& s : shapes) {
        text += (text.empty() ? std::string(", cooperative matrix of ") + type + " " : std::string("/")) +
                std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
    }
    return text;
}

}  // namespace

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
            {f.unified_memory, "unified memory"},
            {f.import_alignment > 0, "host memory import"},
            {f.hardware_buffers, "hardware buffer import"},
        };
        DeviceInfo info;
        info.device = "vulkan:" + std::to_string(i);
        info.description = found[i].name + " (" + found[i].type + ", Vulkan " + found[i].version + ")";
        for (const auto& [has, text] : features) {
            if (has) {
                info.description += std::string(", ") + text;
            }
        }
        info.description += shapes_text("int8", f.matrices.int8) + shapes_text("float16", f.matrices.float16);
        devices.push_back(std::move(info));
    }
    return devices;
}

}  // namespace fw
