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

/// What the tiles of eight rows have in common.
struct HalfRows {
    const float16_t* a;
    float16_t* sums;  ///< behind the rows is memory that only interleaving needs: for the sums of the blocks before
    int64_t length;
    int64_t blocks;  ///< before the last one
    int64_t eights;  ///< of the last one
    int64_t rest;
    bool whole;           ///< all rows are stored, at one distance
    int64_t bounds_used;  ///< 0: none, 1: the lower one, 2: both
    const float* bounds;  ///< lo, hi

    FW_ALWAYS_INLINE HalfRows(const GemmArgs& args, const Epilogue& e, int64_t sum_length, int64_t /*end_column*/)
        : a(static_cast<const float16_t*>(args.scratch)),
          sums(static_cast<float16_t*>(args.scratch) + 8 * packed_row_pitch(sum_length)),
          length(sum_length),
          blocks((length - 1) / kHalfBlock),
          eights((length - blocks * kHalfBlock) / 8),
          rest(length % 8),
          whole(args.out_step != 0),
          bounds_used(e.hi != __builtin_inff()    ? 2
                      : e.lo != -__builtin_inff() ? 1
                                                  : 0),
          bounds(&e.lo) {}
};
static_assert(offsetof(Epilogue, hi) == offsetof(Epilogue, lo) + sizeof(float), "one load reads both");

// Eight rows by two vectors or one, instruction by instruction: GCC 12 copies elements of A to other registers, as only
// v0 to v15 can be indexed. A v0 to v7, a row each; B v24 to v31, four or eight steps; sums from v8 on, [row][vector].
// clang-format off
#define FW_FMLA_ROWS(b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                      \
    "fmla v" c0 ".8h, v" b ".8h, v0.h[" step "]\n fmla v" c1 ".8h, v" b ".8h, v1.h[" step "]\n"                    \
    "fmla v" c2 ".8h, v" b ".8h, v2.h[" step "]\n fmla v" c3 ".8h, v" b ".8h, v3.h[" step "]\n"                    \
    "fmla v" c4 ".8h, v" b ".8h, v4.h[" step "]\n fmla v" c5 ".8h, v" b ".8h, v5.h[" step "]\n"                    \
    "fmla v" c6 ".8h, v" b ".8h, v6.h[" step "]\n fmla v" c7 ".8h, v" b ".8h, v7.h[" step "]\n"
#define FW_STEP_16(step, b0, b1)                                                                                   \
    FW_FMLA_ROWS(b0, step, "8", "10", "12", "14", "16", "18", "20", "22")                                          \
    FW_FMLA_ROWS(b1, step, "9", "11", "13", "15", "17", "19", "21", "23")
#define FW_STEP_8(step, b) FW_FMLA_ROWS(b, step, "8", "9", "10", "11", "12", "13", "14", "15")
#define FW_LOAD(registers, from) "ld1 {" registers "}, [%[" from "]], #64\n"
#define FW_LOAD_A FW_LOAD("v0.8h-v3.8h", "a") FW_LOAD("v4.8h-v7.8h", "a")
#define FW_LOAD_B_LOW FW_LOAD("v24.8h-v27.8h", "b")
#define FW_LOAD_B_HIGH FW_LOAD("v28.8h-v31.8h", "b")
#define FW_EIGHT_16                                                                                                \
    FW_LOAD_A FW_LOAD_B_LOW FW_STEP_16("0", "24", "25") FW_STEP_16("1", "26", "27")                                \
    FW_LOAD_B_HIGH FW_STEP_16("2", "28", "29") FW_STEP_16("3", "30", "31")                                         \
    FW_LOAD_B_LOW FW_STEP_16("4", "24", "25") FW_STEP_16("5", "26", "27")                                          \
    FW_LOAD_B_HIGH FW_STEP_16("6", "28", "29") FW_STEP_16("7", "30", "31")
#define FW_EIGHT_8                                                                                                 \
    FW_LOAD_A FW_LOAD_B_LOW FW_STEP_8("0", "24") FW_STEP_8("1", "25") FW_STEP_8("2", "26") FW_STEP_8("3", "27")    \
    FW_LOAD_B_HIGH FW_STEP_8("4", "28") FW_STEP_8("5", "29") FW_STEP_8("6", "30") FW_STEP_8("7", "31")
