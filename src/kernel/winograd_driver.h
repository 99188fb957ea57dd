// The transforms of Winograd's F(4x4, 3x3) and F(6x6, 3x3) for registers V of any width: channels are adjacent, so
// every lane does the same sums. Included by each kernel file and compiled with its flags.
#pragma once

#include "kernel/functions.h"
#include "kernel/kernel.h"

namespace fw {
namespace {

/// B^T d for t = 6.
template <class V>
FW_ALWAYS_INLINE void to_frequencies(const V (&d)[6], V (&out)[6]) {
    const V a = d[4] - 4.0F * d[2];
    const V b = d[3] - 4.0F * d[1];
    const V c = d[4] - d[2];
    const V e = 2.0F * (d[3] - d[1]);
    out[0] = 4.0F * d[0] - 5.0F * d[2] + d[4];
    out[1] = a + b;
    out[2] = a - b;
    out[3] = c + e;
    out[4] = c - e;
    out[5] = 4.0F * d[1] - 5.0F * d[3] + d[5];
}

/// A^T m for t = 6.
template <class V>
FW_ALWAYS_INLINE void from_frequencies(const V (&m)[6], V (&out)[4]) {
    const V even1 = m[1] + m[2];
    const V odd1 = m[1] - m[2];
    const V even2 = m[3] + m[4];
    const V odd2 = m[3] - m[4];
    out[0] = m[0] + even1 + even2;
    out[1] = odd1 + 2.0F * odd2;
    out[2] = even1 + 4.0F * even2;
    out[3] = odd1 + 8.0F * odd2 + m[5];
}

/// B^T d for t = 8.
template <class V>
FW_ALWAYS_INLINE void to_frequencies(const V (&d)[8], V (&out)[8]) {
    const V even1 = d[2] + d[6] - 4.25F * d[4];
    const V odd1 = d[1] + d[5] - 4.25F * d[3];
    const V even2 = 0.25F * d[2] - 1.25F * d[4] + d[6];
    const V odd2 = 0.5F * d[1] - 2.5F * d[3] + 2.0F * d[5];
    const V even3 = 4.0F * d[2] - 5.0F * d[4] + d[6];
    const V odd3 = 2.0F * d[1] - 2.5F * d[3] + 0.5F * d[5];
    out[0] = d[0] - d[6] + 5.25F * (d[4] - d[2]);
    out[1] = even1 + odd1;
    out[2] = even1 - odd1;
    out[3] = even2 + odd2;
    out[4] = even2 - odd2;
    out[5] = even3 + odd3;
    out[6] = even3 - odd3;
    out[7] = d[7] - d[1] + 5.25F * (d[3] - d[5]);
}

/// A^T m for t = 8.
template <class V>
FW_ALWAYS_INLINE void from_frequencies(const V (&m)[8], V (&out)[6]) {
    const V even1 = m[1] + m[2];
    const V odd1 = m[1] - m[2];
    const V even2 = m[3] + m[4];
    const V odd2 = m[3] - m[4];
    const V even3 = m[5] + m[6];
    const V odd3 = m[5] - m[6];
    out[0] = m[0] + even1 + even2 + even3;
    out[1] = odd1 + 2.0F * odd2 + 0.5F * odd3;
    out[2] = even1 + 4.0F * even2 + 0.25F * even3;
    out[3] = odd1 + 8.0F * odd2 + 0.125F * odd3;
    out[4] = even1 + 16.0F * even2 + 0.0625F * even3;
    out[5] = odd1 + 32.0F * odd2 + 0.03125F * odd3 + m[7];
}

template <class V>
FW_ALWAYS_INLINE V load_lanes(const float* from) {
    V v;
    std::memcpy(&v, from, sizeof(V));
    return v;
}

/// B^T d B of one tile: columns first.
template <class V, int kSize>
void winograd_input(const WinogradInputArgs& args) {
    constexpr int kTile = kSize + 2;
    constexpr int64_t kLanes = sizeof(V) / sizeof(float);
    const float* const* pixels = args.pixels;
    const int64_t plane = args.plane;
    V columns[kTile][kTile];
    for (int64_t c = 0; c < args.channels; c += kLanes) {
        for (int x = 0; x < kTile; ++x) {
            V d[kTile];
            V f[kTile];
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { d[y] = load_lanes<V>(pixels[y * kTile + x] + c); });
            to_frequencies(d, f);
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { columns[y][x] = f[y]; });
        }
        float* out = args.out + c;
        for (int y = 0; y < kTile; ++y) {
            V d[kTile];
            V f[kTile];
            unroll<kTile>([&](auto x) FW_INLINE_LAMBDA { d[x] = columns[y][x]; });
            to_frequencies(d, f);
            unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
                std::memcpy(out, &f[x], sizeof(V));
                out += plane;
            });
        }
    }
}

/// A^T m A of one tile, bias and bounds.
template <class V, int kSize>
void winograd_output(const WinogradOutputArgs& args) {
    constexpr int kTile = kSize + 2;
    constexpr int64_t kLanes = sizeof(V) / sizeof(float);
    float* const* pixels = args.pixels;
    const int64_t plane = args.plane;
    const V lo = all_lanes<V>(args.lo);
    const V hi = all_lanes<V>(args.hi);
    V rows[kTile][kSize];
    for (int64_t c = 0; c < args.channels; c += kLanes) {
        const float* in = args.in + c;
        for (int y = 0; y < kTile; ++y) {
            V m[kTile];
            V f[kSize];
            unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
                m[x] = load_lanes<V>(in);
                in += plane;
            });
            from_frequencies(m, f);
            unroll<kSize>([&](auto x) FW_INLINE_LAMBDA { rows[y][x] = f[x]; });
        }
        const V bias = load_lanes<V>(args.bias + c);
        const int64_t left = args.channels - c;
        const size_t bytes = static_cast<size_t>(left < kLanes ? left : kLanes) * sizeof(float);
        for (int x = 0; x < kSize; ++x) {
            V m[kTile];
            V f[kSize];
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { m[y] = rows[y][x]; });
            from_frequencies(m, f);
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
                float* to = pixels[y * kSize + x];
                if (to != nullptr) {
                    V value = f[y] + bias;
                    value = value < lo ? lo : value;  // both comparisons are false for NaN, which stays
                    value = value > hi ? hi : value;
                    if (bytes == sizeof(V)) {
                        std::memcpy(to + c, &value, sizeof(V));
                    } else {
                        std::memcpy(to + c, &value, bytes);
                    }
                }
            });
        }
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of registers V and tiles of `size` outputs a side.
#define FW_DEFINE_WINOGRAD(id, isa, V, size)                                             \
    extern const ::fw::WinogradKernel id = {#id,                                         \
                                            ::fw::Isa::isa,                              \
                                            size,                                        \
                                            static_cast<int>(sizeof(V) / sizeof(float)), \
                                            ::fw::winograd_input<V, size>,               \
                                            ::fw::winograd_output<V, size>};
