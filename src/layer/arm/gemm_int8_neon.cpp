// Without a dot product: smull and smlal2 add two products in 16 bits (weights are within [-127, 127], so that they
// fit), sadalp adds pairs of those to an accumulator of 32. An accumulator holds four partial sums of one output, which
// are added up in the end. 16 products by three instructions; 16-bit multiplies (smlal by element) would take four.
// Where packing found weights small enough, four products are added in 16 bits: 32 by five instructions.
#include "layer/arm/gemm_int8.h"

namespace fw {

namespace {

FW_ALWAYS_INLINE int32x4_t add_products(int32x4_t acc, int8x16_t a, int8x16_t b) {
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
#if defined(__aarch64__)
    return vpadalq_s16(acc, vmlal_high_s8(low, a, b));
#else
    return vpadalq_s16(acc, vmlal_s8(low, vget_high_s8(a), vget_high_s8(b)));
#endif
}

// The sum of each of four registers.
FW_ALWAYS_INLINE int32x4_t add_across(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
#if defined(__aarch64__)
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
#else
    const auto halves = [](int32x4_t x) FW_INLINE_LAMBDA { return vadd_s32(vget_low_s32(x), vget_high_s32(x)); };
    return vcombine_s32(vpadd_s32(halves(a), halves(b)), vpadd_s32(halves(c), halves(d)));
#endif
}

/// Rows of a tile, 16 elements of each in turn.
template <int kRows>
FW_ALWAYS_INLINE void interleave_pieces(const int8_t* const* rows, int64_t length, int8_t* out) {
    for (int64_t p = 0; p < length; p += 16, out += 16 * kRows) {
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { vst1q_s8(out + 16 * r, vld1q_s8(rows[r] + p)); });
    }
}

#if defined(__aarch64__)

// Registers: A's four rows v0 to v3 and, 16 elements on, v4 to v7; B's columns v8 to v11; accumulators v16 to v31,
// [row][column]; sums of products in operands 0 to 3. Four rows by one column a macro, instruction by instruction, so
// that those which follow one another are independent. GCC 12 would keep half of the accumulators in memory.
#define FW_ROWS_PRODUCTS(op, a0, a1, a2, a3, b, half)                                                        \
    op " %0.8h, v" a0 half ", v" b half "\n" op " %1.8h, v" a1 half ", v" b half "\n" op " %2.8h, v" a2 half \
       ", v" b half "\n" op " %3.8h, v" a3 half ", v" b half "\n"
#define FW_ROWS_LOW(op, b) FW_ROWS_PRODUCTS(op, "0", "1", "2", "3", b, ".8b")
#define FW_ROWS_HIGH(b) FW_ROWS_PRODUCTS("smlal2", "0", "1", "2", "3", b, ".16b")
#define FW_NEXT_LOW(op, b) FW_ROWS_PRODUCTS(op, "4", "5", "6", "7", b, ".8b")
#define FW_NEXT_HIGH(b) FW_ROWS_PRODUCTS("smlal2", "4", "5", "6", "7", b, ".16b")
#define FW_ROWS_ADD(c0, c1, c2, c3) \
    "sadalp v" c0 ".4s, %0.8h\n sadalp v" c1 ".4s, %1.8h\n sadalp v" c2 ".4s, %2.8h\n sadalp v" c3 ".4s, %3.8h\n"
#define FW_COLUMN_16(b, ...) FW_ROWS_LOW("smull", b) FW_ROWS_HIGH(b) FW_ROWS_ADD(__VA_ARGS__)
#define FW_COLUMN_TWO(b, next, ...) \
    FW_COLUMN_16(b, __VA_ARGS__) FW_NEXT_LOW("smull", next) FW_NEXT_HIGH(next) FW_ROWS_ADD(__VA_ARGS__)
#define FW_COLUMN_FOUR(b, next, ...) \
    FW_ROWS_LOW("smull", b) FW_ROWS_HIGH(b) FW_NEXT_LOW("smlal", next) FW_NEXT_HIGH(next) FW_ROWS_ADD(__VA_ARGS__)
#define FW_COLUMN0 "16", "20", "24", "28"
#define FW_COLUMN1 "17", "21", "25", "29"
#define FW_COLUMN2 "18", "22", "26", "30"
#define FW_COLUMN3 "19", "23", "27", "31"
#define FW_ZEROS(registers) "ld1 {" registers "}, [%[zeros]]\n"
#define FW_ADD_ACROSS(out, c0, c1, c2, c3)                                                                      \
    "addp v" c0 ".4s, v" c0 ".4s, v" c1 ".4s\n addp v" c2 ".4s, v" c2 ".4s, v" c3 ".4s\n addp " out ".4s, v" c0 \
    ".4s, v" c2 ".4s\n"

alignas(64) constexpr int32_t kZeros[16] = {};

/// sum[row]: four columns. A mark of 0: all four of a step are summed in 16 bits.
FW_ALWAYS_INLINE void multiply_four_rows(const int8_t* a, const int8_t* b, int64_t length, const uint8_t* marks,
                                         int32x4_t (&sum)[4]) {
    int64_t steps = (length + 15) / 32;
    const int64_t rest = (length + 15) / 16 % 2;
    uint32_t mark;
    __asm__ volatile(
        FW_ZEROS("v16.4s-v19.4s") FW_ZEROS("v20.4s-v23.4s") FW_ZEROS("v24.4s-v27.4s") FW_ZEROS("v28.4s-v31.4s")
        "cbz %[steps], 3f\n"
        "1:\n"
        "ldrb %w[mark], [%[marks]], #1\n"
        "ld1 {v8.16b-v11.16b}, [%[b]], #64\n"
        "ld1 {v0.16b-v3.16b}, [%[a]], #64\n"
        "ld1 {v4.16b-v7.16b}, [%[a]], #64\n"
        "subs %[steps], %[steps], #1\n"
        "cbnz %w[mark], 2f\n"
        FW_COLUMN_FOUR("8", "9", FW_COLUMN0) FW_COLUMN_FOUR("10", "11", FW_COLUMN1)
        "ld1 {v8.16b-v11.16b}, [%[b]], #64\n"
        FW_COLUMN_FOUR("8", "9", FW_COLUMN2) FW_COLUMN_FOUR("10", "11", FW_COLUMN3)
        "b.ne 1b\n"
        "b 3f\n"
        "2: tbnz %w[mark], #0, 10f\n"
        FW_COLUMN_FOUR("8", "9", FW_COLUMN0)
        "11: tbnz %w[mark], #1, 12f\n"
        FW_COLUMN_FOUR("10", "11", FW_COLUMN1)
        "13: ld1 {v8.16b-v11.16b}, [%[b]], #64\n"
        "tbnz %w[mark], #2, 14f\n"
        FW_COLUMN_FOUR("8", "9", FW_COLUMN2)
        "15: tbnz %w[mark], #3, 16f\n"
        FW_COLUMN_FOUR("10", "11", FW_COLUMN3)
        "b.ne 1b\n"
        "b 3f\n"
        "10:\n" FW_COLUMN_TWO("8", "9", FW_COLUMN0) "b 11b\n"
        "12:\n" FW_COLUMN_TWO("10", "11", FW_COLUMN1) "b 13b\n"
        "14:\n" FW_COLUMN_TWO("8", "9", FW_COLUMN2) "b 15b\n"
        "16:\n" FW_COLUMN_TWO("10", "11", FW_COLUMN3) "b.ne 1b\n"
        "3:\n"
        "cbz %[rest], 4f\n"
        "ld1 {v0.16b-v3.16b}, [%[a]]\n"
        "ldr q8, [%[b]]\n"
        "ldr q9, [%[b], #32]\n"
        "ldr q10, [%[b], #64]\n"
        "ldr q11, [%[b], #96]\n"
        FW_COLUMN_16("8", FW_COLUMN0) FW_COLUMN_16("9", FW_COLUMN1)
        FW_COLUMN_16("10", FW_COLUMN2) FW_COLUMN_16("11", FW_COLUMN3)
        "4:\n"
        FW_ADD_ACROSS("%0", "16", "17", "18", "19") FW_ADD_ACROSS("%1", "20", "21", "22", "23")
        FW_ADD_ACROSS("%2", "24", "25", "26", "27") FW_ADD_ACROSS("%3", "28", "29", "30", "31")
        : "=&w"(sum[0]), "=&w"(sum[1]), "=&w"(sum[2]), "=&w"(sum[3]), [a] "+&r"(a), [b] "+&r"(b), [steps] "+&r"(steps),
          [marks] "+&r"(marks), [mark] "=&r"(mark)
        : [rest] "r"(rest), [zeros] "r"(kZeros)
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v16", "v17", "v18",
          "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}

// A tile is one vector of four columns wide.
struct NeonInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = ByteOutput;
    static constexpr int kMr = 4, kLanes = 4, kVectors = 1, kKr = 32, kAdjacent = 16, kRows1 = 1;
    static constexpr bool kMarked = true;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = true;

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        interleave_pieces<kMr>(rows, length, out);
    }

    template <int kRows, int /*kVectors*/>
    struct Tile {
        int32x4_t sum[kRows];
        int32x4_t bias;

        FW_ALWAYS_INLINE void multiply(const int8_t* a, const char* panel, int64_t length, const uint8_t* marks) {
            bias = vld1q_s32(reinterpret_cast<const int32_t*>(panel));
            const auto* b = reinterpret_cast<const int8_t*>(panel + 32);
            if constexpr (kRows == 4) {
                multiply_four_rows(a, b, length, marks, sum);
            } else {
                int32x4_t acc[4];
                unroll<4>([&](auto c) FW_INLINE_LAMBDA { acc[c] = vdupq_n_s32(0); });
                for (int64_t p = 0; p < length; p += kKr, a += kMr * kKr, b += 4 * kKr) {
                    const int8x16_t low = vld1q_s8(a);
                    const int8x16_t high = vld1q_s8(a + 16 * kMr);
                    unroll<4>([&](auto c) FW_INLINE_LAMBDA {
                        acc[c] = add_products(acc[c], low, vld1q_s8(b + kKr * c));
                        acc[c] = add_products(acc[c], high, vld1q_s8(b + kKr * c + 16));
                    });
                }
                sum[0] = add_across(acc[0], acc[1], acc[2], acc[3]);
            }
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            *x = vaddq_s32(sum[kRow], bias);
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Output& output, const float* multiplier,
                                    int64_t column) const {
            store_tile<kRows, 1>(*this, args, output, multiplier, column);
        }
    };
};

#else

// Two rows by four columns, 16 elements a step. Registers: A's rows q0 and q1, B's columns q2 and q3, products of both
// rows and two columns q4 to q7, in an order in which those that follow one another are independent.
#define FW_TWO_COLUMNS(r0c0, r1c0, r0c1, r1c1)                                                \
    "vld1.8 {d4-d7}, [%[b]]!\n"                                                               \
    "vmull.s8 q4, d0, d4\n vmull.s8 q5, d2, d4\n vmull.s8 q6, d0, d6\n vmull.s8 q7, d2, d6\n" \
    "vmlal.s8 q4, d1, d5\n vmlal.s8 q5, d3, d5\n vmlal.s8 q6, d1, d7\n vmlal.s8 q7, d3, d7\n" \
    "vpadal.s16 %q[" r0c0 "], q4\n vpadal.s16 %q[" r1c0 "], q5\n vpadal.s16 %q[" r0c1         \
    "], q6\n"                                                                                 \
    "vpadal.s16 %q[" r1c1 "], q7\n"
#define FW_TWO_ROWS \
    "vld1.8 {d0-d3}, [%[a]]!\n" FW_TWO_COLUMNS("c0", "c4", "c1", "c5") FW_TWO_COLUMNS("c2", "c6", "c3", "c7")

FW_ALWAYS_INLINE void multiply_two_rows(const int8_t* a, const int8_t* b, int64_t count, int32x4_t (&acc)[2][4]) {
    auto steps = static_cast<int32_t>(count);
    __asm__(
        "subs %[steps], %[steps], #2\n"
        "blo 2f\n"
        "1:\n" FW_TWO_ROWS FW_TWO_ROWS
        "subs %[steps], %[steps], #2\n"
        "bhs 1b\n"
        "2: tst %[steps], #1\n"
        "beq 3f\n" FW_TWO_ROWS "3:\n"
        : [c0] "+w"(acc[0][0]), [c1] "+w"(acc[0][1]), [c2] "+w"(acc[0][2]), [c3] "+w"(acc[0][3]), [c4] "+w"(acc[1][0]),
          [c5] "+w"(acc[1][1]), [c6] "+w"(acc[1][2]), [c7] "+w"(acc[1][3]), [a] "+r"(a), [b] "+r"(b),
          [steps] "+r"(steps)
        :
        : "cc", "memory", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
}

struct NeonInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = ByteOutput;
    static constexpr int kMr = 2, kLanes = 4, kVectors = 1, kKr = 16, kAdjacent = 16, kUnroll = 1, kRows1 = 1;
    static constexpr bool kMarked = false;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = kRows == 2;

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        interleave_pieces<kMr>(rows, length, out);
    }

