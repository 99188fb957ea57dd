// Blocks of 16 or 8 channels of depthwise lines without a dot product, instruction by instruction. Columns come by
// segments, so that padding is a segment of its own whose addresses stay. AArch64 only.
#pragma once

#include "layer/arm/dw_int8.h"

namespace fw {
namespace {

/// Adjacent columns of a line: addresses of their rows, from column to column `step` bytes more.
template <int kSize>
struct ByteSegment {
    const char* rows[kSize];
    int64_t steps[kSize];
    int64_t count;  ///< 0: the end
};

/// Padding to the left, the input, and padding to the right, as far as there are any.
template <int kSize>
struct ByteSegments {
    ByteSegment<kSize> at[4];

    FW_ALWAYS_INLINE ByteSegments(const DwLineArgs& args, int stride) {
        const int64_t first = args.first_column;
        const int64_t end = first + (args.pixels - 1) * stride + kSize;
        ByteSegment<kSize>* to = at;
        const auto pad = [&](int64_t count) FW_INLINE_LAMBDA {
            if (count > 0) {
                unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
                    to->rows[y] = static_cast<const char*>(args.pad_row);
                    to->steps[y] = 0;
                });
                to->count = count;
                ++to;
            }
        };
        const int64_t from = first < 0 ? (end < 0 ? end : 0) : first;
        const int64_t inside = end < args.columns ? end : args.columns;
        pad(from - first);
        if (inside > from) {
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
                to->rows[y] = static_cast<const char*>(args.lines[y]) + from * args.line_step[y];
                to->steps[y] = args.line_step[y];
            });
            to->count = inside - from;
            ++to;
        }
        pad(end - (inside > from ? inside : from));
        to->count = 0;
    }
};

// clang-format off
// Of every column but those of the first window one macro, whose label a jump takes where the next segment begins.
#define FW_LINE_GO(next) "b.ne " next "\n adr %[to], " next "\n b 90f\n"
#define FW_LINE_BIAS(a0, a3) "ld1 {v" a0 ".4s-v" a3 ".4s}, [%[bias]]\n"
#define FW_LINE_TWO(op, out, x, w) op " v" out ".8h, v" x ".8b, v" w ".8b\n"
#define FW_LINE_TWO_HIGH(op, out, x, w) op "2 v" out ".8h, v" x ".16b, v" w ".16b\n"
#define FW_LINE_ADD(a0, a1, t) "saddw v" a0 ".4s, v" a0 ".4s, v" t ".4h\n saddw2 v" a1 ".4s, v" a1 ".4s, v" t ".8h\n"
#define FW_LINE_SCALED(convert, a, n)                                                       \
    "scvtf v" a ".4s, v" a ".4s\n fmul v" n ".4s, v" a ".4s, v" n ".4s\n"                   \
    "frintn v" n ".4s, v" n ".4s\n" convert " v" n ".4s, v" n ".4s, #24\n"
#define FW_LINE_STORE(convert, finish, next, a0, a1, a2, a3)                                \
    "ld1 {v0.4s-v3.4s}, [%[multiplier]]\n"                                                  \
    FW_LINE_SCALED(convert, a0, "0") FW_LINE_SCALED(convert, a1, "1")                       \
    FW_LINE_SCALED(convert, a2, "2") FW_LINE_SCALED(convert, a3, "3")                       \
    "ldp q4, q5, [%[output]]\n ldr q6, [%[output], #32]\n tbl v0.16b, {v0.16b-v3.16b}, v4.16b\n" finish \
    "cbnz %[half], 7f\n st1 {v0.16b}, [%[out]], %[out_step]\n b.ne " next "\n"              \
    "6: adr %[to], " next "\n b 90f\n"                                                      \
    "7: st1 {v0.8b}, [%[out]], %[out_step]\n b.ne " next "\n b 6b\n"
#define FW_LINE_UNSIGNED "umin v0.16b, v0.16b, v6.16b\n eor v0.16b, v0.16b, v5.16b\n"
#define FW_LINE_SIGNED "smax v0.16b, v0.16b, v5.16b\n"
#define FW_APPLY(op, ...) op(__VA_ARGS__)

