#include "benchfw/machine.h"

#include <sys/utsname.h>

#include <fstream>

#include "base/cpu.h"
#include "peak/peak.h"

namespace fw::bench {

namespace {

constexpr double kPeakSeconds = 0.3;

// Of the board (device tree), else of the first processor, else the architecture.
std::string cpu_name() {
    std::string line;
    std::ifstream board("/proc/device-tree/model");
    if (std::getline(board, line, '\0') && !line.empty()) {
        return line;
    }
    std::ifstream info("/proc/cpuinfo");
    while (std::getline(info, line)) {
        const size_t colon = line.find(": ");
        if (colon != std::string::npos && (line.rfind("model name", 0) == 0 || line.rfind("Hardware", 0) == 0)) {
            return line.substr(colon + 2);
        }
    }
    utsname system{};
    return uname(&system) == 0 ? system.machine : "unknown";
}

}  // namespace

Result<Machine> measure_machine(int threads) {
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    Machine machine;
    machine.cpu = cpu_name();
    machine.isa = name(isa);
    machine.threads = threads;
    machine.peak_int8_gmacs = measure_peak(true, isa, threads, kPeakSeconds);
    machine.peak_fp32_gmacs = measure_peak(false, isa, threads, kPeakSeconds);
    machine.read_gb_per_s = measure_read_bandwidth(threads, kPeakSeconds);
    return machine;
}

}  // namespace fw::bench
