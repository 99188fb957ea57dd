// Transforms of Winograd's convolution, 8 channels at a time.
#include "kernel/winograd_driver.h"

namespace fw {

namespace {
using Transforms = WinogradFloat<Float8>;
}  // namespace

FW_DEFINE_WINOGRAD(winograd_f32_4x4_avx2, kAvx2, Transforms, 4)
FW_DEFINE_WINOGRAD(winograd_f32_6x6_avx2, kAvx2, Transforms, 6)

}  // namespace fw
