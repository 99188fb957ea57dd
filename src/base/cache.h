// The size of the second-level cache, by which work is cut into blocks.
#pragma once

#include <cstdint>
#include <string>

namespace fw {

/// Bytes of the second-level cache of the first core, found out once: between 256 KiB and 2 MiB, 512 KiB where the
/// system does not tell. Results depend on it nowhere.
int64_t second_level_cache();

/// The same as a folder like /sys/devices/system/cpu/cpu0/cache tells it, without bounds; 0 if it does not.
int64_t read_second_level_cache(const std::string& folder);

}  // namespace fw
