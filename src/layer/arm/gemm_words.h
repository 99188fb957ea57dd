// Loads and transpositions that the GEMM kernels share.
#pragma once

#include "layer/arm/neon.h"

namespace fw {
namespace {

FW_ALWAYS_INLINE char* out_row(const GemmArgs& args, int64_t r) {
    return args.out_step != 0 ? static_cast<char*>(args.out[0]) + r * args.out_step : static_cast<char*>(args.out[r]);
}

/// kCount adjacent vectors, by one instruction where there is one for so many.
template <int kCount>
FW_ALWAYS_INLINE void load_adjacent(const int8_t* from, int8x16_t (&to)[kCount]) {
#if defined(__aarch64__)
    if constexpr (kCount == 4) {
        const int8x16x4_t v = vld1q_s8_x4(from);
        unroll<4>([&](auto i) FW_INLINE_LAMBDA { to[i] = v.val[i]; });
        return;
    } else if constexpr (kCount == 3) {
        const int8x16x3_t v = vld1q_s8_x3(from);
        unroll<3>([&](auto i) FW_INLINE_LAMBDA { to[i] = v.val[i]; });
        return;
    } else if constexpr (kCount == 2) {
        const int8x16x2_t v = vld1q_s8_x2(from);
        unroll<2>([&](auto i) FW_INLINE_LAMBDA { to[i] = v.val[i]; });
        return;
    }
#endif
    unroll<kCount>([&](auto i) FW_INLINE_LAMBDA { to[i] = vld1q_s8(from + 16 * i); });
}

/// The same for floats.
template <int kCount>
FW_ALWAYS_INLINE void load_adjacent(const float* from, float32x4_t (&to)[kCount]) {
    int8x16_t bytes[kCount];
    load_adjacent(reinterpret_cast<const int8_t*>(from), bytes);
    unroll<kCount>([&](auto i) FW_INLINE_LAMBDA { to[i] = vreinterpretq_f32_s8(bytes[i]); });
}

/// Writes the floats of a tile; result(row, vectors) gives those of a row. Whole tiles have no tests of their own rows.
template <int kRows, int kWide, class Result>
FW_ALWAYS_INLINE void store_tile(const GemmArgs& args, int64_t column, int64_t columns, const Result& result) {
    if (args.m >= kRows && columns >= 4 * kWide) {
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            float32x4_t row[kWide];
            result(r, row);
            float* out = reinterpret_cast<float*>(out_row(args, r)) + column;
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA { vst1q_f32(out + 4 * v, row[v]); });
        });
        return;
    }
    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
        if (r < args.m) {
            float32x4_t row[kWide];
            result(r, row);
            float* out = reinterpret_cast<float*>(out_row(args, r)) + column;
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA { store_floats(row[v], out + 4 * v, columns - 4 * v); });
        }
    });
}

/// The rows and columns that there are, of a tile that is cut off or whose outputs have no one distance.
template <int kColumns>
__attribute__((noinline)) void copy_rows(const GemmArgs& args, const float* sums, int64_t column) {
    const int64_t columns = args.n - column < kColumns ? args.n - column : kColumns;
    for (int64_t r = 0; r < args.m; ++r, sums += kColumns) {
        float* out = reinterpret_cast<float*>(out_row(args, r)) + column;
        for (int64_t c = 0; c < columns; c += 4) {
            store_floats(vld1q_f32(sums + c), out + c, columns - c);
        }
    }
}

/// Four words of four bytes of each of kRows rows, from element `p` on, to [word][row].
template <int kRows, class Element>
FW_ALWAYS_INLINE void interleave_words(const Element* const* rows, int64_t p, Element* out) {
    auto* to = reinterpret_cast<int32_t*>(out);
    unroll<kRows / 4>([&](auto group) FW_INLINE_LAMBDA {
        const auto load = [&](int r) FW_INLINE_LAMBDA {
            return vreinterpretq_s32_s8(vld1q_s8(reinterpret_cast<const int8_t*>(rows[4 * group + r] + p)));
        };
        const int32x4x2_t ab = vtrnq_s32(load(0), load(1));
        const int32x4x2_t cd = vtrnq_s32(load(2), load(3));
        unroll<2>([&](auto odd) FW_INLINE_LAMBDA {
            const int32x4_t low = vcombine_s32(vget_low_s32(ab.val[odd]), vget_low_s32(cd.val[odd]));
            const int32x4_t high = vcombine_s32(vget_high_s32(ab.val[odd]), vget_high_s32(cd.val[odd]));
            vst1q_s32(to + kRows * odd + 4 * group, low);
            vst1q_s32(to + kRows * (2 + odd) + 4 * group, high);
        });
    });
}

}  // namespace
}  // namespace fw
