#include "runtime/net_state.h"

#include <algorithm>

#include "base/cores.h"
#include "base/cpu.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "graph/table_check.h"

namespace fw {

namespace {

// What no other processor would mend: the option's value, or the file of the pipeline cache.
bool is_bad_option(const Status& status) {
    return status.code() == Code::kInvalidArgument || status.code() == Code::kIoError;
}

}  // namespace

bool NetState::is_float(const Model& read) const {
    const auto stores_int8 = [](const Weight& weight) { return weight.storage() == WeightStorage::kInt8; };
    return table.empty() && std::none_of(read.def.layers.begin(), read.def.layers.end(), [&](const LayerDef& layer) {
               return std::any_of(layer.weights.begin(), layer.weights.end(), stores_int8);
           });
}

int NetState::threads() const {
    if (option.threads > 0) {
        return option.threads;
    }
    return usable_cores(cores_of(option.cores));
}

Status NetState::finish_load(Model loaded_model) {
    FW_RETURN_IF_ERROR(current_isa().status());  // an FW_ISA that this machine lacks
    const std::string asked = option.device;
    const Precision precision = option.precision;
    const bool fp16_arithmetic = option.fp16_arithmetic;
    if (asked == "auto" || (asked.compare(0, 5, "auto:") == 0 && asked.size() > 5)) {
        FW_ASSIGN_OR_RETURN(std::string reason, choose_device(loaded_model, table_or_null(),
                                                              kHasAccelerator && is_float(loaded_model), &option));
        log(LogLevel::kInfo, "%s", reason.c_str());
        if (option.device == "cpu") {
            cpu_reason_ = std::move(reason);
        }
    }
    Status status = load_on_device(std::move(loaded_model));
    if (!status.ok()) {
        option.device = asked;
        option.precision = precision;
        option.fp16_arithmetic = fp16_arithmetic;
        cpu_reason_.clear();
    }
    return status;
}

bool NetState::leave_device(const Status& why) {
    if (!option.device_fallback) {
        return false;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (cpu_reason_.empty()) {
        cpu_reason_ = why.message();
        log(LogLevel::kError, "%s: everything runs on the CPU", why.message());
        plans_.clear();
        last_plan_.reset();
    }
    return true;
}

Status NetState::load_on_device(Model loaded_model) {
    Result<std::shared_ptr<Accelerator>> device = open_accelerator(kHasAccelerator && is_float(loaded_model), &option);
    if (device.ok()) {
        loaded_model.device = std::move(*device);
    } else if (is_bad_option(device.status()) || !leave_device(device.status())) {
        return device.status();
    } else {
        option.device = "cpu";
    }
    FW_RETURN_IF_ERROR(describe_model(&loaded_model));
    if (table_or_null() != nullptr && option.precision != Precision::kFloat && option.precision != Precision::kFp16) {
        FW_RETURN_IF_ERROR(check_table(loaded_model.def, table));
        if (!option.ignore_table_model) {
            FW_RETURN_IF_ERROR(check_table_model(loaded_model.def, table));
        }
    }
    FW_ASSIGN_OR_RETURN(const std::shared_ptr<Program> made,
                        build_program(loaded_model, option, table_or_null(), {}, nullptr));
    if (made->device == nullptr && option.allocator == nullptr) {
        pages_ = std::move(made->pages);  // the first arena takes what is left
    }
    made->pages.reset();
    program = made;
    model = std::move(loaded_model);
    loaded = true;
    return {};
}

Result<std::shared_ptr<const Program>> NetState::program_for(const std::string& blob) {
    if (program->outputs.count(blob) != 0) {
        return program;
    }
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto it = programs_.begin(); it != programs_.end(); ++it) {
            if (it->first == blob) {
                programs_.splice(programs_.begin(), programs_, it);
                return it->second;
            }
        }
    }
    // Built without the lock: it takes long, and at worst two threads build the same one.
    const std::vector<std::string> wanted = {blob};
    FW_ASSIGN_OR_RETURN(const std::shared_ptr<Program> made,
                        build_program(model, option, table_or_null(), wanted, program.get()));
    made->pages.reset();
    const std::lock_guard<std::mutex> lock(mutex_);
    programs_.emplace_front(blob, made);
    if (programs_.size() > kMaxPrograms) {
        programs_.pop_back();
    }
    return std::shared_ptr<const Program>(made);
}

