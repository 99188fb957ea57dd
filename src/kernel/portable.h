// Registers of four lanes in the compilers' portable vector type, for the scalar level: SSE2 on x86, NEON on ARM, plain
// registers elsewhere.
#pragma once

#include <cstring>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

using Float4 = float __attribute__((vector_size(16)));
using Int4 = int32_t __attribute__((vector_size(16)));
using Byte4 = int8_t __attribute__((vector_size(4)));

template <class V>
FW_ALWAYS_INLINE V load_as(const void* from) {
    V v;
    std::memcpy(&v, from, sizeof(V));
    return v;
}

FW_ALWAYS_INLINE Int4 load_bytes(const void* from) {
    return __builtin_convertvector(load_as<Byte4>(from), Int4);
}

FW_ALWAYS_INLINE Float4 clamp4(Float4 x, const Epilogue& e) {
    const Float4 lo = {e.lo, e.lo, e.lo, e.lo};
    const Float4 hi = {e.hi, e.hi, e.hi, e.hi};
    x = x < lo ? lo : x;  // both comparisons are false for NaN, which stays
    return x > hi ? hi : x;
}

FW_ALWAYS_INLINE void store_floats(Float4 x, void* out, int64_t count) {
    std::memcpy(out, &x, static_cast<size_t>(count) * 4);
}

/// rne(x) for |x| far below 2^22: adding 1.5 * 2^23 leaves x rounded half to even in the low bits of the sum.
FW_ALWAYS_INLINE int32_t round_half_even_small(float x) {
    const float magic = 12582912.0F;
    const float sum = x + magic;
    return load_as<int32_t>(&sum) - load_as<int32_t>(&magic);
}

/// Rounds, adds the zero point and stores `count` bytes. |x| is far below 2^22 here, so adding and taking away 1.5 *
/// 2^23 leaves x rounded half to even in the low bits of the sum.
FW_ALWAYS_INLINE void store_int8(Float4 x, const Epilogue& e, void* out, int64_t count) {
    const Float4 magic = {12582912.0F, 12582912.0F, 12582912.0F, 12582912.0F};
    const Float4 sum = x + magic;
    const Int4 q = load_as<Int4>(&sum) - load_as<Int4>(&magic) + e.zero_point;
    const Byte4 bytes = __builtin_convertvector(q, Byte4);
    std::memcpy(out, &bytes, static_cast<size_t>(count));
}

FW_ALWAYS_INLINE void store_accumulators(const Epilogue& e, Int4 acc, const float* multiplier, void* out,
                                         int64_t count) {
    const Float4 x = clamp4(__builtin_convertvector(acc, Float4) * load_as<Float4>(multiplier), e);
    if (e.float_output) {
        store_floats(x, out, count);
    } else {
        store_int8(x, e, out, count);
    }
}

}  // namespace
}  // namespace fw
