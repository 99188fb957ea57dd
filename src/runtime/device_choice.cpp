// Option::device "auto": measures the CPU and the first GPU with the network at hand, once, and remembers the times.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>

#include "base/cores.h"
#include "base/cpu.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "fw/version.h"
#include "model/model_hash.h"
#include "model/model_io.h"
#include "runtime/net_state.h"
#include "runtime/runner.h"

namespace fw {

namespace {

using Clock = std::chrono::steady_clock;

constexpr char kDevice[] = "vulkan";
constexpr int kRounds = 5;
constexpr double kBudgetMs = 500.0;  // of rounds after the first
constexpr double kClear = 3.0;       // a ratio of times that one more round does not turn

double ms_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Times {
    double cpu = std::numeric_limits<double>::infinity();
    double device = std::numeric_limits<double>::infinity();
    bool device_wins() const { return device < cpu; }
};

/// The network on one processor, with inputs of zeros.
class Subject {
public:
    Status load(const Model& model, const Option& option, const ScaleTable* table, const char* device) {
        state_.option = option;
        state_.option.device = device;
        state_.option.device_fallback = false;  // a device that fails is not measured
        if (table != nullptr) {
            state_.table = *table;
        }
        FW_RETURN_IF_ERROR(state_.finish_load(model));
        for (const InputInfo& input : state_.model.inputs) {
            FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(input.shape));
            std::fill_n(mat.data(), mat.count(), 0.0F);
            inputs_.push_back(std::move(mat));
        }
        FW_ASSIGN_OR_RETURN(plan_, state_.last_plan());
        if (plan_->device != nullptr) {
            FW_ASSIGN_OR_RETURN(device_, state_.program->device->start(plan_));
            arena_ = std::shared_ptr<void>(std::shared_ptr<void>(), device_->arena());
            return {};
        }
        arena_ = allocate_shared_bytes(plan_->arena_bytes, option.allocator);
        return arena_ != nullptr
                   ? Status()
                   : Status::error(Code::kOutOfMemory, "no memory for %zu bytes of activations", plan_->arena_bytes);
    }

    /// One inference; `*least` becomes its milliseconds where these are fewer.
    Status run(double* least) {
        const CoreScope scope(cores_of(state_.option.cores), state_.threads());
        const Clock::time_point begin = Clock::now();
        runner_.start(plan_, arena_, inputs_, device_.get());
        for (const std::string& blob : state_.model.outputs) {
            FW_RETURN_IF_ERROR(
                runner_.run_to(state_.model, state_.program->outputs.at(blob), state_.threads(), nullptr, nullptr));
        }
        *least = std::min(*least, ms_since(begin));
        return {};
    }

private:
    NetState state_;
    std::vector<Mat> inputs_;
    std::shared_ptr<const Plan> plan_;
    std::unique_ptr<AcceleratorRun> device_;
    std::shared_ptr<void> arena_;
    Runner runner_;
};

// In turns, so that a disturbance meets both.
Status race(Subject* cpu, Subject* device, Times* times) {
    Times first;  // compiles shaders, touches memory for the first time
    FW_RETURN_IF_ERROR(cpu->run(&first.cpu));
    FW_RETURN_IF_ERROR(device->run(&first.device));
    const Clock::time_point begin = Clock::now();
    for (int round = 0; round < kRounds; ++round) {
        FW_RETURN_IF_ERROR(cpu->run(&times->cpu));
        FW_RETURN_IF_ERROR(device->run(&times->device));
        const double ratio = times->cpu / times->device;
        if (ratio > kClear || ratio < 1.0 / kClear || ms_since(begin) > kBudgetMs) {
            break;
        }
    }
    return {};
}

/// What was measured, by key. The file: "fwdevice 1", then a line "KEY CPU_US DEVICE_US" (microseconds) each. One
/// that is not exactly so counts as empty and is replaced.
class Memory {
public:
    explicit Memory(std::string path) : path_(std::move(path)) {}

