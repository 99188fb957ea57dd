// The epilogue of the int8 GEMM kernels: rows of up to three vectors of accumulators.
#pragma once

#include "kernel/gemm_block_driver.h"
#include "layer/arm/gemm_words.h"

namespace fw {
namespace {

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

/// Float rows, and those of a tile that is cut off: sums[row][4 * kVectors].
template <int kVectors>
__attribute__((noinline)) void store_rows(const GemmArgs& args, const ByteOutput& output, const int32_t* sums,
                                          const float* multiplier, int64_t column) {
    const float32x4_t lo = vdupq_n_f32(args.epilogue.lo);
    const float32x4_t hi = vdupq_n_f32(args.epilogue.hi);
    if (args.epilogue.float_output && column + 4 * kVectors <= args.n) {
        float32x4_t m[kVectors];
        load_adjacent(multiplier, m);
        for (int64_t r = 0; r < args.m; ++r, sums += 4 * kVectors) {
            auto* to = reinterpret_cast<float*>(out_row(args, r)) + column;
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                vst1q_f32(to + 4 * v, clamp4(vmulq_f32(vcvtq_f32_s32(vld1q_s32(sums + 4 * v)), m[v]), lo, hi));
            });
        }
        return;
    }
    for (int64_t r = 0; r < args.m; ++r, sums += 4 * kVectors) {
        int64_t at = column;
        for (int v = 0; v < kVectors; ++v, at += 4) {
            const float32x4_t x = vmulq_f32(vcvtq_f32_s32(vld1q_s32(sums + 4 * v)), vld1q_f32(multiplier + 4 * v));
            const int64_t count = args.n - at < 4 ? args.n - at : 4;
            if (args.epilogue.float_output) {
                store_floats(clamp4(x, lo, hi), reinterpret_cast<float*>(out_row(args, r)) + at, count);
            } else {
                store_bytes(output.bytes(x, x, x, x), out_row(args, r) + at, count);
            }
        }
    }
}

/// Stores a tile; tile.row(r, x) gives the kVectors vectors of a row.
template <int kRows, int kVectors, class T>
FW_ALWAYS_INLINE void store_tile(const T& tile, const GemmArgs& args, const ByteOutput& output, const float* multiplier,
                                 int64_t column) {
    if constexpr (kRows >= 4) {
        if (args.m == kRows && column + 4 * kVectors <= args.n && !args.epilogue.float_output) {
            float32x4_t m[kVectors];
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { m[v] = vld1q_f32(multiplier + 4 * v); });
            unroll<kRows / 4>([&](auto group) FW_INLINE_LAMBDA {
                float32x4_t x[4][kVectors];
                char* to[4];
                unroll<4>([&](auto r) FW_INLINE_LAMBDA {
                    int32x4_t acc[kVectors];
                    tile.template row<4 * int(group) + int(r)>(acc);
                    unroll<kVectors>([&](auto v)
                                         FW_INLINE_LAMBDA { x[r][v] = vmulq_f32(vcvtq_f32_s32(acc[v]), m[v]); });
                    to[r] = out_row(args, 4 * group + r) + column;
                });
                store_four_rows<kVectors>(output, x, to);
            });
            return;
        }
    }
    int32_t sums[kRows * kVectors * 4];
    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
        int32x4_t acc[kVectors];
        tile.template row<int(r)>(acc);
        unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { vst1q_s32(&sums[4 * (kVectors * r + v)], acc[v]); });
    });
    store_rows<kVectors>(args, output, sums, multiplier, column);
}

}  // namespace
}  // namespace fw
