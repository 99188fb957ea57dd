// What the figures were measured on.
#pragma once

#include <string>

#include "fw/status.h"

namespace fw::bench {

struct Machine {
    std::string cpu;  ///< as the system names it
    std::string isa;  ///< level that the kernels use
    int threads = 1;  ///< of the networks, and of the peaks
    double peak_int8_gmacs = 0.0;
    double peak_fp32_gmacs = 0.0;
    double read_gb_per_s = 0.0;  ///< from memory; 0 = not measured
};

/// Measures the peaks; takes about a second. Fails where FW_ISA names a level that is not here.
Result<Machine> measure_machine(int threads);

}  // namespace fw::bench