    template <int kRows, int /*kVectors*/>
    struct Tile {
        int32x4_t acc[kRows][4];
        int32x4_t bias;

        FW_ALWAYS_INLINE void start(const void* from) {
            bias = vld1q_s32(static_cast<const int32_t*>(from));
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                unroll<4>([&](auto c) FW_INLINE_LAMBDA { acc[r][c] = vdupq_n_s32(0); });
            });
        }
        FW_ALWAYS_INLINE void step(const int8_t* a, const int8_t* b) {
            int8x16_t va[kRows];
            load_adjacent(a, va);
            unroll<4>([&](auto c) FW_INLINE_LAMBDA {
                const int8x16_t vb = vld1q_s8(b + 16 * c);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][c] = add_products(acc[r][c], va[r], vb); });
            });
        }
        FW_ALWAYS_INLINE void multiply(const int8_t* a, const char* panel, int64_t length, const uint8_t* /*marks*/) {
            start(panel);
            multiply_two_rows(a, reinterpret_cast<const int8_t*>(panel) + 32, div_up(length, kKr), acc);
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            *x = vaddq_s32(add_across(acc[kRow][0], acc[kRow][1], acc[kRow][2], acc[kRow][3]), bias);
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Output& output, const float* multiplier,
                                    int64_t column) const {
            store_tile<kRows, 1>(*this, args, output, multiplier, column);
        }
    };
};

#endif

}  // namespace

#if defined(__aarch64__)
FW_DEFINE_GEMM_BLOCK(gemm_int8_4x4c32_neon, kNeon, NeonInt8)
#else
FW_DEFINE_GEMM_BLOCK(gemm_int8_2x4c16_neon, kNeon, NeonInt8)
#endif

}  // namespace fw
