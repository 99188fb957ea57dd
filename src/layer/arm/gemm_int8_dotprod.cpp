// sdot by element: a lane of A holds four products' worth of one row, a vector of B those of four columns. 24
// accumulators; two registers of A hold eight rows.
#include "layer/arm/block_bytes.h"

namespace fw {

namespace {

// Eight rows by three or two vectors. Registers: A v0 to v3, [step][row / 4]; B v4 to v6; accumulators [row][vector].
// clang-format off
#define FW_SDOT_ROWS(b, low, high, c0, c1, c2, c3, c4, c5, c6, c7)                                  \
    "sdot v" c0 ".4s, v" b ".16b, v" low ".4b[0]\n sdot v" c1 ".4s, v" b ".16b, v" low ".4b[1]\n"   \
    "sdot v" c2 ".4s, v" b ".16b, v" low ".4b[2]\n sdot v" c3 ".4s, v" b ".16b, v" low ".4b[3]\n"   \
    "sdot v" c4 ".4s, v" b ".16b, v" high ".4b[0]\n sdot v" c5 ".4s, v" b ".16b, v" high ".4b[1]\n" \
    "sdot v" c6 ".4s, v" b ".16b, v" high ".4b[2]\n sdot v" c7 ".4s, v" b ".16b, v" high ".4b[3]\n"
#define FW_SDOT_THREE(low, high)                                                \
    "ld1 {v4.16b-v6.16b}, [%[b]], #48\n"                                        \
    FW_SDOT_ROWS("4", low, high, "8", "11", "14", "17", "20", "23", "26", "29") \
    FW_SDOT_ROWS("5", low, high, "9", "12", "15", "18", "21", "24", "27", "30") \
    FW_SDOT_ROWS("6", low, high, "10", "13", "16", "19", "22", "25", "28", "31")
#define FW_SDOT_TWO(low, high)                                                  \
    "ld1 {v4.16b-v5.16b}, [%[b]], #32\n"                                        \
    FW_SDOT_ROWS("4", low, high, "8", "10", "12", "14", "16", "18", "20", "22") \
    FW_SDOT_ROWS("5", low, high, "9", "11", "13", "15", "17", "19", "21", "23")
#define FW_SDOT_PAIR(step) "ld1 {v0.16b-v3.16b}, [%[a]], #64\n" step("0", "1") step("2", "3")
#define FW_SDOT_LOOP(step) \
    FW_FOUR_STEPS(FW_SDOT_PAIR(step) FW_SDOT_PAIR(step), "ld1 {v0.16b-v1.16b}, [%[a]], #32\n" step("0", "1"))
#define FW_BIAS(registers) "ld1 {" registers "}, [%[b]]\n"

#define FW_STORE_PAIR(finish, r0, r2, r3, r4, r5)                                 \
    FW_UPPER_BYTES("0", r0, r2) FW_UPPER_BYTES("3", r3, r5) finish("0") finish("3")       \
    "st1 {%0.d}[0], [%[to0]], #8\n st1 {%3.d}[0], [%[to1]], #8\n"                 \
    "st1 {%0.s}[2], [%[to0]]\n st1 {%3.s}[2], [%[to1]]\n"

FW_DEFINE_BLOCK_BYTES(run_8x12, K, 24, 12, FW_STORE_PAIR,
    FW_BIAS("v8.4s-v10.4s") FW_BIAS("v11.4s-v13.4s") FW_BIAS("v14.4s-v16.4s") FW_BIAS("v17.4s-v19.4s")
    FW_BIAS("v20.4s-v22.4s") FW_BIAS("v23.4s-v25.4s") FW_BIAS("v26.4s-v28.4s") FW_BIAS("v29.4s-v31.4s")
    "add %[b], %[b], #96\n"
    FW_SDOT_LOOP(FW_SDOT_THREE))
FW_DEFINE_BLOCK_BYTES(run_8x8, K, 16, 8, FW_STORE_PAIR,
    FW_BIAS("v8.4s-v9.4s") FW_BIAS("v10.4s-v11.4s") FW_BIAS("v12.4s-v13.4s") FW_BIAS("v14.4s-v15.4s")
    FW_BIAS("v16.4s-v17.4s") FW_BIAS("v18.4s-v19.4s") FW_BIAS("v20.4s-v21.4s") FW_BIAS("v22.4s-v23.4s")
    "add %[b], %[b], #64\n"
    FW_SDOT_LOOP(FW_SDOT_TWO))
// clang-format on

struct DotprodInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = UpperByteOutput;
    static constexpr int kMr = 8, kLanes = 4, kVectors = 3, kKr = 4, kAdjacent = 4, kUnroll = 1, kRows1 = 1;
    static constexpr bool kMarked = false;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = false;
    template <int kRows, int kVectors>
    static constexpr bool kFused = kRows == 8 && kVectors >= 2;
    alignas(16) static constexpr uint8_t kUpperBytes[16] = {3,  7,  11, 15, 19, 23, 27, 31,
                                                            35, 39, 43, 47, 51, 55, 59, 63};

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        for (int64_t p = 0; p < length; p += 16, out += 128) {
            interleave_words<8>(rows, p, out);
        }
    }

    template <int kCount>
    static FW_ALWAYS_INLINE void load_multipliers(const float* from, float32x4_t (&m)[kCount]) {
        unroll<kCount / 2>([&](auto v) FW_INLINE_LAMBDA { m[v] = m[kCount / 2 + v] = vld1q_f32(from + 4 * v); });
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
        FW_ALWAYS_INLINE void run(const GemmArgs& args, const Output& output, const char* panel, int64_t column,
                                  int64_t length) {
            bool stored = false;
            if constexpr (kVectors == 3) {
                stored = run_8x12<DotprodInt8>(args, output, panel, column, div_up(length, kKr), acc);
            } else {
                stored = run_8x8<DotprodInt8>(args, output, panel, column, div_up(length, kKr), acc);
            }
            if (!stored) {
                const auto* multiplier = reinterpret_cast<const float*>(panel + 16 * kVectors);
                store_other<Tile, kRows, kVectors>(*this, args, output, multiplier, column);
            }
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
