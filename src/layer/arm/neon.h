// Rounding, saturation and partial stores of the NEON kernels. Each kernel file has its own copy.
#pragma once

#include <arm_neon.h>

#include <cstring>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

FW_ALWAYS_INLINE int16x8_t narrow(int32x4_t low, int32x4_t high) {
#if defined(__aarch64__)
    return vqmovn_high_s32(vqmovn_s32(low), high);
#else
    return vcombine_s16(vqmovn_s32(low), vqmovn_s32(high));
#endif
}

FW_ALWAYS_INLINE int8x16_t narrow(int16x8_t low, int16x8_t high) {
#if defined(__aarch64__)
    return vqmovn_high_s16(vqmovn_s16(low), high);
#else
    return vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
#endif
}

FW_ALWAYS_INLINE float32x4_t clamp4(float32x4_t x, float32x4_t lo, float32x4_t hi) {
    return vminq_f32(vmaxq_f32(x, lo), hi);  // NaN stays
}

/// clamp(rne(x) + zero_point, lo, hi) for x that are not NaN; the bounds have the zero point in them.
/// Above ARMv8 rounding, addition and narrowing saturate, so that bytes are clamped once, in the end. ARMv7 has no
/// conversion to the nearest integer: values are clamped first, and the sum with 1.5 * 2^23 holds the integer, rounded
/// half to even, in its low 16 bits.
struct ByteOutput {
    int16x8_t zero_point;
#if defined(__aarch64__)
    int8x16_t lo, hi;
#else
    float32x4_t lo, hi;
#endif

    FW_ALWAYS_INLINE ByteOutput(int32_t zp, int32_t least, int32_t most)
        : zero_point(vdupq_n_s16(static_cast<int16_t>(zp))),
#if defined(__aarch64__)
          lo(vdupq_n_s8(static_cast<int8_t>(least))),
          hi(vdupq_n_s8(static_cast<int8_t>(most)))
#else
          lo(vdupq_n_f32(static_cast<float>(least - zp))),
          hi(vdupq_n_f32(static_cast<float>(most - zp)))
#endif
    {
    }
    explicit FW_ALWAYS_INLINE ByteOutput(const Epilogue& e)
        : ByteOutput(e.zero_point, static_cast<int32_t>(e.lo) + e.zero_point,
                     static_cast<int32_t>(e.hi) + e.zero_point) {}

    FW_ALWAYS_INLINE int16x8_t words(float32x4_t low, float32x4_t high) const {
#if defined(__aarch64__)
        return vqaddq_s16(narrow(vcvtnq_s32_f32(low), vcvtnq_s32_f32(high)), zero_point);
#else
        const float32x4_t magic = vdupq_n_f32(12582912.0F);
        const int32x4_t a = vreinterpretq_s32_f32(vaddq_f32(clamp4(low, lo, hi), magic));
        const int32x4_t b = vreinterpretq_s32_f32(vaddq_f32(clamp4(high, lo, hi), magic));
        return vaddq_s16(vcombine_s16(vmovn_s32(a), vmovn_s32(b)), zero_point);
#endif
    }
    FW_ALWAYS_INLINE int8x16_t bytes(int16x8_t low, int16x8_t high) const {
#if defined(__aarch64__)
        return vminq_s8(vmaxq_s8(narrow(low, high), lo), hi);
#else
        return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
#endif
    }
    FW_ALWAYS_INLINE int8x16_t bytes(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d) const {
        return bytes(words(a, b), words(c, d));
    }
};

#if defined(__aarch64__)

/// What a jump through a register in assembly arrives at.
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define FW_JUMP_TARGET "hint #36\n"  // bti j
#else
#define FW_JUMP_TARGET ""
#endif

/// ByteOutput, and whether zero point and bounds allow a shorter way: a rounded value goes to 8.24 bits, whose
/// saturation is that of its upper byte.
struct UpperByteOutput : ByteOutput {
    enum class Kind : uint8_t { kOther, kPositive, kBounded, kSigned };
    Kind kind = Kind::kOther;
    uint8x16_t finish;  ///< kPositive, kBounded: xor; kSigned: least byte
    uint8x16_t most;    ///< kBounded: before the xor; kernels load it with `finish`

    explicit FW_ALWAYS_INLINE UpperByteOutput(const Epilogue& e)
        : ByteOutput(e), finish(vreinterpretq_u8_s8(lo)), most(finish) {
        if (e.float_output) {
            return;
        }
        if (e.zero_point == -128 && e.lo == 0.0F && e.hi >= 0.0F && e.hi <= 255.0F) {
            kind = e.hi == 255.0F ? Kind::kPositive : Kind::kBounded;
            most = vdupq_n_u8(static_cast<uint8_t>(e.hi));
            finish = vdupq_n_u8(128);
        } else if (e.zero_point == 0 && e.hi == 127.0F) {
            kind = Kind::kSigned;
        }
    }
};

/// UpperByteOutput for assembly: what makes outputs of scaled sums, in the order in which it is loaded.
struct LoadedOutput : UpperByteOutput {
    uint8x16_t upper_bytes;
    uint8x16_t last = finish;  ///< xor or least byte
    uint8x16_t bound = most;
    float32x4_t least_float;
    float32x4_t most_float;

    explicit FW_ALWAYS_INLINE LoadedOutput(const Epilogue& e)
        : UpperByteOutput(e),
          upper_bytes(vcombine_u8(vcreate_u8(0x1f1b17130f0b0703), vcreate_u8(0x3f3b37332f2b2723))),
          least_float(vdupq_n_f32(e.lo)),
          most_float(vdupq_n_f32(e.hi)) {}
};

#endif

#if defined(__aarch64__)

/// Upper bytes of the words of four vectors.
FW_ALWAYS_INLINE int8x16_t upper_bytes(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d) {
    alignas(16) static constexpr uint8_t kUpperBytes[16] = {3,  7,  11, 15, 19, 23, 27, 31,
                                                            35, 39, 43, 47, 51, 55, 59, 63};
    const uint8x16x4_t all = {
        {vreinterpretq_u8_u32(a), vreinterpretq_u8_u32(b), vreinterpretq_u8_u32(c), vreinterpretq_u8_u32(d)}};
    return vreinterpretq_s8_u8(vqtbl4q_u8(all, vld1q_u8(kUpperBytes)));
}

#endif

/// Writes the first `count` bytes of `x`, at most 16; none if count <= 0.
FW_ALWAYS_INLINE void store_bytes(int8x16_t x, void* out, int64_t count) {
    auto* to = static_cast<int8_t*>(out);
    if (count >= 16) {
        vst1q_s8(to, x);
    } else if (count > 0) {
        int8_t rest[16];
        vst1q_s8(rest, x);
        std::memcpy(to, rest, static_cast<size_t>(count));
    }
}

/// Writes the first `count` floats of `x`, at most 4; none if count <= 0.
FW_ALWAYS_INLINE void store_floats(float32x4_t x, void* out, int64_t count) {
    auto* to = static_cast<float*>(out);
    if (count >= 4) {
        vst1q_f32(to, x);
    } else if (count > 0) {
        float rest[4];
        vst1q_f32(rest, x);
        std::memcpy(to, rest, static_cast<size_t>(count) * 4);
    }
}

}  // namespace
}  // namespace fw
