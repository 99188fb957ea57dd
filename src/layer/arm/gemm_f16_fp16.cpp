// Products of half floats: fmla by element on eight columns. A register of A holds eight elements of one row, so that
// rows are converted and not transposed.
#include "layer/arm/block_halves.h"

namespace fw {

namespace {

/// acc + b * a[kLane]. An instruction by itself: GCC 12 repeats the element in a register first.
template <int kLane>
FW_ALWAYS_INLINE void add_product(float16x8_t* acc, float16x8_t b, float16x8_t a) {
    __asm__("fmla %0.8h, %1.8h, %2.h[%c3]" : "+w"(*acc) : "w"(b), "x"(a), "i"(kLane));
}

/// Eight elements of four rows, rounded; moves all addresses behind them.
FW_ALWAYS_INLINE void round_four(const float*& a, const float*& b, const float*& c, const float*& d, float16_t*& out) {
    __asm__ volatile(
        "ldp q0, q4, [%[a]], #32\n ldp q1, q5, [%[b]], #32\n ldp q2, q6, [%[c]], #32\n ldp q3, q7, [%[d]], #32\n"
        "fcvtn v0.4h, v0.4s\n fcvtn v1.4h, v1.4s\n fcvtn v2.4h, v2.4s\n fcvtn v3.4h, v3.4s\n"
        "fcvtn2 v0.8h, v4.4s\n fcvtn2 v1.8h, v5.4s\n fcvtn2 v2.8h, v6.4s\n fcvtn2 v3.8h, v7.4s\n"
        "st1 {v0.8h-v3.8h}, [%[out]], #64\n"
        : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [out] "+r"(out)
        :
        : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7");
}

/// One step: acc[row][vector] += b[vector] * va[row][kStep].
template <int kStep, int kRows, int kWide>
FW_ALWAYS_INLINE void add_step(const float16x8_t (&va)[kRows], const float16_t* b, float16x8_t (&acc)[kRows][kWide]) {
    unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
        const float16x8_t vb = vld1q_f16(b + 8 * v);
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { add_product<kStep>(&acc[r][v], vb, va[r]); });
    });
}

template <int kRows>
FW_ALWAYS_INLINE void load_rows(const float16_t* a, float16x8_t (&va)[kRows]) {
    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { va[r] = vld1q_f16(a + 8 * r); });
}

/// acc = the sums of `eights` times eight steps, for tiles of fewer than six rows.
template <int kRows, int kWide>
FW_ALWAYS_INLINE void sum_eights(const float16_t*& a, const float16_t*& b, int64_t eights,
                                 float16x8_t (&acc)[kRows][kWide]) {
    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
        unroll<kWide>([&](auto v) FW_INLINE_LAMBDA { acc[r][v] = vreinterpretq_f16_u16(vdupq_n_u16(0)); });
    });
    for (; eights > 0; --eights, a += 64) {
        float16x8_t va[kRows];
        load_rows(a, va);
        unroll<8>([&](auto s) FW_INLINE_LAMBDA {
            add_step<s>(va, b, acc);
            b += 8 * kWide;
        });
    }
}

FW_ALWAYS_INLINE void interleave_rounded(const float* const* rows, int64_t length, float16_t* out) {
    const float* at[8];
    unroll<8>([&](auto r) FW_INLINE_LAMBDA { at[r] = rows[r]; });
    for (; length > 0; length -= 8) {
        round_four(at[0], at[1], at[2], at[3], out);
        round_four(at[4], at[5], at[6], at[7], out);
    }
}

FW_ALWAYS_INLINE void interleave_halves(const float16_t* const* rows, int64_t length, float16_t* out) {
    length *= 2;  // bytes
    FW_INTERLEAVE_EIGHT("st1 {v0.8h-v3.8h}, [%[to]], #64\n st1 {v4.8h-v7.8h}, [%[to]], #64\n");
}

/// Rows of A are float or float16.
template <class T>
struct HalfFloats {
    using Element = T;
    using Packed = float16_t;
    using Output = HalfOutput;
    static constexpr int kMr = 8, kLanes = 8, kVectors = 2, kKr = 1, kAdjacent = 8, kRows1 = 1, kLeastEven = 6;
    using Rows = HalfRows;
    template <int kRows, int kWide>
    static constexpr bool kWhole = kRows < kLeastEven;
    template <int kRows, int kWide>
    static constexpr bool kFused = kRows >= kLeastEven;

    static FW_ALWAYS_INLINE void interleave(const T* const* rows, int64_t length, float16_t* out) {
        if constexpr (sizeof(T) == 2) {
            interleave_halves(rows, length, out);
        } else {
            interleave_rounded(rows, length, out);
        }
    }

