// A driver that fails, or has fewer features than the real one: functions of its tables are replaced.
#pragma once

#include <vector>

#include "vulkan/cooperative_matrix.h"

namespace fw::vulkan {

struct Faults {
    bool no_int8 = false;  ///< neither 8-bit storage nor arithmetic
    bool no_integer_dot = false;
    bool no_cooperative_matrix = false;
    std::vector<MatrixProperties> matrices;  ///< made up: it says that it has these, and cannot multiply them
    bool no_float16_storage = false;
    bool no_float16_arithmetic = false;
    bool no_import = false;         ///< of host memory
    bool old_loader = false;        ///< of Vulkan 1.1
    bool portability = false;       ///< it has VK_KHR_portability_subset, without which it makes no device
    const char* missing = nullptr;  ///< function of the device
    uint64_t heap_bytes = 0;        ///< of every heap, where not 0
    /// Where not 0: timestamps of so many bits, a thousand ticks apart, that begin anew after the first.
    uint32_t timestamp_bits = 0;
    VkResult import = VK_SUCCESS;
    VkResult create_device = VK_SUCCESS;
    VkResult allocate = VK_SUCCESS;
    VkResult create_pipeline = VK_SUCCESS;
    VkResult submit = VK_SUCCESS;
    VkResult wait = VK_SUCCESS;
    int successes = 0;  ///< calls of allocate, create_pipeline, submit and wait, all together, before these results
};

/// Devices that are opened while it lives have these faults, which may change meanwhile. One at a time, and none of the
/// process's devices may be open when it begins or ends.
class FaultyDriver {
public:
    explicit FaultyDriver(const Faults& faults);
    ~FaultyDriver();
    FaultyDriver(const FaultyDriver&) = delete;
    FaultyDriver& operator=(const FaultyDriver&) = delete;

    void set(const Faults& faults);
    /// How often host memory was imported since it began.
    int imports() const;
    /// Bytes of all memory that was allocated, imports and what is gone included.
    uint64_t allocated() const;
    /// How often a pipeline cache was merged into another.
    int merges() const;
    /// Copies recorded in command buffers that had no barrier before them.
    int bare_copies() const;
};

}  // namespace fw::vulkan