#define FW_ONE_16 "ld1 {v24.8h-v25.8h}, [%[b]], #32\n" FW_STEP_16("0", "24", "25")
#define FW_ONE_8 "ldr q24, [%[b]], #16\n" FW_STEP_8("0", "24")
#define FW_NEXT(n) "ext v" n ".16b, v" n ".16b, v" n ".16b, #2\n"
#define FW_EACH_4(op, n0, n1, n2, n3) op(n0) op(n1) op(n2) op(n3)
#define FW_NEXT_OF_ROWS FW_EACH_4(FW_NEXT, "0", "1", "2", "3") FW_EACH_4(FW_NEXT, "4", "5", "6", "7")
#define FW_ZERO(n) "movi v" n ".16b, #0\n"
#define FW_SUMS_8(op) FW_EACH_4(op, "8", "9", "10", "11") FW_EACH_4(op, "12", "13", "14", "15")
#define FW_SUMS_16(op) FW_SUMS_8(op) FW_EACH_4(op, "16", "17", "18", "19") FW_EACH_4(op, "20", "21", "22", "23")
#define FW_ADD_4(n0, n1, n2, n3)                                                                                   \
    FW_LOAD("v0.8h-v3.8h", "sums")                                                                                 \
    "fadd v" n0 ".8h, v" n0 ".8h, v0.8h\n fadd v" n1 ".8h, v" n1 ".8h, v1.8h\n"                                    \
    "fadd v" n2 ".8h, v" n2 ".8h, v2.8h\n fadd v" n3 ".8h, v" n3 ".8h, v3.8h\n"
#define FW_ADD_8 FW_ADD_4("8", "9", "10", "11") FW_ADD_4("12", "13", "14", "15") "sub %[sums], %[sums], #128\n"
#define FW_ADD_16                                                                                                  \
    FW_ADD_4("8", "9", "10", "11") FW_ADD_4("12", "13", "14", "15") FW_ADD_4("16", "17", "18", "19")               \
    FW_ADD_4("20", "21", "22", "23") "sub %[sums], %[sums], #256\n"
#define FW_KEEP(registers) "st1 {" registers "}, [%[sums]], #64\n"
#define FW_KEEP_8 FW_KEEP("v8.8h-v11.8h") FW_KEEP("v12.8h-v15.8h") "sub %[sums], %[sums], #128\n"
#define FW_KEEP_16                                                                                                 \
    FW_KEEP("v8.8h-v11.8h") FW_KEEP("v12.8h-v15.8h") FW_KEEP("v16.8h-v19.8h") FW_KEEP("v20.8h-v23.8h")             \
    "sub %[sums], %[sums], #256\n"

// Outputs: bias v24 to v27, bounds v28 and v29. NaN stays.
#define FW_WIDEN(n, low, high, bias_low, bias_high)                                                                \
    "fcvtl v" low ".4s, v" n ".4h\n fcvtl2 v" high ".4s, v" n ".8h\n"                                              \
    "fadd v" low ".4s, v" low ".4s, v" bias_low ".4s\n fadd v" high ".4s, v" high ".4s, v" bias_high ".4s\n"
#define FW_FREE(n)
#define FW_LEAST(n) "fmax v" n ".4s, v" n ".4s, v28.4s\n"
#define FW_CLAMP(n) FW_LEAST(n) "fmin v" n ".4s, v" n ".4s, v29.4s\n"
#define FW_ROW_16(bound, n0, n1)                                                                                   \
    FW_WIDEN(n0, "0", "1", "24", "25") FW_WIDEN(n1, "2", "3", "26", "27") FW_EACH_4(bound, "0", "1", "2", "3")     \
    "st1 {v0.4s-v3.4s}, [%[to]], %[out_step]\n"
#define FW_ROW_8(bound, n) FW_WIDEN(n, "0", "1", "24", "25") bound("0") bound("1") "st1 {v0.4s-v1.4s}, [%[to]], %[out_step]\n"
#define FW_ROWS_16(bound)                                                                                          \
    FW_ROW_16(bound, "8", "9") FW_ROW_16(bound, "10", "11") FW_ROW_16(bound, "12", "13") FW_ROW_16(bound, "14", "15") \
    FW_ROW_16(bound, "16", "17") FW_ROW_16(bound, "18", "19") FW_ROW_16(bound, "20", "21") FW_ROW_16(bound, "22", "23")
#define FW_ROWS_8(bound)                                                                                           \
    FW_ROW_8(bound, "8") FW_ROW_8(bound, "9") FW_ROW_8(bound, "10") FW_ROW_8(bound, "11")                          \
    FW_ROW_8(bound, "12") FW_ROW_8(bound, "13") FW_ROW_8(bound, "14") FW_ROW_8(bound, "15")

