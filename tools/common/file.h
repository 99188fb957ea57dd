// Files as strings, for the tools.
#pragma once

#include <string>
#include <vector>

#include "fw/status.h"

namespace fw::tools {

Result<std::string> read_text_file(const std::string& path);
/// Writes `path` + a temporary suffix and renames, so that a failure leaves what was there.
Status write_text_file(const std::string& path, const std::string& text);
/// Part after the last '/'.
std::string base_name(const std::string& path);

}  // namespace fw::tools
