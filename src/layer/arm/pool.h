// Maxima of bytes and floats.
#pragma once

#include "kernel/pool_driver.h"
#include "layer/arm/float_compare.h"

namespace fw {
namespace {

#if defined(__aarch64__)
#define FW_POOL_LOAD_4(suffix, type)                                             \
    static FW_ALWAYS_INLINE void load4(const char* p, Vec* out) {                \
        const auto four = vld1q_##suffix##_x4(reinterpret_cast<const type*>(p)); \
        unroll<4>([&](auto v) FW_INLINE_LAMBDA { out[v] = four.val[v]; });       \
    }
#else
#define FW_POOL_LOAD_4(suffix, type)
#endif

struct MaxInt8 {
    using Vec = int8x16_t;
    using Element = int8_t;
    static constexpr int64_t kBytes = 16;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return vld1q_s8(reinterpret_cast<const int8_t*>(p)); }
    FW_POOL_LOAD_4(s8, int8_t)
    static FW_ALWAYS_INLINE Vec set(int8_t x) { return vdupq_n_s8(x); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return vmaxq_s8(value, best); }
    static FW_ALWAYS_INLINE void store(Vec x, char* out, int64_t bytes) { store_bytes(x, out, bytes); }
};

struct MaxFloat {
    using Vec = float32x4_t;
    using Element = float;
    static constexpr int64_t kBytes = 16;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return vld1q_f32(reinterpret_cast<const float*>(p)); }
    FW_POOL_LOAD_4(f32, float)
    static FW_ALWAYS_INLINE Vec set(float x) { return vdupq_n_f32(x); }
    // A quiet NaN, the only kind that arithmetic makes, never wins: the greater number of IEEE 754 is the other one.
#if defined(__aarch64__)
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) {
        return vmaxnmq_f32(value, best);
    }
#else
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) {
        return vbslq_f32(greater4(value, best), value, best);
    }
#endif
    static FW_ALWAYS_INLINE void store(Vec x, char* out, int64_t bytes) {
        store_bytes(vreinterpretq_s8_f32(x), out, bytes);
    }
};

}  // namespace
}  // namespace fw
