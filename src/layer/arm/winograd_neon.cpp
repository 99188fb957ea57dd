// Transforms of Winograd's convolution, 4 channels at a time.
#include "kernel/winograd_driver.h"

namespace fw {

namespace {
using Transforms = WinogradFloat<Float4>;
}  // namespace

FW_DEFINE_WINOGRAD(winograd_f32_4x4_neon, kNeon, Transforms, 4)
FW_DEFINE_WINOGRAD(winograd_f32_6x6_neon, kNeon, Transforms, 6)

}  // namespace fw
