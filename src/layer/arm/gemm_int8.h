// The epilogue of the int8 GEMM kernels: rows of up to three vectors of accumulators.
#pragma once

#include "kernel/gemm_block_driver.h"
#include "layer/arm/gemm_words.h"

namespace fw {
namespace {

/// The first 4, 8 or 12 bytes of `x`, whole, or `count` of them.
template <int kBytes>
FW_ALWAYS_INLINE void store_columns(int8x16_t x, void* out, int64_t count) {
    auto* to = static_cast<char*>(out);
    if (count < kBytes) {
        store_bytes(x, to, count);
        return;
    }
    if constexpr (kBytes == 4) {
        vst1q_lane_s32(reinterpret_cast<int32_t*>(to), vreinterpretq_s32_s8(x), 0);
    } else {
        vst1_s8(reinterpret_cast<int8_t*>(to), vget_low_s8(x));
    }
    if constexpr (kBytes == 12) {
        vst1q_lane_s32(reinterpret_cast<int32_t*>(to + 8), vreinterpretq_s32_s8(x), 2);
    }
}

/// Whole rows of 4, 8 or 12 bytes: no register is narrowed half empty.
template <int kVectors>
FW_ALWAYS_INLINE void store_four_rows(const ByteOutput& output, const float32x4_t (&x)[4][kVectors], char* const* to) {
    if constexpr (kVectors > 1) {
        unroll<2>([&](auto half) FW_INLINE_LAMBDA {
            const int8x16_t two = output.bytes(x[2 * half][0], x[2 * half][1], x[2 * half + 1][0], x[2 * half + 1][1]);
            vst1_s8(reinterpret_cast<int8_t*>(to[2 * half]), vget_low_s8(two));
            vst1_s8(reinterpret_cast<int8_t*>(to[2 * half + 1]), vget_high_s8(two));
        });
    }
    if constexpr (kVectors != 2) {
        constexpr int kLast = kVectors - 1;
        const int32x4_t four = vreinterpretq_s32_s8(output.bytes(x[0][kLast], x[1][kLast], x[2][kLast], x[3][kLast]));
        unroll<4>([&](auto r)
                      FW_INLINE_LAMBDA { vst1q_lane_s32(reinterpret_cast<int32_t*>(to[r] + 4 * kLast), four, r); });
    }
}

/// Stores a tile; tile.row(r, x) gives the kVectors vectors of a row.
template <int kRows, int kVectors, class T>
FW_ALWAYS_INLINE void store_tile(const T& tile, const GemmArgs& args, const ByteOutput& output, const float* multiplier,
                                 int64_t column) {
    float32x4_t m[kVectors];
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { m[v] = vld1q_f32(multiplier + 4 * v); });
    const int64_t columns = args.n - column;
    const int64_t rows = args.m;
    void* const* out = args.out;
    const auto scaled = [&](auto r, float32x4_t* x) FW_INLINE_LAMBDA {
        int32x4_t acc[kVectors];
        tile.template row<int(r)>(acc);
        unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { x[v] = vmulq_f32(vcvtq_f32_s32(acc[v]), m[v]); });
    };
    if (args.epilogue.float_output) {
        const float32x4_t lo = vdupq_n_f32(args.epilogue.lo);
        const float32x4_t hi = vdupq_n_f32(args.epilogue.hi);
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            float32x4_t x[kVectors];
            scaled(r, x);
            if (r < rows) {
                unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                    store_floats(clamp4(x[v], lo, hi), static_cast<float*>(out[r]) + column + 4 * v, columns - 4 * v);
                });
            }
        });
        return;
    }
    if constexpr (kRows >= 4) {
        if (rows == kRows && columns >= 4 * kVectors) {
            unroll<kRows / 4>([&](auto group) FW_INLINE_LAMBDA {
                float32x4_t x[4][kVectors];
                char* to[4];
                unroll<4>([&](auto r) FW_INLINE_LAMBDA {
                    scaled(Index<4 * int(group) + int(r)>(), x[r]);
                    to[r] = static_cast<char*>(out[4 * group + r]) + column;
                });
                store_four_rows<kVectors>(output, x, to);
            });
            return;
        }
    }
    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
        float32x4_t x[kVectors];
        scaled(r, x);
        if (r < rows) {
            const int16x8_t low = output.words(x[0], x[kVectors > 1 ? 1 : 0]);
            const int16x8_t high = kVectors > 2 ? output.words(x[kVectors - 1], x[kVectors - 1]) : low;
            store_columns<4 * kVectors>(output.bytes(low, high), static_cast<char*>(out[r]) + column, columns);
        }
    });
}

}  // namespace
}  // namespace fw
