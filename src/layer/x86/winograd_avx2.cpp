// Transforms of Winograd's convolution, 8 channels at a time.
#include "kernel/winograd_driver.h"

namespace fw {

FW_DEFINE_WINOGRAD(winograd_4x4_avx2, kAvx2, Float8, 4)
FW_DEFINE_WINOGRAD(winograd_6x6_avx2, kAvx2, Float8, 6)

}  // namespace fw
