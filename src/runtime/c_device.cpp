// The C interface's options, devices, plan and log.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include "runtime/c_handles.h"

using fw::c::bad_argument;
using fw::c::report;

struct fw_plan {
    std::vector<fw::LayerPlan> steps;
};

namespace {

static_assert(static_cast<int>(fw::LogLevel::kDebug) == 0 && static_cast<int>(fw::LogLevel::kError) == 3);

struct Sink {
    fw_log_sink function;
    void* user_data;
};

std::mutex g_sink_mutex;
Sink g_sink = {nullptr, nullptr};

void pass_on(fw::LogLevel level, const char* message, void* /*user_data*/) {
    Sink sink;
    {
        const std::lock_guard<std::mutex> lock(g_sink_mutex);
        sink = g_sink;
    }
    if (sink.function != nullptr) {
        sink.function(static_cast<int>(level), message, sink.user_data);
    }
}

thread_local std::vector<fw::DeviceInfo> t_devices;

const fw::DeviceInfo* device_at(int index) {
    return index >= 0 && static_cast<size_t>(index) < t_devices.size() ? &t_devices[static_cast<size_t>(index)]
                                                                       : nullptr;
}

fw_status set_option(fw_net* net, const fw::Option& option) {
    return report(net->net.set_option(option));
}

// Members of Option that are on or off.
constexpr struct {
    const char* name;
    bool fw::Option::*member;
} kSwitches[] = {
    {"fp16", &fw::Option::fp16},
    {"fp16_arithmetic", &fw::Option::fp16_arithmetic},
    {"bf16_arithmetic", &fw::Option::bf16_arithmetic},
    {"winograd", &fw::Option::winograd},
    {"optimize", &fw::Option::optimize},
    {"split_attention", &fw::Option::split_attention},
    {"ignore_table_model", &fw::Option::ignore_table_model},
    {"device_fallback", &fw::Option::device_fallback},
    {"import_inputs", &fw::Option::import_inputs},
    {"staged_device_memory", &fw::Option::staged_device_memory},
};

// The position of `value` in a list that nullptr ends, -1 where it is not there.
int find_word(const char* value, const char* const* words) {
    for (int i = 0; words[i] != nullptr; ++i) {
        if (std::strcmp(words[i], value) == 0) {
            return i;
        }
    }
    return -1;
}

bool parse_number(const char* text, uint64_t most, uint64_t* out) {
    uint64_t value = 0;
    for (const char* digit = text; *digit != '\0'; ++digit) {
        const auto next = static_cast<uint64_t>(*digit - '0');
        if (*digit < '0' || *digit > '9' || value > (most - std::min(most, next)) / 10) {
            return false;
        }
        value = value * 10 + next;
    }
    *out = value;
    return *text != '\0';
}

fw_status bad_value(const char* name, const char* value, const char* expected) {
    return report(
        fw::Status::error(fw::Code::kInvalidArgument, "option '%s' is '%s', expected %s", name, value, expected));
}

}  // namespace

void fw_set_log_sink(fw_log_sink sink, void* user_data, int least_level) {
    const int least = std::clamp(least_level, 0, static_cast<int>(fw::LogLevel::kError));
    {
        const std::lock_guard<std::mutex> lock(g_sink_mutex);
        g_sink = {sink, user_data};
    }
    fw::set_log_sink(sink == nullptr ? nullptr : pass_on, nullptr, static_cast<fw::LogLevel>(least));
}

int fw_device_count(void) {
    t_devices.clear();
    fw::Result<std::vector<fw::DeviceInfo>> devices = fw::list_devices();
    if (devices.ok()) {
        t_devices = std::move(*devices);
    }
    report(devices.status());
    return static_cast<int>(t_devices.size());
}

const char* fw_device_name(int index) {
    const fw::DeviceInfo* device = device_at(index);
    return device == nullptr ? nullptr : device->device.c_str();
}

const char* fw_device_description(int index) {
    const fw::DeviceInfo* device = device_at(index);
    return device == nullptr ? nullptr : device->description.c_str();
}