/// Defines name(rows, panel, to, out_step): a tile of so many columns to rows of outputs.
#define FW_DEFINE_HALF_BLOCK(name, columns, load_bias)                                                             \
    FW_ALWAYS_INLINE void name(const HalfRows& rows, const char* panel, void* to, int64_t out_step) {              \
        const float16_t* a = rows.a;                                                                               \
        const char* b = panel + 4 * (columns);                                                                     \
        float16_t* sums = rows.sums;                                                                               \
        int64_t blocks = rows.blocks;                                                                              \
        int64_t rest = rows.rest;                                                                                  \
        int64_t n;                                                                                                 \
        __asm__ volatile(                                                                                          \
            "1:\n" FW_SUMS_##columns(FW_ZERO)                                                                      \
            "mov %[n], #8\n cmp %[blocks], #0\n csel %[n], %[n], %[eights], ne\n cbz %[n], 3f\n"                   \
            "2:\n" FW_EIGHT_##columns "subs %[n], %[n], #1\n b.ne 2b\n"                                            \
            "3: cbz %[blocks], 5f\n cmp %[blocks], %[all]\n b.eq 4f\n" FW_ADD_##columns                            \
            "4:\n" FW_KEEP_##columns "sub %[blocks], %[blocks], #1\n b 1b\n"                                       \
            "5: cbz %[rest], 7f\n" FW_LOAD_A                                                                       \
            "6:\n" FW_ONE_##columns FW_NEXT_OF_ROWS "subs %[rest], %[rest], #1\n b.ne 6b\n"                        \
            "7: cbz %[all], 8f\n" FW_ADD_##columns                                                                 \
            "8: ld1 {" load_bias "}, [%[bias]]\n ld2r {v28.4s, v29.4s}, [%[bounds]]\n"                             \
            "cmp %[way], #1\n b.lo 10f\n b.hi 11f\n"                                                               \
            FW_ROWS_##columns(FW_LEAST) "b 12f\n"                                                                  \
            "10:\n" FW_ROWS_##columns(FW_FREE) "b 12f\n"                                                           \
            "11:\n" FW_ROWS_##columns(FW_CLAMP)                                                                    \
            "12:\n"                                                                                                \
            : [a] "+&r"(a), [b] "+&r"(b), [sums] "+&r"(sums), [blocks] "+&r"(blocks), [rest] "+&r"(rest), [n] "=&r"(n), \
              [to] "+&r"(to)                                                                                        \
            : [eights] "r"(rows.eights), [all] "r"(rows.blocks), [bias] "r"(panel), [bounds] "r"(rows.bounds),     \
              [way] "r"(rows.bounds_used), [out_step] "r"(out_step)                                                \
            : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",     \
              "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",    \
              "v27", "v28", "v29", "v30", "v31");                                                                  \
    }
FW_DEFINE_HALF_BLOCK(run_8x16, 16, "v24.4s-v27.4s")
FW_DEFINE_HALF_BLOCK(run_8x8, 8, "v24.4s-v25.4s")
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

/// acc = the sums of `eights` times eight steps, for tiles of fewer than eight rows.
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
    using Rows = HalfRows;
    template <int kRows, int kWide>
    static constexpr bool kWhole = kRows < kMr;
    template <int kRows, int kWide>
    static constexpr bool kFused = kRows == kMr;

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

        FW_ALWAYS_INLINE void run(const HalfRows& rows, const GemmArgs& args, const char* panel, int64_t column,
                                  int64_t count) {
            for (; count > 0; --count, panel += kColumns * (4 + 2 * rows.length), column += kColumns) {
                run_one(rows, args, panel, column);
            }
        }
        FW_ALWAYS_INLINE void run_one(const HalfRows& rows, const GemmArgs& args, const char* panel, int64_t column) {
            float other[kRows * kColumns];
            const bool whole = rows.whole && args.m >= kRows && column + kColumns <= args.n;
            void* to = whole ? static_cast<char*>(args.out[0]) + column * 4 : static_cast<void*>(other);
            const int64_t out_step = whole ? args.out_step : kColumns * 4;
            if constexpr (kWide == 2) {
                run_8x16(rows, panel, to, out_step);
            } else {
                run_8x8(rows, panel, to, out_step);
            }
            if (!whole) {
                copy_rows<kColumns>(args, other, column);
            }
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