// 3x3. Registers: rows v0, v1, and one of v29 to v31, as the next column's products take it too; sums of two products
// v4 to v7; weights v20 to v28; windows' sums v8 to v19.
#define FW_SUMS3_0 "8", "9", "10", "11"
#define FW_SUMS3_1 "12", "13", "14", "15"
#define FW_SUMS3_2 "16", "17", "18", "19"
#define FW_LINE3_COLUMN(r2)                                                                 \
    FW_JUMP_TARGET "ld1 {v0.16b}, [%[n0]], %[s0]\n ld1 {v1.16b}, [%[n1]], %[s1]\n ld1 {v" r2 ".16b}, [%[n2]], %[s2]\n" \
    "subs %[count], %[count], #1\n"
#define FW_LINE_PRODUCTS(low, high, x, w, y, u)                                             \
    FW_LINE_TWO("smull", low, x, w) FW_LINE_TWO_HIGH("smull", high, x, w)                   \
    FW_LINE_TWO("smlal", low, y, u) FW_LINE_TWO_HIGH("smlal", high, y, u)
#define FW_LINE3_TAP0(a0, a1, a2, a3)                                                       \
    FW_LINE_BIAS(a0, a3) FW_LINE_PRODUCTS("4", "5", "0", "20", "1", "21")                   \
    FW_LINE_ADD(a0, a1, "4") FW_LINE_ADD(a2, a3, "5")
#define FW_LINE3_TAP1(before, r2, a0, a1, a2, a3)                                           \
    FW_LINE_PRODUCTS("4", "5", "0", "23", "1", "24") FW_LINE_PRODUCTS("6", "7", before, "22", r2, "25") \
    FW_LINE_ADD(a0, a1, "4") FW_LINE_ADD(a2, a3, "5") FW_LINE_ADD(a0, a1, "6") FW_LINE_ADD(a2, a3, "7")
#define FW_LINE3_TAP2(r2, a0, a1, a2, a3)                                                   \
    FW_LINE_PRODUCTS("4", "5", "0", "26", "1", "27")                                        \
    FW_LINE_TWO("smull", "6", r2, "28") FW_LINE_TWO_HIGH("smull", "7", r2, "28")            \
    FW_LINE_ADD(a0, a1, "4") FW_LINE_ADD(a2, a3, "5") FW_LINE_ADD(a0, a1, "6") FW_LINE_ADD(a2, a3, "7")
#define FW_LINE3_OPEN(...) FW_APPLY(FW_LINE3_TAP0, __VA_ARGS__)
#define FW_LINE3_GO_ON(before, r2, ...) FW_APPLY(FW_LINE3_TAP1, before, r2, __VA_ARGS__)
#define FW_LINE3_FINISH(r2, convert, finish, next, ...)                                     \
    FW_APPLY(FW_LINE3_TAP2, r2, __VA_ARGS__) FW_APPLY(FW_LINE_STORE, convert, finish, next, __VA_ARGS__)
#define FW_LINE3_START                                                                      \
    "ld1 {v20.16b-v23.16b}, [%[weights]], #64\n ld1 {v24.16b-v27.16b}, [%[weights]], #64\n ldr q28, [%[weights]]\n" \
    "adr %[to], 10f\n b 90f\n"
#define FW_LINE3_S1(convert, finish)                                                        \
    FW_LINE3_START                                                                          \
    "10:\n" FW_LINE3_COLUMN("29") FW_LINE3_OPEN(FW_SUMS3_0) FW_LINE_GO("11f")               \
    "11:\n" FW_LINE3_COLUMN("30") FW_LINE3_OPEN(FW_SUMS3_1) FW_LINE3_GO_ON("29", "30", FW_SUMS3_0) FW_LINE_GO("22f") \
    "22:\n" FW_LINE3_COLUMN("31") FW_LINE3_OPEN(FW_SUMS3_2) FW_LINE3_GO_ON("30", "31", FW_SUMS3_1)          \
    FW_LINE3_FINISH("31", convert, finish, "20f", FW_SUMS3_0)                               \
    "20:\n" FW_LINE3_COLUMN("29") FW_LINE3_OPEN(FW_SUMS3_0) FW_LINE3_GO_ON("31", "29", FW_SUMS3_2)          \
    FW_LINE3_FINISH("29", convert, finish, "21f", FW_SUMS3_1)                               \
    "21:\n" FW_LINE3_COLUMN("30") FW_LINE3_OPEN(FW_SUMS3_1) FW_LINE3_GO_ON("29", "30", FW_SUMS3_0)          \
    FW_LINE3_FINISH("30", convert, finish, "22b", FW_SUMS3_2)
