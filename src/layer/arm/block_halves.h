// Tiles of float16 products, instruction by instruction: the loop, the bounds and the stores. AArch64 with half floats.
#pragma once

#include "kernel/gemm_block_driver.h"
#include "layer/arm/block_loop.h"

namespace fw {
namespace {

/// What becomes of sums: float32 outputs, or float16 ones, whose bias and bounds are float16, too.
struct HalfOutput {
    float bounds[2];  ///< lo, hi
    float16_t half_bounds[2];
    bool half;
    int64_t way;  ///< bounds: 0: none, 1: the lower one, 2: both; 4 more where outputs are float16

    explicit FW_ALWAYS_INLINE HalfOutput(const Epilogue& e)
        : bounds{e.lo, e.hi},
          half_bounds{static_cast<float16_t>(e.lo), static_cast<float16_t>(e.hi)},
          half(e.half_output),
          way((e.hi != __builtin_inff()    ? 2
               : e.lo != -__builtin_inff() ? 1
                                           : 0) +
              (half ? 4 : 0)) {}
    FW_ALWAYS_INLINE int64_t size() const { return half ? 2 : 4; }
};

/// What the tiles of six to eight rows have in common.
struct HalfRows {
    const float16_t* a;
    float16_t* sums;  ///< behind the rows is memory that only interleaving needs: for the sums of the blocks before
    int64_t length;
    int64_t blocks;  ///< before the last one
    int64_t eights;  ///< of the last one
    int64_t rest;
    bool whole;  ///< all rows are stored, at one distance
    int64_t way;
    int64_t size;  ///< bytes of an output
    const void* bounds;

