// Products of 16-bit integers for Winograd's way in int8 (PairGemmKernel): smlal by element. A register of A holds the
// pairs of four rows; those of B's columns are packed apart.
#include "kernel/gemm_block_driver.h"
#include "layer/arm/block_loop.h"

namespace fw {

namespace {

/// acc + b[4 columns] * a[kLane]; b is the lower or the upper half of a register.
template <bool kUpper, int kLane>
FW_ALWAYS_INLINE int32x4_t add_product(int32x4_t acc, int16x8_t b, int16x8_t a) {
#if defined(__aarch64__)
    return kUpper ? vmlal_high_laneq_s16(acc, b, a, kLane) : vmlal_laneq_s16(acc, vget_low_s16(b), a, kLane);
#else
    return vmlal_lane_s16(acc, kUpper ? vget_high_s16(b) : vget_low_s16(b),
                          kLane < 4 ? vget_low_s16(a) : vget_high_s16(a), kLane % 4);
#endif
}

#if defined(__aarch64__)

// Eight rows by three or two vectors. Registers: A v0 to v3, [step][row / 4]; B v4 to v6, [of pairs][column];
// accumulators [row][vector].
// clang-format off
#define FW_SMLAL_ROWS(op, b, low, high, l0, l1, l2, l3, c0, c1, c2, c3, c4, c5, c6, c7)                     \
    op " v" c0 ".4s, v" b ", v" low ".h[" l0 "]\n" op " v" c1 ".4s, v" b ", v" low ".h[" l1 "]\n"           \
    op " v" c2 ".4s, v" b ", v" low ".h[" l2 "]\n" op " v" c3 ".4s, v" b ", v" low ".h[" l3 "]\n"           \
    op " v" c4 ".4s, v" b ", v" high ".h[" l0 "]\n" op " v" c5 ".4s, v" b ", v" high ".h[" l1 "]\n"         \
    op " v" c6 ".4s, v" b ", v" high ".h[" l2 "]\n" op " v" c7 ".4s, v" b ", v" high ".h[" l3 "]\n"
#define FW_SMLAL_FIRST(op, b, low, high, ...) FW_SMLAL_ROWS(op, b, low, high, "0", "2", "4", "6", __VA_ARGS__)
#define FW_SMLAL_SECOND(op, b, low, high, ...) FW_SMLAL_ROWS(op, b, low, high, "1", "3", "5", "7", __VA_ARGS__)
#define FW_OF_THREE_0 "8", "11", "14", "17", "20", "23", "26", "29"
#define FW_OF_THREE_1 "9", "12", "15", "18", "21", "24", "27", "30"
#define FW_OF_THREE_2 "10", "13", "16", "19", "22", "25", "28", "31"
#define FW_OF_TWO_0 "8", "10", "12", "14", "16", "18", "20", "22"
#define FW_OF_TWO_1 "9", "11", "13", "15", "17", "19", "21", "23"
#define FW_SMLAL_THREE(low, high)                                     \
    "ld1 {v4.8h-v6.8h}, [%[b]], #48\n"                                \
    FW_SMLAL_FIRST("smlal", "4.4h", low, high, FW_OF_THREE_0)         \
    FW_SMLAL_FIRST("smlal2", "4.8h", low, high, FW_OF_THREE_1)        \
    FW_SMLAL_FIRST("smlal", "5.4h", low, high, FW_OF_THREE_2)         \
    FW_SMLAL_SECOND("smlal2", "5.8h", low, high, FW_OF_THREE_0)       \
    FW_SMLAL_SECOND("smlal", "6.4h", low, high, FW_OF_THREE_1)        \
    FW_SMLAL_SECOND("smlal2", "6.8h", low, high, FW_OF_THREE_2)
#define FW_SMLAL_TWO(low, high)                                       \
    "ld1 {v4.8h-v5.8h}, [%[b]], #32\n"                                \
    FW_SMLAL_FIRST("smlal", "4.4h", low, high, FW_OF_TWO_0)           \
    FW_SMLAL_FIRST("smlal2", "4.8h", low, high, FW_OF_TWO_1)          \
    FW_SMLAL_SECOND("smlal", "5.4h", low, high, FW_OF_TWO_0)          \
    FW_SMLAL_SECOND("smlal2", "5.8h", low, high, FW_OF_TWO_1)
#define FW_SMLAL_LOOP(step)                                                      \
    FW_TWO_STEPS("ld1 {v0.16b-v3.16b}, [%[a]], #64\n" step("0", "1") step("2", "3"), \
                 "ld1 {v0.16b-v1.16b}, [%[a]], #32\n" step("0", "1"))
#define FW_BIAS(registers) "ld1 {" registers "}, [%[b]]\n"

// Sums go to `column` bytes behind each of the addresses at [to].
#define FW_STORE_PAIRS_ROW(registers) "ldr %[at], [%[to]], #8\n add %[at], %[at], %[column]\n st1 {" registers "}, [%[at]]\n"
#define FW_DEFINE_PAIRS(name, ...)                                                                                  \
    FW_ALWAYS_INLINE void name(const void* a, const void* b, int64_t steps, void* const* to, int64_t column) {      \
        int64_t left;                                                                                               \
        int64_t at;                                                                                                 \
        __asm__ volatile(__VA_ARGS__                                                                                \
                : [a] "+&r"(a), [b] "+&r"(b), [steps] "=&r"(left), [to] "+&r"(to), [at] "=&r"(at)                    \
                : [all] "r"(steps), [column] "r"(column)                                                            \
                : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",  \
                  "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", \
                  "v27", "v28", "v29", "v30", "v31");                                                               \
    }

FW_DEFINE_PAIRS(multiply_8x12,
    FW_BIAS("v8.4s-v10.4s") FW_BIAS("v11.4s-v13.4s") FW_BIAS("v14.4s-v16.4s") FW_BIAS("v17.4s-v19.4s")
    FW_BIAS("v20.4s-v22.4s") FW_BIAS("v23.4s-v25.4s") FW_BIAS("v26.4s-v28.4s") FW_BIAS("v29.4s-v31.4s")
    "add %[b], %[b], #48\n"
    FW_SMLAL_LOOP(FW_SMLAL_THREE)
    FW_STORE_PAIRS_ROW("v8.4s-v10.4s") FW_STORE_PAIRS_ROW("v11.4s-v13.4s") FW_STORE_PAIRS_ROW("v14.4s-v16.4s")
    FW_STORE_PAIRS_ROW("v17.4s-v19.4s") FW_STORE_PAIRS_ROW("v20.4s-v22.4s") FW_STORE_PAIRS_ROW("v23.4s-v25.4s")
    FW_STORE_PAIRS_ROW("v26.4s-v28.4s") FW_STORE_PAIRS_ROW("v29.4s-v31.4s"))
FW_DEFINE_PAIRS(multiply_8x8,
    FW_BIAS("v8.4s-v9.4s") FW_BIAS("v10.4s-v11.4s") FW_BIAS("v12.4s-v13.4s") FW_BIAS("v14.4s-v15.4s")
    FW_BIAS("v16.4s-v17.4s") FW_BIAS("v18.4s-v19.4s") FW_BIAS("v20.4s-v21.4s") FW_BIAS("v22.4s-v23.4s")
    "add %[b], %[b], #32\n"
    FW_SMLAL_LOOP(FW_SMLAL_TWO)
    FW_STORE_PAIRS_ROW("v8.4s-v9.4s") FW_STORE_PAIRS_ROW("v10.4s-v11.4s") FW_STORE_PAIRS_ROW("v12.4s-v13.4s")
    FW_STORE_PAIRS_ROW("v14.4s-v15.4s") FW_STORE_PAIRS_ROW("v16.4s-v17.4s") FW_STORE_PAIRS_ROW("v18.4s-v19.4s")
    FW_STORE_PAIRS_ROW("v20.4s-v21.4s") FW_STORE_PAIRS_ROW("v22.4s-v23.4s"))

/// `length` bytes of eight rows to [word][row].
FW_ALWAYS_INLINE void interleave_eight(const int32_t* const* rows, int64_t length, int32_t* out) {
    FW_INTERLEAVE_EIGHT(
        "st4 {v0.s-v3.s}[0], [%[to]], #16\n st4 {v4.s-v7.s}[0], [%[to]], #16\n"
        "st4 {v0.s-v3.s}[1], [%[to]], #16\n st4 {v4.s-v7.s}[1], [%[to]], #16\n"
        "st4 {v0.s-v3.s}[2], [%[to]], #16\n st4 {v4.s-v7.s}[2], [%[to]], #16\n"
        "st4 {v0.s-v3.s}[3], [%[to]], #16\n st4 {v4.s-v7.s}[3], [%[to]], #16\n");
}
// clang-format on

#endif

template <int kTileRows, int kTileVectors>
struct NeonPairs {
    using Element = int32_t;
    using Packed = int32_t;
    using Output = Epilogue;
    static constexpr int kMr = kTileRows, kLanes = 4, kVectors = kTileVectors, kKr = 1, kAdjacent = 1, kUnroll = 2,
                         kRows1 = 1;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = kMr == 8 && kRows == 8 && kVectors >= 2;

    static FW_ALWAYS_INLINE void interleave(const int32_t* const* rows, int64_t length, int32_t* out) {
#if defined(__aarch64__)
        interleave_eight(rows, 4 * length, out);
#else
        for (int64_t p = 0; p < length; p += 4, out += 4 * kMr) {
            interleave_words<kMr>(rows, p, out);
        }
#endif
    }

    template <int kRows, int kWide>
    struct Sums {
        int32x4_t acc[kRows * kWide];

        FW_ALWAYS_INLINE void store(const GemmArgs& args, int64_t column) const {
            const int64_t columns = args.n - column;
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                if (r < args.m) {
                    float* out = static_cast<float*>(args.out[r]) + column;
                    unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                        store_floats(vreinterpretq_f32_s32(acc[r * kWide + v]), out + 4 * v, columns - 4 * v);
                    });
                }
            });
        }
    };

