// A comparison that stays one instruction on ARMv7.
#pragma once

#include "layer/arm/neon.h"

namespace fw {
namespace {

/// All bits of a lane where a > b. ARMv7's vectors take numbers below 2^-126 for 0; for their sake GCC 12 would
/// compare lane by lane.
FW_ALWAYS_INLINE uint32x4_t greater4(float32x4_t a, float32x4_t b) {
#if defined(__aarch64__)
    return vcgtq_f32(a, b);
#else
    uint32x4_t greater;
    __asm__("vcgt.f32 %q0, %q1, %q2" : "=w"(greater) : "w"(a), "w"(b));
    return greater;
#endif
}

}  // namespace
}  // namespace fw