Result<std::shared_ptr<const Plan>> NetState::plan_for(const std::shared_ptr<const Program>& wanted,
                                                       const std::vector<InputDesc>& inputs) {
    std::string cpu_reason;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        cpu_reason = cpu_reason_;
        for (auto it = plans_.begin(); it != plans_.end(); ++it) {
            if ((*it)->program == wanted && (*it)->inputs == inputs) {
                plans_.splice(plans_.begin(), plans_, it);
                if (wanted == program) {
                    last_plan_ = plans_.front();
                }
                return plans_.front();
            }
        }
    }
    Result<std::shared_ptr<const Plan>> made =
        make_plan(model, wanted, inputs, threads(), option.max_activation_bytes, cpu_reason);
    if (kHasAccelerator && !made.ok() && cpu_reason.empty() && wanted->device != nullptr && option.device_fallback) {
        // The shapes' fault, or the device's?
        const Status status = made.status();
        made = make_plan(model, wanted, inputs, threads(), option.max_activation_bytes, status.message());
        if (made.ok()) {
            leave_device(status);
        }
    }
    FW_RETURN_IF_ERROR(made.status());
    const std::lock_guard<std::mutex> lock(mutex_);
    if (kHasAccelerator && (*made)->device != nullptr && !cpu_reason_.empty()) {
        return made;  // the device was left meanwhile: not for others
    }
    plans_.push_front(*made);
    if (plans_.size() > kMaxPlans) {
        plans_.pop_back();
    }
    if (wanted == program) {
        last_plan_ = *made;
    }
    return made;
}

Result<std::shared_ptr<const Plan>> NetState::last_plan() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (last_plan_ != nullptr) {
            return last_plan_;
        }
    }
    std::vector<InputDesc> inputs;
    for (const InputInfo& input : model.inputs) {
        if (input.shape.rank == 0) {
            return Status::error(Code::kFailedPrecondition, "input '%s' declares no shape and nothing has run yet",
                                 input.name.c_str());
        }
        inputs.push_back(InputDesc{input.shape, DType::kFloat32});
    }
    return plan_for(program, inputs);
}

std::shared_ptr<void> NetState::take_arena(size_t bytes, size_t* got) {
    std::unique_ptr<PagePool> pages;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (size_t i = 0; i < arenas_.size(); ++i) {
            if (arenas_[i].bytes >= bytes) {
                std::shared_ptr<void> memory = std::move(arenas_[i].memory);
                *got = arenas_[i].bytes;
                arenas_.erase(arenas_.begin() + static_cast<std::ptrdiff_t>(i));
                return memory;
            }
        }
        pages = std::move(pages_);
    }
    *got = bytes;
    if (option.allocator != nullptr) {
        return allocate_shared_bytes(bytes, option.allocator);
    }
    // The first run writes nearly all of it.
    return pages == nullptr ? allocate_populated(bytes) : pages->allocate_last(bytes);
}

void NetState::give_back_arena(std::shared_ptr<void> arena, size_t bytes) {
    // A second Extractor beside each running one is the most that a pool helps.
    static const auto kLimit = static_cast<size_t>(hardware_threads());
    const std::lock_guard<std::mutex> lock(mutex_);
    if (arenas_.size() >= kLimit) {
        arenas_.erase(arenas_.begin());
    }
    arenas_.push_back(Arena{std::move(arena), bytes});
}

}  // namespace fw
