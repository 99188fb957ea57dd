// Without a dot product: smull and smlal add two products in 16 bits (weights are within [-127, 127], so that they
// fit), sadalp adds pairs of those to an accumulator of 32. 16 products by three instructions; 16-bit multiplies (smlal
// by element) would take four. With 64 bits, four products are added in 16 bits where packing found weights small
// enough (GemmKernel::marked): 32 by five instructions.
#if defined(__aarch64__)
#include "kernel/panel.h"
#include "layer/arm/block_4x16.h"
#else
#include "layer/arm/gemm_int8.h"
#endif

namespace fw {

namespace {

#if defined(__aarch64__)

constexpr int kMr = 4, kLanes = 8, kVectors = 2, kColumns = kLanes * kVectors;

/// What the tiles of a call have in common.
struct Call {
    LoadedOutput output;
    int64_t length, column_bytes, marks;
    int64_t pitch;        ///< from row to row of those that are copied
    int64_t whole;        ///< wide panels
    int64_t rest;         ///< columns behind them, in one panel more
    const char* panel;    ///< the first one
    const uint8_t* mark;  ///< its marks

    explicit Call(const GemmArgs& args)
        : output(args.epilogue),
          length(args.taps * args.k),
          column_bytes(gemm_column_bytes(args.taps, args.k, kMarkedKr, 1, true)),
          marks(panel_marks(length)),
          pitch(packed_row_pitch(length)) {
        const int64_t wide = args.n / kColumns;
        whole = (args.panel_end <= wide ? args.panel_end : wide) - args.panel_begin;
        rest = args.panel_end > wide ? args.n - wide * kColumns : 0;
        const auto* packed = static_cast<const char*>(args.packed);
        panel = packed + args.panel_begin * kColumns * column_bytes;
        mark = reinterpret_cast<const uint8_t*>(packed + div_up(args.n, kLanes) * kLanes * column_bytes) +
               args.panel_begin * marks;
    }
};

/// The taps of four rows to one long row each: what a copy writes behind a tap is overwritten by the next one.
void join_taps(const GemmArgs& args, int64_t pitch, FourRows* rows) {
    auto* to = static_cast<int8_t*>(args.scratch);
    unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { rows->from[r] = to + r * pitch; });
    const auto* from = reinterpret_cast<const int8_t* const*>(args.rows);
    for (int64_t t = 0; t < args.taps; ++t, from += kMr, to += args.k) {
        const int8_t *r0 = from[0], *r1 = from[1], *r2 = from[2], *r3 = from[3];
        for (int64_t p = 0; p < args.k; p += 16) {
            vst1q_s8(to + p, vld1q_s8(r0 + p));
            vst1q_s8(to + pitch + p, vld1q_s8(r1 + p));
            vst1q_s8(to + 2 * pitch + p, vld1q_s8(r2 + p));
            vst1q_s8(to + 3 * pitch + p, vld1q_s8(r3 + p));
        }
    }
}

/// Columns of a panel that is cut off.
template <bool kWide>
__attribute__((noinline)) void run_cut_panel(GemmArgs args, const Call& call, FourRows rows, PanelRun run,
                                             int64_t column) {
    constexpr int kSums = kWide ? 4 : 2;
    const auto* multiplier = reinterpret_cast<const float*>(run.panel + 4 * kSums * (call.column_bytes - 4));
    int32_t sums[kMr * 4 * kSums];
    rows.to[0] = reinterpret_cast<char*>(sums);
    void* out = args.out[0];
    if (run.tiles > 1) {
        args.out = &out;
    }
    const int64_t tiles = run.tiles;
    run.tiles = 1;
    for (int64_t i = 0; i < tiles; ++i) {
        run_panels<kWide>(rows, run, call.output, kToMemory);
        store_rows<kSums>(args, call.output, sums, multiplier, column);
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { rows.from[r] += run.next_from; });
        out = static_cast<char*>(out) + kMr * args.out_step;
    }
}

/// All panels of up to four rows, or of `tiles` times four, where rows and outputs lie at one distance.
void run_four_rows(const GemmArgs& args, const Call& call, const FourRows& start, int64_t tiles) {
    FourRows rows = start;
    const int64_t size = args.epilogue.float_output ? 4 : 1;
    const uint64_t way = args.epilogue.float_output ? kToFloats : static_cast<uint64_t>(call.output.kind);
    int64_t column = args.panel_begin * kColumns;
    const auto move = [&](int64_t columns) FW_INLINE_LAMBDA {
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { rows.to[r] += size * columns; });
    };
    move(column);
    PanelRun run = {call.panel, call.mark, call.whole, kMr * args.row_step, 0, div_up(call.length, 8) * 8, tiles};
    if (call.whole > 0) {
        const int64_t columns = call.whole * kColumns;
        run.next_to = kMr * args.out_step - size * columns;
        run_panels<true>(rows, run, call.output, way);
        if (call.rest == 0) {
            return;
        }
        move(columns);
        column += columns;
        run.panel += columns * call.column_bytes;
        run.marks += call.whole * call.marks;
    }
    run.panels = 1;
    if (call.rest > kLanes) {
        run_cut_panel<true>(args, call, rows, run, column);
    } else if (call.rest == kLanes) {
        run.next_to = kMr * args.out_step - size * kLanes;
        run_panels<false>(rows, run, call.output, way);
    } else if (call.rest > 0) {
        run_cut_panel<false>(args, call, rows, run, column);
    }
}

