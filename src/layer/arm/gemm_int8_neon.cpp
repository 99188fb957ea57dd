// Without a dot product: smull and smlal2 add two products in 16 bits (weights are within [-127, 127], so that they
// fit), sadalp adds pairs of those to an accumulator of 32. An accumulator holds four partial sums of one output, which
// are added up in the end. 16 products by three instructions; 16-bit multiplies (smlal by element) would take four.
// Where packing found weights small enough, four products are added in 16 bits: 32 by five instructions.
#if defined(__aarch64__)
#include "layer/arm/block_4x4.h"
#else
#include "layer/arm/gemm_int8.h"
#endif

namespace fw {

namespace {

// The sum of each of four registers.
FW_ALWAYS_INLINE int32x4_t add_across(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
#if defined(__aarch64__)
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
#else
    const auto halves = [](int32x4_t x) FW_INLINE_LAMBDA { return vadd_s32(vget_low_s32(x), vget_high_s32(x)); };
    return vcombine_s32(vpadd_s32(halves(a), halves(b)), vpadd_s32(halves(c), halves(d)));
#endif
}

#if defined(__aarch64__)

// clang-format off
#define FW_ROW_COLUMNS(op, half, b0, b1, b2, b3, a)                                                        \
    op " v4.8h, v" a half ", v" b0 half "\n" op " v5.8h, v" a half ", v" b1 half "\n"                      \
    op " v6.8h, v" a half ", v" b2 half "\n" op " v7.8h, v" a half ", v" b3 half "\n"
#define FW_ROW_ADD "sadalp %0.4s, v4.8h\n sadalp %1.4s, v5.8h\n sadalp %2.4s, v6.8h\n sadalp %3.4s, v7.8h\n"
// clang-format on

/// One of four rows by four columns.
FW_ALWAYS_INLINE void multiply_row(const int8_t* a, const int8_t* b, int64_t length, int32x4_t (&acc)[4]) {
    int64_t left = length - 16;
    // clang-format off
    __asm__ volatile(
        "cmp %[left], #0\n b.le 2f\n"
        "1:\n"
        "ldr q0, [%[a]], #64\n ldr q1, [%[a]], #64\n"
        "ld1 {v16.16b-v19.16b}, [%[b]], #64\n ld1 {v20.16b-v23.16b}, [%[b]], #64\n"
        FW_ROW_COLUMNS("smull", ".8b", "16", "18", "20", "22", "0") FW_ROW_COLUMNS("smlal2", ".16b", "16", "18", "20", "22", "0")
        "subs %[left], %[left], #32\n" FW_ROW_ADD
        FW_ROW_COLUMNS("smull", ".8b", "17", "19", "21", "23", "1") FW_ROW_COLUMNS("smlal2", ".16b", "17", "19", "21", "23", "1")
        FW_ROW_ADD "b.gt 1b\n"
        "2: cmn %[left], #16\n b.le 3f\n"
        "ldr q0, [%[a]]\n ld1 {v16.16b-v19.16b}, [%[b]]\n"
        FW_ROW_COLUMNS("smull", ".8b", "16", "17", "18", "19", "0") FW_ROW_COLUMNS("smlal2", ".16b", "16", "17", "18", "19", "0")
        FW_ROW_ADD
        "3:\n"
        : "+w"(acc[0]), "+w"(acc[1]), "+w"(acc[2]), "+w"(acc[3]), [a] "+r"(a), [b] "+r"(b), [left] "+r"(left)
        :
        : "cc", "memory", "v0", "v1", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23");
    // clang-format on
}

// A tile is one vector of four columns wide.
struct NeonInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = LoadedOutput;
    static constexpr int kMr = 4, kLanes = 4, kVectors = 1, kKr = 32, kAdjacent = 16, kRows1 = 1;
    static constexpr bool kMarked = true;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = true;

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        const int8_t *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
        __asm__ volatile(
            "1:\n ldr q0, [%[r0]], #16\n ldr q1, [%[r1]], #16\n ldr q2, [%[r2]], #16\n ldr q3, [%[r3]], #16\n"
            "subs %[length], %[length], #16\n st1 {v0.16b-v3.16b}, [%[out]], #64\n b.gt 1b\n"
            : [r0] "+r"(r0), [r1] "+r"(r1), [r2] "+r"(r2), [r3] "+r"(r3), [out] "+r"(out), [length] "+r"(length)
            :
            : "cc", "memory", "v0", "v1", "v2", "v3");
    }

