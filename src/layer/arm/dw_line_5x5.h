// Lines of a depthwise 5x5 window with a dot product, instruction by instruction. The first four rows of a column are
// interleaved, so that a tap is four products; of the last row four adjacent pixels are, which ends a window with four
// products and opens one with the fifth: 28 dot products for 16 outputs. AArch64 only.
#pragma once

#include "layer/arm/dw_line_3x3.h"

namespace fw {
namespace {

/// Columns one behind the other, of the padding or of the input: no columns end a line.
struct LineSegment {
    int64_t columns;
    const char* row[5];
    int64_t step[5];
};

// clang-format off
// Registers: rows, then weights, v0 to v3; channels v4 to v7; the last four pixels of the last row v8 to v11; sums from
// v12 on. [w] walks through the weights of the first four rows, [h] through those of the last one.
#define FW_DW5_ROWS                                                                         \
    "ld1 {v0.16b}, [%[n0]], %[s0]\n ld1 {v1.16b}, [%[n1]], %[s1]\n"                         \
    "ld1 {v2.16b}, [%[n2]], %[s2]\n ld1 {v3.16b}, [%[n3]], %[s3]\n"                         \
    "ld1 {v4.16b-v7.16b}, [%[orders]]\n"                                                    \
    "tbl v4.16b, {v0.16b-v3.16b}, v4.16b\n tbl v5.16b, {v0.16b-v3.16b}, v5.16b\n"           \
    "tbl v6.16b, {v0.16b-v3.16b}, v6.16b\n tbl v7.16b, {v0.16b-v3.16b}, v7.16b\n"
#define FW_DW5_PIXELS                                                                       \
    "ld1 {v4.16b-v7.16b}, [%[orders]]\n"                                                    \
    "tbl v4.16b, {v8.16b-v11.16b}, v4.16b\n tbl v5.16b, {v8.16b-v11.16b}, v5.16b\n"         \
    "tbl v6.16b, {v8.16b-v11.16b}, v6.16b\n tbl v7.16b, {v8.16b-v11.16b}, v7.16b\n"
#define FW_DW5_WEIGHTS(from) "ld1 {v0.16b-v3.16b}, " from "\n"
#define FW_DW5_DOT(a0, a1, a2, a3) FW_DW_TAP(a0, a1, a2, a3, "0", "1", "2", "3")
#define FW_DW5_TAP(...) FW_DW5_WEIGHTS("[%[w]], %[tap]") FW_APPLY(FW_DW5_DOT, __VA_ARGS__)
#define FW_DW5_LAST_TAP(...) FW_DW5_WEIGHTS("[%[w]], %[back]") FW_APPLY(FW_DW5_DOT, __VA_ARGS__)
#define FW_DW5_BIAS(a0, a1, a2, a3) FW_DW_BIAS(a0, a3)
#define FW_DW5_OPEN(...) FW_APPLY(FW_DW5_BIAS, __VA_ARGS__) FW_DW5_TAP(__VA_ARGS__)
#define FW_DW5_SEGMENT                                                                      \
    "ldp %[left], %[n0], [%[segment]], #16\n ldp %[n1], %[n2], [%[segment]], #16\n"         \
    "ldp %[n3], %[n4], [%[segment]], #16\n ldp %[s0], %[s1], [%[segment]], #16\n"           \
    "ldp %[s2], %[s3], [%[segment]], #16\n ldr %[s4], [%[segment]], #8\n"
// After a column, which has a number; then what there is to do where a segment ends with it.
#define FW_DW5_END(i) "subs %[left], %[left], #1\n b.eq 5" i "f\n 4" i ":\n"
#define FW_DW5_NEXT(i) "5" i ":\n" FW_DW5_SEGMENT "cbnz %[left], 4" i "b\n b 99f\n"

#define FW_DW5_S0 "12", "13", "14", "15"
#define FW_DW5_S1 "16", "17", "18", "19"
#define FW_DW5_S2 "20", "21", "22", "23"
#define FW_DW5_S3 "24", "25", "26", "27"
#define FW_DW5_S4 "28", "29", "30", "31"

// Windows open at every column; five are open.
#define FW_DW5_PIXEL                                                                        \
    "mov v8.16b, v9.16b\n mov v9.16b, v10.16b\n mov v10.16b, v11.16b\n ld1 {v11.16b}, [%[n4]], %[s4]\n"
#define FW_DW5_HEAD(i, s0, taps, bytes)                                                     \
    FW_DW5_ROWS FW_DW5_PIXEL FW_DW5_OPEN(s0) taps "sub %[w], %[w], #" bytes "\n"            \
    FW_DW5_PIXELS FW_DW5_WEIGHTS("[%[h]]") FW_APPLY(FW_DW5_DOT, s0) FW_DW5_END(i)
#define FW_DW5_COLUMN(convert, finish, i, s0, s1, s2, s3, s4)                               \
    FW_DW5_ROWS FW_DW5_PIXEL                                                                \
    FW_DW5_OPEN(s0) FW_DW5_TAP(s1) FW_DW5_TAP(s2) FW_DW5_TAP(s3) FW_DW5_LAST_TAP(s4)        \
    FW_DW5_PIXELS FW_DW5_WEIGHTS("[%[h]], #64") FW_APPLY(FW_DW5_DOT, s0)                    \
    FW_DW5_WEIGHTS("[%[h]], %[h_back]") FW_APPLY(FW_DW5_DOT, s4)                            \
    FW_APPLY(FW_DW_STORE, convert, finish, s4) FW_DW5_END(i)
#define FW_DW5_LINE_S1(convert, finish)                                                     \
    FW_DW5_SEGMENT                                                                          \
    FW_DW5_HEAD("0", FW_DW5_S0, "", "128")                                                  \
    FW_DW5_HEAD("1", FW_DW5_S1, FW_DW5_TAP(FW_DW5_S0), "256")                               \
    FW_DW5_HEAD("2", FW_DW5_S2, FW_DW5_TAP(FW_DW5_S1) FW_DW5_TAP(FW_DW5_S0), "384")         \
    FW_DW5_HEAD("3", FW_DW5_S3, FW_DW5_TAP(FW_DW5_S2) FW_DW5_TAP(FW_DW5_S1) FW_DW5_TAP(FW_DW5_S0), "512") \
    "1:\n"                                                                                  \
    FW_DW5_COLUMN(convert, finish, "4", FW_DW5_S4, FW_DW5_S3, FW_DW5_S2, FW_DW5_S1, FW_DW5_S0) \
    FW_DW5_COLUMN(convert, finish, "5", FW_DW5_S0, FW_DW5_S4, FW_DW5_S3, FW_DW5_S2, FW_DW5_S1) \
    FW_DW5_COLUMN(convert, finish, "6", FW_DW5_S1, FW_DW5_S0, FW_DW5_S4, FW_DW5_S3, FW_DW5_S2) \
    FW_DW5_COLUMN(convert, finish, "7", FW_DW5_S2, FW_DW5_S1, FW_DW5_S0, FW_DW5_S4, FW_DW5_S3) \
    FW_DW5_COLUMN(convert, finish, "8", FW_DW5_S3, FW_DW5_S2, FW_DW5_S1, FW_DW5_S0, FW_DW5_S4) \
    "b 1b\n"                                                                                \
    FW_DW5_NEXT("0") FW_DW5_NEXT("1") FW_DW5_NEXT("2") FW_DW5_NEXT("3") FW_DW5_NEXT("4") FW_DW5_NEXT("5") \
    FW_DW5_NEXT("6") FW_DW5_NEXT("7") FW_DW5_NEXT("8") "99:\n"

// At every second column; three are open, and the weights of the last row stay in v24 to v31.
#define FW_DW5_HELD_LAST(a0, a1, a2, a3) FW_DW_TAP(a0, a1, a2, a3, "28", "29", "30", "31")
#define FW_DW5_HELD_FIRST(a0, a1, a2, a3) FW_DW_TAP(a0, a1, a2, a3, "24", "25", "26", "27")
#define FW_DW5_EVEN_PIXEL "ld1 {v11.16b}, [%[n4]], %[s4]\n"
#define FW_DW5_ODD_PIXEL "mov v8.16b, v10.16b\n mov v9.16b, v11.16b\n ld1 {v10.16b}, [%[n4]], %[s4]\n"
#define FW_DW5_EVEN(convert, finish, i, s0, s1, s2)                                         \
    FW_DW5_ROWS FW_DW5_EVEN_PIXEL FW_DW5_OPEN(s0) FW_DW5_TAP(s1) FW_DW5_LAST_TAP(s2)        \
    FW_DW5_PIXELS FW_APPLY(FW_DW5_HELD_FIRST, s0) FW_APPLY(FW_DW5_HELD_LAST, s2)            \
    FW_APPLY(FW_DW_STORE, convert, finish, s2) FW_DW5_END(i)
#define FW_DW5_ODD(i, s0, s1) FW_DW5_ROWS FW_DW5_ODD_PIXEL FW_DW5_TAP(s0) FW_DW5_LAST_TAP(s1) FW_DW5_END(i)
#define FW_DW5_LINE_S2(convert, finish)                                                     \
    "ld1 {v24.16b-v27.16b}, [%[h]], #64\n ld1 {v28.16b-v31.16b}, [%[h]], %[h_back]\n" FW_DW5_SEGMENT \
    FW_DW5_ROWS FW_DW5_EVEN_PIXEL FW_DW5_OPEN(FW_DW5_S0) "sub %[w], %[w], #128\n"           \
    FW_DW5_PIXELS FW_APPLY(FW_DW5_HELD_FIRST, FW_DW5_S0) FW_DW5_END("0")                    \
    FW_DW5_ROWS FW_DW5_ODD_PIXEL FW_DW5_TAP(FW_DW5_S0) "sub %[w], %[w], #384\n" FW_DW5_END("1") \
    FW_DW5_ROWS FW_DW5_EVEN_PIXEL FW_DW5_OPEN(FW_DW5_S1) FW_DW5_TAP(FW_DW5_S0) "sub %[w], %[w], #384\n" \
    FW_DW5_PIXELS FW_APPLY(FW_DW5_HELD_FIRST, FW_DW5_S1) FW_DW5_END("2")                    \
    FW_DW5_ODD("3", FW_DW5_S1, FW_DW5_S0)                                                   \
    "1:\n"                                                                                  \
    FW_DW5_EVEN(convert, finish, "4", FW_DW5_S2, FW_DW5_S1, FW_DW5_S0) FW_DW5_ODD("5", FW_DW5_S2, FW_DW5_S1) \
    FW_DW5_EVEN(convert, finish, "6", FW_DW5_S0, FW_DW5_S2, FW_DW5_S1) FW_DW5_ODD("7", FW_DW5_S0, FW_DW5_S2) \
    FW_DW5_EVEN(convert, finish, "8", FW_DW5_S1, FW_DW5_S0, FW_DW5_S2) FW_DW5_ODD("9", FW_DW5_S1, FW_DW5_S0) \
    "b 1b\n"                                                                                \
    FW_DW5_NEXT("0") FW_DW5_NEXT("1") FW_DW5_NEXT("2") FW_DW5_NEXT("3") FW_DW5_NEXT("4") FW_DW5_NEXT("5") \
    FW_DW5_NEXT("6") FW_DW5_NEXT("7") FW_DW5_NEXT("8") FW_DW5_NEXT("9") "99:\n"

#define FW_DW5_LINE(text)                                                                   \
    __asm__ volatile(text                                                                   \
        : [left] "=&r"(left), [n0] "=&r"(n[0]), [n1] "=&r"(n[1]), [n2] "=&r"(n[2]), [n3] "=&r"(n[3]), \
          [n4] "=&r"(n[4]), [s0] "=&r"(s[0]), [s1] "=&r"(s[1]), [s2] "=&r"(s[2]), [s3] "=&r"(s[3]), \
          [s4] "=&r"(s[4]), [segment] "+&r"(segment), [out] "+&r"(out), [w] "+&r"(w), [h] "+&r"(h) \
        : [out_step] "r"(args.out_step), [bias] "r"(block), [multiplier] "r"(block + 64),   \
          [finish] "r"(&output.finish), [orders] "r"(kLineOrders), [tap] "r"(kTap), [back] "r"(kBack), \
          [h_back] "r"(kHBack)                                                              \
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", \
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", \
          "v29", "v30", "v31")
// clang-format on

/// A block of 16 channels from `c` on. Returns false where there are less.
template <int kStride, bool kSigned>
FW_ALWAYS_INLINE bool run_line_5x5(const DwLineArgs& args, const UpperByteOutput& output, const char* block,
                                   int64_t c) {
    if (args.channels - c < 16) {
        return false;
    }
    const int64_t columns = (args.pixels - 1) * kStride + 5;
    const int64_t before = args.first_column < 0 ? -args.first_column : 0;
    const int64_t end = args.first_column + columns;
    const int64_t behind = end > args.columns ? end - args.columns : 0;
    if (before + behind >= columns) {
        return false;
    }
    LineSegment segments[4];
    LineSegment* to = segments;
    const char* pad = static_cast<const char*>(args.pad_row) + c;
    const auto add_padding = [&](int64_t count) FW_INLINE_LAMBDA {
        if (count > 0) {
            *to++ = {count, {pad, pad, pad, pad, pad}, {}};
        }
    };
    add_padding(before);
    to->columns = columns - before - behind;
    unroll<5>([&](auto y) FW_INLINE_LAMBDA {
        const int64_t step = args.line_step[y];
        to->row[y] = static_cast<const char*>(args.lines[y]) + (args.first_column + before) * step + c;
        to->step[y] = step;
    });
    ++to;
    add_padding(behind);
    to->columns = 0;

    // Weights of the last row, each the lowest of four bytes: the first one as the last of four, then the others.
    uint32x4_t last_row[8];
    unroll<4>([&](auto q) FW_INLINE_LAMBDA {
        const char* from = block + 128 + 64 + 16 * q;
        uint32x4_t tap[5];
        unroll<5>([&](auto x)
                      FW_INLINE_LAMBDA { tap[x] = vld1q_u32(reinterpret_cast<const uint32_t*>(from + 128 * x)); });
        last_row[q] = vshlq_n_u32(tap[0], 24);
        last_row[4 + q] = vsliq_n_u32(tap[1], vsliq_n_u32(tap[2], vsliq_n_u32(tap[3], tap[4], 8), 8), 8);
    });

    // From a tap to the next one of a column, and from its last one to the first one of the next column.
    constexpr int64_t kTap = kStride == 1 ? 128 : 256;
    constexpr int64_t kBack = kStride == 1 ? -512 : -384;
    constexpr int64_t kHBack = -64;
    int64_t left, s[5];
    const char* n[5];
    const LineSegment* segment = segments;
    const char* w = block + 128;
    const void* h = last_row;
    char* out = static_cast<char*>(args.out) + c;
    if constexpr (kStride == 1 && kSigned) {
        FW_DW5_LINE(FW_DW5_LINE_S1("fcvtzs", FW_DW_SIGNED));
    } else if constexpr (kStride == 1) {
        FW_DW5_LINE(FW_DW5_LINE_S1("fcvtzu", FW_DW_BOUNDED));
    } else if constexpr (kSigned) {
        FW_DW5_LINE(FW_DW5_LINE_S2("fcvtzs", FW_DW_SIGNED));
    } else {
        FW_DW5_LINE(FW_DW5_LINE_S2("fcvtzu", FW_DW_BOUNDED));
    }
    return true;
}

}  // namespace
}  // namespace fw
