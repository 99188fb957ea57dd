// Lines of depthwise windows of floats or float16, instruction by instruction: GCC 12 takes an addition for each
// address, and it leaves the weights of 5x5 in memory. AArch64 only.
//
// The columns of a line are cut into segments: within one, all are padding or none, and none ends a pixel or all do, at
// stride 2 every other one. The loop has a copy for each of the windows that are open, as the sums stay in their
// registers. A block has two registers of channels.
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

/// The operands of a block or of its second half: bias and bounds have the elements of the pixels.
struct LineOperands {
    const char* weights;
    const void* bias;
    const void* bounds;  ///< lo, hi
    bool least;          ///< hi is infinite
};

template <int kStride>
struct LineStride {};

/// Both registers of a block, one after the other.
template <class Line>
FW_ALWAYS_INLINE void line_halves(bool whole, const LineOperands& o, int64_t at, const Line& line) {
    const auto* bias = static_cast<const char*>(o.bias);
    for (int64_t half = 0; half < (whole ? 32 : 16); half += 16) {
        line(LineOperands{o.weights + half, bias + half, o.bounds, o.least}, at + half);
    }
}

/// At most: begin, end of the left padding, first pixel, begin of the right padding; and the end.
constexpr int kSegments = 5;

template <int kSize, int kStride>
FW_ALWAYS_INLINE void cut_line(const DwLineArgs& args, char* nowhere, LineSegment<kSize>* segment) {
    const int64_t columns = (args.pixels - 1) * kStride + kSize;
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
        segment->out =
            finishes ? static_cast<char*>(args.out) + (at - kSize + kStride) / kStride * args.out_step : nowhere;
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
#define FW_LINE_TAP(T, a, r, w) "fmla v" a T ", v" r T ", v" w T "\n"
#define FW_LINE_LEAST(T, n) "fmax v" n T ", v" n T ", v30" T "\n"
#define FW_LINE_BOUND(T, n) "fmax v" n T ", v" n T ", v30" T "\n fmin v" n T ", v" n T ", v31" T "\n"

// 3x3, two registers of channels (LEAST: without an upper bound) or the first of them: weights v0 to v17, [column][row][register]; sums v18 to v23;
// rows v24 to v29; bounds v30, v31.
#define FW_LINE_LOAD_TWO(T, r0, r1, n) "ld1 {v" r0 T ", v" r1 T "}, [%[n" n "]], %[s" n "]\n"
#define FW_LINE_LOAD_ONE(T, r0, r1, n) "ld1 {v" r0 T "}, [%[n" n "]], %[s" n "]\n"
#define FW_LINE_TAP_TWO(T, a0, a1, r0, r1, w0, w1) FW_LINE_TAP(T, a0, r0, w0) FW_LINE_TAP(T, a1, r1, w1)
#define FW_LINE_TAP_ONE(T, a0, a1, r0, r1, w0, w1) FW_LINE_TAP(T, a0, r0, w0)
#define FW_LINE_OPEN_TWO(a0, a1) "ldp q" a0 ", q" a1 ", [%[bias]]\n"
#define FW_LINE_OPEN_ONE(a0, a1) "ldr q" a0 ", [%[bias]]\n"
#define FW_LINE_END_TWO(T, c0, c1)                                                                   \
    FW_LINE_BOUND(T, c0) FW_LINE_BOUND(T, c1) "st1 {v" c0 T ", v" c1 T "}, [%[out]], %[out_step]\n"
#define FW_LINE_END_LEAST(T, c0, c1)                                                                 \
    FW_LINE_LEAST(T, c0) FW_LINE_LEAST(T, c1) "st1 {v" c0 T ", v" c1 T "}, [%[out]], %[out_step]\n"
#define FW_LINE_LOAD_LEAST FW_LINE_LOAD_TWO
#define FW_LINE_TAP_LEAST FW_LINE_TAP_TWO
#define FW_LINE_OPEN_LEAST FW_LINE_OPEN_TWO
#define FW_LINE_END_ONE(T, c0, c1) FW_LINE_BOUND(T, c0) "st1 {v" c0 T "}, [%[out]], %[out_step]\n"
#define FW_LINE_WEIGHTS_3(T)                                                                         \
    "ld1 {v0" T "-v3" T "}, [%[weights]], #64\n ld1 {v4" T "-v7" T "}, [%[weights]], #64\n"          \
    "ld1 {v8" T "-v11" T "}, [%[weights]], #64\n ld1 {v12" T "-v15" T "}, [%[weights]], #64\n"       \
    "ld1 {v16" T ", v17" T "}, [%[weights]]\n ld2r {v30" T ", v31" T "}, [%[bounds]]\n"              \
    "mov %[count], #0\n 2:\n"
// a: the window that opens, c: the one that ends. At stride 2 a column has a and c, or the window between.
#define FW_LINE_ROW_3S1(T, K, r0, r1, n, w00, w01, w10, w11, w20, w21, a0, a1, b0, b1, c0, c1)       \
    FW_LINE_LOAD_##K(T, r0, r1, n) FW_LINE_TAP_##K(T, a0, a1, r0, r1, w00, w01)                      \
    FW_LINE_TAP_##K(T, b0, b1, r0, r1, w10, w11) FW_LINE_TAP_##K(T, c0, c1, r0, r1, w20, w21)
#define FW_LINE_SAME
#define FW_LINE_COLUMN_3S1(T, K, next, a0, a1, b0, b1, c0, c1)                                       \
    next FW_LINE_OPEN_##K(a0, a1)                                                                    \
    FW_LINE_ROW_3S1(T, K, "24", "25", "0", "0", "1", "6", "7", "12", "13", a0, a1, b0, b1, c0, c1)   \
    FW_LINE_ROW_3S1(T, K, "26", "27", "1", "2", "3", "8", "9", "14", "15", a0, a1, b0, b1, c0, c1)   \
    FW_LINE_ROW_3S1(T, K, "28", "29", "2", "4", "5", "10", "11", "16", "17", a0, a1, b0, b1, c0, c1) \
    FW_LINE_END_##K(T, c0, c1)
#define FW_LINE_THREE_3S1(T, K, next)                                                                \
    FW_LINE_COLUMN_3S1(T, K, next, "18", "19", "22", "23", "20", "21")                               \
    FW_LINE_COLUMN_3S1(T, K, next, "20", "21", "18", "19", "22", "23")                               \
    FW_LINE_COLUMN_3S1(T, K, next, "22", "23", "20", "21", "18", "19") "b 2b\n"
// As many columns as a loop has, where a segment has so many.
#define FW_LINE_WITHIN(columns, within, other)                                                       \
    "subs %[count], %[count], #" columns "\n b.lt 4f\n" within "4: add %[count], %[count], #" columns "\n" other "3:\n"
#define FW_LINE_3S1(T, K)                                                                            \
    FW_LINE_WEIGHTS_3(T)                                                                             \
    FW_LINE_WITHIN("3", FW_LINE_THREE_3S1(T, K, FW_LINE_SAME), FW_LINE_THREE_3S1(T, K, FW_LINE_NEXT(3)))
#define FW_LINE_EVEN_ROW_3(T, K, r0, r1, n, w00, w01, w20, w21, a0, a1, c0, c1)                      \
    FW_LINE_LOAD_##K(T, r0, r1, n)                                                                   \
    FW_LINE_TAP_##K(T, a0, a1, r0, r1, w00, w01) FW_LINE_TAP_##K(T, c0, c1, r0, r1, w20, w21)
#define FW_LINE_ODD_ROW_3(T, K, r0, r1, n, w10, w11, b0, b1)                                         \
    FW_LINE_LOAD_##K(T, r0, r1, n) FW_LINE_TAP_##K(T, b0, b1, r0, r1, w10, w11)
#define FW_LINE_COLUMNS_3S2(T, K, next, a0, a1, c0, c1)                                              \
    next FW_LINE_OPEN_##K(a0, a1)                                                                    \
    FW_LINE_EVEN_ROW_3(T, K, "24", "25", "0", "0", "1", "12", "13", a0, a1, c0, c1)                  \
    FW_LINE_EVEN_ROW_3(T, K, "26", "27", "1", "2", "3", "14", "15", a0, a1, c0, c1)                  \
    FW_LINE_EVEN_ROW_3(T, K, "28", "29", "2", "4", "5", "16", "17", a0, a1, c0, c1)                  \
    FW_LINE_END_##K(T, c0, c1)                                                                       \
    next FW_LINE_ODD_ROW_3(T, K, "24", "25", "0", "6", "7", a0, a1)                       \
    FW_LINE_ODD_ROW_3(T, K, "26", "27", "1", "8", "9", a0, a1)                                       \
    FW_LINE_ODD_ROW_3(T, K, "28", "29", "2", "10", "11", a0, a1)
#define FW_LINE_FOUR_3S2(T, K, next)                                                                 \
    FW_LINE_COLUMNS_3S2(T, K, next, "18", "19", "20", "21")                                          \
    FW_LINE_COLUMNS_3S2(T, K, next, "20", "21", "18", "19") "b 2b\n"
#define FW_LINE_3S2(T, K)                                                                            \
    FW_LINE_WEIGHTS_3(T)                                                                             \
    FW_LINE_WITHIN("4", FW_LINE_FOUR_3S2(T, K, FW_LINE_SAME), FW_LINE_FOUR_3S2(T, K, FW_LINE_NEXT(3)))

// 5x5, one register of channels: weights v0 to v24, [column][row]; sums from v25 on; rows v30 and v31, then the
// bounds; at stride 2 rows v28 and v29.
#define FW_LINE_WEIGHT(n, at) "ldr q" n ", [%[weights], #" at "]\n"
#define FW_LINE_WEIGHTS_5 \
    FW_LINE_WEIGHT("0", "0") FW_LINE_WEIGHT("1", "32") FW_LINE_WEIGHT("2", "64") FW_LINE_WEIGHT("3", "96") \
    FW_LINE_WEIGHT("4", "128") FW_LINE_WEIGHT("5", "160") FW_LINE_WEIGHT("6", "192") FW_LINE_WEIGHT("7", "224") \
    FW_LINE_WEIGHT("8", "256") FW_LINE_WEIGHT("9", "288") FW_LINE_WEIGHT("10", "320") FW_LINE_WEIGHT("11", "352") \
    FW_LINE_WEIGHT("12", "384") FW_LINE_WEIGHT("13", "416") FW_LINE_WEIGHT("14", "448") FW_LINE_WEIGHT("15", "480") \
    FW_LINE_WEIGHT("16", "512") FW_LINE_WEIGHT("17", "544") FW_LINE_WEIGHT("18", "576") FW_LINE_WEIGHT("19", "608") \
    FW_LINE_WEIGHT("20", "640") FW_LINE_WEIGHT("21", "672") FW_LINE_WEIGHT("22", "704") FW_LINE_WEIGHT("23", "736") \
    FW_LINE_WEIGHT("24", "768")
#define FW_LINE_BOUNDS_5(T) "ld2r {v30" T ", v31" T "}, [%[bounds]]\n"
#define FW_LINE_ROW_5S1(T, r, n, w0, w1, w2, w3, w4, a, b, c, d, e)                                  \
    FW_LINE_LOAD_ONE(T, r, "", n) FW_LINE_TAP(T, a, r, w0) FW_LINE_TAP(T, b, r, w1)                  \
    FW_LINE_TAP(T, c, r, w2) FW_LINE_TAP(T, d, r, w3) FW_LINE_TAP(T, e, r, w4)
#define FW_LINE_COLUMN_5S1(T, a, b, c, d, e)                                                         \
    FW_LINE_NEXT(5) FW_LINE_OPEN_ONE(a, "")                                                          \
    FW_LINE_ROW_5S1(T, "30", "0", "0", "5", "10", "15", "20", a, b, c, d, e)                         \
    FW_LINE_ROW_5S1(T, "31", "1", "1", "6", "11", "16", "21", a, b, c, d, e)                         \
    FW_LINE_ROW_5S1(T, "30", "2", "2", "7", "12", "17", "22", a, b, c, d, e)                         \
    FW_LINE_ROW_5S1(T, "31", "3", "3", "8", "13", "18", "23", a, b, c, d, e)                         \
    FW_LINE_ROW_5S1(T, "30", "4", "4", "9", "14", "19", "24", a, b, c, d, e)                         \
    FW_LINE_BOUNDS_5(T) FW_LINE_END_ONE(T, e, "")
#define FW_LINE_5S1(T)                                                                               \
    FW_LINE_WEIGHTS_5 "mov %[count], #0\n 2:\n"                                                      \
    FW_LINE_COLUMN_5S1(T, "25", "29", "28", "27", "26")                                              \
    FW_LINE_COLUMN_5S1(T, "26", "25", "29", "28", "27")                                              \
    FW_LINE_COLUMN_5S1(T, "27", "26", "25", "29", "28")                                              \
    FW_LINE_COLUMN_5S1(T, "28", "27", "26", "25", "29")                                              \
    FW_LINE_COLUMN_5S1(T, "29", "28", "27", "26", "25") "b 2b\n 3:\n"
#define FW_LINE_EVEN_ROW_5(T, r, n, w0, w2, w4, a, c, e)                                             \
    FW_LINE_LOAD_ONE(T, r, "", n) FW_LINE_TAP(T, a, r, w0) FW_LINE_TAP(T, c, r, w2) FW_LINE_TAP(T, e, r, w4)
#define FW_LINE_ODD_ROW_5(T, r, n, w1, w3, a, c)                                                     \
    FW_LINE_LOAD_ONE(T, r, "", n) FW_LINE_TAP(T, a, r, w1) FW_LINE_TAP(T, c, r, w3)
#define FW_LINE_COLUMNS_5S2(T, a, c, e)                                                              \
    FW_LINE_NEXT(5) FW_LINE_OPEN_ONE(a, "")                                                          \
    FW_LINE_EVEN_ROW_5(T, "28", "0", "0", "10", "20", a, c, e) FW_LINE_EVEN_ROW_5(T, "29", "1", "1", "11", "21", a, c, e) \
    FW_LINE_EVEN_ROW_5(T, "28", "2", "2", "12", "22", a, c, e) FW_LINE_EVEN_ROW_5(T, "29", "3", "3", "13", "23", a, c, e) \
    FW_LINE_EVEN_ROW_5(T, "28", "4", "4", "14", "24", a, c, e) FW_LINE_END_ONE(T, e, "")             \
    FW_LINE_NEXT(5) FW_LINE_ODD_ROW_5(T, "28", "0", "5", "15", a, c) FW_LINE_ODD_ROW_5(T, "29", "1", "6", "16", a, c) \
    FW_LINE_ODD_ROW_5(T, "28", "2", "7", "17", a, c) FW_LINE_ODD_ROW_5(T, "29", "3", "8", "18", a, c) \
    FW_LINE_ODD_ROW_5(T, "28", "4", "9", "19", a, c)
#define FW_LINE_5S2(T)                                                                               \
    FW_LINE_WEIGHTS_5 FW_LINE_BOUNDS_5(T) "mov %[count], #0\n 2:\n"                                  \
    FW_LINE_COLUMNS_5S2(T, "25", "26", "27") FW_LINE_COLUMNS_5S2(T, "27", "25", "26")                \
    FW_LINE_COLUMNS_5S2(T, "26", "27", "25") "b 2b\n 3:\n"

#define FW_LINE_REGISTERS                                                                            \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
        "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",   \
        "v30", "v31"

/// Defines name(segment, operands, at): the channels of one or two registers from byte `at` of a pixel on.
#define FW_DEFINE_LINE_3(name, text)                                                                 \
    FW_ALWAYS_INLINE void name(const LineSegment<3>* segment, const LineOperands& operands, int64_t at) { \
        const char *n0, *n1, *n2, *weights = operands.weights;                                       \
        int64_t s0, s1, s2, out, out_step, count, t;                                                 \
        __asm__ volatile(text                                                                        \
                         : [n0] "=&r"(n0), [n1] "=&r"(n1), [n2] "=&r"(n2), [s0] "=&r"(s0), [s1] "=&r"(s1), \
                           [s2] "=&r"(s2), [out] "=&r"(out), [out_step] "=&r"(out_step), [count] "=&r"(count), \
                           [t] "=&r"(t), [segment] "+&r"(segment), [weights] "+&r"(weights)          \
                         : [bias] "r"(operands.bias), [bounds] "r"(operands.bounds), [at] "r"(at)    \
                         : FW_LINE_REGISTERS);                                                       \
    }
#define FW_DEFINE_LINE_5(name, text)                                                                 \
    FW_ALWAYS_INLINE void name(const LineSegment<5>* segment, const LineOperands& operands, int64_t at) { \
        const char *n0, *n1, *n2, *n3, *n4;                                                          \
        int64_t s0, s1, s2, s3, s4, out, out_step, count, t;                                         \
        __asm__ volatile(text                                                                        \
                         : [n0] "=&r"(n0), [n1] "=&r"(n1), [n2] "=&r"(n2), [n3] "=&r"(n3), [n4] "=&r"(n4), \
                           [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), \
                           [out] "=&r"(out), [out_step] "=&r"(out_step), [count] "=&r"(count), [t] "=&r"(t), \
                           [segment] "+&r"(segment)                                                  \
                         : [bias] "r"(operands.bias), [weights] "r"(operands.weights), [bounds] "r"(operands.bounds), \
                           [at] "r"(at)                                                              \
                         : FW_LINE_REGISTERS);                                                       \
    }
/// Defines run_line of all sizes and strides, for registers of elements T. `whole`: both registers of a block.
#define FW_DEFINE_LINES(T)                                                                           \
    FW_DEFINE_LINE_3(line_3s1_least, FW_LINE_3S1(T, LEAST)) FW_DEFINE_LINE_3(line_3s2_least, FW_LINE_3S2(T, LEAST)) \
    FW_DEFINE_LINE_3(line_3s1_two, FW_LINE_3S1(T, TWO)) FW_DEFINE_LINE_3(line_3s1_one, FW_LINE_3S1(T, ONE)) \
    FW_DEFINE_LINE_3(line_3s2_two, FW_LINE_3S2(T, TWO)) FW_DEFINE_LINE_3(line_3s2_one, FW_LINE_3S2(T, ONE)) \
    FW_DEFINE_LINE_5(line_5s1, FW_LINE_5S1(T)) FW_DEFINE_LINE_5(line_5s2, FW_LINE_5S2(T))            \
    FW_DEFINE_RUN_LINE(3, 1, !whole  ? line_3s1_one(segments, o, at)                                 \
                             : o.least ? line_3s1_least(segments, o, at) : line_3s1_two(segments, o, at)) \
    FW_DEFINE_RUN_LINE(3, 2, !whole  ? line_3s2_one(segments, o, at)                                 \
                             : o.least ? line_3s2_least(segments, o, at) : line_3s2_two(segments, o, at)) \
    FW_DEFINE_RUN_LINE(5, 1, line_halves(whole, o, at, [&](const LineOperands& p, int64_t from) FW_INLINE_LAMBDA { line_5s1(segments, p, from); })) \
    FW_DEFINE_RUN_LINE(5, 2, line_halves(whole, o, at, [&](const LineOperands& p, int64_t from) FW_INLINE_LAMBDA { line_5s2(segments, p, from); }))
#define FW_DEFINE_RUN_LINE(size, stride, body)                                                       \
    FW_ALWAYS_INLINE void run_line(LineStride<stride>, const LineSegment<size>* segments, const LineOperands& o, \
                                   int64_t at, bool whole) {                                         \
        body;                                                                                        \
    }
// clang-format on

/// All channels, with FW_DEFINE_LINES for whole registers and K for the rest. K's blocks have two registers of
/// channels. bias(block) gives the address of its biases in the elements of the pixels.
template <class K, int kSize, int kStride, class Bias>
FW_ALWAYS_INLINE void run_lines(const DwLineArgs& args, const void* bounds, const Bias& bias) {
    constexpr int64_t kElement = sizeof(typename K::Element);
    constexpr int64_t kHead = 4 * K::kLanes;
    constexpr int64_t kBlockBytes = kHead + K::kLanes * kElement * kSize * kSize;
    static_assert(K::kLanes * kElement == 32, "two registers");
    char nowhere[32];
    LineSegment<kSize> segments[kSegments];
    cut_line<kSize, kStride>(args, nowhere, segments);
    const char* block = static_cast<const char*>(args.packed);
    for (int64_t c = 0; c < args.channels; c += K::kLanes, block += kBlockBytes) {
        const int64_t left = args.channels - c;
        if (left < K::kLanes && left != K::kLanes / 2) {
            dw_line_block<K, kSize, kStride>(args, block, c);
            continue;
        }
        const LineOperands operands = {block + kHead, bias(block), bounds, args.epilogue.hi == __builtin_inff()};
        run_line(LineStride<kStride>(), segments, operands, kElement * c, left >= K::kLanes);
    }
}

}  // namespace
}  // namespace fw
