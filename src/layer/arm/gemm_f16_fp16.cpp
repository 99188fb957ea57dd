// Products of half floats: fmla by element on eight columns. A register of A holds eight elements of one row, so that
// rows are converted and not transposed.
#include "kernel/gemm_block_driver.h"
#include "layer/arm/gemm_words.h"

namespace fw {

namespace {

/// acc + b * a[kLane]. An instruction by itself: GCC 12 repeats the element in a register first.
template <int kLane>
FW_ALWAYS_INLINE void add_product(float16x8_t* acc, float16x8_t b, float16x8_t a) {
    __asm__("fmla %0.8h, %1.8h, %2.h[%c3]" : "+w"(*acc) : "w"(b), "x"(a), "i"(kLane));
}

// acc = the sums of `eights` times eight steps of eight rows by two vectors, instruction by instruction: GCC 12 copies
// elements of A to other registers, as only v0 to v15 can be indexed. A v0 to v7, a row each; B v24 to v31, four steps.
// clang-format off
#define FW_FMLA_ROWS(b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                      \
    "fmla %" c0 ".8h, v" b ".8h, v0.h[" step "]\n fmla %" c1 ".8h, v" b ".8h, v1.h[" step "]\n"                    \
    "fmla %" c2 ".8h, v" b ".8h, v2.h[" step "]\n fmla %" c3 ".8h, v" b ".8h, v3.h[" step "]\n"                    \
    "fmla %" c4 ".8h, v" b ".8h, v4.h[" step "]\n fmla %" c5 ".8h, v" b ".8h, v5.h[" step "]\n"                    \
    "fmla %" c6 ".8h, v" b ".8h, v6.h[" step "]\n fmla %" c7 ".8h, v" b ".8h, v7.h[" step "]\n"
#define FW_FMLA_STEP(step, b0, b1)                                                                                 \
    FW_FMLA_ROWS(b0, step, "0", "2", "4", "6", "8", "10", "12", "14")                                              \
    FW_FMLA_ROWS(b1, step, "1", "3", "5", "7", "9", "11", "13", "15")
#define FW_ZEROS(c0, c1, c2, c3)                                                                                   \
    "movi %" c0 ".16b, #0\n movi %" c1 ".16b, #0\n movi %" c2 ".16b, #0\n movi %" c3 ".16b, #0\n"
#define FW_SUMS(r) "=w"(acc[r][0]), "=w"(acc[r][1])
FW_ALWAYS_INLINE void sum_eights(const float16_t*& a, const float16_t*& b, int64_t eights, float16x8_t (&acc)[8][2]) {
    __asm__(
        FW_ZEROS("0", "1", "2", "3") FW_ZEROS("4", "5", "6", "7") FW_ZEROS("8", "9", "10", "11")
        FW_ZEROS("12", "13", "14", "15")
        "cbz %[eights], 2f\n"
        "1:\n"
        "ld1 {v0.8h-v3.8h}, [%[a]], #64\n ld1 {v4.8h-v7.8h}, [%[a]], #64\n"
        "ld1 {v24.8h-v27.8h}, [%[b]], #64\n" FW_FMLA_STEP("0", "24", "25") FW_FMLA_STEP("1", "26", "27")
        "ld1 {v28.8h-v31.8h}, [%[b]], #64\n" FW_FMLA_STEP("2", "28", "29") FW_FMLA_STEP("3", "30", "31")
        "ld1 {v24.8h-v27.8h}, [%[b]], #64\n" FW_FMLA_STEP("4", "24", "25") FW_FMLA_STEP("5", "26", "27")
        "ld1 {v28.8h-v31.8h}, [%[b]], #64\n" FW_FMLA_STEP("6", "28", "29") FW_FMLA_STEP("7", "30", "31")
        "subs %[eights], %[eights], #1\n b.ne 1b\n"
        "2:\n"
        : FW_SUMS(0), FW_SUMS(1), FW_SUMS(2), FW_SUMS(3), FW_SUMS(4), FW_SUMS(5), FW_SUMS(6), FW_SUMS(7),
          [a] "+r"(a), [b] "+r"(b), [eights] "+r"(eights)
        :
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v24", "v25", "v26", "v27", "v28", "v29",
          "v30", "v31");
}
// clang-format on

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

/// The same of other tiles: the first rows of eight.
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

struct HalfFloats {
    using Element = float;
    using Packed = float16_t;
    using Output = Epilogue;
    static constexpr int kMr = 8, kLanes = 8, kVectors = 2, kKr = 1, kAdjacent = 8, kRows1 = 1;
    static constexpr bool kMarked = false;
    template <int kRows, int kWide>
    static constexpr bool kWhole = true;

    static FW_ALWAYS_INLINE void interleave(const float* const* rows, int64_t length, float16_t* out) {
        const float* at[kMr];
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { at[r] = rows[r]; });
        for (; length > 0; length -= kAdjacent) {
            round_four(at[0], at[1], at[2], at[3], out);
            round_four(at[4], at[5], at[6], at[7], out);
        }
    }

    template <int kRows, int kWide>
    struct Tile {
        static constexpr int kColumns = kLanes * kWide;

        float16x8_t acc[kRows][kWide];
        const float* bias = nullptr;

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
        FW_ALWAYS_INLINE void multiply(float16_t* a, const char* panel, int64_t length, const uint8_t* /*marks*/) {
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
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Epilogue& e, const float* /*multiplier*/,
                                    int64_t column) const {
            const float32x4_t lo = vdupq_n_f32(e.lo);
            const float32x4_t hi = vdupq_n_f32(e.hi);
            const int64_t columns = args.n - column;
            float32x4_t start[2 * kWide];
            load_adjacent(bias, start);
            const auto result = [&](auto r, float32x4_t(&row)[2 * kWide]) FW_INLINE_LAMBDA {
                unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                    row[2 * v] = vaddq_f32(start[2 * v], vcvt_f32_f16(vget_low_f16(acc[r][v])));
                    row[2 * v + 1] = vaddq_f32(start[2 * v + 1], vcvt_high_f32_f16(acc[r][v]));
                });
                unroll<2 * kWide>([&](auto v) FW_INLINE_LAMBDA { row[v] = clamp4(row[v], lo, hi); });
            };
            store_tile<kRows, 2 * kWide>(args, column, columns, result);
        }
    };
};

}  // namespace

FW_DEFINE_GEMM_BLOCK(gemm_f16_8x16_fp16, kFp16, HalfFloats)

}  // namespace fw