#define FW_LINE3_S2(convert, finish)                                                        \
    FW_LINE3_START                                                                          \
    "10:\n" FW_LINE3_COLUMN("29") FW_LINE3_OPEN(FW_SUMS3_0) FW_LINE_GO("11f")               \
    "11:\n" FW_LINE3_COLUMN("30") FW_LINE3_GO_ON("29", "30", FW_SUMS3_0) FW_LINE_GO("22f")  \
    "22:\n" FW_LINE3_COLUMN("29") FW_LINE3_OPEN(FW_SUMS3_1)                                 \
    FW_LINE3_FINISH("29", convert, finish, "23f", FW_SUMS3_0)                               \
    "23:\n" FW_LINE3_COLUMN("30") FW_LINE3_GO_ON("29", "30", FW_SUMS3_1) FW_LINE_GO("20f")  \
    "20:\n" FW_LINE3_COLUMN("29") FW_LINE3_OPEN(FW_SUMS3_0)                                 \
    FW_LINE3_FINISH("29", convert, finish, "21f", FW_SUMS3_1)                               \
    "21:\n" FW_LINE3_COLUMN("30") FW_LINE3_GO_ON("29", "30", FW_SUMS3_0) FW_LINE_GO("22b")
#define FW_LINE3_SEGMENT                                                                    \
    "90: ldr %[count], [%[segment], #48]\n cbz %[count], 91f\n"                             \
    "ldp %[n0], %[n1], [%[segment]]\n ldp %[n2], %[s0], [%[segment], #16]\n ldp %[s1], %[s2], [%[segment], #32]\n" \
    "add %[segment], %[segment], #56\n add %[n0], %[n0], %[channel]\n add %[n1], %[n1], %[channel]\n"   \
    "add %[n2], %[n2], %[channel]\n br %[to]\n 91:\n"

// 5x5. Registers: rows v0 to v4; weights of a tap v5 to v8, the last row's in v5; sums of two products v9 to v11;
// windows' sums v12 to v31.
#define FW_SUMS5_0 "12", "13", "14", "15"
#define FW_SUMS5_1 "16", "17", "18", "19"
#define FW_SUMS5_2 "20", "21", "22", "23"
#define FW_SUMS5_3 "24", "25", "26", "27"
#define FW_SUMS5_4 "28", "29", "30", "31"
#define FW_LINE5_COLUMN                                                                     \
    FW_JUMP_TARGET "ld1 {v0.16b}, [%[n0]], %[s0]\n ld1 {v1.16b}, [%[n1]], %[s1]\n ld1 {v2.16b}, [%[n2]], %[s2]\n"       \
    "ld1 {v3.16b}, [%[n3]], %[s3]\n ld1 {v4.16b}, [%[n4]], %[s4]\n subs %[count], %[count], #1\n"
#define FW_LINE5_TAP(x, a0, a1, a2, a3)                                                     \
    "ldp q5, q6, [%[weights], #80*" x "]\n ldp q7, q8, [%[weights], #80*" x "+32]\n"        \
    FW_LINE_TWO("smull", "9", "0", "5") FW_LINE_TWO_HIGH("smull", "10", "0", "5") FW_LINE_TWO("smull", "11", "2", "7") \
    "ldr q5, [%[weights], #80*" x "+64]\n"                                                  \
    FW_LINE_TWO("smlal", "9", "1", "6") FW_LINE_TWO_HIGH("smlal", "10", "1", "6") FW_LINE_TWO("smlal", "11", "3", "8") \
    FW_LINE_ADD(a0, a1, "9") FW_LINE_TWO_HIGH("smull", "9", "2", "7") FW_LINE_ADD(a2, a3, "10")          \
    FW_LINE_TWO("smull", "10", "4", "5") FW_LINE_TWO_HIGH("smlal", "9", "3", "8") FW_LINE_ADD(a0, a1, "11") \
    FW_LINE_TWO_HIGH("smull", "11", "4", "5") FW_LINE_ADD(a2, a3, "9") FW_LINE_ADD(a0, a1, "10") FW_LINE_ADD(a2, a3, "11")
#define FW_LINE5_TAP0(a0, a1, a2, a3) FW_LINE_BIAS(a0, a3) FW_LINE5_TAP("0", a0, a1, a2, a3)
#define FW_LINE5_OPEN(...) FW_APPLY(FW_LINE5_TAP0, __VA_ARGS__)
#define FW_LINE5_ADD(x, ...) FW_APPLY(FW_LINE5_TAP, x, __VA_ARGS__)
#define FW_LINE5_FINISH(convert, finish, next, ...)                                         \
    FW_LINE5_ADD("4", __VA_ARGS__) FW_APPLY(FW_LINE_STORE, convert, finish, next, __VA_ARGS__)
