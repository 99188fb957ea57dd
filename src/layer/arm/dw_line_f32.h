// Lines of float depthwise windows at stride 1, instruction by instruction: GCC 12 takes an addition for each address,
// and it leaves the weights of 5x5 in memory. AArch64 only.
//
// The columns of a line are cut into segments: within one, all are padding or none, and all end a pixel or none. The
// loop has a copy for each of the windows that are open, as the sums stay in their registers.
#pragma once

#include "kernel/dw_line_driver.h"
#include "layer/arm/neon.h"

namespace fw {
namespace {

template <int kSize>
struct LineSegment {
    const char* rows[kSize];
    int64_t steps[kSize];
    char* out;  ///< of pixels before the first one: memory that is not read
    int64_t out_step;
    int64_t columns;  ///< 0: the end of the line
    int64_t offset;   ///< what a channel's place adds to `out`
};

/// At most: begin, end of the left padding, first pixel, begin of the right padding; and the end.
constexpr int kSegments = 5;

template <int kSize>
FW_ALWAYS_INLINE void cut_line(const DwLineArgs& args, char* nowhere, LineSegment<kSize>* segment) {
    const int64_t columns = args.pixels + kSize - 1;
    const int64_t left = -args.first_column;
    const int64_t right = args.columns - args.first_column;
    const int64_t ends[] = {left, right, kSize - 1};
    int64_t at = 0;
    for (; at < columns; ++segment) {
        int64_t next = columns;
        for (const int64_t end : ends) {
            next = end > at && end < next ? end : next;
        }
        const bool inside = at >= left && at < right;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            const auto* line = static_cast<const char*>(args.lines[y]);
            segment->rows[y] =
                inside ? line + (args.first_column + at) * args.line_step[y] : static_cast<const char*>(args.pad_row);
            segment->steps[y] = inside ? args.line_step[y] : 0;
        });
        const bool finishes = at >= kSize - 1;
        segment->out = finishes ? static_cast<char*>(args.out) + (at - (kSize - 1)) * args.out_step : nowhere;
        segment->out_step = finishes ? args.out_step : 0;
        segment->offset = finishes ? 1 : 0;
        segment->columns = next - at;
        at = next;
    }
    segment->columns = 0;
}

// clang-format off
#define FW_LINE_ADDRESSES_3 "ldp %[n0], %[n1], [%[segment]], #16\n ldp %[n2], %[s0], [%[segment]], #16\n" "ldp %[s1], %[s2], [%[segment]], #16\n" \
    "add %[n0], %[n0], %[at]\n add %[n1], %[n1], %[at]\n add %[n2], %[n2], %[at]\n"
#define FW_LINE_ADDRESSES_5 "ldp %[n0], %[n1], [%[segment]], #16\n ldp %[n2], %[n3], [%[segment]], #16\n" "ldp %[n4], %[s0], [%[segment]], #16\n" \
    "ldp %[s1], %[s2], [%[segment]], #16\n ldp %[s3], %[s4], [%[segment]], #16\n" \
    "add %[n0], %[n0], %[at]\n add %[n1], %[n1], %[at]\n add %[n2], %[n2], %[at]\n add %[n3], %[n3], %[at]\n add %[n4], %[n4], %[at]\n"
// The next column of the segment, or the first one of the next.
#define FW_LINE_NEXT(size)                                                                           \
    "subs %[count], %[count], #1\n b.ge 1f\n" FW_LINE_ADDRESSES_##size                               \
    "ldp %[out], %[out_step], [%[segment]], #16\n ldp %[count], %[t], [%[segment]], #16\n"           \
    "cbz %[count], 3f\n madd %[out], %[t], %[at], %[out]\n sub %[count], %[count], #1\n 1:\n"

// 3x3, eight channels: weights v0 to v17, [column][row][half]; sums v18 to v23; rows v24 to v29; bounds v30, v31.
#define FW_LINE_TAP(a, r, w) "fmla v" a ".4s, v" r ".4s, v" w ".4s\n"
#define FW_LINE_ROW_3(r0, r1, n, w00, w01, w10, w11, w20, w21, a0, a1, b0, b1, c0, c1)               \
    "ld1 {v" r0 ".4s, v" r1 ".4s}, [%[n" n "]], %[s" n "]\n"                                         \
    FW_LINE_TAP(a0, r0, w00) FW_LINE_TAP(a1, r1, w01) FW_LINE_TAP(b0, r0, w10)                       \
    FW_LINE_TAP(b1, r1, w11) FW_LINE_TAP(c0, r0, w20) FW_LINE_TAP(c1, r1, w21)
