#include "benchfw/text.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace fw::bench {

namespace {

std::string format(const char* text, ...) FW_PRINTF(1, 2);

std::string format(const char* text, ...) {
    char line[512];
    va_list args;
    va_start(args, text);
    std::vsnprintf(line, sizeof(line), text, args);
    va_end(args);
    return line;
}

// Names come from model files: control characters would move the terminal's cursor.
std::string printable(const std::string& name) {
    std::string out = name;
    for (char& c : out) {
        const auto byte = static_cast<unsigned char>(c);
        c = byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return out;
}

}  // namespace

std::string precision_of(const LayerPlan& step) {
    if (step.fp16_weights) {
        return "fp16";
    }
    return step.input_type == DType::kFloat32 ? "float" : name(step.input_type);
}

std::string kernel_of(const LayerPlan& step) {
    return step.kernel.empty() ? "reference" : step.kernel;
}

std::string net_line(const NetResult& r) {
    return printable(r.name) + format(" %s threads=%d min=%.3f med=%.3f max=%.3f mem=%.2f conversions=%d peak=%.1f%%",
                                      r.precision.c_str(), r.threads, r.min_ms, r.med_ms, r.max_ms, r.activations_mib,
                                      r.conversions, r.percent_of_peak);
}

std::string layer_table(const NetResult& result) {
    size_t name_width = 5;
    size_t kernel_width = 6;
    for (const LayerTime& layer : result.layers) {
        name_width = std::max(name_width, std::min<size_t>(layer.plan.name.size(), 40));
        kernel_width = std::max(kernel_width, kernel_of(layer.plan).size());
    }
    const int names = static_cast<int>(name_width);
    const int kernels = static_cast<int>(kernel_width);
    std::string text = format("%9s %6s %8s  %-*s %-20s %-9s %-*s %-11s %-6s %s\n", "ms", "%", "GMAC/s", names, "layer",
                              "type", "precision", kernels, "kernel", "isa", "device", "reason");
    for (const LayerTime& layer : result.layers) {
        const LayerPlan& plan = layer.plan;
        const std::string rate = plan.macs > 0 ? format("%.2f", layer.gmacs_per_s) : "-";
        text +=
            format("%9.4f %6.2f %8s  %-*s %-20s %-9s %-*s %-11s %-6s", layer.ms, layer.percent, rate.c_str(), names,
                   printable(plan.name).c_str(), printable(plan.type).c_str(), precision_of(plan).c_str(), kernels,
                   printable(kernel_of(plan)).c_str(), plan.isa.empty() ? "-" : plan.isa.c_str(), plan.device.c_str());
        text += std::string(" ") + (plan.is_conversion ? "conversion: " : "") + printable(plan.reason);
        if (!plan.cpu_reason.empty()) {
            text += "; on the CPU: " + printable(plan.cpu_reason);
        }
        if (plan.crossing_bytes > 0) {
            text += format("; %lld bytes cross", static_cast<long long>(plan.crossing_bytes));
        }
        text += "\n";
    }
    text += format("%9.4f 100.00 %8.2f  all steps; whole inference %.4f ms, with timers %.4f ms; conversions %.2f %%\n",
                   result.layers_ms, static_cast<double>(result.macs) * 1e-6 / result.layers_ms, result.min_ms,
                   result.profiled_ms, result.conversion_percent);
    return text;
}

}  // namespace fw::bench
