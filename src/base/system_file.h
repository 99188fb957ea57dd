// Numbers in the files of /sys.
#pragma once

#include <string>

namespace fw {

/// The number that a file starts with; 0 if it cannot be read. `unit`, if not nullptr, gets the character behind it.
long read_number(const std::string& path, char* unit = nullptr);

}  // namespace fw