    template <int kRows, int kWide>
    struct Tile {
        static constexpr int kColumns = kLanes * kWide;

        float16x8_t acc[kRows][kWide];
        const float* bias = nullptr;

        FW_ALWAYS_INLINE void run(const HalfRows& rows, const GemmArgs& args, const char* panel, int64_t column,
                                  int64_t count) {
            run_half_panels<kRows, kWide>(rows, args, panel, column, count);
        }
        /// acc = the sum of `length` products; moves `a` and `b` behind them.
        FW_ALWAYS_INLINE void sum_block(const float16_t*& a, const float16_t*& b, int64_t length) {
            sum_eights(a, b, length / 8, acc);
            if (length % 8 != 0) {
                float16x8_t va[kRows];
                load_rows(a, va);
#pragma GCC unroll 1
                for (int64_t p = 0; p < length % 8; ++p, b += kColumns) {
                    add_step<0>(va, b, acc);
                    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { va[r] = vextq_f16(va[r], va[r], 1); });
                }
            }
        }
        /// f(accumulator, its place in `sums`) of each.
        template <class F>
        FW_ALWAYS_INLINE void each(float16_t* sums, F&& f) {
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                unroll<kWide>([&](auto v) FW_INLINE_LAMBDA { f(acc[r][v], sums + 8 * (kWide * r + v)); });
            });
        }
        FW_ALWAYS_INLINE void multiply(float16_t* a, const char* panel, int64_t length) {
            const auto add = [](float16x8_t& x, const float16_t* at)
                                 FW_INLINE_LAMBDA { x = vaddq_f16(x, vld1q_f16(at)); };
            // Behind the rows is memory that only interleaving needs: for the sums of the blocks before.
            float16_t* sums = a + kMr * packed_row_pitch(length);
            bias = reinterpret_cast<const float*>(panel);
            const float16_t* from = a;
            const auto* b = reinterpret_cast<const float16_t*>(panel + kColumns * 4);
            const bool several = length > kHalfBlock;
            for (bool first = true; length > kHalfBlock; length -= kHalfBlock, first = false) {
                sum_block(from, b, kHalfBlock);
                if (!first) {
                    each(sums, add);
                }
                each(sums, [](float16x8_t x, float16_t* at) FW_INLINE_LAMBDA { vst1q_f16(at, x); });
            }
            sum_block(from, b, length);
            if (several) {
                each(sums, add);
            }
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const HalfOutput& output, const float* /*multiplier*/,
                                    int64_t column) const {
            const int64_t columns = args.n - column;
            float32x4_t start[2 * kWide];
            load_adjacent(bias, start);
            if (output.half) {
                store_half(args, output, start, column, columns);
                return;
            }
            const float32x4_t lo = vdupq_n_f32(output.bounds[0]);
            const float32x4_t hi = vdupq_n_f32(output.bounds[1]);
            const auto result = [&](auto r, float32x4_t(&row)[2 * kWide]) FW_INLINE_LAMBDA {
                unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                    row[2 * v] = vaddq_f32(start[2 * v], vcvt_f32_f16(vget_low_f16(acc[r][v])));
                    row[2 * v + 1] = vaddq_f32(start[2 * v + 1], vcvt_high_f32_f16(acc[r][v]));
                });
                unroll<2 * kWide>([&](auto v) FW_INLINE_LAMBDA { row[v] = clamp4(row[v], lo, hi); });
            };
            store_tile<kRows, 2 * kWide>(args, column, columns, result);
        }
        FW_ALWAYS_INLINE void store_half(const GemmArgs& args, const HalfOutput& output,
                                         const float32x4_t (&start)[2 * kWide], int64_t column, int64_t columns) const {
            const float16x8_t lo = vdupq_n_f16(output.half_bounds[0]);
            const float16x8_t hi = vdupq_n_f16(output.half_bounds[1]);
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                if (r >= args.m) {
                    return;
                }
                auto* out = reinterpret_cast<float16_t*>(out_row(args, r)) + column;
                unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                    const float16x8_t half_bias = vcvt_high_f16_f32(vcvt_f16_f32(start[2 * v]), start[2 * v + 1]);
                    const float16x8_t sum = vaddq_f16(acc[r][v], half_bias);
                    store_halves(vminq_f16(vmaxq_f16(sum, lo), hi), out + 8 * v, columns - 8 * v);
                });
            });
        }
    };
};

}  // namespace

FW_DEFINE_GEMM_BLOCK(gemm_f16_8x16_fp16, kFp16, HalfFloats<float>)
FW_DEFINE_GEMM_BLOCK(gemm_f16_8x16_half_fp16, kFp16, HalfFloats<float16_t>)

}  // namespace fw
