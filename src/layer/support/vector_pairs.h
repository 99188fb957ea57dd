// Operations of two runs of adjacent floats by registers: left to itself, GCC may make single floats of such a loop.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernel/functions.h"
#include "kernel/unroll.h"

namespace fw {
namespace {  // as in kernel/functions.h, whose registers these are

FW_ALWAYS_INLINE Float4 load_four(const float* from) {
    Float4 x;
    std::memcpy(&x, from, sizeof(x));
    return x;
}

/// out[i] = fn(a[i], b[i]) for i < n; fn takes two Float4 or two floats. 16 at a time, all loaded before any is stored:
/// `out` may be `a` or `b`.
template <class Fn>
void combine_pairs(const float* a, const float* b, int64_t n, float* out, Fn fn) {
    constexpr int kVectors = 4;
    constexpr int64_t kPiece = 4 * kVectors;
    int64_t i = 0;
    for (; i + kPiece <= n; i += kPiece) {
        Float4 value[kVectors];
        unroll<kVectors>([&](auto v)
                             FW_INLINE_LAMBDA { value[v] = fn(load_four(a + i + 4 * v), load_four(b + i + 4 * v)); });
        unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { std::memcpy(out + i + 4 * v, &value[v], sizeof(Float4)); });
    }
    for (; i < n; ++i) {
        out[i] = fn(a[i], b[i]);
    }
}

}  // namespace
}  // namespace fw
