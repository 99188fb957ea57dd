// sdot by element: a lane of A holds four products' worth of one row, a vector of B those of four columns. 24
// accumulators; two registers of A hold eight rows.
#include "layer/arm/block_bytes.h"

namespace fw {

namespace {

// Upper bytes of four vectors.
alignas(16) constexpr uint8_t kUpperBytes[16] = {3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63};

// Eight rows by three or two vectors. Registers: A v0 to v3, [step][row / 4]; B v4 to v7, as they follow one another;
// accumulators [row][vector].
// clang-format off
#define FW_SDOT_ROWS(b, low, high, c0, c1, c2, c3, c4, c5, c6, c7)                                  \
    "sdot v" c0 ".4s, v" b ".16b, v" low ".4b[0]\n sdot v" c1 ".4s, v" b ".16b, v" low ".4b[1]\n"   \
    "sdot v" c2 ".4s, v" b ".16b, v" low ".4b[2]\n sdot v" c3 ".4s, v" b ".16b, v" low ".4b[3]\n"   \
    "sdot v" c4 ".4s, v" b ".16b, v" high ".4b[0]\n sdot v" c5 ".4s, v" b ".16b, v" high ".4b[1]\n" \
    "sdot v" c6 ".4s, v" b ".16b, v" high ".4b[2]\n sdot v" c7 ".4s, v" b ".16b, v" high ".4b[3]\n"
#define FW_LOAD_A(last) "ld1 {v0.16b-v" last ".16b}, [%[a]], #"
#define FW_LOAD_B(last) "ld1 {v4.16b-v" last ".16b}, [%[b]], #"
#define FW_FIRST_OF_3(b, low, high) FW_SDOT_ROWS(b, low, high, "8", "11", "14", "17", "20", "23", "26", "29")
#define FW_SECOND_OF_3(b, low, high) FW_SDOT_ROWS(b, low, high, "9", "12", "15", "18", "21", "24", "27", "30")
#define FW_THIRD_OF_3(b, low, high) FW_SDOT_ROWS(b, low, high, "10", "13", "16", "19", "22", "25", "28", "31")
#define FW_FIRST_OF_2(b, low, high) FW_SDOT_ROWS(b, low, high, "8", "10", "12", "14", "16", "18", "20", "22")
#define FW_SECOND_OF_2(b, low, high) FW_SDOT_ROWS(b, low, high, "9", "11", "13", "15", "17", "19", "21", "23")
#define FW_ONE_STEP_3                                                           \
    FW_LOAD_A("1") "32\n" FW_LOAD_B("6") "48\n"                                 \
    FW_FIRST_OF_3("4", "0", "1") FW_SECOND_OF_3("5", "0", "1") FW_THIRD_OF_3("6", "0", "1")
#define FW_FOUR_STEPS_3                                                         \
    FW_LOAD_A("3") "64\n" FW_LOAD_B("7") "64\n"                                 \
    FW_FIRST_OF_3("4", "0", "1") FW_SECOND_OF_3("5", "0", "1") FW_THIRD_OF_3("6", "0", "1") FW_FIRST_OF_3("7", "2", "3") \
    FW_LOAD_B("7") "64\n"                                                       \
    FW_SECOND_OF_3("4", "2", "3") FW_THIRD_OF_3("5", "2", "3")                  \
    FW_LOAD_A("3") "64\n"                                                       \
    FW_FIRST_OF_3("6", "0", "1") FW_SECOND_OF_3("7", "0", "1")                  \
    FW_LOAD_B("7") "64\n"                                                       \
    FW_THIRD_OF_3("4", "0", "1") FW_FIRST_OF_3("5", "2", "3") FW_SECOND_OF_3("6", "2", "3") FW_THIRD_OF_3("7", "2", "3")
#define FW_ONE_STEP_2                                                           \
    FW_LOAD_A("1") "32\n" FW_LOAD_B("5") "32\n" FW_FIRST_OF_2("4", "0", "1") FW_SECOND_OF_2("5", "0", "1")
#define FW_TWO_STEPS_2                                                          \
    FW_LOAD_A("3") "64\n" FW_LOAD_B("7") "64\n"                                 \
    FW_FIRST_OF_2("4", "0", "1") FW_SECOND_OF_2("5", "0", "1") FW_FIRST_OF_2("6", "2", "3") FW_SECOND_OF_2("7", "2", "3")
#define FW_BIAS(registers) "ld1 {" registers "}, [%[b]]\n"
#define FW_LAST_BIAS(registers) "ld1 {" registers "}, [%[b]], %[head]\n"

// A pair of rows of twelve columns, to the bytes of two registers.
#define FW_EACH_6(op, r0, r1, r2, r3, r4, r5) FW_EACH_4(op, r0, r1, r2, r3) op(r4) op(r5)
#define FW_PAIR_12(store, convert, finish, r0, r1, r2, r3, r4, r5)              \
    FW_EACH_6(FW_SCVTF, r0, r1, r2, r3, r4, r5)                                 \
    FW_SCALE(r0, "0") FW_SCALE(r1, "1") FW_SCALE(r2, "2") FW_SCALE(r3, "0") FW_SCALE(r4, "1") FW_SCALE(r5, "2") \
    FW_EACH_6(FW_ROUND, r0, r1, r2, r3, r4, r5) FW_EACH_6(convert, r0, r1, r2, r3, r4, r5) \
    "tbl v" r0 ".16b, {v" r0 ".16b-v" r2 ".16b}, v6.16b\n"                      \
    "tbl v" r3 ".16b, {v" r3 ".16b-v" r5 ".16b}, v6.16b\n"                      \
    finish(r0) finish(r3) store(r0) store(r3)
// An order of bytes beyond the table gives zeros.
#define FW_STORE_16(r) "st1 {v" r ".16b}, [%[to]], %[out_step]\n"
#define FW_STORE_12(r) "st1 {v" r ".d}[0], [%[to]], #8\n st1 {v" r ".s}[2], [%[to]], %[rest]\n"
#define FW_ROWS_12(store, convert, finish)                                      \
    "ld1 {v0.4s-v2.4s}, [%[multiplier]], %[rest_of_panel]\n" FW_LOAD_FINISH                       \
    FW_PAIR_12(store, convert, finish, "8", "9", "10", "11", "12", "13")        \
    FW_PAIR_12(store, convert, finish, "14", "15", "16", "17", "18", "19")      \
    FW_PAIR_12(store, convert, finish, "20", "21", "22", "23", "24", "25")      \
    FW_PAIR_12(store, convert, finish, "26", "27", "28", "29", "30", "31")
#define FW_WIDE_ROWS(convert, finish) FW_ROWS_12(FW_STORE_16, convert, finish)
#define FW_NARROW_ROWS(convert, finish) FW_ROWS_12(FW_STORE_12, convert, finish)
#define FW_ROWS_8(convert, finish)                                              \
    "ld1 {v0.4s-v1.4s}, [%[multiplier]], %[rest_of_panel]\n" FW_LOAD_FINISH                       \
    FW_PAIR_8(convert, finish, "0", "1", "0", "1", "8", "9", "10", "11")        \
    FW_PAIR_8(convert, finish, "0", "1", "0", "1", "12", "13", "14", "15")      \
    FW_PAIR_8(convert, finish, "0", "1", "0", "1", "16", "17", "18", "19")      \
    FW_PAIR_8(convert, finish, "0", "1", "0", "1", "20", "21", "22", "23")

FW_DEFINE_BLOCK(run_8x12, 12, 48, 0,
    FW_BIAS("v8.4s-v10.4s") FW_BIAS("v11.4s-v13.4s") FW_BIAS("v14.4s-v16.4s") FW_BIAS("v17.4s-v19.4s")
    FW_BIAS("v20.4s-v22.4s") FW_BIAS("v23.4s-v25.4s") FW_BIAS("v26.4s-v28.4s") FW_LAST_BIAS("v29.4s-v31.4s")
    FW_EIGHT_STEPS(FW_FOUR_STEPS_3, FW_ONE_STEP_3)
    "cmp %[count], %[narrow]\n b.ls 6f\n"
    FW_WAYS(FW_WIDE_ROWS, FW_SUMS_TO_MEMORY_24)
    "6:\n" FW_WAYS(FW_NARROW_ROWS, ""))
FW_DEFINE_BLOCK(run_8x8, 8, 32, 0,
    FW_BIAS("v8.4s-v9.4s") FW_BIAS("v10.4s-v11.4s") FW_BIAS("v12.4s-v13.4s") FW_BIAS("v14.4s-v15.4s")
    FW_BIAS("v16.4s-v17.4s") FW_BIAS("v18.4s-v19.4s") FW_BIAS("v20.4s-v21.4s") FW_LAST_BIAS("v22.4s-v23.4s")
    FW_EIGHT_STEPS(FW_TWO_STEPS_2 FW_TWO_STEPS_2, FW_ONE_STEP_2)
    FW_WAYS(FW_ROWS_8, FW_SUMS_TO_MEMORY_16))
// clang-format on

// A word of each row.
#define FW_STORE_WORD(i) "st4 {v0.s-v3.s}[" i "], [%[to]], #16\n st4 {v4.s-v7.s}[" i "], [%[to]], #16\n"

/// With this level's orders of bytes.
struct TileOutput : BlockOutput {
    explicit TileOutput(const Epilogue& e) : BlockOutput(e, kUpperBytes, 1) {}
};

struct DotprodInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = TileOutput;
    using Rows = BlockRows;
    static constexpr int kMr = 8, kLanes = 4, kVectors = 3, kKr = 4, kAdjacent = 4, kUnroll = 4, kRows1 = 1;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = false;
    template <int kRows, int kVectors>
    static constexpr bool kFused = kRows == 8 && kVectors >= 2;
    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        FW_INTERLEAVE_EIGHT(FW_STORE_WORD("0") FW_STORE_WORD("1") FW_STORE_WORD("2") FW_STORE_WORD("3"));
    }

    template <int kRows, int kVectors>
    struct Tile {
        int32x4_t acc[kRows * kVectors];

        FW_ALWAYS_INLINE void start(const void* bias) {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int32x4_t b = vld1q_s32(static_cast<const int32_t*>(bias) + 4 * v);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[kVectors * r + v] = b; });
            });
        }
        FW_ALWAYS_INLINE void step(const int8_t* a, const int8_t* b) {
            int8x16_t va[(kRows + 3) / 4];
            load_adjacent(a, va);
            int8x16_t vb[kVectors];
            load_adjacent(b, vb);
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                    int32x4_t& sum = acc[kVectors * r + v];
                    sum = vdotq_laneq_s32(sum, vb[v], va[r / 4], int(r) % 4);
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
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { x[v] = acc[kVectors * kRow + v]; });
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Output& output, const float* multiplier,
                                    int64_t column) const {
            store_tile<kRows, kVectors>(*this, args, output, multiplier, column);
        }
    };
};

}  // namespace

FW_DEFINE_GEMM_BLOCK(gemm_int8_8x12c4_dotprod, kDotprod, DotprodInt8)

}  // namespace fw
