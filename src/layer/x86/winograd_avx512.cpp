// Transforms of Winograd's convolution, 16 channels at a time.
#include "kernel/winograd_driver.h"

namespace fw {

namespace {
using Transforms = WinogradFloat<Float16>;
}  // namespace

FW_DEFINE_WINOGRAD(winograd_f32_4x4_avx512, kAvx512, Transforms, 4)
FW_DEFINE_WINOGRAD(winograd_f32_6x6_avx512, kAvx512, Transforms, 6)

}  // namespace fw