    template <int kRows, int kWide>
    struct Tile : Sums<kRows, kWide> {
        using Sums<kRows, kWide>::acc;

        FW_ALWAYS_INLINE void start(const void* bias) {
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                const int32x4_t b = vld1q_s32(static_cast<const int32_t*>(bias) + 4 * v);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r * kWide + v] = b; });
            });
        }
        FW_ALWAYS_INLINE void step(const int32_t* a, const int32_t* b) {
            int8x16_t va[(kRows + 3) / 4];
            int8x16_t vb[kWide];
            load_adjacent(reinterpret_cast<const int8_t*>(a), va);
            load_adjacent(reinterpret_cast<const int8_t*>(b), vb);
            unroll<2 * kWide>([&](auto four) FW_INLINE_LAMBDA {  // columns of the first of pairs, then of the second
                constexpr int kPart = int(four) / kWide;
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                    int32x4_t& sum = acc[r * kWide + four % kWide];
                    sum = add_product<int(four) % 2 == 1, 2 * (int(r) % 4) + kPart>(
                        sum, vreinterpretq_s16_s8(vb[four / 2]), vreinterpretq_s16_s8(va[r / 4]));
                });
            });
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Epilogue& /*e*/, const float* /*multiplier*/,
                                    int64_t column) const {
            Sums<kRows, kWide>::store(args, column);
        }
    };
};

