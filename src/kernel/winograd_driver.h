// The transforms of Winograd's F(4x4, 3x3) and F(6x6, 3x3): channels are adjacent, so every lane does the same sums.
// Included by each kernel file and compiled with its flags.
//
// A trait K has: Pixel, the type of the input; In and Out, registers of the compilers' vector types for the planes
// before and after the matrix products; kInt8, and
//   In load(const Pixel*)                                              as many channels as In has
//   Words                                                              int8: a register of as many uint16_t
//   Output                                                             constants of an Epilogue, from which it is made
//   void store(const Output&, const WinogradOutputArgs&, int64_t c, const Out (&sum)[kSize], void* const* pixels,
//   int64_t
//       count)      bias and epilogue of a column, `count` channels from c on; pixels that are nullptr are left out
#pragma once

#include <type_traits>

#include "kernel/functions.h"
#include "kernel/kernel.h"

namespace fw {
namespace {

template <class V>
using Lane = std::remove_cv_t<std::remove_reference_t<decltype(V{}[0])>>;
template <class V>
constexpr int64_t kLanesOf = sizeof(V) / sizeof(Lane<V>);

/// B^T d for t = 6.
template <class V>
FW_ALWAYS_INLINE void to_frequencies(const V (&d)[6], V (&out)[6]) {
    constexpr Lane<V> k2 = 2;
    constexpr Lane<V> k4 = 4;
    const V a = d[4] - k4 * d[2];
    const V b = d[3] - k4 * d[1];
    const V c = d[4] - d[2];
    const V e = k2 * (d[3] - d[1]);
    out[0] = c + k4 * (d[0] - d[2]);
    out[1] = a + b;
    out[2] = a - b;
    out[3] = c + e;
    out[4] = c - e;
    out[5] = d[5] - d[3] - k2 * e;
}

/// A^T m for t = 6.
template <class V>
FW_ALWAYS_INLINE void from_frequencies(const V (&m)[6], V (&out)[4]) {
    constexpr Lane<V> k2 = 2;
    constexpr Lane<V> k4 = 4;
    constexpr Lane<V> k8 = 8;
    const V even1 = m[1] + m[2];
    const V odd1 = m[1] - m[2];
    const V even2 = m[3] + m[4];
    const V odd2 = m[3] - m[4];
    out[0] = m[0] + even1 + even2;
    out[1] = odd1 + k2 * odd2;
    out[2] = even1 + k4 * even2;
    out[3] = odd1 + k8 * odd2 + m[5];
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
FW_ALWAYS_INLINE V load_lanes(const void* from) {
    V v;
    std::memcpy(&v, from, sizeof(V));
    return v;
}

/// int8: what comes back is 576 times the convolution's sum, modulo 2^32. The sum is below 2^25 (winograd_fits), so 64
/// times it has all of it: multiplied by the inverse of 9, then shifted.
constexpr uint32_t kWinogradNinth = 0x38e38e39U;  // 9 * kWinogradNinth = 1 modulo 2^32
constexpr int kWinogradShift = 6;

/// max(x, lo), then min with hi; NaN stays, for which both comparisons are false.
struct ClampByChoice {
    template <class V>
    static FW_ALWAYS_INLINE V run(V x, V lo, V hi) {
        x = x < lo ? lo : x;
        return x > hi ? hi : x;
    }
};

/// The trait of float, for registers V of any width; Clamp as ClampByChoice.
template <class V, class Clamp = ClampByChoice>
struct WinogradFloat {
    using Pixel = float;
    using In = V;
    using Out = V;
    static constexpr bool kInt8 = false;

    using Output = Epilogue;

    static FW_ALWAYS_INLINE V load(const float* pixel) { return load_lanes<V>(pixel); }
    template <int kSize>
    static FW_ALWAYS_INLINE void store(const Epilogue& epilogue, const WinogradOutputArgs& args, int64_t c,
                                       const V (&sum)[kSize], void* const* pixels, int64_t count) {
        const V lo = all_lanes<V>(epilogue.lo);
        const V hi = all_lanes<V>(epilogue.hi);
        const V bias = load_lanes<V>(static_cast<const float*>(args.bias) + c);
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            if (pixels[y] == nullptr) {
                return;
            }
            const V x = Clamp::run(V(sum[y] + bias), lo, hi);
            auto* to = static_cast<float*>(pixels[y]) + c;
            if (count == kLanesOf<V>) {
                std::memcpy(to, &x, sizeof(V));
            } else {
                std::memcpy(to, &x, static_cast<size_t>(count) * sizeof(float));
            }
        });
    }
};

/// B^T d B of one tile: columns first.
template <class K, int kSize>
void winograd_input(const WinogradInputArgs& args) {
    using V = typename K::In;
    constexpr int kTile = kSize + 2;
    const auto* const* pixels = reinterpret_cast<const typename K::Pixel* const*>(args.pixels);
    const int64_t plane = args.plane;
    V columns[kTile][kTile];
    for (int64_t c = 0; c < args.channels; c += kLanesOf<V>) {
        for (int x = 0; x < kTile; ++x) {
            V d[kTile];
            V f[kTile];
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { d[y] = K::load(pixels[y * kTile + x] + c); });
            to_frequencies(d, f);
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { columns[y][x] = f[y]; });
        }
        char* out = static_cast<char*>(args.out) + c * static_cast<int64_t>(sizeof(Lane<V>));
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

/// A^T m A of one tile, and the epilogue.
template <class K, int kSize>
void winograd_output(const WinogradOutputArgs& args) {
    using V = typename K::Out;
    constexpr int kTile = kSize + 2;
    constexpr Lane<V> kLast = K::kInt8 ? 4 : 1;  // what the last frequency's integer weights lack (winograd.cpp)
    const typename K::Output output(args.epilogue);
    const int64_t plane = args.plane;
    V rows[kTile][kSize];
    for (int64_t c = 0; c < args.channels; c += kLanesOf<V>) {
        const char* in = static_cast<const char*>(args.in) + c * static_cast<int64_t>(sizeof(Lane<V>));
        for (int y = 0; y < kTile; ++y) {
            V m[kTile];
            V f[kSize];
            unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
                m[x] = load_lanes<V>(in);
                in += plane;
            });
            m[kTile - 1] = m[kTile - 1] * kLast;
            from_frequencies(m, f);
            unroll<kSize>([&](auto x) FW_INLINE_LAMBDA { rows[y][x] = f[x]; });
        }
        const int64_t left = args.channels - c;
        const int64_t count = left < kLanesOf<V> ? left : kLanesOf<V>;
        for (int x = 0; x < kSize; ++x) {
            V m[kTile];
            V f[kSize];
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { m[y] = rows[y][x]; });
            m[kTile - 1] = m[kTile - 1] * kLast;
            from_frequencies(m, f);
            void* pixels[kSize];
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { pixels[y] = args.pixels[y * kSize + x]; });
            K::store(output, args, c, f, pixels, count);
        }
    }
}

