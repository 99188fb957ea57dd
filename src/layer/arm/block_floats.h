// Tiles of float32 products, instruction by instruction: the loop, the bounds and the stores. AArch64 only.
#pragma once

#include "kernel/gemm_block_driver.h"
#include "layer/arm/block_loop.h"

namespace fw {
namespace {

/// What the tiles of a height have in common.
struct FloatRows {
    const void* a;
    int64_t steps;
    bool whole;  ///< all rows are stored, at one distance
    int64_t bounded;
    const float* bounds;  ///< lo, hi

    FW_ALWAYS_INLINE FloatRows(const GemmArgs& args, const Epilogue& e, int64_t step_count, int64_t /*end_column*/)
        : a(args.scratch),
          steps(step_count),
          whole(args.out_step != 0),
          bounded(e.lo != -__builtin_inff() || e.hi != __builtin_inff() ? 1 : 0),
          bounds(&e.lo) {}
};
static_assert(offsetof(Epilogue, hi) == offsetof(Epilogue, lo) + sizeof(float), "one load reads both");

// clang-format off
// Registers: A v0 to v3, of eight rows [step][row / 4]; B v4 to v7, as they follow one another; sums from v8 on,
// [row][vector].
#define FW_FMLA_ROWS(b, low, high, c0, c1, c2, c3, c4, c5, c6, c7)                                             \
    "fmla v" c0 ".4s, v" b ".4s, v" low ".s[0]\n fmla v" c1 ".4s, v" b ".4s, v" low ".s[1]\n"                  \
    "fmla v" c2 ".4s, v" b ".4s, v" low ".s[2]\n fmla v" c3 ".4s, v" b ".4s, v" low ".s[3]\n"                  \
    "fmla v" c4 ".4s, v" b ".4s, v" high ".s[0]\n fmla v" c5 ".4s, v" b ".4s, v" high ".s[1]\n"                \
    "fmla v" c6 ".4s, v" b ".4s, v" high ".s[2]\n fmla v" c7 ".4s, v" b ".4s, v" high ".s[3]\n"
#define FW_LOAD_A(last, bytes) "ld1 {v0.4s-v" last ".4s}, [%[a]], #" bytes "\n"
#define FW_LOAD_B(last, bytes) "ld1 {v4.4s-v" last ".4s}, [%[b]], #" bytes "\n"
#define FW_FIRST_OF_3(b, low, high) FW_FMLA_ROWS(b, low, high, "8", "11", "14", "17", "20", "23", "26", "29")
#define FW_SECOND_OF_3(b, low, high) FW_FMLA_ROWS(b, low, high, "9", "12", "15", "18", "21", "24", "27", "30")
#define FW_THIRD_OF_3(b, low, high) FW_FMLA_ROWS(b, low, high, "10", "13", "16", "19", "22", "25", "28", "31")
#define FW_FIRST_OF_2(b, low, high) FW_FMLA_ROWS(b, low, high, "8", "10", "12", "14", "16", "18", "20", "22")
#define FW_SECOND_OF_2(b, low, high) FW_FMLA_ROWS(b, low, high, "9", "11", "13", "15", "17", "19", "21", "23")
#define FW_ONE_STEP_8X12                                                                                       \
    FW_LOAD_A("1", "32") FW_LOAD_B("6", "48")                                                                  \
    FW_FIRST_OF_3("4", "0", "1") FW_SECOND_OF_3("5", "0", "1") FW_THIRD_OF_3("6", "0", "1")
#define FW_FOUR_STEPS_8X12                                                                                     \
    FW_LOAD_A("3", "64") FW_LOAD_B("7", "64")                                                                  \
    FW_FIRST_OF_3("4", "0", "1") FW_SECOND_OF_3("5", "0", "1") FW_THIRD_OF_3("6", "0", "1")                    \
    FW_FIRST_OF_3("7", "2", "3") FW_LOAD_B("7", "64") FW_SECOND_OF_3("4", "2", "3") FW_THIRD_OF_3("5", "2", "3") \
    FW_LOAD_A("3", "64") FW_FIRST_OF_3("6", "0", "1") FW_SECOND_OF_3("7", "0", "1")                            \
    FW_LOAD_B("7", "64") FW_THIRD_OF_3("4", "0", "1")                                                          \
    FW_FIRST_OF_3("5", "2", "3") FW_SECOND_OF_3("6", "2", "3") FW_THIRD_OF_3("7", "2", "3")
#define FW_ONE_STEP_8X8                                                                                        \
    FW_LOAD_A("1", "32") FW_LOAD_B("5", "32") FW_FIRST_OF_2("4", "0", "1") FW_SECOND_OF_2("5", "0", "1")
#define FW_TWO_STEPS_8X8                                                                                       \
    FW_LOAD_A("3", "64") FW_LOAD_B("7", "64")                                                                  \
    FW_FIRST_OF_2("4", "0", "1") FW_SECOND_OF_2("5", "0", "1")                                                 \
    FW_FIRST_OF_2("6", "2", "3") FW_SECOND_OF_2("7", "2", "3")

// One and four rows of the eight that A has, by twelve columns.
#define FW_LOAD_ONE(n) "ldr s" n ", [%[a]], #32\n"
#define FW_LOAD_FOUR(n) "ldr q" n ", [%[a]], #32\n"
#define FW_FMLA_ONE(b, a, c) "fmla v" c ".4s, v" b ".4s, v" a ".s[0]\n"
#define FW_FMLA_FOUR(b, a, c0, c1, c2, c3)                                                                     \
    "fmla v" c0 ".4s, v" b ".4s, v" a ".s[0]\n fmla v" c1 ".4s, v" b ".4s, v" a ".s[1]\n"                      \
    "fmla v" c2 ".4s, v" b ".4s, v" a ".s[2]\n fmla v" c3 ".4s, v" b ".4s, v" a ".s[3]\n"
#define FW_FIRST_OF_ONE(b, a) FW_FMLA_ONE(b, a, "8")
#define FW_SECOND_OF_ONE(b, a) FW_FMLA_ONE(b, a, "9")
#define FW_THIRD_OF_ONE(b, a) FW_FMLA_ONE(b, a, "10")
#define FW_FIRST_OF_FOUR(b, a) FW_FMLA_FOUR(b, a, "8", "11", "14", "17")
#define FW_SECOND_OF_FOUR(b, a) FW_FMLA_FOUR(b, a, "9", "12", "15", "18")
#define FW_THIRD_OF_FOUR(b, a) FW_FMLA_FOUR(b, a, "10", "13", "16", "19")
#define FW_ONE_STEP_NX12(load, first, second, third)                                                           \
    load("0") FW_LOAD_B("6", "48") first("4", "0") second("5", "0") third("6", "0")
#define FW_FOUR_STEPS_NX12(load, first, second, third)                                                         \
    load("0") load("1") load("2") load("3") FW_LOAD_B("7", "64")                                               \
    first("4", "0") second("5", "0") third("6", "0") first("7", "1") FW_LOAD_B("7", "64")                      \
    second("4", "1") third("5", "1") first("6", "2") second("7", "2") FW_LOAD_B("7", "64")                     \
    third("4", "2") first("5", "3") second("6", "3") third("7", "3")
#define FW_STEPS_OF(shape, rows)                                                                               \
    shape(FW_LOAD_##rows, FW_FIRST_OF_##rows, FW_SECOND_OF_##rows, FW_THIRD_OF_##rows)

#define FW_BIAS(registers) "ld1 {" registers "}, [%[b]]\n"
#define FW_BIAS_1X12 FW_BIAS("v8.4s-v10.4s")
#define FW_BIAS_4X12 FW_BIAS_1X12 FW_BIAS("v11.4s-v13.4s") FW_BIAS("v14.4s-v16.4s") FW_BIAS("v17.4s-v19.4s")
#define FW_BIAS_8X12                                                                                           \
    FW_BIAS_4X12 FW_BIAS("v20.4s-v22.4s") FW_BIAS("v23.4s-v25.4s") FW_BIAS("v26.4s-v28.4s") FW_BIAS("v29.4s-v31.4s")
#define FW_BIAS_8X8                                                                                            \
    FW_BIAS("v8.4s-v9.4s") FW_BIAS("v10.4s-v11.4s") FW_BIAS("v12.4s-v13.4s") FW_BIAS("v14.4s-v15.4s")          \
    FW_BIAS("v16.4s-v17.4s") FW_BIAS("v18.4s-v19.4s") FW_BIAS("v20.4s-v21.4s") FW_BIAS("v22.4s-v23.4s")

// NaN stays.
#define FW_CLAMP(n) "fmax v" n ".4s, v" n ".4s, v0.4s\n fmin v" n ".4s, v" n ".4s, v1.4s\n"
#define FW_CLAMP_4(n0, n1, n2, n3) FW_CLAMP(n0) FW_CLAMP(n1) FW_CLAMP(n2) FW_CLAMP(n3)
#define FW_CLAMP_3 FW_CLAMP("8") FW_CLAMP("9") FW_CLAMP("10")
#define FW_CLAMP_12 FW_CLAMP_4("8", "9", "10", "11") FW_CLAMP_4("12", "13", "14", "15") FW_CLAMP_4("16", "17", "18", "19")
#define FW_CLAMP_16 FW_CLAMP_12 FW_CLAMP_4("20", "21", "22", "23")
#define FW_CLAMP_24 FW_CLAMP_16 FW_CLAMP_4("24", "25", "26", "27") FW_CLAMP_4("28", "29", "30", "31")
#define FW_BOUND(clamp) "cbz %[bounded], 7f\n ld2r {v0.4s, v1.4s}, [%[bounds]]\n" clamp "7:\n"

#define FW_STORE(registers) "st1 {" registers "}, [%[to]], %[out_step]\n"
#define FW_STORE_1X12 FW_STORE("v8.4s-v10.4s")
#define FW_STORE_4X12 FW_STORE_1X12 FW_STORE("v11.4s-v13.4s") FW_STORE("v14.4s-v16.4s") FW_STORE("v17.4s-v19.4s")
#define FW_STORE_8X12                                                                                          \
    FW_STORE_4X12 FW_STORE("v20.4s-v22.4s") FW_STORE("v23.4s-v25.4s") FW_STORE("v26.4s-v28.4s") FW_STORE("v29.4s-v31.4s")
#define FW_STORE_8X8                                                                                           \
    FW_STORE("v8.4s-v9.4s") FW_STORE("v10.4s-v11.4s") FW_STORE("v12.4s-v13.4s") FW_STORE("v14.4s-v15.4s")      \
    FW_STORE("v16.4s-v17.4s") FW_STORE("v18.4s-v19.4s") FW_STORE("v20.4s-v21.4s") FW_STORE("v22.4s-v23.4s")

/// Defines name(rows, panel, to, out_step): a tile to rows of outputs.
#define FW_DEFINE_FLOAT_BLOCK(name, ...)                                                           \
    FW_ALWAYS_INLINE void name(const FloatRows& rows, const char* panel, void* to, int64_t out_step) {         \
        const void* a = rows.a;                                                                                \
        const void* b = panel;                                                                                 \
        int64_t left;                                                                                          \
        __asm__ volatile(__VA_ARGS__                                                                           \
            : [a] "+&r"(a), [b] "+&r"(b), [steps] "=&r"(left), [to] "+&r"(to)                                  \
            : [all] "r"(rows.steps), [out_step] "r"(out_step), [bounded] "r"(rows.bounded), [bounds] "r"(rows.bounds) \
            : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", \
              "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",       \
              "v26", "v27", "v28", "v29", "v30", "v31");                                                       \
    }
FW_DEFINE_FLOAT_BLOCK(run_8x12,
    FW_BIAS_8X12 "add %[b], %[b], #48\n" FW_EIGHT_STEPS(FW_FOUR_STEPS_8X12, FW_ONE_STEP_8X12)
    FW_BOUND(FW_CLAMP_24) FW_STORE_8X12)
FW_DEFINE_FLOAT_BLOCK(run_8x8,
    FW_BIAS_8X8 "add %[b], %[b], #32\n" FW_EIGHT_STEPS(FW_TWO_STEPS_8X8 FW_TWO_STEPS_8X8, FW_ONE_STEP_8X8)
    FW_BOUND(FW_CLAMP_16) FW_STORE_8X8)
FW_DEFINE_FLOAT_BLOCK(run_4x12,
    FW_BIAS_4X12 "add %[b], %[b], #48\n"
    FW_EIGHT_STEPS(FW_STEPS_OF(FW_FOUR_STEPS_NX12, FOUR), FW_STEPS_OF(FW_ONE_STEP_NX12, FOUR))
    FW_BOUND(FW_CLAMP_12) FW_STORE_4X12)
FW_DEFINE_FLOAT_BLOCK(run_1x12,
    FW_BIAS_1X12 "add %[b], %[b], #48\n"
    FW_EIGHT_STEPS(FW_STEPS_OF(FW_FOUR_STEPS_NX12, ONE), FW_STEPS_OF(FW_ONE_STEP_NX12, ONE))
    FW_BOUND(FW_CLAMP_3) FW_STORE_1X12)

// A word of each row.
#define FW_STORE_WORD(i) "st4 {v0.s-v3.s}[" i "], [%[to]], #16\n st4 {v4.s-v7.s}[" i "], [%[to]], #16\n"
FW_ALWAYS_INLINE void interleave_eight(const float* const* rows, int64_t length, float* out) {
    length *= 4;  // bytes
    FW_INTERLEAVE_EIGHT(FW_STORE_WORD("0") FW_STORE_WORD("1") FW_STORE_WORD("2") FW_STORE_WORD("3"));
}
// clang-format on

template <int kRows, int kVectors>
constexpr bool kFloatBlock = kVectors == 3 ? kRows == 8 || kRows == 4 || kRows == 1 : kVectors == 2 && kRows == 8;

template <int kRows, int kVectors>
FW_ALWAYS_INLINE void run_float_block(const FloatRows& rows, const GemmArgs& args, const char* panel, int64_t column) {
    constexpr int64_t kColumns = 4 * kVectors;
    float sums[kRows * kColumns];
    const bool whole = rows.whole && args.m >= kRows && column + kColumns <= args.n;
    void* to = whole ? static_cast<char*>(args.out[0]) + column * 4 : static_cast<void*>(sums);
    const int64_t out_step = whole ? args.out_step : kColumns * 4;
    if constexpr (kVectors == 2) {
        run_8x8(rows, panel, to, out_step);
    } else if constexpr (kRows == 8) {
        run_8x12(rows, panel, to, out_step);
    } else if constexpr (kRows == 4) {
        run_4x12(rows, panel, to, out_step);
    } else {
        run_1x12(rows, panel, to, out_step);
    }
    if (!whole) {
        copy_rows<kColumns>(args, sums, column);
    }
}

}  // namespace
}  // namespace fw
