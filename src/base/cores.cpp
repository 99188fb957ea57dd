#include "base/cores.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/system_file.h"

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

namespace fw {

namespace {

CoreKinds kinds_here() {
#if defined(__linux__)
    return read_core_kinds("/sys/devices/system/cpu", static_cast<int>(sysconf(_SC_NPROCESSORS_CONF)));
#else
    return {};
#endif
}

}  // namespace

CoreKinds read_core_kinds(const std::string& folder, int count) {
    std::vector<long> speed;
    for (const char* file : {"/cpu_capacity", "/cpufreq/cpuinfo_max_freq"}) {
        speed.clear();
        for (int i = 0; i < count; ++i) {
            speed.push_back(read_number(folder + "/cpu" + std::to_string(i) + file));
        }
        if (std::find(speed.begin(), speed.end(), 0) == speed.end()) {
            break;
        }
    }
    CoreKinds kinds;
    if (speed.empty()) {
        return kinds;
    }
    const long slowest = *std::min_element(speed.begin(), speed.end());
    for (int i = 0; i < count && slowest > 0; ++i) {
        (speed[static_cast<size_t>(i)] == slowest ? kinds.little : kinds.big).push_back(i);
    }
    if (kinds.big.empty()) {
        kinds.little.clear();
    }
    return kinds;
}

const std::vector<int>& cores_of(Cores kind) {
    static const std::vector<int> kAny;
    if (kind == Cores::kAll) {
        return kAny;  // without reading a file of each core
    }
    static const CoreKinds kHere = kinds_here();
    return kind == Cores::kBig ? kHere.big : kHere.little;
}

#if defined(__linux__)

namespace {

cpu_set_t set_of(const std::vector<int>& cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) {
        CPU_SET(core, &set);
    }
    return set;
}

}  // namespace

int usable_cores(const std::vector<int>& cores) {
    const cpu_set_t set = set_of(cores);
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return hardware_threads();
    }
    cpu_set_t wanted;
    CPU_AND(&wanted, &set, &allowed);
    const int count = CPU_COUNT(&wanted);
    return count > 0 ? count : CPU_COUNT(&allowed);
}

struct CoreScope::Masks {
    struct Mask {
        cpu_set_t cores;
        bool known = false;
    };
    std::vector<Mask> threads;
};

CoreScope::CoreScope(const std::vector<int>& cores, int threads) {
    if (cores.empty()) {
        return;
    }
    const cpu_set_t set = set_of(cores);
    before_ = std::make_unique<Masks>();
    before_->threads.resize(static_cast<size_t>(std::max(1, threads)));
    // One index each: a loop of as many threads gives every thread its own.
    const auto count = static_cast<int64_t>(before_->threads.size());
    parallel_for(count, static_cast<int>(count), [&](int64_t i) {
        Masks::Mask& mask = before_->threads[static_cast<size_t>(i)];
        if (sched_getaffinity(0, sizeof(mask.cores), &mask.cores) != 0) {
            return;
        }
        // Of the cores that the thread is allowed. Where these are none, or it is on them already, it stays.
        cpu_set_t wanted;
        CPU_AND(&wanted, &set, &mask.cores);
        mask.known = CPU_COUNT(&wanted) > 0 && !CPU_EQUAL(&wanted, &mask.cores) &&
                     sched_setaffinity(0, sizeof(wanted), &wanted) == 0;
    });
}

CoreScope::~CoreScope() {
    if (before_ == nullptr) {
        return;
    }
    const auto count = static_cast<int64_t>(before_->threads.size());
    parallel_for(count, static_cast<int>(count), [&](int64_t i) {
        const Masks::Mask& mask = before_->threads[static_cast<size_t>(i)];
        if (mask.known) {
            sched_setaffinity(0, sizeof(mask.cores), &mask.cores);
        }
    });
}

#else

int usable_cores(const std::vector<int>& /*cores*/) {
    return hardware_threads();
}

struct CoreScope::Masks {};
CoreScope::CoreScope(const std::vector<int>& /*cores*/, int /*threads*/) {}
CoreScope::~CoreScope() = default;

#endif

}  // namespace fw
