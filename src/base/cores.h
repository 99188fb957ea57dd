// Cores of several speeds (big.LITTLE), and the ones that threads run on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fw/option.h"

namespace fw {

/// Numbers of cores. Both lists are empty where all are of one speed, or where speeds are unknown.
struct CoreKinds {
    std::vector<int> big;     ///< all but the slowest kind
    std::vector<int> little;  ///< the slowest kind
};

/// Compares the `count` cores below `folder` (/sys/devices/system/cpu) by cpuN/cpu_capacity or, where that is missing,
/// by cpuN/cpufreq/cpuinfo_max_freq.
CoreKinds read_core_kinds(const std::string& folder, int count);

/// The cores of a kind on this machine; empty = any.
const std::vector<int>& cores_of(Cores kind);
/// How many of `cores` the calling thread may run on, as CoreScope takes them: all that it may where these are none.
int usable_cores(const std::vector<int>& cores);

/// While it lives, the calling thread and those that it shares parallel_for's loops with run on `cores` only; then on
/// those of before. None: nothing happens, as on systems other than Linux and Android.
class CoreScope {
public:
    CoreScope(const std::vector<int>& cores, int threads);
    ~CoreScope();
    CoreScope(const CoreScope&) = delete;
    CoreScope& operator=(const CoreScope&) = delete;

private:
    struct Masks;
    std::unique_ptr<Masks> before_;  // of each thread
};

}  // namespace fw