fw_status fw_net_set_threads(fw_net* net, int threads) {
    if (net == nullptr) {
        return bad_argument("net is null");
    }
    fw::Option option = net->net.option();
    option.threads = threads;
    return set_option(net, option);
}

fw_status fw_net_set_precision(fw_net* net, int precision) {
    if (net == nullptr || precision < 0 || precision > 3) {
        return bad_argument("precision is 0 (auto), 1 (float), 2 (int8) or 3 (float16 weights)");
    }
    fw::Option option = net->net.option();
    option.precision = static_cast<fw::Precision>(precision);
    return set_option(net, option);
}

fw_status fw_net_set_device(fw_net* net, const char* device, int fallback) {
    if (net == nullptr || device == nullptr) {
        return bad_argument("net or device is null");
    }
    fw::Option option = net->net.option();
    option.device = device;
    option.device_fallback = fallback != 0;
    return set_option(net, option);
}

fw_status fw_net_set_option(fw_net* net, const char* name, const char* value) {
    if (net == nullptr || name == nullptr || value == nullptr) {
        return bad_argument("net, name or value is null");
    }
    fw::Option option = net->net.option();
    const std::string wanted = name;
    for (const auto& known : kSwitches) {
        if (wanted == known.name) {
            const char* const words[] = {"0", "1", nullptr};
            const int word = find_word(value, words);
            if (word < 0) {
                return bad_value(name, value, "0 or 1");
            }
            option.*known.member = word == 1;
            return set_option(net, option);
        }
    }
    uint64_t number = 0;
    if (wanted == "device") {
        option.device = value;
    } else if (wanted == "pipeline_cache") {
        option.pipeline_cache = value;
    } else if (wanted == "cores") {
        const char* const words[] = {"all", "big", "little", nullptr};
        const int word = find_word(value, words);
        if (word < 0) {
            return bad_value(name, value, "all, big or little");
        }
        option.cores = static_cast<fw::Cores>(word);
    } else if (wanted == "threads") {
        if (!parse_number(value, INT32_MAX, &number)) {
            return bad_value(name, value, "a number");
        }
        option.threads = static_cast<int>(number);
    } else if (wanted == "max_activation_bytes") {
        if (!parse_number(value, UINT64_MAX, &option.max_activation_bytes)) {
            return bad_value(name, value, "a number");
        }
    } else {
        return report(fw::Status::error(fw::Code::kNotFound, "there is no option '%s' (fw/c_api.h has them)", name));
    }
    return set_option(net, option);
}

const char* fw_net_device(const fw_net* net) {
    return net == nullptr ? "" : net->net.option().device.c_str();
}

fw_plan* fw_plan_create(const fw_net* net) {
    if (net == nullptr) {
        bad_argument("net is null");
        return nullptr;
    }
    fw::Result<std::vector<fw::LayerPlan>> steps = net->net.plan();
    if (!steps.ok()) {
        report(steps.status());
        return nullptr;
    }
    auto* made = new (std::nothrow) fw_plan{std::move(*steps)};
    report(made != nullptr ? fw::Status() : fw::Status::error(fw::Code::kOutOfMemory, "no memory for a plan"));
    return made;
}

void fw_plan_destroy(fw_plan* plan) {
    delete plan;
}

int fw_plan_count(const fw_plan* plan) {
    return plan == nullptr ? 0 : static_cast<int>(plan->steps.size());
}

fw_status fw_plan_step(const fw_plan* plan, int index, fw_step* step) {
    if (step == nullptr || index < 0 || index >= fw_plan_count(plan)) {
        return bad_argument("plan or step is null, or the plan has no such step");
    }
    const fw::LayerPlan& from = plan->steps[static_cast<size_t>(index)];
    *step = fw_step{from.name.c_str(),          from.type.c_str(),   from.output.c_str(),
                    from.kernel.c_str(),        from.reason.c_str(), from.device.c_str(),
                    from.cpu_reason.c_str(),    from.crossing_bytes, fw::name(from.input_type),
                    fw::name(from.output_type), from.macs,           from.bytes};
    return report({});
}
