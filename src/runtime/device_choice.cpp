// Option::device "auto": measures the CPU and the first GPU with the network at hand, once, and remembers the times.
#include <algorithm>
#include <array>
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

/// What the network may be on the device.
struct Variant {
    const char* name;
    Precision precision;
};
constexpr std::array<Variant, 3> kVariants = {
    {{"int8", Precision::kInt8}, {"float", Precision::kFloat}, {"fp16", Precision::kFp16}}};

constexpr double kNotMeasured = std::numeric_limits<double>::infinity();

struct Times {
    double cpu = kNotMeasured;
    std::array<double, kVariants.size()> device = {kNotMeasured, kNotMeasured, kNotMeasured};
};

/// The network on one processor, with inputs of zeros.
class Subject {
public:
    Status load(const Model& model, const Option& option, const ScaleTable* table) {
        state_.option = option;
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
Status race(Subject* cpu, Subject* device, double* cpu_ms, double* device_ms) {
    double first = kNotMeasured;  // compiles shaders, touches memory for the first time
    FW_RETURN_IF_ERROR(cpu->run(&first));
    FW_RETURN_IF_ERROR(device->run(&first));
    const Clock::time_point begin = Clock::now();
    for (int round = 0; round < kRounds; ++round) {
        FW_RETURN_IF_ERROR(cpu->run(cpu_ms));
        FW_RETURN_IF_ERROR(device->run(device_ms));
        const double ratio = *cpu_ms / *device_ms;
        if (ratio > kClear || ratio < 1.0 / kClear || ms_since(begin) > kBudgetMs) {
            break;
        }
    }
    return {};
}

/// What was measured, by key. The file: "fwdevice 2", then a line "KEY CPU INT8 FLOAT FP16" each: microseconds on the
/// CPU and of each variant on the device, "-" where it was not measured. One that is not exactly so counts as empty and
/// is replaced.
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
            char number[40];
            std::snprintf(number, sizeof(number), "%016" PRIx64 " %.0f", known, t.cpu * 1e3);
            text += number;
            for (const double ms : t.device) {
                std::snprintf(number, sizeof(number), " %.0f", ms * 1e3);
                text += ms == kNotMeasured ? " -" : number;
            }
            text += '\n';
        }
        return write_file_atomic(path_.c_str(), {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }

private:
    static constexpr size_t kMostBytes = size_t{1} << 20;
    static constexpr char kHeader[] = "fwdevice 2\n";
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
            if (!number(text, 16, kKeyDigits, ' ', &at, &key) || !number(text, 10, kMostDigits, ' ', &at, &cpu)) {
                return false;
            }
            Times times;
            times.cpu = static_cast<double>(cpu) * 1e-3;
            for (size_t i = 0; i < times.device.size(); ++i) {
                const char end = i + 1 < times.device.size() ? ' ' : '\n';
                uint64_t us = 0;
                if (text.compare(at, 2, std::string("-") + end) == 0) {
                    at += 2;
                } else if (number(text, 10, kMostDigits, end, &at, &us)) {
                    times.device[i] = static_cast<double>(us) * 1e-3;
                } else {
                    return false;
                }
            }
            times_[key] = times;
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
          option.fp16 ? 1 : 0, option.fp16_arithmetic ? 1 : 0, option.bf16_arithmetic ? 1 : 0, option.winograd ? 1 : 0,
          option.optimize ? 1 : 0, option.split_attention ? 1 : 0, option.staged_device_memory ? 1 : 0,
          option.import_inputs ? 1 : 0}) {
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

/// A variant that may run on the device, with the options for it.
struct Candidate {
    size_t variant;
    Option option;
};

// `opened`: the options as open_accelerator() left them, for a network of floats.
std::vector<Candidate> candidates_of(const Option& asked, const Option& opened, bool all_float) {
    std::vector<Candidate> candidates;
    for (size_t i = 0; i < kVariants.size(); ++i) {
        const Precision precision = kVariants[i].precision;
        Option option = asked;
        option.device = kDevice;
        bool possible = asked.precision == precision;
        if (asked.precision == Precision::kAuto) {
            const bool half = precision == Precision::kFp16;
            possible = half ? opened.precision == Precision::kFp16 : precision == Precision::kFloat || !all_float;
            option.precision = precision;
            option.fp16_arithmetic = half ? opened.fp16_arithmetic : asked.fp16_arithmetic;
        }
        if (possible) {
            candidates.push_back({i, std::move(option)});
        }
    }
    return candidates;
}

std::string on_cpu(const std::string& why, Option* option) {
    option->device = "cpu";
    return "device 'auto': " + why;
}

std::string choose_by(const Times& times, const std::vector<Candidate>& candidates, const char* how, Option* option) {
    char text[80];
    std::snprintf(text, sizeof(text), "cpu takes %.4g ms, %s", times.cpu, kDevice);
    std::string reason = on_cpu(text, option);
    double least = times.cpu;
    const char* separator = " ";
    for (const Candidate& candidate : candidates) {
        const double ms = times.device[candidate.variant];
        std::snprintf(text, sizeof(text), "%s%.4g ms in %s", separator, ms, kVariants[candidate.variant].name);
        reason += text;
        separator = ", ";
        if (ms < least) {
            least = ms;
            *option = candidate.option;
        }
    }
    return reason + " (" + how + ")";
}

}  // namespace

Result<std::string> choose_device(const Model& model, const ScaleTable* table, bool all_float, Option* option) {
    Model described = model;
    FW_RETURN_IF_ERROR(describe_model(&described));
    for (const InputInfo& input : described.inputs) {
        if (input.shape.rank == 0) {
            return on_cpu("cannot measure, input '" + input.name + "' declares no shape", option);
        }
    }
    const Option asked = *option;
    Option on_device = asked;
    on_device.device = kDevice;
    const Result<std::shared_ptr<Accelerator>> opened = open_accelerator(true, &on_device);
    if (!opened.ok()) {
        return on_cpu(opened.status().message(), option);
    }
    const std::vector<Candidate> candidates = candidates_of(asked, on_device, all_float);
    const std::string prefix = "auto:";
    Memory memory(asked.device.compare(0, prefix.size(), prefix) == 0 ? asked.device.substr(prefix.size()) : "");
    const std::string key = key_text(described, asked, table, (*opened)->identity());
    const bool remembers = asked.device.size() > prefix.size() && !key.empty();
    if (remembers) {
        FW_RETURN_IF_ERROR(memory.load());
        if (const Times* known = memory.find(hash_of(key))) {
            return choose_by(*known, candidates, "measured before", option);
        }
    }
    Times times;
    Subject cpu;
    Option on_cpu_only = asked;
    on_cpu_only.device = "cpu";
    FW_RETURN_IF_ERROR(cpu.load(model, on_cpu_only, table));
    for (const Candidate& candidate : candidates) {
        Subject device;  // one after another: each has its weights
        Status status = device.load(model, candidate.option, table);
        if (status.ok()) {
            status = race(&cpu, &device, &times.cpu, &times.device[candidate.variant]);
        }
        if (!status.ok()) {
            return on_cpu(status.message(), option);
        }
    }
    if (remembers) {
        const Status written = memory.add(hash_of(key), times);
        if (!written.ok()) {
            log(LogLevel::kWarn, "device times: %s", written.message());
        }
    }
    return choose_by(times, candidates, "measured now", option);
}

}  // namespace fw