/// One way of a filter into six frequencies: 24 times G of Lavin and Gray, the last one 6 times; what comes of it is
/// taken 4 times. Parts of a sum may leave 16 bits, the sum does not.
template <class V>
FW_ALWAYS_INLINE void filter_frequencies(const V& a, const V& b, const V& c, V (&out)[6]) {
    constexpr Lane<V> k2 = 2;
    constexpr Lane<V> k4 = 4;
    constexpr Lane<V> k6 = 6;
    const V even = a + c;
    const V far = a + k4 * c;
    const V odd = k2 * b;
    out[0] = k6 * a;
    out[1] = k4 * (V{} - even - b);
    out[2] = k4 * (b - even);
    out[3] = far + odd;
    out[4] = far - odd;
    out[5] = k6 * c;
}

template <class K>
void winograd_filter(const WinogradFilterArgs& args) {
    using V = typename K::Words;
    static_assert(sizeof(V) == sizeof(typename K::In), "`lanes` are those of both");
    for (int64_t i = 0; i < args.words; i += kLanesOf<V>) {
        V columns[3][6];
        unroll<3>([&](auto x) FW_INLINE_LAMBDA {
            const uint16_t* tap = args.taps + x * args.tap_step + i;
            filter_frequencies(load_lanes<V>(tap), load_lanes<V>(tap + 3 * args.tap_step),
                               load_lanes<V>(tap + 6 * args.tap_step), columns[x]);
        });
        char* out = static_cast<char*>(args.out) + i * static_cast<int64_t>(sizeof(uint16_t));
        for (int y = 0; y < 6; ++y) {
            V row[6];
            filter_frequencies(columns[0][y], columns[1][y], columns[2][y], row);
            unroll<6>([&](auto x) FW_INLINE_LAMBDA {
                std::memcpy(out, &row[x], sizeof(V));
                out += args.plane;
            });
        }
    }
}

using WinogradFilter = void (*)(const WinogradFilterArgs& args);

template <class K>
constexpr WinogradFilter filter_of() {
    if constexpr (K::kInt8) {
        return winograd_filter<K>;
    } else {
        return nullptr;
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait K and tiles of `size` outputs a side.
#define FW_DEFINE_WINOGRAD(id, isa, K, size)                                         \
    extern const ::fw::WinogradKernel id = {#id,                                     \
                                            ::fw::Isa::isa,                          \
                                            K::kInt8,                                \
                                            size,                                    \
                                            static_cast<int>(::fw::kLanesOf<K::In>), \
                                            ::fw::winograd_input<K, size>,           \
                                            ::fw::winograd_output<K, size>,          \
                                            ::fw::filter_of<K>()};
