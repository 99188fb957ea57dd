// Transforms of Winograd's convolution, 4 channels at a time.
#include "kernel/winograd_driver.h"

namespace fw {

FW_DEFINE_WINOGRAD(winograd_4x4_neon, kNeon, Float4, 4)
FW_DEFINE_WINOGRAD(winograd_6x6_neon, kNeon, Float4, 6)

}  // namespace fw