#if defined(__aarch64__)

/// Whole tiles: all of it is done when it is known where sums go.
struct WholePairs : NeonPairs<8, 3> {
    template <int kRows, int kWide>
    struct Tile : NeonPairs::Tile<kRows, kWide> {
        const int32_t* a;
        const char* panel;
        int64_t length;

        FW_ALWAYS_INLINE void multiply(const int32_t* from, const char* at, int64_t count) {
            a = from;
            panel = at;
            length = count;
        }
        FW_ALWAYS_INLINE void run(void* const* to, int64_t column) const {
            if constexpr (kWide == 3) {
                multiply_8x12(a, panel, length, to, column);
            } else {
                multiply_8x8(a, panel, length, to, column);
            }
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Epilogue& e, const float* multiplier, int64_t column) {
            if constexpr (kWhole<kRows, kWide>) {
                if (args.m == kRows && column + 4 * kWide <= args.n) {
                    run(args.out, 4 * column);
                } else {
                    store_part(args, column);
                }
            } else {
                NeonPairs::Tile<kRows, kWide>::store(args, e, multiplier, column);
            }
        }
        __attribute__((noinline)) void store_part(const GemmArgs& args, int64_t column) {
            Sums<kRows, kWide> sums;
            void* to[kRows];
            for (int r = 0; r < kRows; ++r) {
                to[r] = &sums.acc[r * kWide];
            }
            run(to, 0);
            sums.store(args, column);
        }
    };
};

#endif

#if defined(__aarch64__)
using Pairs = WholePairs;
#else
using Pairs = NeonPairs<4, 2>;
#endif

}  // namespace

#if defined(__aarch64__)
FW_DEFINE_GEMM_BLOCK_PAIRS(gemm_int16_8x12c2_neon, kNeon, Pairs)
#else
FW_DEFINE_GEMM_BLOCK_PAIRS(gemm_int16_4x8c2_neon, kNeon, Pairs)
#endif

}  // namespace fw