    static FW_ALWAYS_INLINE int64_t run_panels(const GemmArgs& args, const Output& output, const char* panel,
                                               const uint8_t* marks) {
        const int64_t whole = args.panel_end * kLanes <= args.n ? args.panel_end : args.n / kLanes;
        const int64_t panels = whole - args.panel_begin;
        if (panels <= 0) {
            return 0;
        }
        const bool floats = args.epilogue.float_output;
        const int64_t column = args.panel_begin * (floats ? kLanes * 4 : kLanes);
        char* to[4];
        if (args.m == 4 && args.out_step != 0) {
            to[0] = static_cast<char*>(args.out[0]) + column;
            unroll<3>([&](auto r) FW_INLINE_LAMBDA { to[r + 1] = to[r] + args.out_step; });
        } else {
            unroll<4>([&](auto r) FW_INLINE_LAMBDA { to[r] = out_row(args, r < args.m ? r : args.m - 1) + column; });
        }
        run_panels_4x4(args.scratch, panel, panels, marks, output,
                       floats ? kToFloats : static_cast<uint64_t>(output.kind), to);
        return panels;
    }

    template <int kRows, int /*kVectors*/>
    struct Tile {
        int32x4_t sum[kRows];

        FW_ALWAYS_INLINE void multiply(const int8_t* a, const char* panel, int64_t length, const uint8_t* marks,
                                       const Output& output) {
            if constexpr (kRows == 4) {
                char* const to[4] = {reinterpret_cast<char*>(sum)};
                run_panels_4x4(a, panel, 1, marks, output, kToMemory, to);
            } else {
                const auto* b = reinterpret_cast<const int8_t*>(panel + 64);
                int32x4_t acc[4];
                unroll<4>([&](auto c) FW_INLINE_LAMBDA {
                    acc[c] = vld1q_s32(reinterpret_cast<const int32_t*>(panel) + 4 * c);
                });
                multiply_row(a, b, length, acc);
                sum[0] = add_across(acc[0], acc[1], acc[2], acc[3]);
            }
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            *x = sum[kRow];
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Output& output, const float* multiplier,
                                    int64_t column) const {
            if (kRows == 1 && column + kLanes <= args.n && !args.epilogue.float_output) {
                const float32x4_t x = vmulq_f32(vcvtq_f32_s32(sum[0]), vld1q_f32(multiplier));
                const int8x16_t bytes = output.bytes(x, x, x, x);
                vst1q_lane_s32(reinterpret_cast<int32_t*>(out_row(args, 0) + column), vreinterpretq_s32_s8(bytes), 0);
                return;
            }
            store_tile<kRows, 1>(*this, args, output, multiplier, column);
        }
    };
};

#else

FW_ALWAYS_INLINE int32x4_t add_products(int32x4_t acc, int8x16_t a, int8x16_t b) {
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
    return vpadalq_s16(acc, vmlal_s8(low, vget_high_s8(a), vget_high_s8(b)));
}

/// Rows of a tile, 16 elements of each in turn.
template <int kRows>
FW_ALWAYS_INLINE void interleave_pieces(const int8_t* const* rows, int64_t length, int8_t* out) {
    for (int64_t p = 0; p < length; p += 16, out += 16 * kRows) {
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { vst1q_s8(out + 16 * r, vld1q_s8(rows[r] + p)); });
    }
}

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
