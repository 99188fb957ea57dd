// A driver that imports hardware buffers as Android's do: functions of the tables are replaced, the memory is the
// host's, which the real driver imports.
#pragma once

#include <cstdint>

#include "vulkan/api.h"

/// What the system calls so is the test's own: a piece of memory at the start of a page, of whole pages.
struct AHardwareBuffer {
    void* memory;
    uint64_t bytes;
};

namespace fw::vulkan {

/// As FaultyDriver: one at a time, and none of the process's devices may be open when it begins or ends.
class AndroidDriver {
public:
    explicit AndroidDriver(bool dedicated);  ///< it imports for one buffer only
    ~AndroidDriver();
    AndroidDriver(const AndroidDriver&) = delete;
    AndroidDriver& operator=(const AndroidDriver&) = delete;

    struct Calls {
        int imports = 0;
        int dedicated = 0;  ///< of these, those that named their buffer
        int acquires = 0;   ///< recorded
        int releases = 0;
    };
    const Calls& calls() const;
};

}  // namespace fw::vulkan
