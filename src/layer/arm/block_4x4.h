// Four rows by all panels of four columns, instruction by instruction: loop, bytes and stores, without a dot product.
// AArch64 only.
#pragma once

#include "layer/arm/gemm_int8.h"

namespace fw {
namespace {

// clang-format off
// Registers: A's four rows v0 to v3 and, 16 elements on, v4 to v7; B's columns v8 to v11; sums of products v12 to v15;
// accumulators v16 to v31, [row][column]. Four rows by one column a macro, instruction by instruction, so that those
// which follow one another are independent.
#define FW_ROWS_PRODUCTS(op, a0, a1, a2, a3, b, half)                                                      \
    op " v12.8h, v" a0 half ", v" b half "\n" op " v13.8h, v" a1 half ", v" b half "\n"                     \
    op " v14.8h, v" a2 half ", v" b half "\n" op " v15.8h, v" a3 half ", v" b half "\n"
#define FW_ROWS_LOW(op, b) FW_ROWS_PRODUCTS(op, "0", "1", "2", "3", b, ".8b")
#define FW_ROWS_HIGH(b) FW_ROWS_PRODUCTS("smlal2", "0", "1", "2", "3", b, ".16b")
#define FW_NEXT_LOW(op, b) FW_ROWS_PRODUCTS(op, "4", "5", "6", "7", b, ".8b")
#define FW_NEXT_HIGH(b) FW_ROWS_PRODUCTS("smlal2", "4", "5", "6", "7", b, ".16b")
#define FW_ROWS_ADD(c0, c1, c2, c3)                                                                        \
    "sadalp v" c0 ".4s, v12.8h\n sadalp v" c1 ".4s, v13.8h\n sadalp v" c2 ".4s, v14.8h\n sadalp v" c3 ".4s, v15.8h\n"
#define FW_COLUMN_16(b, ...) FW_ROWS_LOW("smull", b) FW_ROWS_HIGH(b) FW_ROWS_ADD(__VA_ARGS__)
#define FW_COLUMN_TWO(b, next, ...)                                                                        \
    FW_COLUMN_16(b, __VA_ARGS__) FW_NEXT_LOW("smull", next) FW_NEXT_HIGH(next) FW_ROWS_ADD(__VA_ARGS__)
#define FW_COLUMN_FOUR(b, next, ...)                                                                       \
    FW_ROWS_LOW("smull", b) FW_ROWS_HIGH(b) FW_NEXT_LOW("smlal", next) FW_NEXT_HIGH(next) FW_ROWS_ADD(__VA_ARGS__)
#define FW_COLUMN0 "16", "20", "24", "28"
#define FW_COLUMN1 "17", "21", "25", "29"
#define FW_COLUMN2 "18", "22", "26", "30"
#define FW_COLUMN3 "19", "23", "27", "31"

// A step of 32 elements for each mark, 512 bytes apart; then last steps of up to 16 and of up to 8, and the end.
#define FW_GO_BY_MARK "ldrb %w[mark], [%[marks]], #1\n add %[mark], %[table], %[mark], lsl #9\n br %[mark]\n"
#define FW_MARKED_STEP(c0, c1, c2, c3)                                                                     \
    ".balign 512\n"                                                                                        \
    "ld1 {v8.16b-v11.16b}, [%[b]], #64\n ld1 {v0.16b-v3.16b}, [%[a]], #64\n ld1 {v4.16b-v7.16b}, [%[a]], #64\n" \
    c0("8", "9", FW_COLUMN0) c1("10", "11", FW_COLUMN1)                                                    \
    "ld1 {v8.16b-v11.16b}, [%[b]], #64\n"                                                                  \
    c2("8", "9", FW_COLUMN2) c3("10", "11", FW_COLUMN3) FW_GO_BY_MARK
#define FW_MARKED_2(c2, c3)                                                                                \
    FW_MARKED_STEP(FW_COLUMN_FOUR, FW_COLUMN_FOUR, c2, c3) FW_MARKED_STEP(FW_COLUMN_TWO, FW_COLUMN_FOUR, c2, c3) \
    FW_MARKED_STEP(FW_COLUMN_FOUR, FW_COLUMN_TWO, c2, c3) FW_MARKED_STEP(FW_COLUMN_TWO, FW_COLUMN_TWO, c2, c3)
#define FW_MARKED_STEPS                                                                                    \
    FW_MARKED_2(FW_COLUMN_FOUR, FW_COLUMN_FOUR) FW_MARKED_2(FW_COLUMN_TWO, FW_COLUMN_FOUR)                 \
    FW_MARKED_2(FW_COLUMN_FOUR, FW_COLUMN_TWO) FW_MARKED_2(FW_COLUMN_TWO, FW_COLUMN_TWO)
#define FW_LAST_STEP                                                                                       \
    ".balign 512\n ld1 {v0.16b-v3.16b}, [%[a]]\n"                                                          \
    "ld1 {v8.16b-v11.16b}, [%[b]], #64\n"                                                                  \
    FW_COLUMN_16("8", FW_COLUMN0) FW_COLUMN_16("9", FW_COLUMN1)                                            \
    FW_COLUMN_16("10", FW_COLUMN2) FW_COLUMN_16("11", FW_COLUMN3)

#define FW_COLUMN_8(b, ...) FW_ROWS_LOW("smull", b) FW_ROWS_ADD(__VA_ARGS__)
#define FW_LAST_HALF                                                                                       \
    ".balign 512\n ld1 {v0.16b-v3.16b}, [%[a]]\n ld1 {v8.16b-v11.16b}, [%[b]], #64\n"                      \
    FW_COLUMN_8("8", FW_COLUMN0) FW_COLUMN_8("9", FW_COLUMN1)                                              \
    FW_COLUMN_8("10", FW_COLUMN2) FW_COLUMN_8("11", FW_COLUMN3)

#define FW_EACH_ROW(op) op("16") op("20") op("24") op("28")
#define FW_ADD_ACROSS(c0, c1, c2, c3)                                                                      \
    "addp v" c0 ".4s, v" c0 ".4s, v" c1 ".4s\n addp v" c2 ".4s, v" c2 ".4s, v" c3 ".4s\n"
#define FW_ADD_HALVES(c0, c2) "addp v" c0 ".4s, v" c0 ".4s, v" c2 ".4s\n"
#define FW_ALL_ACROSS                                                                                      \
    FW_ADD_ACROSS("16", "17", "18", "19") FW_ADD_ACROSS("20", "21", "22", "23")                            \
    FW_ADD_ACROSS("24", "25", "26", "27") FW_ADD_ACROSS("28", "29", "30", "31") "ldr q9, [%[b]], #16\n"     \
    FW_ADD_HALVES("16", "18") FW_ADD_HALVES("20", "22") FW_ADD_HALVES("24", "26") FW_ADD_HALVES("28", "30") \
    "br %[way]\n"
#define FW_ROW_TO_FLOAT(n) "scvtf v" n ".4s, v" n ".4s\n"
// Scaled sums go to adjacent registers, which a look-up takes.
#define FW_ROWS_SCALE FW_EACH_ROW(FW_ROW_TO_FLOAT)                                                         \
    "fmul v0.4s, v16.4s, v9.4s\n fmul v1.4s, v20.4s, v9.4s\n fmul v2.4s, v24.4s, v9.4s\n fmul v3.4s, v28.4s, v9.4s\n"
#define FW_ROWS_ROUND "frintn v0.4s, v0.4s\n frintn v1.4s, v1.4s\n frintn v2.4s, v2.4s\n frintn v3.4s, v3.4s\n"
#define FW_ROWS_UPPER(convert)                                                                             \
    "ldp q10, q11, [%[upper]]\n" FW_ROWS_SCALE FW_ROWS_ROUND                                                             \
    convert " v0.4s, v0.4s, #24\n" convert " v1.4s, v1.4s, #24\n" convert " v2.4s, v2.4s, #24\n"            \
    convert " v3.4s, v3.4s, #24\n tbl v0.16b, {v0.16b-v3.16b}, v10.16b\n"
#define FW_EACH_FLOAT(op) op("0") op("1") op("2") op("3")
#define FW_CLAMP(n) "fmax v" n ".4s, v" n ".4s, v4.4s\n fmin v" n ".4s, v" n ".4s, v5.4s\n"
// Row 0 last: where there are fewer, the others go to the last one's place first.
#define FW_ROWS_STORE                                                                                      \
    "st1 {v0.s}[3], [%[out3]], #4\n st1 {v0.s}[2], [%[out2]], #4\n st1 {v0.s}[1], [%[out1]], #4\n"          \
    "st1 {v0.s}[0], [%[out0]], #4\n subs %[panels], %[panels], #1\n b.ne 1b\n b 2f\n"
// clang-format on

/// What becomes of sums: a UpperByteOutput::Kind, or that they go to memory as they are, [panel][row], at the first of
/// `to`, or floats.
constexpr uint64_t kToMemory = 4, kToFloats = 5;

/// Four rows of A, interleaved at `rows`, by `panels` > 0 whole panels. Rows go to the addresses `to`, which may be the
/// same for later rows as for an earlier one: the earlier one counts.
__attribute__((noinline)) void run_panels_4x4(const void* rows, const char* panel, int64_t panels, const uint8_t* marks,
                                              const LoadedOutput& output, uint64_t way, char* const (&to)[4]) {
    const void *a, *b = panel;
    uint64_t mark, table;
    char *out0 = to[0], *out1 = to[1], *out2 = to[2], *out3 = to[3];
    // clang-format off
    __asm__ volatile(
        "adr %[table], 20f\n add %[way], %[table], %[way], lsl #8\n"
        "adr %[table], 10f\n"
        "1:\n"
        "ld1 {v16.4s-v19.4s}, [%[b]]\n ld1 {v20.4s-v23.4s}, [%[b]]\n ld1 {v24.4s-v27.4s}, [%[b]]\n"
        "ld1 {v28.4s-v31.4s}, [%[b]], #64\n mov %[a], %[rows]\n" FW_GO_BY_MARK
        ".balign 512\n"
        "10:\n" FW_MARKED_STEPS FW_LAST_STEP FW_ALL_ACROSS FW_LAST_HALF FW_ALL_ACROSS
        ".balign 512\n" FW_ALL_ACROSS
        ".balign 256\n"
        "20:\n" FW_ROWS_SCALE "ldp q4, q5, [%[words]]\n ldr q6, [%[words], #32]\n"
        "fcvtns v0.4s, v0.4s\n fcvtns v1.4s, v1.4s\n fcvtns v2.4s, v2.4s\n fcvtns v3.4s, v3.4s\n"
        "sqxtn v0.4h, v0.4s\n sqxtn v2.4h, v2.4s\n sqxtn2 v0.8h, v1.4s\n sqxtn2 v2.8h, v3.4s\n"
        "sqadd v0.8h, v0.8h, v4.8h\n sqadd v2.8h, v2.8h, v4.8h\n"
        "sqxtn v0.8b, v0.8h\n sqxtn2 v0.16b, v2.8h\n smax v0.16b, v0.16b, v5.16b\n smin v0.16b, v0.16b, v6.16b\n"
        FW_ROWS_STORE
        ".balign 256\n"
        FW_ROWS_UPPER("fcvtzu") "eor v0.16b, v0.16b, v11.16b\n" FW_ROWS_STORE
        ".balign 256\n"
        FW_ROWS_UPPER("fcvtzu") "ldr q4, [%[upper], #32]\n umin v0.16b, v0.16b, v4.16b\n"
        "eor v0.16b, v0.16b, v11.16b\n" FW_ROWS_STORE
        ".balign 256\n"
        FW_ROWS_UPPER("fcvtzs") "smax v0.16b, v0.16b, v11.16b\n" FW_ROWS_STORE
        ".balign 256\n"
        "st1 {v16.4s}, [%[out0]], #16\n st1 {v20.4s}, [%[out0]], #16\n st1 {v24.4s}, [%[out0]], #16\n"
        "st1 {v28.4s}, [%[out0]], #16\n subs %[panels], %[panels], #1\n b.ne 1b\n b 2f\n"
        ".balign 256\n" FW_ROWS_SCALE "ldp q4, q5, [%[upper], #48]\n" FW_EACH_FLOAT(FW_CLAMP)
        "str q3, [%[out3]], #16\n str q2, [%[out2]], #16\n str q1, [%[out1]], #16\n str q0, [%[out0]], #16\n"
        "subs %[panels], %[panels], #1\n b.ne 1b\n"
        "2:\n"
        : [a] "=&r"(a), [b] "+&r"(b), [panels] "+&r"(panels), [marks] "+&r"(marks),
          [mark] "=&r"(mark), [table] "=&r"(table), [way] "+&r"(way), [out0] "+&r"(out0), [out1] "+&r"(out1),
          [out2] "+&r"(out2), [out3] "+&r"(out3)
        : [rows] "r"(rows), [upper] "r"(&output.upper_bytes), [words] "r"(&output.zero_point)
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",
          "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
          "v30", "v31");
    // clang-format on
}

}  // namespace
}  // namespace fw
