// A model as C source, for programs that carry it along.
#pragma once

#include <cstdint>
#include <string>

#include "fw/span.h"

namespace fw::opt {

/// "a/b-c.h" -> "b_c": an identifier of C out of a file's name.
std::string c_identifier(const std::string& path);

/// A header with NAME_param, NAME_param_size, NAME_bin and NAME_bin_size, to be given to Net::load_model_memory or
/// fw_net_load_memory. The weights are aligned to 64 bytes. Without C11 or C++11 the alignment is left to the compiler,
/// which is right too.
std::string c_array(const std::string& name, const std::string& param, Span<const uint8_t> bin);

}  // namespace fw::opt
