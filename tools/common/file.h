// Files as strings, for the tools.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"

namespace fw::tools {

/// Without the byte order mark that some editors put in front of UTF-8.
Result<std::string> read_text_file(const std::string& path);
/// `visit(line, number)` for the lines of a text file, without blanks around them, empty ones and those that begin with
/// '#'. Ends at the first failure; a file that is no text is one.
Status for_each_line(const std::string& path, const std::function<Status(const std::string&, int)>& visit);
/// The bytes of a text, which has to outlive them.
Span<const uint8_t> bytes_of(const std::string& text);
/// Writes `path` + a temporary suffix and renames, so that a failure leaves what was there.
Status write_text_file(const std::string& path, const std::string& text);
/// An error where writing `outputs` would destroy one of `inputs`, or where two outputs are one file.
Status check_distinct(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs);
/// An error where the folder of one of `outputs` does not exist: said before long work, not after it.
Status check_folders(const std::vector<std::string>& outputs);
/// Part after the last '/'.
std::string base_name(const std::string& path);

}  // namespace fw::tools
