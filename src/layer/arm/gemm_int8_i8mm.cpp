// smmla multiplies two rows by two columns of eight bytes each: an accumulator holds [row][column] of a pair of each.
// 24 accumulators, four registers of A, six of B.
#include "layer/arm/block_bytes.h"

namespace fw {

namespace {

// Upper bytes of [row][column] of a pair of each, for two vectors of each pair of rows: those of the first rows, then
// those of the second ones. Then for one vector of each of two pairs of rows.
alignas(16) constexpr uint8_t kUpperBytes[32] = {3, 7, 19, 23, 35, 39, 51, 55, 11, 15, 27, 31, 43, 47, 59, 63,
                                                 3, 7, 19, 23, 11, 15, 27, 31, 35, 39, 51, 55, 43, 47, 59, 63};

// Eight rows by three or two vectors. Registers: A v0 to v3, a pair of rows each; B v4 to v7, a pair of columns each,
// as they follow one another; accumulators [pair of rows][pair of columns] of eight columns, then of the last four.
// clang-format off
#define FW_SMMLA_ROWS(b, c0, c1, c2, c3)                                                         \
    "smmla v" c0 ".4s, v0.16b, v" b ".16b\n smmla v" c1 ".4s, v1.16b, v" b ".16b\n"              \
    "smmla v" c2 ".4s, v2.16b, v" b ".16b\n smmla v" c3 ".4s, v3.16b, v" b ".16b\n"
#define FW_COLUMNS_0(b) FW_SMMLA_ROWS(b, "8", "12", "16", "20")
#define FW_COLUMNS_2(b) FW_SMMLA_ROWS(b, "9", "13", "17", "21")
#define FW_COLUMNS_4(b) FW_SMMLA_ROWS(b, "10", "14", "18", "22")
#define FW_COLUMNS_6(b) FW_SMMLA_ROWS(b, "11", "15", "19", "23")
#define FW_COLUMNS_8(b) FW_SMMLA_ROWS(b, "24", "26", "28", "30")
#define FW_COLUMNS_10(b) FW_SMMLA_ROWS(b, "25", "27", "29", "31")
#define FW_LOAD_A "ld1 {v0.16b-v3.16b}, [%[a]], #64\n"
#define FW_LOAD_B(last) "ld1 {v4.16b-v" last ".16b}, [%[b]], #"
#define FW_ONE_STEP_2                                                            \
    FW_LOAD_A FW_LOAD_B("7") "64\n" FW_COLUMNS_0("4") FW_COLUMNS_2("5") FW_COLUMNS_4("6") FW_COLUMNS_6("7")
#define FW_ONE_STEP_3 FW_ONE_STEP_2 FW_LOAD_B("5") "32\n" FW_COLUMNS_8("4") FW_COLUMNS_10("5")
#define FW_TWO_STEPS_3                                                           \
    FW_ONE_STEP_2 FW_LOAD_B("7") "64\n" FW_COLUMNS_8("4") FW_COLUMNS_10("5")     \
    FW_LOAD_A FW_COLUMNS_0("6") FW_COLUMNS_2("7")                                \
    FW_LOAD_B("7") "64\n" FW_COLUMNS_4("4") FW_COLUMNS_6("5") FW_COLUMNS_8("6") FW_COLUMNS_10("7")

#define FW_ROWS_OF_8(step, convert, finish)                                      \
    "ld4r {v0.2d-v3.2d}, [%[multiplier]], " step "\n" FW_LOAD_FINISH             \
    FW_PAIR_8(convert, finish, "0", "1", "2", "3", "8", "9", "10", "11")         \
    FW_PAIR_8(convert, finish, "0", "1", "2", "3", "12", "13", "14", "15")       \
    FW_PAIR_8(convert, finish, "0", "1", "2", "3", "16", "17", "18", "19")       \
    FW_PAIR_8(convert, finish, "0", "1", "2", "3", "20", "21", "22", "23")
#define FW_ROWS_8(convert, finish) FW_ROWS_OF_8("%[rest_of_panel]", convert, finish)
// The steps are done: their register is free.
#define FW_STORE_4(r)                                                            \
    "st1 {v" r ".s}[0], [%[steps]], %[out_step]\n st1 {v" r ".s}[1], [%[steps]], %[out_step]\n" \
    "st1 {v" r ".s}[2], [%[steps]], %[out_step]\n st1 {v" r ".s}[3], [%[steps]], %[out_step]\n"
#define FW_ROWS_12(convert, finish)                                              \
    "add %[steps], %[to], #8\n" FW_ROWS_OF_8("#32", convert, finish)             \
    "ld2r {v0.2d-v1.2d}, [%[multiplier]], %[rest_of_panel]\n ldr q6, [%[constants], #48]\n" \
    FW_FOUR_TO_BYTES(convert, finish, "0", "1", "0", "1", "24", "25", "26", "27") FW_STORE_4("24") \
    FW_FOUR_TO_BYTES(convert, finish, "0", "1", "0", "1", "28", "29", "30", "31") FW_STORE_4("28")

// A pair of biases fills an accumulator twice.
#define FW_BIAS_8(step)                                                          \
    "ld4r {v8.2d-v11.2d}, [%[b]]\n ld4r {v12.2d-v15.2d}, [%[b]]\n"               \
    "ld4r {v16.2d-v19.2d}, [%[b]]\n ld4r {v20.2d-v23.2d}, [%[b]], " step "\n"
FW_DEFINE_BLOCK(run_8x12, 12, 96, 32,
    FW_BIAS_8("#32")
    "ld2r {v24.2d-v25.2d}, [%[b]]\n ld2r {v26.2d-v27.2d}, [%[b]]\n"
    "ld2r {v28.2d-v29.2d}, [%[b]]\n ld2r {v30.2d-v31.2d}, [%[b]], %[head]\n"
    FW_FOUR_STEPS(FW_TWO_STEPS_3, FW_ONE_STEP_3)
    FW_WAYS(FW_ROWS_12, FW_SUMS_TO_MEMORY_24))
FW_DEFINE_BLOCK(run_8x8, 8, 64, 0,
    FW_BIAS_8("%[head]")
    FW_FOUR_STEPS(FW_ONE_STEP_2 FW_ONE_STEP_2, FW_ONE_STEP_2)
    FW_WAYS(FW_ROWS_8, FW_SUMS_TO_MEMORY_16))
// clang-format on

// Eight bytes of each row.
#define FW_STORE_EIGHT(i) "st4 {v0.d-v3.d}[" i "], [%[to]], #32\n st4 {v4.d-v7.d}[" i "], [%[to]], #32\n"

/// With this level's orders of bytes.
struct TileOutput : BlockOutput {
    explicit TileOutput(const Epilogue& e) : BlockOutput(e, kUpperBytes, 2) {}
};

struct I8mmInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = TileOutput;
    using Rows = BlockRows;
    static constexpr int kMr = 8, kLanes = 4, kVectors = 3, kKr = 8, kAdjacent = 8, kUnroll = 2, kRows1 = 2;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = false;
    template <int kRows, int kVectors>
    static constexpr bool kFused = kRows == 8 && kVectors >= 2;
    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        FW_INTERLEAVE_EIGHT(FW_STORE_EIGHT("0") FW_STORE_EIGHT("1"));
    }