template <bool kWide>
FW_ALWAYS_INLINE void run_row_panel(const GemmArgs& args, const Call& call, const int8_t* row, const char* panel,
                                    int64_t column) {
    constexpr int kSums = kWide ? 4 : 2;
    int32x4_t sums[kSums];
    multiply_row<kWide>(row, panel, call.length, sums);
    const auto* multiplier = reinterpret_cast<const float*>(panel + 4 * kSums * (call.column_bytes - 4));
    if (kWide && column + kColumns <= args.n && !args.epilogue.float_output) {
        float32x4_t x[4];
        load_adjacent(multiplier, x);
        unroll<kSums>([&](auto v) FW_INLINE_LAMBDA { x[v] = vmulq_f32(vcvtq_f32_s32(sums[v]), x[v]); });
        vst1q_s8(reinterpret_cast<int8_t*>(out_row(args, 0) + column), call.output.bytes(x[0], x[1], x[2], x[3]));
        return;
    }
    int32_t memory[4 * kSums];
    unroll<kSums>([&](auto v) FW_INLINE_LAMBDA { vst1q_s32(memory + 4 * v, sums[v]); });
    store_rows<kSums>(args, call.output, memory, multiplier, column);
}

/// All panels of a single row.
__attribute__((noinline)) void run_row(const GemmArgs& args, const Call& call, const int8_t* row) {
    int64_t column = args.panel_begin * kColumns;
    const char* panel = call.panel;
    for (int64_t i = 0; i < call.whole; ++i, panel += kColumns * call.column_bytes, column += kColumns) {
        run_row_panel<true>(args, call, row, panel, column);
    }
    if (call.rest > kLanes) {
        run_row_panel<true>(args, call, row, panel, column);
    } else if (call.rest > 0) {
        run_row_panel<false>(args, call, row, panel, column);
    }
}

/// Rows and outputs at one distance: row_step and out_step.
void run_steps(const GemmArgs& args, const Call& call) {
    const auto* row = static_cast<const int8_t*>(args.rows[0]);
    void* out = args.out[0];
    GemmArgs part = args;
    part.out = &out;
    FourRows rows;
    const auto tiles = [&](int64_t m, int64_t count) FW_INLINE_LAMBDA {
        part.m = m;
        unroll<kMr>([&](auto i) FW_INLINE_LAMBDA {
            const int64_t r = i < m ? int64_t{i} : m - 1;
            rows.from[i] = row + r * args.row_step;
            rows.to[i] = static_cast<char*>(out) + r * args.out_step;
        });
        run_four_rows(part, call, rows, count);
    };
    const int64_t rest = args.m % kMr;
    const int64_t whole = args.m - rest;
    if (whole > 0) {
        tiles(kMr, whole / kMr);
        row += whole * args.row_step;
        out = static_cast<char*>(out) + whole * args.out_step;
    }
    if (rest == 1) {
        part.m = 1;
        run_row(part, call, row);
    } else if (rest > 1) {
        tiles(rest, 1);
    }
}

void run(const GemmArgs& args) {
    const Call call(args);
    if (args.row_step != 0) {
        run_steps(args, call);
        return;
    }
    GemmArgs tile = args;
    FourRows rows;
    for (int64_t left = args.m; left > 0; left -= kMr, tile.rows += tile.taps * kMr, tile.out += kMr) {
        tile.m = left < kMr ? left : kMr;
        if (args.taps == 1) {
            unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { rows.from[r] = static_cast<const int8_t*>(tile.rows[r]); });
        } else {
            join_taps(tile, call.pitch, &rows);
        }
        if (tile.m == 1) {
            run_row(tile, call, rows.from[0]);
        } else {
            unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { rows.to[r] = out_row(tile, r < tile.m ? r : tile.m - 1); });
            run_four_rows(tile, call, rows, 1);
        }
    }
}

#else

// The sum of each of four registers.
FW_ALWAYS_INLINE int32x4_t add_across(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
    const auto halves = [](int32x4_t x) FW_INLINE_LAMBDA { return vadd_s32(vget_low_s32(x), vget_high_s32(x)); };
    return vcombine_s32(vpadd_s32(halves(a), halves(b)), vpadd_s32(halves(c), halves(d)));
}

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
        FW_ALWAYS_INLINE void multiply(const int8_t* a, const char* panel, int64_t length) {
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
extern const GemmKernel gemm_int8_4x16c8_neon = {"gemm_int8_4x16c8_neon",
                                                 Isa::kNeon,
                                                 true,
                                                 HalfFormat::kFloat32,
                                                 false,
                                                 1,
                                                 kMr,
                                                 kLanes,
                                                 kVectors,
                                                 kMarkedKr,
                                                 true,
                                                 false,
                                                 false,
                                                 run,
                                                 true};
#else
FW_DEFINE_GEMM_BLOCK(gemm_int8_2x4c16_neon, kNeon, NeonInt8)
#endif

}  // namespace fw