// a: the window that opens, c: the one that ends.
#define FW_LINE_COLUMN_3(a0, a1, b0, b1, c0, c1)                                                     \
    FW_LINE_NEXT(3) "ldp q" a0 ", q" a1 ", [%[bias]]\n"                                              \
    FW_LINE_ROW_3("24", "25", "0", "0", "1", "6", "7", "12", "13", a0, a1, b0, b1, c0, c1)           \
    FW_LINE_ROW_3("26", "27", "1", "2", "3", "8", "9", "14", "15", a0, a1, b0, b1, c0, c1)           \
    FW_LINE_ROW_3("28", "29", "2", "4", "5", "10", "11", "16", "17", a0, a1, b0, b1, c0, c1)         \
    "fmax v" c0 ".4s, v" c0 ".4s, v30.4s\n fmax v" c1 ".4s, v" c1 ".4s, v30.4s\n"                    \
    "fmin v" c0 ".4s, v" c0 ".4s, v31.4s\n fmin v" c1 ".4s, v" c1 ".4s, v31.4s\n"                    \
    "st1 {v" c0 ".4s, v" c1 ".4s}, [%[out]], %[out_step]\n"
#define FW_LINE_3                                                                                    \
    "ld1 {v0.4s-v3.4s}, [%[weights]], #64\n ld1 {v4.4s-v7.4s}, [%[weights]], #64\n"                  \
    "ld1 {v8.4s-v11.4s}, [%[weights]], #64\n ld1 {v12.4s-v15.4s}, [%[weights]], #64\n"               \
    "ld1 {v16.4s, v17.4s}, [%[weights]]\n ld2r {v30.4s, v31.4s}, [%[bounds]]\n"                      \
    "mov %[count], #0\n 2:\n"                                                                        \
    FW_LINE_COLUMN_3("18", "19", "22", "23", "20", "21")                                             \
    FW_LINE_COLUMN_3("20", "21", "18", "19", "22", "23")                                             \
    FW_LINE_COLUMN_3("22", "23", "20", "21", "18", "19") "b 2b\n 3:\n"

// 5x5, four channels: weights v0 to v24, [column][row]; sums v25 to v29; rows v30 and v31, then the bounds.
#define FW_LINE_ROW_5(r, n, w0, w1, w2, w3, w4, a, b, c, d, e)                                       \
    "ld1 {v" r ".4s}, [%[n" n "]], %[s" n "]\n"                                                      \
    FW_LINE_TAP(a, r, w0) FW_LINE_TAP(b, r, w1) FW_LINE_TAP(c, r, w2) FW_LINE_TAP(d, r, w3) FW_LINE_TAP(e, r, w4)
#define FW_LINE_COLUMN_5(a, b, c, d, e)                                                              \
    FW_LINE_NEXT(5) "ldr q" a ", [%[bias]]\n"                                                        \
    FW_LINE_ROW_5("30", "0", "0", "5", "10", "15", "20", a, b, c, d, e)                              \
    FW_LINE_ROW_5("31", "1", "1", "6", "11", "16", "21", a, b, c, d, e)                              \
    FW_LINE_ROW_5("30", "2", "2", "7", "12", "17", "22", a, b, c, d, e)                              \
    FW_LINE_ROW_5("31", "3", "3", "8", "13", "18", "23", a, b, c, d, e)                              \
    FW_LINE_ROW_5("30", "4", "4", "9", "14", "19", "24", a, b, c, d, e)                              \
    "ld2r {v30.4s, v31.4s}, [%[bounds]]\n"                                                           \
    "fmax v" e ".4s, v" e ".4s, v30.4s\n fmin v" e ".4s, v" e ".4s, v31.4s\n"                        \
    "st1 {v" e ".4s}, [%[out]], %[out_step]\n"
