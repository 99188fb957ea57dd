// Transforms of Winograd's convolution, 16 channels at a time.
#include "kernel/winograd_driver.h"

namespace fw {

FW_DEFINE_WINOGRAD(winograd_4x4_avx512, kAvx512, Float16, 4)
FW_DEFINE_WINOGRAD(winograd_6x6_avx512, kAvx512, Float16, 6)

}  // namespace fw