    Status load() {
        const Result<FileData> file = map_file(path_.c_str());
        if (!file.ok()) {
            return file.status().code() == Code::kNotFound ? Status() : file.status();
        }
        if (file->bytes.size() > kMostBytes || !parse(std::string(file->bytes.begin(), file->bytes.end()))) {
            log(LogLevel::kInfo, "device times '%s' are damaged: made anew", path_.c_str());
            times_.clear();
        }
        return {};
    }
    const Times* find(uint64_t key) const {
        const auto found = times_.find(key);
        return found == times_.end() ? nullptr : &found->second;
    }
    Status add(uint64_t key, const Times& times) {
        times_[key] = times;
        std::string text = kHeader;
        for (const auto& [known, t] : times_) {
            char line[80];
            std::snprintf(line, sizeof(line), "%016" PRIx64 " %.0f %.0f\n", known, t.cpu * 1e3, t.device * 1e3);
            text += line;
        }
        return write_file_atomic(path_.c_str(), {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }

private:
    static constexpr size_t kMostBytes = size_t{1} << 20;
    static constexpr char kHeader[] = "fwdevice 1\n";
    static constexpr size_t kKeyDigits = 16;
    static constexpr size_t kMostDigits = 12;

    // Reads at most `most` digits (a key has all of them) and `end`.
    static bool number(const std::string& text, uint64_t base, size_t most, char end, size_t* at, uint64_t* value) {
        const std::string digits = "0123456789abcdef";
        const size_t begin = *at;
        for (; *at < text.size() && text[*at] != end; ++*at) {
            const size_t digit = digits.find(text[*at]);
            if (digit >= base || *at - begin >= most) {
                return false;
            }
            *value = *value * base + digit;
        }
        const size_t count = *at - begin;
        return (base == 16 ? count == most : count > 0) && *at < text.size() && text[(*at)++] == end;
    }
    bool parse(const std::string& text) {
        const std::string header = kHeader;
        if (text.compare(0, header.size(), header) != 0) {
            return false;
        }
        for (size_t at = header.size(); at < text.size();) {
            uint64_t key = 0;
            uint64_t cpu = 0;
            uint64_t device = 0;
            if (!number(text, 16, kKeyDigits, ' ', &at, &key) || !number(text, 10, kMostDigits, ' ', &at, &cpu) ||
                !number(text, 10, kMostDigits, '\n', &at, &device)) {
                return false;
            }
            times_[key] = {static_cast<double>(cpu) * 1e-3, static_cast<double>(device) * 1e-3};
        }
        return true;
    }

    std::string path_;
    std::map<uint64_t, Times> times_;
};

// All that the times depend on; "" where it cannot be told.
std::string key_text(const Model& model, const Option& option, const ScaleTable* table, const std::string& device) {
    const Result<std::string> hash = model_hash(model.def);
    const Result<Isa> isa = current_isa();
    if (!hash.ok() || !isa.ok()) {
        return "";
    }
    std::string text = std::string(version()) + '\n' + device + '\n' + *hash + '\n' + name(*isa);
    for (const InputInfo& input : model.inputs) {
        text += '\n' + input.shape.str();
    }
    for (const int number :
         {hardware_threads(), option.threads, static_cast<int>(option.cores), static_cast<int>(option.precision),
          option.fp16 ? 1 : 0, option.fp16_arithmetic ? 1 : 0, option.bf16_arithmetic ? 1 : 0, option.optimize ? 1 : 0,
          option.staged_device_memory ? 1 : 0}) {
        text += '\n' + std::to_string(number);
    }
    for (const std::string& pass : option.disabled_passes) {
        text += '\n' + pass;
    }
    return table == nullptr ? text : text + '\n' + table->to_text();
}

uint64_t hash_of(const std::string& text) {
    uint64_t hash = 0xcbf29ce484222325U;  // 64-bit FNV-1a
    for (const char c : text) {
        hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
    }
    return hash;
}

DeviceChoice chosen_by(const Times& times, const char* how) {
    char text[120];
    std::snprintf(text, sizeof(text), "device 'auto': cpu takes %.4g ms, %s %.4g ms (%s)", times.cpu, kDevice,
                  times.device, how);
    return {times.device_wins() ? kDevice : "cpu", text};
}

}  // namespace

Result<DeviceChoice> choose_device(const Model& model, const Option& option, const ScaleTable* table) {
    Model described = model;
    FW_RETURN_IF_ERROR(describe_model(&described));
    for (const InputInfo& input : described.inputs) {
        if (input.shape.rank == 0) {
            return DeviceChoice{"cpu", "device 'auto': cannot measure, input '" + input.name + "' declares no shape"};
        }
    }
    Option on_device = option;
    on_device.device = kDevice;
    const Result<std::shared_ptr<Accelerator>> opened = open_accelerator(on_device);
    if (!opened.ok()) {
        return DeviceChoice{"cpu", std::string("device 'auto': ") + opened.status().message()};
    }
    const std::string prefix = "auto:";
    Memory memory(option.device.compare(0, prefix.size(), prefix) == 0 ? option.device.substr(prefix.size()) : "");
    const std::string key = key_text(described, option, table, (*opened)->identity());
    const bool remembers = option.device.size() > prefix.size() && !key.empty();
    if (remembers) {
        FW_RETURN_IF_ERROR(memory.load());
        if (const Times* known = memory.find(hash_of(key))) {
            return chosen_by(*known, "measured before");
        }
    }
    Subject cpu;
    FW_RETURN_IF_ERROR(cpu.load(model, option, table, "cpu"));
    Subject device;
    Status status = device.load(model, option, table, kDevice);
    Times times;
    if (status.ok()) {
        status = race(&cpu, &device, &times);
    }
    if (!status.ok()) {
        return DeviceChoice{"cpu", std::string("device 'auto': ") + status.message()};
    }
    if (remembers) {
        const Status written = memory.add(hash_of(key), times);
        if (!written.ok()) {
            log(LogLevel::kWarn, "device times: %s", written.message());
        }
    }
    return chosen_by(times, "measured now");
}

}  // namespace fw