    FW_ALWAYS_INLINE HalfRows(const GemmArgs& args, const HalfOutput& output, int64_t sum_length,
                              int64_t /*end_column*/)
        : a(static_cast<const float16_t*>(args.scratch)),
          sums(static_cast<float16_t*>(args.scratch) + 8 * packed_row_pitch(sum_length)),
          length(sum_length),
          blocks((length - 1) / kHalfBlock),
          eights((length - blocks * kHalfBlock) / 8),
          rest(length % 8),
          whole(args.out_step != 0),
          way(output.way),
          size(output.size()),
          bounds(output.half ? static_cast<const void*>(output.half_bounds) : output.bounds) {}
};
static_assert(kHalfBlock == 128, "FW_DEFINE_HALF_BLOCK");

// Eight, seven or six rows by two vectors or one, instruction by instruction: GCC 12 copies elements of A to other
// registers, as only v0 to v15 can be indexed. A v0 to v7, a row each; B v24 to v31, four or eight steps; sums from v8
// on, [row][vector]. A block's first step is a multiplication. Sums of blocks are added and kept for eight rows always.
// clang-format off
#define FW_STEP_ROWS_6(op, b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                \
    op " v" c0 ".8h, v" b ".8h, v0.h[" step "]\n " op " v" c1 ".8h, v" b ".8h, v1.h[" step "]\n"                   \
    op " v" c2 ".8h, v" b ".8h, v2.h[" step "]\n " op " v" c3 ".8h, v" b ".8h, v3.h[" step "]\n"                   \
    op " v" c4 ".8h, v" b ".8h, v4.h[" step "]\n " op " v" c5 ".8h, v" b ".8h, v5.h[" step "]\n"
#define FW_STEP_ROWS_7(op, b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                \
    FW_STEP_ROWS_6(op, b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                    \
    op " v" c6 ".8h, v" b ".8h, v6.h[" step "]\n"
#define FW_STEP_ROWS_8(op, b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                \
    FW_STEP_ROWS_7(op, b, step, c0, c1, c2, c3, c4, c5, c6, c7)                                                    \
    op " v" c7 ".8h, v" b ".8h, v7.h[" step "]\n"
#define FW_STEP_16(rows, op, step, b0, b1)                                                                         \
    FW_STEP_ROWS_##rows(op, b0, step, "8", "10", "12", "14", "16", "18", "20", "22")                               \
    FW_STEP_ROWS_##rows(op, b1, step, "9", "11", "13", "15", "17", "19", "21", "23")
#define FW_STEP_8(rows, op, step, b)                                                                               \
    FW_STEP_ROWS_##rows(op, b, step, "8", "9", "10", "11", "12", "13", "14", "15")
#define FW_LOAD(registers, from) "ld1 {" registers "}, [%[" from "]], #64\n"
#define FW_LOAD_A FW_LOAD("v0.8h-v3.8h", "a") FW_LOAD("v4.8h-v7.8h", "a")
#define FW_LOAD_B_LOW FW_LOAD("v24.8h-v27.8h", "b")
#define FW_LOAD_B_HIGH FW_LOAD("v28.8h-v31.8h", "b")
#define FW_EIGHT_16(rows, op)                                                                                            \
    FW_LOAD_A FW_LOAD_B_LOW FW_STEP_16(rows, op, "0", "24", "25") FW_STEP_16(rows, "fmla", "1", "26", "27")                    \
    FW_LOAD_B_HIGH FW_STEP_16(rows, "fmla", "2", "28", "29") FW_STEP_16(rows, "fmla", "3", "30", "31")                         \
    FW_LOAD_B_LOW FW_STEP_16(rows, "fmla", "4", "24", "25") FW_STEP_16(rows, "fmla", "5", "26", "27")                          \
    FW_LOAD_B_HIGH FW_STEP_16(rows, "fmla", "6", "28", "29") FW_STEP_16(rows, "fmla", "7", "30", "31")
#define FW_EIGHT_8(rows, op)                                                                                             \
    FW_LOAD_A FW_LOAD_B_LOW FW_STEP_8(rows, op, "0", "24") FW_STEP_8(rows, "fmla", "1", "25")                                  \
    FW_STEP_8(rows, "fmla", "2", "26") FW_STEP_8(rows, "fmla", "3", "27")                                                      \
    FW_LOAD_B_HIGH FW_STEP_8(rows, "fmla", "4", "28") FW_STEP_8(rows, "fmla", "5", "29")                                       \
    FW_STEP_8(rows, "fmla", "6", "30") FW_STEP_8(rows, "fmla", "7", "31")
#define FW_ONE_16(rows, step) "ld1 {v24.8h-v25.8h}, [%[b]], #32\n" FW_STEP_16(rows, "fmla", step, "24", "25")
#define FW_ONE_8(rows, step) "ldr q24, [%[b]], #16\n" FW_STEP_8(rows, "fmla", step, "24")
#define FW_THEN(one, rows, step) "subs %[rest], %[rest], #1\n b.eq 7f\n" one(rows, step)
#define FW_REST(one, rows)                                                                                               \
    one(rows, "0") FW_THEN(one, rows, "1") FW_THEN(one, rows, "2") FW_THEN(one, rows, "3") FW_THEN(one, rows, "4") FW_THEN(one, rows, "5") FW_THEN(one, rows, "6")
#define FW_EACH_4(op, n0, n1, n2, n3) op(n0) op(n1) op(n2) op(n3)
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
#define FW_STORE_ROW(registers) "st1 {" registers "}, [%[to]], %[out_step]\n"
#define FW_FREE(type, n)
#define FW_LEAST(type, n) "fmax v" n type ", v" n type ", v28" type "\n"
#define FW_CLAMP(type, n) FW_LEAST(type, n) "fmin v" n type ", v" n type ", v29" type "\n"
#define FW_WIDEN(bound, n, low, high, bias_low, bias_high)                                                         \
    "fcvtl v" low ".4s, v" n ".4h\n fcvtl2 v" high ".4s, v" n ".8h\n"                                              \
    "fadd v" low ".4s, v" low ".4s, v" bias_low ".4s\n fadd v" high ".4s, v" high ".4s, v" bias_high ".4s\n"       \
    bound(".4s", low) bound(".4s", high)
#define FW_FLOATS_16(bound, n0, n1)                                                                                \
    FW_WIDEN(bound, n0, "0", "1", "24", "25") FW_WIDEN(bound, n1, "2", "3", "26", "27") FW_STORE_ROW("v0.4s-v3.4s")
#define FW_FLOATS_8(bound, n) FW_WIDEN(bound, n, "0", "1", "24", "25") FW_STORE_ROW("v0.4s-v1.4s")
#define FW_ADD_BIAS(bound, n, bias) "fadd v" n ".8h, v" n ".8h, v" bias ".8h\n" bound(".8h", n)
#define FW_HALVES_16(bound, n0, n1)                                                                                \
    FW_ADD_BIAS(bound, n0, "24") FW_ADD_BIAS(bound, n1, "25") FW_STORE_ROW("v" n0 ".8h-v" n1 ".8h")
#define FW_HALVES_8(bound, n) FW_ADD_BIAS(bound, n, "24") FW_STORE_ROW("v" n ".8h")
#define FW_BIAS_16 "ld1 {v24.4s-v27.4s}, [%[bias]]\n"
#define FW_BIAS_8 "ld1 {v24.4s-v25.4s}, [%[bias]]\n"
#define FW_NARROW_8 "fcvtn v24.4h, v24.4s\n fcvtn2 v24.8h, v25.4s\n"
#define FW_NARROW_16 FW_NARROW_8 "fcvtn v25.4h, v26.4s\n fcvtn2 v25.8h, v27.4s\n"
#define FW_ROWS_16_6(row, bound)                                                                                   \
    row(bound, "8", "9") row(bound, "10", "11") row(bound, "12", "13") row(bound, "14", "15")                      \
    row(bound, "16", "17") row(bound, "18", "19")
#define FW_ROWS_16_7(row, bound) FW_ROWS_16_6(row, bound) row(bound, "20", "21")
#define FW_ROWS_16_8(row, bound) FW_ROWS_16_7(row, bound) row(bound, "22", "23")
#define FW_ROWS_8_6(row, bound)                                                                                    \
    row(bound, "8") row(bound, "9") row(bound, "10") row(bound, "11") row(bound, "12") row(bound, "13")
#define FW_ROWS_8_7(row, bound) FW_ROWS_8_6(row, bound) row(bound, "14")
#define FW_ROWS_8_8(row, bound) FW_ROWS_8_7(row, bound) row(bound, "15")

/// Defines run_HxC(rows, panel, out, out_step, panels): tiles of so many rows and columns to rows of outputs.
#define FW_DEFINE_HALF_BLOCK(height, columns)                                                                        \
    FW_ALWAYS_INLINE void run_##height##x##columns(const HalfRows& rows, const char* panel, void* out,             \
                                                   int64_t out_step, int64_t panels) {                             \
        const float16_t* a;                                                                                        \
        const char* b = panel;                                                                                     \
        const char* bias;                                                                                          \
        float16_t* sums = rows.sums;                                                                               \
        void* to;                                                                                                  \
        int64_t blocks, rest, n;                                                                                   \
        __asm__ volatile(                                                                                          \
            "40: mov %[a], %[rows]\n mov %[bias], %[b]\n add %[b], %[b], %[head]\n mov %[to], %[out]\n"              \
            "mov %[blocks], %[all]\n mov %[rest], %[single]\n"                                                    \
            "1: mov %[n], #16\n cmp %[blocks], #0\n csel %[n], %[n], %[eights], ne\n cbz %[n], 30f\n"              \
            FW_EIGHT_##columns(height, "fmul") "subs %[n], %[n], #1\n b.eq 3f\n tbnz %[n], #0, 22f\n"                      \
            "2:\n" FW_EIGHT_##columns(height, "fmla")                                                                      \
            "22:\n" FW_EIGHT_##columns(height, "fmla") "subs %[n], %[n], #2\n b.gt 2b\n"                                   \
            "3: cbz %[blocks], 5f\n cmp %[blocks], %[all]\n b.eq 4f\n" FW_ADD_##columns                            \
            "4:\n" FW_KEEP_##columns "sub %[blocks], %[blocks], #1\n b 1b\n"                                       \
            "30:\n" FW_SUMS_##columns(FW_ZERO)                                                                     \
            "5: cbz %[rest], 7f\n" FW_LOAD_A FW_REST(FW_ONE_##columns, height)                                             \
            "7: cbz %[all], 8f\n" FW_ADD_##columns                                                                 \
            "8:\n" FW_BIAS_##columns "subs %[n], %[way], #4\n b.hs 20f\n"                                          \
            "ld2r {v28.4s, v29.4s}, [%[bounds]]\n cmp %[way], #1\n b.lo 10f\n b.hi 11f\n"                          \
            FW_ROWS_##columns##_##height(FW_FLOATS_##columns, FW_LEAST) "b 12f\n"                                             \
            "10:\n" FW_ROWS_##columns##_##height(FW_FLOATS_##columns, FW_FREE) "b 12f\n"                                      \
            "11:\n" FW_ROWS_##columns##_##height(FW_FLOATS_##columns, FW_CLAMP) "b 12f\n"                                     \
            "20:\n" FW_NARROW_##columns "ld2r {v28.8h, v29.8h}, [%[bounds]]\n cmp %[n], #1\n b.lo 23f\n b.hi 24f\n" \
            FW_ROWS_##columns##_##height(FW_HALVES_##columns, FW_LEAST) "b 12f\n"                                             \
            "23:\n" FW_ROWS_##columns##_##height(FW_HALVES_##columns, FW_FREE) "b 12f\n"                                      \
            "24:\n" FW_ROWS_##columns##_##height(FW_HALVES_##columns, FW_CLAMP)                                               \
            "12: add %[out], %[out], %[width]\n subs %[panels], %[panels], #1\n b.ne 40b\n"                       \
            : [a] "=&r"(a), [b] "+&r"(b), [bias] "=&r"(bias), [sums] "+&r"(sums), [blocks] "=&r"(blocks),          \
              [rest] "=&r"(rest), [n] "=&r"(n), [to] "=&r"(to), [out] "+&r"(out), [panels] "+&r"(panels)           \
            : [rows] "r"(rows.a), [eights] "r"(rows.eights), [all] "r"(rows.blocks), [single] "r"(rows.rest),      \
              [bounds] "r"(rows.bounds), [way] "r"(rows.way), [out_step] "r"(out_step),                            \
              [width] "r"(rows.size * (columns)), [head] "I"(4 * (columns))                                        \
            : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",     \
              "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",    \
              "v27", "v28", "v29", "v30", "v31");                                                                  \
    }
FW_DEFINE_HALF_BLOCK(8, 16)
FW_DEFINE_HALF_BLOCK(8, 8)
FW_DEFINE_HALF_BLOCK(7, 16)
FW_DEFINE_HALF_BLOCK(7, 8)
FW_DEFINE_HALF_BLOCK(6, 16)
FW_DEFINE_HALF_BLOCK(6, 8)
// clang-format on

/// Writes the first `count` float16 values of `x`, at most 8; none if count <= 0.
FW_ALWAYS_INLINE void store_halves(float16x8_t x, void* out, int64_t count) {
    auto* to = static_cast<float16_t*>(out);
    if (count >= 8) {
        vst1q_f16(to, x);
    } else if (count > 0) {
        float16_t rest[8];
        vst1q_f16(rest, x);
        std::memcpy(to, rest, static_cast<size_t>(count) * 2);
    }
}

/// copy_rows of float16 outputs.
template <int kColumns>
__attribute__((noinline)) void copy_half_rows(const GemmArgs& args, const float16_t* sums, int64_t column) {
    for (int64_t r = 0; r < args.m; ++r, sums += kColumns) {
        auto* out = reinterpret_cast<float16_t*>(out_row(args, r)) + column;
        for (int64_t c = 0; c < kColumns; c += 8) {
            store_halves(vld1q_f16(sums + c), out + c, args.n - column - c);
        }
    }
}

template <int kRows, int kWide>
FW_ALWAYS_INLINE void run_half_tiles(const HalfRows& rows, const char* panel, void* out, int64_t out_step,
                                     int64_t panels) {
    if constexpr (kWide == 2) {
        kRows == 8   ? run_8x16(rows, panel, out, out_step, panels)
        : kRows == 7 ? run_7x16(rows, panel, out, out_step, panels)
                     : run_6x16(rows, panel, out, out_step, panels);
    } else {
        kRows == 8   ? run_8x8(rows, panel, out, out_step, panels)
        : kRows == 7 ? run_7x8(rows, panel, out, out_step, panels)
                     : run_6x8(rows, panel, out, out_step, panels);
    }
}

/// `count` panels of kRows rows, one behind the other. One copy for all kernels.
template <int kRows, int kWide>
__attribute__((noinline)) void run_half_panels(const HalfRows& rows, const GemmArgs& args, const char* panel,
                                               int64_t column, int64_t count) {
    constexpr int64_t kColumns = 8 * kWide;
    while (count > 0) {
        float other[kRows * kColumns];
        const int64_t fit = rows.whole && args.m >= kRows ? (args.n - column) / kColumns : 0;
        const int64_t panels = fit == 0 ? 1 : fit < count ? fit : count;
        void* out = fit > 0 ? static_cast<char*>(args.out[0]) + column * rows.size : static_cast<void*>(other);
        run_half_tiles<kRows, kWide>(rows, panel, out, fit > 0 ? args.out_step : kColumns * rows.size, panels);
        if (fit == 0 && rows.size == 2) {
            copy_half_rows<kColumns>(args, reinterpret_cast<const float16_t*>(other), column);
        } else if (fit == 0) {
            copy_rows<kColumns>(args, other, column);
        }
        panel += panels * kColumns * (4 + 2 * rows.length);
        column += panels * kColumns;
        count -= panels;
    }
}

}  // namespace
}  // namespace fw
