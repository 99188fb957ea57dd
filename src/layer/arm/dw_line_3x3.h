// Lines of a depthwise 3x3 window with a dot product, instruction by instruction: GCC 12 takes an addition for each
// address and moves sums around. AArch64 only.
#pragma once

#include "kernel/kernel.h"
#include "layer/arm/dw_int8.h"

namespace fw {
namespace {

// Three rows of 16 channels to four vectors of [channel][row]; then the upper bytes of four vectors of words.
#define FW_CHANNEL(c) c, 16 + (c), 32 + (c), 48 + (c)
#define FW_CHANNELS(c) FW_CHANNEL(c), FW_CHANNEL((c) + 1), FW_CHANNEL((c) + 2), FW_CHANNEL((c) + 3)
alignas(16) constexpr uint8_t kLineOrders[80] = {FW_CHANNELS(0),
                                                 FW_CHANNELS(4),
                                                 FW_CHANNELS(8),
                                                 FW_CHANNELS(12),
                                                 3,
                                                 7,
                                                 11,
                                                 15,
                                                 19,
                                                 23,
                                                 27,
                                                 31,
                                                 35,
                                                 39,
                                                 43,
                                                 47,
                                                 51,
                                                 55,
                                                 59,
                                                 63};
#undef FW_CHANNEL
#undef FW_CHANNELS

// clang-format off
// Registers: rows v0 to v2, their channels v4 to v7; then a pixel's scaled sums v0 to v3, orders and bounds v4 to v6.
#define FW_DW_INTERLEAVE                                                                    \
    "ld1 {v4.16b-v7.16b}, [%[orders]]\n"                                                    \
    "tbl v4.16b, {v0.16b-v2.16b}, v4.16b\n tbl v5.16b, {v0.16b-v2.16b}, v5.16b\n"           \
    "tbl v6.16b, {v0.16b-v2.16b}, v6.16b\n tbl v7.16b, {v0.16b-v2.16b}, v7.16b\n"
#define FW_DW_COLUMN                                                                        \
    "ld1 {v0.16b}, [%[n0]], %[s0]\n ld1 {v1.16b}, [%[n1]], %[s1]\n ld1 {v2.16b}, [%[n2]], %[s2]\n" FW_DW_INTERLEAVE
#define FW_DW_END(at0, at2)                                                                 \
    "ldp %[t0], %[t1], [%[ends], #" at0 "]\n ldr %[t2], [%[ends], #" at2 "]\n"              \
    "ld1 {v0.16b}, [%[t0]]\n ld1 {v1.16b}, [%[t1]]\n ld1 {v2.16b}, [%[t2]]\n" FW_DW_INTERLEAVE
#define FW_DW_BIAS(a0, a3) "ld1 {v" a0 ".4s-v" a3 ".4s}, [%[bias]]\n"
#define FW_DW_TAP(a0, a1, a2, a3, w0, w1, w2, w3)                                           \
    "sdot v" a0 ".4s, v4.16b, v" w0 ".16b\n sdot v" a1 ".4s, v5.16b, v" w1 ".16b\n"         \
    "sdot v" a2 ".4s, v6.16b, v" w2 ".16b\n sdot v" a3 ".4s, v7.16b, v" w3 ".16b\n"
#define FW_DW_TAP_0(a0, a1, a2, a3) FW_DW_BIAS(a0, a3) FW_DW_TAP(a0, a1, a2, a3, "20", "21", "22", "23")
#define FW_DW_TAP_1(a0, a1, a2, a3) FW_DW_TAP(a0, a1, a2, a3, "24", "25", "26", "27")
#define FW_DW_TAP_2(a0, a1, a2, a3) FW_DW_TAP(a0, a1, a2, a3, "28", "29", "30", "31")
#define FW_DW_SCALED(convert, a, n)                                                         \
    "scvtf v" a ".4s, v" a ".4s\n fmul v" n ".4s, v" a ".4s, v" n ".4s\n"                   \
    "frintn v" n ".4s, v" n ".4s\n" convert " v" n ".4s, v" n ".4s, #24\n"
#define FW_DW_STORE(convert, finish, a0, a1, a2, a3)                                        \
    "ld1 {v0.4s-v3.4s}, [%[multiplier]]\n"                                                  \
    FW_DW_SCALED(convert, a0, "0") FW_DW_SCALED(convert, a1, "1")                           \
    FW_DW_SCALED(convert, a2, "2") FW_DW_SCALED(convert, a3, "3")                           \
    "ldr q4, [%[orders], #64]\n ldp q5, q6, [%[finish]]\n tbl v0.16b, {v0.16b-v3.16b}, v4.16b\n" finish \
    "st1 {v0.16b}, [%[out]], %[out_step]\n"
#define FW_DW_BOUNDED "umin v0.16b, v0.16b, v6.16b\n eor v0.16b, v0.16b, v5.16b\n"
#define FW_DW_POSITIVE "eor v0.16b, v0.16b, v5.16b\n"
#define FW_DW_SIGNED "smax v0.16b, v0.16b, v5.16b\n"

#define FW_SUMS_0 "8", "9", "10", "11"
#define FW_SUMS_1 "12", "13", "14", "15"
#define FW_SUMS_2 "16", "17", "18", "19"
#define FW_APPLY(op, ...) op(__VA_ARGS__)
#define FW_DW_FIRST FW_DW_END("0", "16")
#define FW_DW_LAST FW_DW_END("24", "40")
#define FW_DW_WEIGHTS                                                                       \
    "mov %[t0], %[weights]\n ld1 {v20.16b-v23.16b}, [%[t0]], #64\n"                         \
    "ld1 {v24.16b-v27.16b}, [%[t0]], #64\n ld1 {v28.16b-v31.16b}, [%[t0]]\n"
#define FW_OPEN(sums) FW_APPLY(FW_DW_TAP_0, sums)
#define FW_GO_ON(sums) FW_APPLY(FW_DW_TAP_1, sums)
#define FW_FINISH(convert, finish, sums) FW_APPLY(FW_DW_TAP_2, sums) FW_APPLY(FW_DW_STORE, convert, finish, sums)

// Windows open at every column; three are open. All pixels but the last one in a loop of three, which is entered where
// it will end with its third.
#define FW_DW_LINE_S1(convert, finish)                                                      \
    FW_DW_WEIGHTS FW_DW_FIRST                                                               \
    "cmp %[entry], #1\n b.eq 11f\n b.hi 12f\n"                                              \
    FW_OPEN(FW_SUMS_1) FW_DW_COLUMN FW_OPEN(FW_SUMS_2) FW_GO_ON(FW_SUMS_1) "b 20f\n"        \
    "11:\n" FW_OPEN(FW_SUMS_2) FW_DW_COLUMN FW_OPEN(FW_SUMS_0) FW_GO_ON(FW_SUMS_2) "b 21f\n" \
    "12:\n" FW_OPEN(FW_SUMS_0) FW_DW_COLUMN FW_OPEN(FW_SUMS_1) FW_GO_ON(FW_SUMS_0) "b 22f\n" \
    "20:\n" FW_DW_COLUMN FW_OPEN(FW_SUMS_0) FW_GO_ON(FW_SUMS_2) FW_FINISH(convert, finish, FW_SUMS_1) \
    "21:\n" FW_DW_COLUMN FW_OPEN(FW_SUMS_1) FW_GO_ON(FW_SUMS_0) FW_FINISH(convert, finish, FW_SUMS_2) \
    "22:\n" FW_DW_COLUMN FW_OPEN(FW_SUMS_2) FW_GO_ON(FW_SUMS_1) FW_FINISH(convert, finish, FW_SUMS_0) \
    "subs %[rounds], %[rounds], #1\n b.ne 20b\n"                                            \
    FW_DW_LAST FW_FINISH(convert, finish, FW_SUMS_1)
// At every second column; two are open.
#define FW_DW_LINE_S2(convert, finish)                                                      \
    FW_DW_WEIGHTS FW_DW_FIRST                                                               \
    "cbnz %[entry], 11f\n"                                                                  \
    FW_OPEN(FW_SUMS_0) "b 20f\n"                                                            \
    "11:\n" FW_OPEN(FW_SUMS_1) "b 21f\n"                                                    \
    "20:\n" FW_DW_COLUMN FW_GO_ON(FW_SUMS_0) FW_DW_COLUMN FW_OPEN(FW_SUMS_1) FW_FINISH(convert, finish, FW_SUMS_0) \
    "21:\n" FW_DW_COLUMN FW_GO_ON(FW_SUMS_1) FW_DW_COLUMN FW_OPEN(FW_SUMS_0) FW_FINISH(convert, finish, FW_SUMS_1) \
    "subs %[rounds], %[rounds], #1\n b.ne 20b\n"                                            \
    FW_DW_COLUMN FW_GO_ON(FW_SUMS_0) FW_DW_LAST FW_FINISH(convert, finish, FW_SUMS_0)

#define FW_DW_LINE(text)                                                                    \
    __asm__ volatile(text                                                                   \
        : [n0] "+r"(n0), [n1] "+r"(n1), [n2] "+r"(n2), [rounds] "+r"(rounds), [out] "+r"(out), [t0] "=&r"(t0), \
          [t1] "=&r"(t1), [t2] "=&r"(t2)                                                    \
        : [s0] "r"(args.line_step[0]), [s1] "r"(args.line_step[1]), [s2] "r"(args.line_step[2]), \
          [out_step] "r"(args.out_step), [bias] "r"(block), [weights] "r"(block + 128), [multiplier] "r"(block + 64), \
          [finish] "r"(&output.finish), [orders] "r"(kLineOrders), [ends] "r"(ends), [entry] "r"(entry) \
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", \
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", \
          "v29", "v30", "v31")

/// A block of 16 channels from `c` on, of a line of which at most the first and the last column are padding. Returns
/// false where it is another one.
template <int kStride, bool kSigned>
FW_ALWAYS_INLINE bool run_line_3x3(const DwLineArgs& args, const UpperByteOutput& output, const char* block, int64_t c) {
    const int64_t last = args.first_column + (args.pixels - 1) * kStride + 2;
    if (args.channels - c < 16 || args.pixels < 2 || args.first_column < -1 || last > args.columns) {
        return false;
    }
    const auto row = [&](int y, int64_t column) FW_INLINE_LAMBDA {
        const auto* from = static_cast<const char*>(args.lines[y]) + c;
        return column >= 0 && column < args.columns ? from + column * args.line_step[y]
                                                    : static_cast<const char*>(args.pad_row) + c;
    };
    const char* const ends[] = {row(0, args.first_column), row(1, args.first_column), row(2, args.first_column),
                                row(0, last), row(1, last), row(2, last)};
    const char* n0 = row(0, args.first_column + 1);
    const char* n1 = row(1, args.first_column + 1);
    const char* n2 = row(2, args.first_column + 1);
    const int64_t looped = args.pixels - 1;
    const int64_t entry = kStride == 1 ? (3 - looped % 3) % 3 : looped % 2;
    int64_t rounds = (looped + entry) / (kStride == 1 ? 3 : 2);
    char* out = static_cast<char*>(args.out) + c;
    uint64_t t0 = 0, t1 = 0, t2 = 0;
    const bool positive = output.kind == UpperByteOutput::Kind::kPositive;
    if constexpr (kStride == 1 && kSigned) {
        FW_DW_LINE(FW_DW_LINE_S1("fcvtzs", FW_DW_SIGNED));
    } else if constexpr (kSigned) {
        FW_DW_LINE(FW_DW_LINE_S2("fcvtzs", FW_DW_SIGNED));
    } else if (kStride == 1 && positive) {
        FW_DW_LINE(FW_DW_LINE_S1("fcvtzu", FW_DW_POSITIVE));
    } else if (kStride == 1) {
        FW_DW_LINE(FW_DW_LINE_S1("fcvtzu", FW_DW_BOUNDED));
    } else if (positive) {
        FW_DW_LINE(FW_DW_LINE_S2("fcvtzu", FW_DW_POSITIVE));
    } else {
        FW_DW_LINE(FW_DW_LINE_S2("fcvtzu", FW_DW_BOUNDED));
    }
    return true;
}
// clang-format on

}  // namespace
}  // namespace fw
