// Block loops whose sums become bytes, for zero point 0 without an upper bound, and -128: what most layers have. A
// rounded value goes to 8.24 bits, whose saturation is that of its upper byte; a table look-up gathers the upper bytes
// of a row. For 16 outputs that are 18 instructions instead of 22, pairs need no transposition, and no accumulator
// leaves its register (GCC 12 would spill them for the other ways out of a tile). AArch64 only.
#pragma once

#include "layer/arm/block_loop.h"
#include "layer/arm/gemm_int8.h"

namespace fw {
namespace {

// clang-format off
#define FW_FOUR(x) x("0") x("1") x("2") x("3")
#define FW_SIX(x) FW_FOUR(x) x("4") x("5")
#define FW_SCVTF(n) "scvtf %" n ".4s, %" n ".4s\n"
#define FW_SCALE(n) "fmul %" n ".4s, %" n ".4s, %[m" n "].4s\n"
#define FW_ROUND(n) "frintn %" n ".4s, %" n ".4s\n"
#define FW_FCVTZU(n) "fcvtzu %" n ".4s, %" n ".4s, #24\n"
#define FW_FCVTZS(n) "fcvtzs %" n ".4s, %" n ".4s, #24\n"
#define FW_XOR(n) "eor %" n ".16b, %" n ".16b, %[finish].16b\n"
// Registers behind the first one are free when bytes are finished.
#define FW_MOST_XOR(n) "ld1r {%1.16b}, [%[most]]\n umin %" n ".16b, %" n ".16b, %1.16b\n" FW_XOR(n)
#define FW_LEAST(n) "smax %" n ".16b, %" n ".16b, %[finish].16b\n"
#define FW_UPPER_BYTES(n, first, last) "tbl %" n ".16b, {v" first ".16b-v" last ".16b}, %[upper].16b\n"

// Two rows, in six or four registers that follow one another.
#define FW_PAIR_12(pair, convert, finish_bytes, rows, r0, r1, r2, r3, r4, r5) {                                     \
    auto* to0 = static_cast<char*>(out[2 * pair]) + column;                                                         \
    auto* to1 = static_cast<char*>(out[2 * pair + 1]) + column;                                                     \
    __asm__ volatile(FW_SIX(FW_SCVTF) FW_SIX(FW_SCALE) FW_SIX(FW_ROUND) FW_SIX(convert)                             \
            rows(finish_bytes, #r0, #r2, #r3, #r4, #r5)                                                             \
            : "+w"(v##r0), "+w"(v##r1), "+w"(v##r2), "+w"(v##r3), "+w"(v##r4), "+w"(v##r5), [to0] "+r"(to0),        \
              [to1] "+r"(to1)                                                                                       \
            : [m0] "w"(m[0]), [m1] "w"(m[1]), [m2] "w"(m[2]), [m3] "w"(m[3]), [m4] "w"(m[4]), [m5] "w"(m[5]),       \
              [upper] "w"(upper), [finish] "w"(finish), [most] "r"(&output.most)                                    \
            : "memory"); }
#define FW_PAIR_8(pair, convert, finish_bytes, rows, r0, r1, r2, r3) {                                              \
    auto* to0 = static_cast<char*>(out[2 * pair]) + column;                                                         \
    auto* to1 = static_cast<char*>(out[2 * pair + 1]) + column;                                                     \
    __asm__ volatile(FW_FOUR(FW_SCVTF) FW_FOUR(FW_SCALE) FW_FOUR(FW_ROUND) FW_FOUR(convert)                         \
            FW_UPPER_BYTES("0", #r0, #r3) finish_bytes("0")                                                         \
            "st1 {%0.d}[0], [%[to0]]\n st1 {%0.d}[1], [%[to1]]\n"                                                   \
            : "+w"(v##r0), "+w"(v##r1), "+w"(v##r2), "+w"(v##r3)                                                    \
            : [m0] "w"(m[0]), [m1] "w"(m[1]), [m2] "w"(m[2]), [m3] "w"(m[3]), [upper] "w"(upper),                   \
              [finish] "w"(finish), [most] "r"(&output.most), [to0] "r"(to0), [to1] "r"(to1)                        \
            : "memory"); }
#define FW_PAIRS_12(rows, convert, finish_bytes)                                                                    \
    FW_PAIR_12(0, convert, finish_bytes, rows, 8, 9, 10, 11, 12, 13)                                                \
    FW_PAIR_12(1, convert, finish_bytes, rows, 14, 15, 16, 17, 18, 19)                                              \
    FW_PAIR_12(2, convert, finish_bytes, rows, 20, 21, 22, 23, 24, 25)                                              \
    FW_PAIR_12(3, convert, finish_bytes, rows, 26, 27, 28, 29, 30, 31)
#define FW_PAIRS_8(rows, convert, finish_bytes)                                                                     \
    FW_PAIR_8(0, convert, finish_bytes, rows, 8, 9, 10, 11) FW_PAIR_8(1, convert, finish_bytes, rows, 12, 13, 14, 15) \
    FW_PAIR_8(2, convert, finish_bytes, rows, 16, 17, 18, 19) FW_PAIR_8(3, convert, finish_bytes, rows, 20, 21, 22, 23)

/// Defines name(args, output, panel, column, steps, acc): a block loop over args.scratch (block_loop.h) of 8 rows by
/// `columns`. Where the bytes were stored it returns true; else the sums are in `acc`.
/// K::load_multipliers(from, m) loads those of a pair of rows, K::kUpperBytes has the order of their bytes.
#define FW_DEFINE_BLOCK_BYTES(name, K, count, columns, rows, ...)                                                   \
    template <class K>                                                                                              \
    FW_ALWAYS_INLINE bool name(const GemmArgs& args, const UpperByteOutput& output, const char* panel, int64_t column, \
                               int64_t steps, int32x4_t (&acc)[count]) {                                            \
        register int32x4_t FW_REGISTERS_##count(FW_REGISTER_DECLARE);                                               \
        const void* a = args.scratch;                                                                               \
        const void* b = panel;                                                                                      \
        __asm__ volatile(__VA_ARGS__                                                                                \
                : FW_REGISTERS_##count(FW_REGISTER_OUT), [a] "+r"(a), [b] "+r"(b), [steps] "+r"(steps)              \
                :                                                                                                   \
                : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7");                                  \
        if (output.kind == UpperByteOutput::Kind::kOther || args.m != 8 || column + columns > args.n) {             \
            const int32x4_t all[] = {FW_REGISTERS_##count(FW_REGISTER_NAME)};                                       \
            unroll<count>([&](auto i) FW_INLINE_LAMBDA { acc[i] = all[i]; });                                       \
            return false;                                                                                           \
        }                                                                                                           \
        float32x4_t m[count / 4];                                                                                   \
        K::load_multipliers(reinterpret_cast<const float*>(panel + 4 * columns), m);                                \
        uint8x16_t upper = vld1q_u8(K::kUpperBytes);                                                                \
        __asm__("" : "+w"(upper)); /* or it is loaded again for each pair */                                        \
        const uint8x16_t finish = output.finish;                                                                    \
        void* const* out = args.out;                                                                                \
        if (output.kind == UpperByteOutput::Kind::kPositive) {                                                      \
            FW_PAIRS_##columns(rows, FW_FCVTZU, FW_XOR)                                                             \
        } else if (output.kind == UpperByteOutput::Kind::kBounded) {                                                \
            FW_PAIRS_##columns(rows, FW_FCVTZU, FW_MOST_XOR)                                                        \
        } else {                                                                                                    \
            FW_PAIRS_##columns(rows, FW_FCVTZS, FW_LEAST)                                                           \
        }                                                                                                           \
        return true;                                                                                                \
    }
// clang-format on

/// What is left to store of a tile, out of its loop's way.
template <class Tile, int kRows, int kVectors>
__attribute__((noinline)) void store_other(const Tile& tile, const GemmArgs& args, const UpperByteOutput& output,
                                           const float* multiplier, int64_t column) {
    store_tile<kRows, kVectors>(tile, args, output, multiplier, column);
}

}  // namespace
}  // namespace fw