#define FW_LINE5_FOUR(s0, s1, s2, s3)                                                       \
    FW_LINE5_COLUMN FW_LINE5_OPEN(s0) FW_LINE5_ADD("1", s1) FW_LINE5_ADD("2", s2) FW_LINE5_ADD("3", s3)
#define FW_LINE5_S1(convert, finish)                                                        \
    "adr %[to], 10f\n b 90f\n"                                                              \
    "10:\n" FW_LINE5_COLUMN FW_LINE5_OPEN(FW_SUMS5_0) FW_LINE_GO("11f")                     \
    "11:\n" FW_LINE5_COLUMN FW_LINE5_OPEN(FW_SUMS5_1) FW_LINE5_ADD("1", FW_SUMS5_0) FW_LINE_GO("12f")       \
    "12:\n" FW_LINE5_COLUMN FW_LINE5_OPEN(FW_SUMS5_2) FW_LINE5_ADD("1", FW_SUMS5_1) FW_LINE5_ADD("2", FW_SUMS5_0) \
    FW_LINE_GO("13f")                                                                       \
    "13:\n" FW_LINE5_FOUR(FW_SUMS5_3, FW_SUMS5_2, FW_SUMS5_1, FW_SUMS5_0) FW_LINE_GO("24f") \
    "24:\n" FW_LINE5_FOUR(FW_SUMS5_4, FW_SUMS5_3, FW_SUMS5_2, FW_SUMS5_1)                   \
    FW_LINE5_FINISH(convert, finish, "20f", FW_SUMS5_0)                                     \
    "20:\n" FW_LINE5_FOUR(FW_SUMS5_0, FW_SUMS5_4, FW_SUMS5_3, FW_SUMS5_2)                   \
    FW_LINE5_FINISH(convert, finish, "21f", FW_SUMS5_1)                                     \
    "21:\n" FW_LINE5_FOUR(FW_SUMS5_1, FW_SUMS5_0, FW_SUMS5_4, FW_SUMS5_3)                   \
    FW_LINE5_FINISH(convert, finish, "22f", FW_SUMS5_2)                                     \
    "22:\n" FW_LINE5_FOUR(FW_SUMS5_2, FW_SUMS5_1, FW_SUMS5_0, FW_SUMS5_4)                   \
    FW_LINE5_FINISH(convert, finish, "23f", FW_SUMS5_3)                                     \
    "23:\n" FW_LINE5_FOUR(FW_SUMS5_3, FW_SUMS5_2, FW_SUMS5_1, FW_SUMS5_0)                   \
    FW_LINE5_FINISH(convert, finish, "24b", FW_SUMS5_4)
#define FW_LINE5_ODD(s1, s3) FW_LINE5_COLUMN FW_LINE5_ADD("1", s1) FW_LINE5_ADD("3", s3)
#define FW_LINE5_EVEN(s0, s2) FW_LINE5_COLUMN FW_LINE5_OPEN(s0) FW_LINE5_ADD("2", s2)
#define FW_LINE5_S2(convert, finish)                                                        \
    "adr %[to], 10f\n b 90f\n"                                                              \
    "10:\n" FW_LINE5_COLUMN FW_LINE5_OPEN(FW_SUMS5_0) FW_LINE_GO("11f")                     \
    "11:\n" FW_LINE5_COLUMN FW_LINE5_ADD("1", FW_SUMS5_0) FW_LINE_GO("12f")                 \
    "12:\n" FW_LINE5_EVEN(FW_SUMS5_1, FW_SUMS5_0) FW_LINE_GO("13f")                         \
    "13:\n" FW_LINE5_ODD(FW_SUMS5_1, FW_SUMS5_0) FW_LINE_GO("24f")                          \
    "24:\n" FW_LINE5_EVEN(FW_SUMS5_2, FW_SUMS5_1) FW_LINE5_FINISH(convert, finish, "25f", FW_SUMS5_0)       \
    "25:\n" FW_LINE5_ODD(FW_SUMS5_2, FW_SUMS5_1) FW_LINE_GO("20f")                          \
    "20:\n" FW_LINE5_EVEN(FW_SUMS5_0, FW_SUMS5_2) FW_LINE5_FINISH(convert, finish, "21f", FW_SUMS5_1)       \
    "21:\n" FW_LINE5_ODD(FW_SUMS5_0, FW_SUMS5_2) FW_LINE_GO("22f")                          \
    "22:\n" FW_LINE5_EVEN(FW_SUMS5_1, FW_SUMS5_0) FW_LINE5_FINISH(convert, finish, "23f", FW_SUMS5_2)       \
    "23:\n" FW_LINE5_ODD(FW_SUMS5_1, FW_SUMS5_0) FW_LINE_GO("24b")