#define FW_LINE_WEIGHT(n, at) "ldr q" n ", [%[weights], #" at "]\n"
#define FW_LINE_5 \
    FW_LINE_WEIGHT("0", "0") FW_LINE_WEIGHT("1", "32") FW_LINE_WEIGHT("2", "64") FW_LINE_WEIGHT("3", "96") \
    FW_LINE_WEIGHT("4", "128") FW_LINE_WEIGHT("5", "160") FW_LINE_WEIGHT("6", "192") FW_LINE_WEIGHT("7", "224") \
    FW_LINE_WEIGHT("8", "256") FW_LINE_WEIGHT("9", "288") FW_LINE_WEIGHT("10", "320") FW_LINE_WEIGHT("11", "352") \
    FW_LINE_WEIGHT("12", "384") FW_LINE_WEIGHT("13", "416") FW_LINE_WEIGHT("14", "448") FW_LINE_WEIGHT("15", "480") \
    FW_LINE_WEIGHT("16", "512") FW_LINE_WEIGHT("17", "544") FW_LINE_WEIGHT("18", "576") FW_LINE_WEIGHT("19", "608") \
    FW_LINE_WEIGHT("20", "640") FW_LINE_WEIGHT("21", "672") FW_LINE_WEIGHT("22", "704") FW_LINE_WEIGHT("23", "736") \
    FW_LINE_WEIGHT("24", "768") \
    "mov %[count], #0\n 2:\n" \
    FW_LINE_COLUMN_5("25", "29", "28", "27", "26") \
    FW_LINE_COLUMN_5("26", "25", "29", "28", "27") \
    FW_LINE_COLUMN_5("27", "26", "25", "29", "28") \
    FW_LINE_COLUMN_5("28", "27", "26", "25", "29") \
    FW_LINE_COLUMN_5("29", "28", "27", "26", "25") "b 2b\n 3:\n"

#define FW_LINE_REGISTERS                                                                            \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
        "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",   \
        "v30", "v31"

/// Eight channels from byte `at` of a pixel on.
FW_ALWAYS_INLINE void run_line(const LineSegment<3>* segment, const Epilogue& e, const char* block, int64_t at) {
    const char *n0, *n1, *n2, *weights = block + 32;
    int64_t s0, s1, s2, out, out_step, count, t;
    __asm__ volatile(FW_LINE_3
                     : [n0] "=&r"(n0), [n1] "=&r"(n1), [n2] "=&r"(n2), [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2),
                       [out] "=&r"(out), [out_step] "=&r"(out_step), [count] "=&r"(count), [t] "=&r"(t),
                       [segment] "+&r"(segment), [weights] "+&r"(weights)
                     : [bias] "r"(block), [bounds] "r"(&e.lo), [at] "r"(at)
                     : FW_LINE_REGISTERS);
}
FW_ALWAYS_INLINE void run_line(const LineSegment<5>* segments, const Epilogue& e, const char* block, int64_t at) {
    const char *n0, *n1, *n2, *n3, *n4;
    int64_t s0, s1, s2, s3, s4, out, out_step, count, t;
    for (int64_t half = 0; half < 32; half += 16) {
        const LineSegment<5>* segment = segments;
        __asm__ volatile(FW_LINE_5
                         : [n0] "=&r"(n0), [n1] "=&r"(n1), [n2] "=&r"(n2), [n3] "=&r"(n3), [n4] "=&r"(n4),
                           [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4),
                           [out] "=&r"(out), [out_step] "=&r"(out_step), [count] "=&r"(count), [t] "=&r"(t),
                           [segment] "+&r"(segment)
                         : [bias] "r"(block + half), [weights] "r"(block + 32 + half), [bounds] "r"(&e.lo),
                           [at] "r"(at + half)
                         : FW_LINE_REGISTERS);
    }
}
// clang-format on

/// All channels: those beyond whole blocks of K, which has eight, by K.
template <class K, int kSize>
void run_float_line(const DwLineArgs& args) {
    constexpr int64_t kBlockBytes = 32 * (1 + kSize * kSize);
    char nowhere[32];
    LineSegment<kSize> segments[kSegments];
    cut_line(args, nowhere, segments);
    const char* block = static_cast<const char*>(args.packed);
    for (int64_t c = 0; c < args.channels; c += K::kLanes, block += kBlockBytes) {
        if (args.channels - c >= K::kLanes) {
            run_line(segments, args.epilogue, block, 4 * c);
        } else {
            dw_line_block<K, kSize, 1>(args, block, c);
        }
    }
}

}  // namespace
}  // namespace fw
