// Four rows by panels of 16 columns, or of 8, instruction by instruction: loop, bytes and stores, without a dot
// product. AArch64 only.
//
// smull and smlal take a pair of a row's elements, four times over, by those of four columns: neighbours are added by
// sadalp, so that an accumulator holds four columns of a row and nothing is added across it in the end. ld4r brings
// eight elements of a row as such pairs from where they lie: rows are not copied.
#pragma once

#include "layer/arm/gemm_int8.h"

namespace fw {
namespace {

// clang-format off
// Registers of a wide panel: four pairs of a row v0 to v3; B's pairs v4 to v11, 16 columns in two registers; sums of
// products v12 to v15; accumulators v16 to v31, [row][vector]. Of a narrow one: pairs of two rows v0 to v3 and v24 to
// v27; B's v4 to v7; accumulators v16 to v23, [row][vector].
#define FW_PRODUCTS(o0, o1, o2, o3, a, b, next_a, next_b)                                                  \
    o0 " v12.8h, v" a ".8b, v" b ".8b\n" o1 "2 v13.8h, v" a ".16b, v" b ".16b\n"                           \
    o2 " v14.8h, v" next_a ".8b, v" next_b ".8b\n" o3 "2 v15.8h, v" next_a ".16b, v" next_b ".16b\n"
#define FW_FIRST_PRODUCTS(...) FW_PRODUCTS("smull", "smull", "smull", "smull", __VA_ARGS__)
#define FW_MORE_PRODUCTS(...) FW_PRODUCTS("smlal", "smlal", "smlal", "smlal", __VA_ARGS__)
#define FW_ADD_PRODUCTS(c, products) "sadalp v" c ".4s, v" products ".8h\n"
#define FW_ADD_ALL(c0, c1, c2, c3)                                                                         \
    FW_ADD_PRODUCTS(c0, "12") FW_ADD_PRODUCTS(c1, "13") FW_ADD_PRODUCTS(c2, "14") FW_ADD_PRODUCTS(c3, "15")
// With a mark the first two products are added apart.
#define FW_THIRD_0 "smlal"
#define FW_THIRD_1 "smull"
#define FW_APART_0(...)
#define FW_APART_1(c, products) FW_ADD_PRODUCTS(c, products)
#define FW_ALL_APART(m0, m1, m2, m3, c0, c1, c2, c3)                                                       \
    FW_APART_##m0(c0, "12") FW_APART_##m1(c1, "13") FW_APART_##m2(c2, "14") FW_APART_##m3(c3, "15")
#define FW_WIDE_FIRST FW_FIRST_PRODUCTS("0", "4", "0", "5") FW_MORE_PRODUCTS("1", "6", "1", "7")
#define FW_WIDE_ROW(m0, m1, m2, m3, load, c0, c1, c2, c3)                                                  \
    FW_WIDE_FIRST FW_ALL_APART(m0, m1, m2, m3, c0, c1, c2, c3)                                             \
    FW_PRODUCTS(FW_THIRD_##m0, FW_THIRD_##m1, FW_THIRD_##m2, FW_THIRD_##m3, "2", "8", "2", "9")            \
    FW_MORE_PRODUCTS("3", "10", "3", "11") load FW_ADD_ALL(c0, c1, c2, c3)
#define FW_NARROW_FIRST FW_FIRST_PRODUCTS("0", "4", "24", "4") FW_MORE_PRODUCTS("1", "5", "25", "5")
#define FW_NARROW_ROWS(m0, m1, load, c0, c1, c2, c3)                                                       \
    FW_NARROW_FIRST FW_ALL_APART(m0, m1, m0, m1, c0, c1, c2, c3)                                           \
    FW_PRODUCTS(FW_THIRD_##m0, FW_THIRD_##m1, FW_THIRD_##m0, FW_THIRD_##m1, "2", "6", "26", "6")           \
    FW_MORE_PRODUCTS("3", "7", "27", "7") load FW_ADD_ALL(c0, c1, c2, c3)
#define FW_PAIRS(a) "ld4r {v0.8h-v3.8h}, [%[" a "]], #8\n"
#define FW_OTHER_PAIRS(a) "ld4r {v24.8h-v27.8h}, [%[" a "]], #8\n"

// A step of 8 elements for each mark, `1 << shift` bytes apart; then a last step of up to 4, and the end.
#define FW_NEXT_MARK(shift) "ldrb %w[mark], [%[marks]], #1\n add %[mark], %[table], %[mark], lsl #" shift "\n"
#define FW_WIDE_STEP(m0, m1, m2, m3)                                                                       \
    ".balign 512\n" FW_JUMP_TARGET FW_PAIRS("a0")                                                          \
    "ld1 {v4.16b-v7.16b}, [%[b]], #64\n ld1 {v8.16b-v11.16b}, [%[b]], #64\n"                               \
    FW_WIDE_ROW(m0, m1, m2, m3, FW_PAIRS("a1"), "16", "17", "18", "19")                                    \
    FW_WIDE_ROW(m0, m1, m2, m3, FW_PAIRS("a2"), "20", "21", "22", "23")                                    \
    FW_WIDE_ROW(m0, m1, m2, m3, FW_PAIRS("a3"), "24", "25", "26", "27")                                    \
    FW_WIDE_ROW(m0, m1, m2, m3, FW_NEXT_MARK("9"), "28", "29", "30", "31") "br %[mark]\n"
#define FW_WIDE_4(m2, m3)                                                                                  \
    FW_WIDE_STEP(0, 0, m2, m3) FW_WIDE_STEP(1, 0, m2, m3) FW_WIDE_STEP(0, 1, m2, m3) FW_WIDE_STEP(1, 1, m2, m3)
#define FW_WIDE_STEPS FW_WIDE_4(0, 0) FW_WIDE_4(1, 0) FW_WIDE_4(0, 1) FW_WIDE_4(1, 1)
#define FW_WIDE_LAST                                                                                       \
    ".balign 512\n" FW_JUMP_TARGET FW_PAIRS("a0") "ld1 {v4.16b-v7.16b}, [%[b]], #64\n"                     \
    FW_WIDE_FIRST FW_PAIRS("a1") FW_ADD_ALL("16", "17", "18", "19")                                        \
    FW_WIDE_FIRST FW_PAIRS("a2") FW_ADD_ALL("20", "21", "22", "23")                                        \
    FW_WIDE_FIRST FW_PAIRS("a3") FW_ADD_ALL("24", "25", "26", "27")                                        \
    FW_WIDE_FIRST FW_ADD_ALL("28", "29", "30", "31")
#define FW_NARROW_STEP(m0, m1)                                                                             \
    ".balign 256\n" FW_JUMP_TARGET FW_PAIRS("a0") FW_OTHER_PAIRS("a1") "ld1 {v4.16b-v7.16b}, [%[b]], #64\n" \
    FW_NARROW_ROWS(m0, m1, FW_PAIRS("a2") FW_OTHER_PAIRS("a3"), "16", "17", "18", "19")                    \
    FW_NARROW_ROWS(m0, m1, FW_NEXT_MARK("8"), "20", "21", "22", "23") "br %[mark]\n"
#define FW_NARROW_STEPS FW_NARROW_STEP(0, 0) FW_NARROW_STEP(1, 0) FW_NARROW_STEP(0, 1) FW_NARROW_STEP(1, 1)
#define FW_NARROW_LAST                                                                                     \
    ".balign 256\n" FW_JUMP_TARGET FW_PAIRS("a0") FW_OTHER_PAIRS("a1") "ld1 {v4.16b-v5.16b}, [%[b]], #32\n" \
    FW_NARROW_FIRST FW_PAIRS("a2") FW_OTHER_PAIRS("a3") FW_ADD_ALL("16", "17", "18", "19")                 \
    FW_NARROW_FIRST FW_ADD_ALL("20", "21", "22", "23")
#define FW_ROWS_AGAIN                                                                                      \
    "sub %[a0], %[a0], %[back]\n sub %[a1], %[a1], %[back]\n sub %[a2], %[a2], %[back]\n"                  \
    "sub %[a3], %[a3], %[back]\n br %[way]\n"

// Four vectors of sums by v0 to v3, or by v0 and v1 twice, and then bytes in the first one.
#define FW_FLOATS(s0, s1, s2, s3, m2, m3)                                                                  \
    "scvtf v" s0 ".4s, v" s0 ".4s\n scvtf v" s1 ".4s, v" s1 ".4s\n"                                        \
    "scvtf v" s2 ".4s, v" s2 ".4s\n scvtf v" s3 ".4s, v" s3 ".4s\n"                                        \
    "fmul v" s0 ".4s, v" s0 ".4s, v0.4s\n fmul v" s1 ".4s, v" s1 ".4s, v1.4s\n"                            \
    "fmul v" s2 ".4s, v" s2 ".4s, v" m2 ".4s\n fmul v" s3 ".4s, v" s3 ".4s, v" m3 ".4s\n"
#define FW_EACH(op, s0, s1, s2, s3) op(s0) op(s1) op(s2) op(s3)
#define FW_TO_UNSIGNED(s) "frintn v" s ".4s, v" s ".4s\n fcvtzu v" s ".4s, v" s ".4s, #24\n"
#define FW_TO_SIGNED(s) "frintn v" s ".4s, v" s ".4s\n fcvtzs v" s ".4s, v" s ".4s, #24\n"
#define FW_TO_WHOLE(s) "fcvtns v" s ".4s, v" s ".4s\n"
#define FW_CLAMP(s) "fmax v" s ".4s, v" s ".4s, v4.4s\n fmin v" s ".4s, v" s ".4s, v5.4s\n"
#define FW_GATHER(s0, s3) "tbl v" s0 ".16b, {v" s0 ".16b-v" s3 ".16b}, v4.16b\n"
#define FW_BYTES_POSITIVE(s0, s1, s2, s3)                                                                  \
    FW_EACH(FW_TO_UNSIGNED, s0, s1, s2, s3) FW_GATHER(s0, s3) "eor v" s0 ".16b, v" s0 ".16b, v5.16b\n"
#define FW_BYTES_BOUNDED(s0, s1, s2, s3)                                                                   \
    FW_EACH(FW_TO_UNSIGNED, s0, s1, s2, s3) FW_GATHER(s0, s3)                                              \
    "umin v" s0 ".16b, v" s0 ".16b, v6.16b\n eor v" s0 ".16b, v" s0 ".16b, v5.16b\n"
#define FW_BYTES_SIGNED(s0, s1, s2, s3)                                                                    \
    FW_EACH(FW_TO_SIGNED, s0, s1, s2, s3) FW_GATHER(s0, s3) "smax v" s0 ".16b, v" s0 ".16b, v5.16b\n"
#define FW_BYTES_OTHER(s0, s1, s2, s3)                                                                     \
    FW_EACH(FW_TO_WHOLE, s0, s1, s2, s3)                                                                   \
    "sqxtn v" s0 ".4h, v" s0 ".4s\n sqxtn v" s2 ".4h, v" s2 ".4s\n"                                        \
    "sqxtn2 v" s0 ".8h, v" s1 ".4s\n sqxtn2 v" s2 ".8h, v" s3 ".4s\n"                                      \
    "sqadd v" s0 ".8h, v" s0 ".8h, v4.8h\n sqadd v" s2 ".8h, v" s2 ".8h, v4.8h\n"                          \
    "sqxtn v" s0 ".8b, v" s0 ".8h\n sqxtn2 v" s0 ".16b, v" s2 ".8h\n"                                      \
    "smax v" s0 ".16b, v" s0 ".16b, v5.16b\n smin v" s0 ".16b, v" s0 ".16b, v6.16b\n"
#define FW_FLOATS_CLAMPED(s0, s1, s2, s3) FW_EACH(FW_CLAMP, s0, s1, s2, s3)
// Row 0 last: where there are fewer, the others go to the last one's place first.
#define FW_WIDE_BYTES(out, s0, s3) "str q" s0 ", [%[" out "]], #16\n"
#define FW_WIDE_FLOATS(out, s0, s3) "st1 {v" s0 ".4s-v" s3 ".4s}, [%[" out "]], #64\n"
#define FW_WIDE_WAY(constants, convert, store)                                                             \
    ".balign 512\n" FW_JUMP_TARGET "ld1 {v0.4s-v3.4s}, [%[b]], #64\n" constants                            \
    FW_FLOATS("28", "29", "30", "31", "2", "3") convert("28", "29", "30", "31") store("out3", "28", "31")  \
    FW_FLOATS("24", "25", "26", "27", "2", "3") convert("24", "25", "26", "27") store("out2", "24", "27")  \
    FW_FLOATS("20", "21", "22", "23", "2", "3") convert("20", "21", "22", "23") store("out1", "20", "23")  \
    FW_FLOATS("16", "17", "18", "19", "2", "3") convert("16", "17", "18", "19") store("out0", "16", "19")  \
    "subs %[panels], %[panels], #1\n b.ne 1b\n b 2f\n"
#define FW_NARROW_BYTES(out1, out0, s0, s1, s2, s3)                                                        \
    "st1 {v" s0 ".d}[1], [%[" out1 "]], #8\n st1 {v" s0 ".d}[0], [%[" out0 "]], #8\n"
#define FW_NARROW_FLOATS(out1, out0, s0, s1, s2, s3)                                                       \
    "stp q" s2 ", q" s3 ", [%[" out1 "]], #32\n stp q" s0 ", q" s1 ", [%[" out0 "]], #32\n"
#define FW_NARROW_WAY(constants, convert, store)                                                           \
    ".balign 256\n" FW_JUMP_TARGET "ld1 {v0.4s-v1.4s}, [%[b]], #32\n" constants                            \
    FW_FLOATS("20", "21", "22", "23", "0", "1") convert("20", "21", "22", "23")                            \
    store("out3", "out2", "20", "21", "22", "23")                                                          \
    FW_FLOATS("16", "17", "18", "19", "0", "1") convert("16", "17", "18", "19")                            \
    store("out1", "out0", "16", "17", "18", "19")                                                          \
    "subs %[panels], %[panels], #1\n b.ne 1b\n b 2f\n"
#define FW_UPPER_CONSTANTS "ldp q4, q5, [%[upper]]\n"
#define FW_ALL_WAYS(way, bytes, floats, align, to_memory)                                                  \
    way("ldp q4, q5, [%[words]]\n ldr q6, [%[words], #32]\n", FW_BYTES_OTHER, bytes)                       \
    way(FW_UPPER_CONSTANTS, FW_BYTES_POSITIVE, bytes)                                                      \
    way(FW_UPPER_CONSTANTS "ldr q6, [%[upper], #32]\n", FW_BYTES_BOUNDED, bytes)                           \
    way(FW_UPPER_CONSTANTS, FW_BYTES_SIGNED, bytes)                                                        \
    ".balign " align "\n" FW_JUMP_TARGET to_memory "b 2f\n"                                                \
    way("ldp q4, q5, [%[upper], #48]\n", FW_FLOATS_CLAMPED, floats)

// After the last panel: the next four rows, if any.
#define FW_RUN_PANELS(bias, shift, align, steps, last, ways)                                               \
    __asm__ volatile(                                                                                      \
        "adr %[table], 20f\n add %[way], %[table], %[way], lsl #" shift "\n adr %[table], 10f\n"           \
        "0: ldp %[b], %[marks], [%[run]]\n ldr %[panels], [%[run], #16]\n"                                 \
        "1:\n" bias FW_NEXT_MARK(shift) "br %[mark]\n"                                                     \
        ".balign " align "\n 10:\n" steps last FW_ROWS_AGAIN ".balign " align "\n" FW_JUMP_TARGET FW_ROWS_AGAIN \
        ".balign " align "\n 20:\n" ways                                                                   \
        "2: subs %[tiles], %[tiles], #1\n b.eq 3f\n ldp %[b], %[marks], [%[run], #24]\n"                   \
        "add %[a0], %[a0], %[b]\n add %[a1], %[a1], %[b]\n add %[a2], %[a2], %[b]\n add %[a3], %[a3], %[b]\n" \
        "add %[out0], %[out0], %[marks]\n add %[out1], %[out1], %[marks]\n add %[out2], %[out2], %[marks]\n" \
        "add %[out3], %[out3], %[marks]\n b 0b\n 3:\n"                                                     \
        : [a0] "+&r"(a0), [a1] "+&r"(a1), [a2] "+&r"(a2), [a3] "+&r"(a3), [b] "=&r"(b), [panels] "=&r"(panels), \
          [marks] "=&r"(marks), [mark] "=&r"(mark), [table] "=&r"(table), [way] "+&r"(way), [out0] "+&r"(out0), \
          [out1] "+&r"(out1), [out2] "+&r"(out2), [out3] "+&r"(out3), [tiles] "+&r"(tiles)                 \
        : [run] "r"(&run), [back] "r"(run.back), [upper] "r"(&output.upper_bytes), [words] "r"(&output.zero_point) \
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", \
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", \
          "v29", "v30", "v31")
// clang-format on

/// What becomes of sums: a UpperByteOutput::Kind, or that they go to memory as they are, [row][column], at the first of
/// `to`, or floats.
constexpr uint64_t kToMemory = 4, kToFloats = 5;

/// Four rows: where they are and where they go, which may be the same for later rows as for an earlier one: the earlier
/// one counts.
struct FourRows {
    const int8_t* from[4];
    char* to[4];
};

/// `panels` > 0 of one width, whose columns are all there unless sums go to memory, and `tiles` > 0 times four rows.
struct PanelRun {
    const char* panel;
    const uint8_t* marks;
    int64_t panels;
    int64_t next_from;  ///< bytes to the next four rows
    int64_t next_to;    ///< from behind the last panel's outputs
    int64_t back;       ///< elements of a row, rounded up to 8
    int64_t tiles;
};

template <bool kWide>
__attribute__((noinline)) void run_panels(const FourRows& rows, const PanelRun& run, const LoadedOutput& output,
                                          uint64_t way) {
    const int8_t *a0 = rows.from[0], *a1 = rows.from[1], *a2 = rows.from[2], *a3 = rows.from[3];
    char *out0 = rows.to[0], *out1 = rows.to[1], *out2 = rows.to[2], *out3 = rows.to[3];
    int64_t tiles = run.tiles;
    uint64_t b, panels, marks, mark, table;
    // clang-format off
    if constexpr (kWide) {
        FW_RUN_PANELS("ld1 {v16.4s-v19.4s}, [%[b]]\n ld1 {v20.4s-v23.4s}, [%[b]]\n ld1 {v24.4s-v27.4s}, [%[b]]\n"
                      "ld1 {v28.4s-v31.4s}, [%[b]], #64\n", "9", "512", FW_WIDE_STEPS, FW_WIDE_LAST,
                      FW_ALL_WAYS(FW_WIDE_WAY, FW_WIDE_BYTES, FW_WIDE_FLOATS, "512",
                                  "st1 {v16.4s-v19.4s}, [%[out0]], #64\n st1 {v20.4s-v23.4s}, [%[out0]], #64\n"
                                  "st1 {v24.4s-v27.4s}, [%[out0]], #64\n st1 {v28.4s-v31.4s}, [%[out0]], #64\n"));
    } else {
        FW_RUN_PANELS("ld1 {v16.4s-v17.4s}, [%[b]]\n ld1 {v18.4s-v19.4s}, [%[b]]\n ld1 {v20.4s-v21.4s}, [%[b]]\n"
                      "ld1 {v22.4s-v23.4s}, [%[b]], #32\n", "8", "256", FW_NARROW_STEPS, FW_NARROW_LAST,
                      FW_ALL_WAYS(FW_NARROW_WAY, FW_NARROW_BYTES, FW_NARROW_FLOATS, "256",
                                  "st1 {v16.4s-v19.4s}, [%[out0]], #64\n st1 {v20.4s-v23.4s}, [%[out0]], #64\n"));
    }
    // clang-format on
}

/// The sums of one row and a panel.
template <bool kWide>
FW_ALWAYS_INLINE void multiply_row(const int8_t* a, const char* panel, int64_t length, int32x4_t* sums) {
    const auto* b = reinterpret_cast<const int8_t*>(panel + (kWide ? 64 : 32));
    const auto load = [&](int v)
                          FW_INLINE_LAMBDA { return vld1q_s32(reinterpret_cast<const int32_t*>(panel) + 4 * v); };
    int32x4_t s0 = load(0), s1 = load(1);
    int64_t left = length - 4;
    // clang-format off
#define FW_ROW_ADD "sadalp %0.4s, v12.8h\n sadalp %1.4s, v13.8h\n"
#define FW_ROW_ADD_WIDE FW_ROW_ADD "sadalp %2.4s, v14.8h\n sadalp %3.4s, v15.8h\n"
#define FW_ROW_TWO(op, a, b) op " v12.8h, v" a ".8b, v" b ".8b\n" op "2 v13.8h, v" a ".16b, v" b ".16b\n"
#define FW_ROW_LOOP(load_b, load_half, first, second)                                                      \
    "cmp %[left], #0\n b.le 2f\n"                                                                          \
    "1: ld4r {v0.8h-v3.8h}, [%[a]], #8\n" load_b first second "subs %[left], %[left], #8\n b.gt 1b\n"      \
    "2: cmn %[left], #4\n b.le 3f\n ld4r {v0.8h-v3.8h}, [%[a]]\n" load_half first "3:\n"
#define FW_ROW_CLOBBERS                                                                                    \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15"
    if constexpr (kWide) {
        int32x4_t s2 = load(2), s3 = load(3);
        __asm__ volatile(
            FW_ROW_LOOP("ld1 {v4.16b-v7.16b}, [%[b]], #64\n ld1 {v8.16b-v11.16b}, [%[b]], #64\n",
                        "ld1 {v4.16b-v7.16b}, [%[b]]\n", FW_WIDE_FIRST FW_ROW_ADD_WIDE,
                        FW_FIRST_PRODUCTS("2", "8", "2", "9") FW_MORE_PRODUCTS("3", "10", "3", "11") FW_ROW_ADD_WIDE)
            : "+w"(s0), "+w"(s1), "+w"(s2), "+w"(s3), [a] "+r"(a), [b] "+r"(b), [left] "+r"(left)
            :
            : FW_ROW_CLOBBERS);
        sums[2] = s2;
        sums[3] = s3;
    } else {
        __asm__ volatile(
            FW_ROW_LOOP("ld1 {v4.16b-v7.16b}, [%[b]], #64\n", "ld1 {v4.16b-v5.16b}, [%[b]]\n",
                        FW_ROW_TWO("smull", "0", "4") FW_ROW_TWO("smlal", "1", "5") FW_ROW_ADD,
                        FW_ROW_TWO("smull", "2", "6") FW_ROW_TWO("smlal", "3", "7") FW_ROW_ADD)
            : "+w"(s0), "+w"(s1), [a] "+r"(a), [b] "+r"(b), [left] "+r"(left)
            :
            : FW_ROW_CLOBBERS);
    }
    // clang-format on
    sums[0] = s0;
    sums[1] = s1;
}

}  // namespace
}  // namespace fw
