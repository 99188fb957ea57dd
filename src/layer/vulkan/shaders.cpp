#include "layer/vulkan/shaders.h"

#include "layer/vulkan/shader_code.h"  // generated: kCode_<name> for each line of shaders.inc

namespace fw::vulkan::shader {

#define FW_SHADER(name, file, macros) const Shader name = {#name, kCode_##name, sizeof(kCode_##name)};
#include "layer/vulkan/shader/shaders.inc"
#undef FW_SHADER

size_t total_bytes() {
    size_t bytes = 0;
#define FW_SHADER(name, file, macros) bytes += name.bytes;
#include "layer/vulkan/shader/shaders.inc"
#undef FW_SHADER
    return bytes;
}

}  // namespace fw::vulkan::shader