#define FW_LINE5_SEGMENT                                                                    \
    "90: ldr %[count], [%[segment], #80]\n cbz %[count], 91f\n"                             \
    "ldp %[n0], %[n1], [%[segment]]\n ldp %[n2], %[n3], [%[segment], #16]\n ldp %[n4], %[s0], [%[segment], #32]\n" \
    "ldp %[s1], %[s2], [%[segment], #48]\n ldp %[s3], %[s4], [%[segment], #64]\n add %[segment], %[segment], #88\n" \
    "add %[n0], %[n0], %[channel]\n add %[n1], %[n1], %[channel]\n add %[n2], %[n2], %[channel]\n"         \
    "add %[n3], %[n3], %[channel]\n add %[n4], %[n4], %[channel]\n br %[to]\n 91:\n"

#define FW_LINE_RUN(...)                                                                    \
    __asm__ volatile(__VA_ARGS__                                                            \
        : [weights] "+r"(weights), [segment] "+r"(segment), [out] "+r"(out), [n0] "=&r"(n[0]), [n1] "=&r"(n[1]), \
          [n2] "=&r"(n[2]), [n3] "=&r"(n[3]), [n4] "=&r"(n[4]), [s0] "=&r"(s[0]), [s1] "=&r"(s[1]),            \
          [s2] "=&r"(s[2]), [s3] "=&r"(s[3]), [s4] "=&r"(s[4]), [count] "=&r"(count), [to] "=&r"(to)            \
        : [out_step] "r"(args.out_step), [bias] "r"(block), [multiplier] "r"(block + 64),   \
          [output] "r"(&output.upper_bytes), [half] "r"(half), [channel] "r"(c)             \
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
          "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", \
          "v30", "v31")

/// 16 or 8 channels from `c` on.
template <int kSize, int kStride, bool kSigned>
__attribute__((noinline)) void run_line_block(const DwLineArgs& args, const ByteSegment<kSize>* segment,
                                              const LoadedOutput& output, const char* block, int64_t c) {
    const char* weights = block + 128;
    char* out = static_cast<char*>(args.out) + c;
    const int64_t half = args.channels - c < 16 ? 1 : 0;
    uint64_t n[5], s[5], count, to;
    if constexpr (kSize == 3 && kStride == 1 && kSigned) {
        FW_LINE_RUN(FW_LINE3_S1("fcvtzs", FW_LINE_SIGNED) FW_LINE3_SEGMENT);
    } else if constexpr (kSize == 3 && kStride == 1) {
        FW_LINE_RUN(FW_LINE3_S1("fcvtzu", FW_LINE_UNSIGNED) FW_LINE3_SEGMENT);
    } else if constexpr (kSize == 3 && kSigned) {
        FW_LINE_RUN(FW_LINE3_S2("fcvtzs", FW_LINE_SIGNED) FW_LINE3_SEGMENT);
    } else if constexpr (kSize == 3) {
        FW_LINE_RUN(FW_LINE3_S2("fcvtzu", FW_LINE_UNSIGNED) FW_LINE3_SEGMENT);
    } else if constexpr (kStride == 1 && kSigned) {
        FW_LINE_RUN(FW_LINE5_S1("fcvtzs", FW_LINE_SIGNED) FW_LINE5_SEGMENT);
    } else if constexpr (kStride == 1) {
        FW_LINE_RUN(FW_LINE5_S1("fcvtzu", FW_LINE_UNSIGNED) FW_LINE5_SEGMENT);
    } else if constexpr (kSigned) {
        FW_LINE_RUN(FW_LINE5_S2("fcvtzs", FW_LINE_SIGNED) FW_LINE5_SEGMENT);
    } else {
        FW_LINE_RUN(FW_LINE5_S2("fcvtzu", FW_LINE_UNSIGNED) FW_LINE5_SEGMENT);
    }
}
// clang-format on

}  // namespace
}  // namespace fw
