// Transforms of Winograd's convolution, 4 channels at a time: the scalar level's but for the bounds, which take one
// instruction each where a comparison and a choice are two.
#include "layer/arm/neon.h"

#if defined(__aarch64__) && !defined(FW_MINSIZE)

#include "kernel/winograd_driver.h"

namespace fw {

namespace {

struct ClampByBounds {
    static FW_ALWAYS_INLINE float32x4_t run(float32x4_t x, float32x4_t lo, float32x4_t hi) { return clamp4(x, lo, hi); }
};

using Transforms = WinogradFloat<float32x4_t, ClampByBounds>;

}  // namespace

FW_DEFINE_WINOGRAD(winograd_f32_4x4_neon, kNeon, Transforms, 4)
FW_DEFINE_WINOGRAD(winograd_f32_6x6_neon, kNeon, Transforms, 6)

}  // namespace fw

#endif
