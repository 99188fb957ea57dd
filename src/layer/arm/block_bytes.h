// Whole tiles of 8 rows, instruction by instruction: the loop, and what makes bytes of its sums for zero point 0
// without an upper bound, and -128, which most layers have. A rounded value goes to 8.24 bits, whose saturation is that
// of its upper byte; a table look-up gathers upper bytes. For 16 outputs that are 18 instructions instead of 22, pairs
// need no transposition, and no sum leaves its register (GCC 12 would spill them for the other ways out of a tile).
// AArch64 only.
#pragma once

#include "layer/arm/block_loop.h"
#include "layer/arm/gemm_int8.h"

namespace fw {
namespace {

/// With the constants of the ways of a tile, as it loads them.
struct BlockOutput : UpperByteOutput {
    uint8x16_t constants[4];  ///< `finish`, `most`, orders of bytes

    explicit FW_ALWAYS_INLINE BlockOutput(const Epilogue& e, const uint8_t* orders, int count)
        : UpperByteOutput(e), constants{finish, most, vld1q_u8(orders), vld1q_u8(orders + 16 * (count - 1))} {}
};

/// What the tiles of eight rows have in common.
struct BlockRows {
    const void* a;
    int64_t steps;
    int64_t way;  ///< what becomes of sums: a UpperByteOutput::Kind, where kOther is that they go to memory
    char* to;
    int64_t out_step;
    int64_t n;
    int64_t end;  ///< of the columns that this call writes
    const BlockOutput* output;