    template <int kRows, int kVectors>
    struct Tile {
        int32x4_t acc[kRows * kVectors];

        FW_ALWAYS_INLINE void start(const void* bias) {
            unroll<2 * kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int32x2_t b = vld1_s32(static_cast<const int32_t*>(bias) + 2 * v);
                unroll<kRows / 2>([&](auto r) FW_INLINE_LAMBDA { acc[2 * kVectors * r + v] = vcombine_s32(b, b); });
            });
        }
        FW_ALWAYS_INLINE void step(const int8_t* a, const int8_t* b) {
            int8x16_t va[kRows / 2];
            load_adjacent(a, va);
            unroll<2>([&](auto half) FW_INLINE_LAMBDA {
                int8x16_t vb[kVectors];
                load_adjacent(b + 16 * kVectors * half, vb);
                unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                    unroll<kRows / 2>([&](auto r) FW_INLINE_LAMBDA {
                        int32x4_t& sum = acc[kVectors * (2 * r + half) + v];
                        sum = vmmlaq_s32(sum, va[r], vb[v]);
                    });
                });
            });
        }
        FW_ALWAYS_INLINE void run(const BlockRows& rows, const GemmArgs& args, const char* panel, int64_t column,
                                  int64_t count) {
            run_block<Tile, kVectors, kKr>(*this, rows, args, panel, column, count, [&](auto... to) FW_INLINE_LAMBDA {
                if constexpr (kVectors == 3) {
                    run_8x12(rows, to...);
                } else {
                    run_8x8(rows, to...);
                }
            });
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            // Those of the loop above have eight columns first.
            const auto pair = [&](auto i) FW_INLINE_LAMBDA {
                constexpr int kAt = !kFused<kRows, kVectors> ? kVectors * (kRow - kRow % 2) + i
                                    : i < 4                  ? 2 * (kRow - kRow % 2) + i
                                                             : 2 * kRows + kRow - kRow % 2 + i - 4;
                return vreinterpretq_s64_s32(acc[kAt]);
            };
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int64x2_t a = pair(std::integral_constant<int, 2 * v>());
                const int64x2_t b = pair(std::integral_constant<int, 2 * v + 1>());
                x[v] = vreinterpretq_s32_s64(kRow % 2 == 0 ? vtrn1q_s64(a, b) : vtrn2q_s64(a, b));
            });
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Output& output, const float* multiplier,
                                    int64_t column) const {
            store_tile<kRows, kVectors>(*this, args, output, multiplier, column);
        }
    };
};

}  // namespace

FW_DEFINE_GEMM_BLOCK(gemm_int8_8x12c8_i8mm, kI8mm, I8mmInt8)

}  // namespace fw
