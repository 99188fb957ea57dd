// Files as strings, for the tools.
#pragma once

#include <string>
#include <vector>

#include "fw/status.h"

namespace fw::tools {

/// Without the byte order mark that some editors put in front of UTF-8.
Result<std::string> read_text_file(const std::string& path);
/// Writes `path` + a temporary suffix and renames, so that a failure leaves what was there.
Status write_text_file(const std::string& path, const std::string& text);
/// An error where writing `outputs` would destroy one of `inputs`, or where two outputs are one file.
Status check_distinct(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs);
/// Part after the last '/'.
std::string base_name(const std::string& path);

}  // namespace fw::tools