    FW_ALWAYS_INLINE BlockRows(const GemmArgs& args, const BlockOutput& out, int64_t step_count, int64_t end_column)
        : a(args.scratch),
          steps(step_count),
          way(args.m == 8 && args.out_step != 0 ? static_cast<int64_t>(out.kind) : 0),
          to(static_cast<char*>(args.out[0])),
          out_step(args.out_step),
          n(args.n),
          end(end_column),
          output(&out) {}
};

// clang-format off
// Registers: multipliers v0 to v3, finish v4, bound v5, order of bytes v6; sums from v8 on. Those of a finished row
// are free, but for the first one, which has its bytes.
#define FW_EACH_4(op, r0, r1, r2, r3) op(r0) op(r1) op(r2) op(r3)
#define FW_SCVTF(n) "scvtf v" n ".4s, v" n ".4s\n"
#define FW_ROUND(n) "frintn v" n ".4s, v" n ".4s\n"
#define FW_FCVTZU(n) "fcvtzu v" n ".4s, v" n ".4s, #24\n"
#define FW_FCVTZS(n) "fcvtzs v" n ".4s, v" n ".4s, #24\n"
#define FW_SCALE(n, m) "fmul v" n ".4s, v" n ".4s, v" m ".4s\n"
#define FW_XOR(n) "eor v" n ".16b, v" n ".16b, v4.16b\n"
#define FW_MOST_XOR(n) "umin v" n ".16b, v" n ".16b, v5.16b\n" FW_XOR(n)
#define FW_LEAST(n) "smax v" n ".16b, v" n ".16b, v4.16b\n"

/// Four vectors of sums, scaled by the given registers, to the bytes of one.
#define FW_FOUR_TO_BYTES(convert, finish, m0, m1, m2, m3, r0, r1, r2, r3)       \
    FW_EACH_4(FW_SCVTF, r0, r1, r2, r3)                                         \
    FW_SCALE(r0, m0) FW_SCALE(r1, m1) FW_SCALE(r2, m2) FW_SCALE(r3, m3)         \
    FW_EACH_4(FW_ROUND, r0, r1, r2, r3) FW_EACH_4(convert, r0, r1, r2, r3)      \
    "tbl v" r0 ".16b, {v" r0 ".16b-v" r3 ".16b}, v6.16b\n" finish(r0)
/// A pair of rows of eight columns.
#define FW_STORE_8(r0)                                                          \
    "st1 {v" r0 ".d}[0], [%[to]], %[out_step]\n st1 {v" r0 ".d}[1], [%[to]], %[out_step]\n"
#define FW_PAIR_8(convert, finish, m0, m1, m2, m3, r0, r1, r2, r3)              \
    FW_FOUR_TO_BYTES(convert, finish, m0, m1, m2, m3, r0, r1, r2, r3) FW_STORE_8(r0)
#define FW_LOAD_FINISH "ld1 {v4.16b-v6.16b}, [%[constants]]\n"
#define FW_SUMS_TO_MEMORY_16                                                    \
    "st1 {v8.4s-v11.4s}, [%[to]], #64\n st1 {v12.4s-v15.4s}, [%[to]], #64\n"    \
    "st1 {v16.4s-v19.4s}, [%[to]], #64\n st1 {v20.4s-v23.4s}, [%[to]], #64\n"
#define FW_SUMS_TO_MEMORY_24 FW_SUMS_TO_MEMORY_16                               \
    "st1 {v24.4s-v27.4s}, [%[to]], #64\n st1 {v28.4s-v31.4s}, [%[to]]\n"

/// `bytes(convert, finish)` for each kind of output, then the next tile; or the sums to memory.
#define FW_NEXT_TILE "add %[to], %[to], %[next]\n subs %[count], %[count], #1\n b.ne 0b\n b 15f\n"
#define FW_WAYS(bytes, to_memory)                                               \
    "tbnz %[way], #1, 12f\n tbz %[way], #0, 14f\n"                              \
    bytes(FW_FCVTZU, FW_XOR) FW_NEXT_TILE                                       \
    "12: tbnz %[way], #0, 13f\n" bytes(FW_FCVTZU, FW_MOST_XOR) FW_NEXT_TILE     \
    "13:\n" bytes(FW_FCVTZS, FW_LEAST) FW_NEXT_TILE                             \
    "14:\n" to_memory "b 15f\n"

/// Defines name(rows, panel, way, to, count, narrow): for each of `count` panels, one behind the other, `text` sets the
/// sums, v8 and the following, from the bias at [b], adds [all] steps of A at [a] and B and goes the way. The last
/// `narrow` panels may write no byte behind their columns. `to` is for the sums of one panel, or the first of the rows
/// of bytes. Text moves [multiplier] by `loaded` and [rest_of_panel], [b] by `loaded` and [head] to B.
#define FW_DEFINE_BLOCK(name, columns, step_bytes, loaded, ...)                                                     \
    FW_ALWAYS_INLINE void name(const BlockRows& rows, const char* panel, int64_t way, void* to, int64_t count,      \
                               int64_t narrow) {                                                                    \
        const void* a;                                                                                              \
        int64_t steps;                                                                                              \
        const void* b = panel;                                                                                      \
        const void* multiplier = panel + 4 * (columns);                                                             \
        const int64_t next = (columns) - 8 * rows.out_step;                                                         \
        const int64_t rest_of_panel = 8 * (columns) + rows.steps * (step_bytes) - (loaded);                         \
        __asm__ volatile("0: mov %[a], %[start]\n" __VA_ARGS__ "15:\n"                                              \
                : [a] "=&r"(a), [b] "+&r"(b), [steps] "=&r"(steps), [to] "+&r"(to), [multiplier] "+&r"(multiplier),    \
                  [count] "+&r"(count)                                                                               \
                : [start] "r"(rows.a), [all] "r"(rows.steps), [way] "r"(way), [constants] "r"(rows.output->constants), \
                  [out_step] "r"(rows.out_step), [rest] "r"(rows.out_step - 8), [next] "r"(next),                   \
                  [rest_of_panel] "r"(rest_of_panel), [narrow] "r"(narrow), [head] "r"(int64_t{8 * (columns) - (loaded)}) \
                : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",  \
                  "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", \
                  "v27", "v28", "v29", "v30", "v31");                                                               \
    }
// clang-format on

/// What is left to store of a tile, out of its loop's way.
template <class Tile, int kRows, int kVectors>
__attribute__((noinline)) void store_other(const Tile& tile, const GemmArgs& args, const UpperByteOutput& output,
                                           const float* multiplier, int64_t column) {
    store_tile<kRows, kVectors>(tile, args, output, multiplier, column);
}

/// The tiles of `count` panels by multiply(panel, way, to, count, narrow).
template <class Tile, int kVectors, int kKr, class Multiply>
FW_ALWAYS_INLINE void run_block(Tile& tile, const BlockRows& rows, const GemmArgs& args, const char* panel,
                                int64_t column, int64_t count, Multiply multiply) {
    constexpr int64_t kColumns = 4 * kVectors;
    const int64_t panel_bytes = kColumns * (8 + rows.steps * kKr);
    if (rows.way != 0) {
        const int64_t cut = column + kColumns * count > rows.n ? 1 : 0;  // the last one
        const int64_t whole = count - cut;
        if (whole > 0) {
            // 16 bytes of a row may be written where what is behind its columns will be written later.
            const int64_t narrow = column + kColumns * whole + 4 > rows.end ? 1 : 0;
            multiply(panel, rows.way, rows.to + column, whole, narrow);
        }
        if (cut == 0) {
            return;
        }
        panel += whole * panel_bytes;
        column += kColumns * whole;
        count = 1;
    }
    for (; count > 0; --count, panel += panel_bytes, column += kColumns) {
        multiply(panel, 0, tile.acc, 1, 0);
        store_other<Tile, 8, kVectors>(tile, args, *rows.output, reinterpret_cast<const float*>(panel + 4 * kColumns),
                                       column);
    }
}

}  // namespace
}  // namespace fw
