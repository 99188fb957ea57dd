// The shaders' code, as glslang made it at build time.
#pragma once

#include <cstddef>

#include "vulkan/device.h"

namespace fw::vulkan::shader {

#define FW_SHADER(name, file, macros) extern const Shader name;
#include "layer/vulkan/shader/shaders.inc"
#undef FW_SHADER

/// Bytes of all of them.
size_t total_bytes();

}  // namespace fw::vulkan::shader
