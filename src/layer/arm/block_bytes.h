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

/// What the tiles of eight rows have in common.
struct BlockRows {
    /// What becomes of sums: a UpperByteOutput::Kind, where kOther is that they go to memory as they are; and
    enum : int64_t {
        kKinds = 3,
        kWide = 4  ///< 16 bytes of a row may be written: what is behind its columns will be written later
    };
    const void* a;
    int64_t steps;
    int64_t way;
    char* to;
    int64_t out_step;
    int64_t n;
    int64_t end;  ///< of the columns that this call writes
    const UpperByteOutput* output;
    const void* finish;  ///< of `output`

    FW_ALWAYS_INLINE BlockRows(const GemmArgs& args, const UpperByteOutput& out, int64_t step_count, int64_t end_column)
        : a(args.scratch),
          steps(step_count),
          way(args.m == 8 && args.out_step != 0 ? static_cast<int64_t>(out.kind) : 0),
          to(static_cast<char*>(args.out[0])),
          out_step(args.out_step),
          n(args.n),
          end(end_column),
          output(&out),
          finish(&out.finish) {}
};

// clang-format off
// Registers: multipliers v0 to v3, bound v4, order of bytes v5, finish v6; sums from v8 on. Those of a finished row
// are free, but for the first one, which has its bytes.
#define FW_EACH_4(op, r0, r1, r2, r3) op(r0) op(r1) op(r2) op(r3)
#define FW_SCVTF(n) "scvtf v" n ".4s, v" n ".4s\n"
#define FW_ROUND(n) "frintn v" n ".4s, v" n ".4s\n"
#define FW_FCVTZU(n) "fcvtzu v" n ".4s, v" n ".4s, #24\n"
#define FW_FCVTZS(n) "fcvtzs v" n ".4s, v" n ".4s, #24\n"
#define FW_SCALE(n, m) "fmul v" n ".4s, v" n ".4s, v" m ".4s\n"
#define FW_XOR(n) "eor v" n ".16b, v" n ".16b, v6.16b\n"
#define FW_MOST_XOR(n) "umin v" n ".16b, v" n ".16b, v4.16b\n" FW_XOR(n)
#define FW_LEAST(n) "smax v" n ".16b, v" n ".16b, v6.16b\n"

/// Four vectors of sums, scaled by the given registers, to the bytes of one.
#define FW_FOUR_TO_BYTES(convert, finish, m0, m1, m2, m3, r0, r1, r2, r3)       \
    FW_EACH_4(FW_SCVTF, r0, r1, r2, r3)                                         \
    FW_SCALE(r0, m0) FW_SCALE(r1, m1) FW_SCALE(r2, m2) FW_SCALE(r3, m3)         \
    FW_EACH_4(FW_ROUND, r0, r1, r2, r3) FW_EACH_4(convert, r0, r1, r2, r3)      \
    "tbl v" r0 ".16b, {v" r0 ".16b-v" r3 ".16b}, v5.16b\n" finish(r0)
/// A pair of rows of eight columns.
#define FW_STORE_8(r0)                                                          \
    "st1 {v" r0 ".d}[0], [%[to]], %[out_step]\n st1 {v" r0 ".d}[1], [%[to]], %[out_step]\n"
#define FW_PAIR_8(convert, finish, m0, m1, m2, m3, r0, r1, r2, r3)              \
    FW_FOUR_TO_BYTES(convert, finish, m0, m1, m2, m3, r0, r1, r2, r3) FW_STORE_8(r0)
#define FW_LOAD_FINISH "ldr q5, [%[order]]\n ldp q6, q4, [%[finish]]\n"
#define FW_SUMS_TO_MEMORY_16                                                    \
    "st1 {v8.4s-v11.4s}, [%[to]], #64\n st1 {v12.4s-v15.4s}, [%[to]], #64\n"    \
    "st1 {v16.4s-v19.4s}, [%[to]], #64\n st1 {v20.4s-v23.4s}, [%[to]], #64\n"
#define FW_SUMS_TO_MEMORY_24 FW_SUMS_TO_MEMORY_16                               \
    "st1 {v24.4s-v27.4s}, [%[to]], #64\n st1 {v28.4s-v31.4s}, [%[to]]\n"

/// `bytes(convert, finish)` for each kind of output, or the sums to memory.
#define FW_WAYS(bytes, to_memory)                                               \
    "cbz %[way], 14f\n cmp %[way], #2\n b.eq 12f\n b.hi 13f\n"                  \
    bytes(FW_FCVTZU, FW_XOR) "b 15f\n"                                          \
    "12:\n" bytes(FW_FCVTZU, FW_MOST_XOR) "b 15f\n"                             \
    "13:\n" bytes(FW_FCVTZS, FW_LEAST) "b 15f\n"                                \
    "14:\n" to_memory                                                           \
    "15:\n"

/// Defines name(rows, panel, way, to): `text` sets the sums, v8 and the following, from the bias at
/// [b], adds steps of A at [a] and B, which is behind bias and multipliers, and goes the way. `to` is for sums, or the
/// first of the rows of bytes.
#define FW_DEFINE_BLOCK(name, columns, upper, ...)                                                                  \
    FW_ALWAYS_INLINE void name(const BlockRows& rows, const char* panel, int64_t way, void* to) {                   \
        const void* a = rows.a;                                                                                     \
        int64_t steps = rows.steps;                                                                                 \
        const void* b = panel;                                                                                      \
        const void* multiplier = panel + 4 * (columns);                                                             \
        __asm__ volatile(__VA_ARGS__                                                                                \
                : [a] "+r"(a), [b] "+r"(b), [steps] "+r"(steps), [to] "+r"(to), [way] "+r"(way),                    \
                  [multiplier] "+r"(multiplier)                                                                     \
                : [order] "r"(upper), [finish] "r"(rows.finish), \
                  [out_step] "r"(rows.out_step), [rest] "r"(rows.out_step - 8)                                                                     \
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

/// A tile by multiply(way, to). kWidens: it knows kWide.
template <class Tile, int kVectors, bool kWidens, class Multiply>
FW_ALWAYS_INLINE void run_block(Tile& tile, const BlockRows& rows, const GemmArgs& args, const char* panel,
                                int64_t column, Multiply multiply) {
    constexpr int64_t kColumns = 4 * kVectors;
    int64_t way = column + kColumns <= rows.n ? rows.way : 0;
    void* to = way != 0 ? static_cast<void*>(rows.to + column) : tile.acc;
    if (kWidens && column + 16 <= rows.end) {
        way += BlockRows::kWide;
    }
    multiply(way, to);
    if ((way & BlockRows::kKinds) == 0) {
        store_other<Tile, 8, kVectors>(tile, args, *rows.output, reinterpret_cast<const float*>(panel + 4 * kColumns),
                                       column);
    }
}

}  // namespace
}  // namespace fw
