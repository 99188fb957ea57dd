// smmla multiplies two rows by two columns of eight bytes each: an accumulator holds [row][column] of a pair of each.
// 24 accumulators, four registers of A, six of B.
#include "layer/arm/block_bytes.h"

namespace fw {

namespace {

// Eight rows by three or two vectors. Registers: A v0 to v3, a pair of rows each; B v4 to v7, a pair of columns each;
// accumulators [pair of rows][pair of columns].
// clang-format off
#define FW_SMMLA_ROWS(b, c0, c1, c2, c3)                                                         \
    "smmla v" c0 ".4s, v0.16b, v" b ".16b\n smmla v" c1 ".4s, v1.16b, v" b ".16b\n"              \
    "smmla v" c2 ".4s, v2.16b, v" b ".16b\n smmla v" c3 ".4s, v3.16b, v" b ".16b\n"
#define FW_SMMLA_THREE                              \
    "ld1 {v0.16b-v3.16b}, [%[a]], #64\n"            \
    "ld1 {v4.16b-v6.16b}, [%[b]], #48\n"            \
    FW_SMMLA_ROWS("4", "8", "14", "20", "26")       \
    FW_SMMLA_ROWS("5", "9", "15", "21", "27")       \
    FW_SMMLA_ROWS("6", "10", "16", "22", "28")      \
    "ld1 {v4.16b-v6.16b}, [%[b]], #48\n"            \
    FW_SMMLA_ROWS("4", "11", "17", "23", "29")      \
    FW_SMMLA_ROWS("5", "12", "18", "24", "30")      \
    FW_SMMLA_ROWS("6", "13", "19", "25", "31")
#define FW_SMMLA_TWO                                \
    "ld1 {v0.16b-v3.16b}, [%[a]], #64\n"            \
    "ld1 {v4.16b-v7.16b}, [%[b]], #64\n"            \
    FW_SMMLA_ROWS("4", "8", "12", "16", "20")       \
    FW_SMMLA_ROWS("5", "9", "13", "17", "21")       \
    FW_SMMLA_ROWS("6", "10", "14", "18", "22")      \
    FW_SMMLA_ROWS("7", "11", "15", "19", "23")

// Of a pair of rows: eight columns of each, then four.
#define FW_STORE_PAIR(finish, r0, r2, r3, r4, r5)                                 \
    FW_UPPER_BYTES("0", r0, r3) FW_UPPER_BYTES("4", r4, r5) finish("0") finish("4")       \
    "st1 {%0.d}[0], [%[to0]], #8\n st1 {%0.d}[1], [%[to1]], #8\n"                 \
    "st1 {%4.s}[0], [%[to0]]\n st1 {%4.s}[2], [%[to1]]\n"

// A pair of biases fills an accumulator twice.
FW_DEFINE_BLOCK_BYTES(run_8x12, K, 24, 12, FW_STORE_PAIR,
    "ld3r {v8.2d-v10.2d}, [%[b]]\n ld3r {v14.2d-v16.2d}, [%[b]]\n"
    "ld3r {v20.2d-v22.2d}, [%[b]]\n ld3r {v26.2d-v28.2d}, [%[b]], #24\n"
    "ld3r {v11.2d-v13.2d}, [%[b]]\n ld3r {v17.2d-v19.2d}, [%[b]]\n"
    "ld3r {v23.2d-v25.2d}, [%[b]]\n ld3r {v29.2d-v31.2d}, [%[b]]\n"
    "add %[b], %[b], #72\n"
    FW_TWO_STEPS(FW_SMMLA_THREE FW_SMMLA_THREE, FW_SMMLA_THREE))
FW_DEFINE_BLOCK_BYTES(run_8x8, K, 16, 8, FW_STORE_PAIR,
    "ld4r {v8.2d-v11.2d}, [%[b]]\n ld4r {v12.2d-v15.2d}, [%[b]]\n"
    "ld4r {v16.2d-v19.2d}, [%[b]]\n ld4r {v20.2d-v23.2d}, [%[b]]\n"
    "add %[b], %[b], #64\n"
    FW_TWO_STEPS(FW_SMMLA_TWO FW_SMMLA_TWO, FW_SMMLA_TWO))
// clang-format on

struct I8mmInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Output = UpperByteOutput;
    static constexpr int kMr = 8, kLanes = 4, kVectors = 3, kKr = 8, kAdjacent = 8, kUnroll = 1, kRows1 = 2;
    static constexpr bool kMarked = false;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = false;
    template <int kRows, int kVectors>
    static constexpr bool kFused = kRows == 8 && kVectors >= 2;
    // Upper bytes of [row][column] of a pair of each: those of the first rows, then those of the second ones.
    alignas(16) static constexpr uint8_t kUpperBytes[16] = {3,  7,  19, 23, 35, 39, 51, 55,
                                                            11, 15, 27, 31, 43, 47, 59, 63};

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        for (int64_t p = 0; p < length; p += 16, out += 128) {
            unroll<4>([&](auto i) FW_INLINE_LAMBDA {
                const int64x2_t a = vreinterpretq_s64_s8(vld1q_s8(rows[2 * i] + p));
                const int64x2_t b = vreinterpretq_s64_s8(vld1q_s8(rows[2 * i + 1] + p));
                vst1q_s8(out + 16 * i, vreinterpretq_s8_s64(vtrn1q_s64(a, b)));
                vst1q_s8(out + 64 + 16 * i, vreinterpretq_s8_s64(vtrn2q_s64(a, b)));
            });
        }
    }

    template <int kCount>
    static FW_ALWAYS_INLINE void load_multipliers(const float* from, float32x4_t (&m)[kCount]) {
        register float32x4_t m0 __asm__("v0");
        register float32x4_t m1 __asm__("v1");
        register float32x4_t m2 __asm__("v2");
        register float32x4_t m3 __asm__("v3");
        if constexpr (kCount == 6) {
            register float32x4_t m4 __asm__("v4");
            register float32x4_t m5 __asm__("v5");
            __asm__("ld3r {v0.2d-v2.2d}, [%[from]], #24\n ld3r {v3.2d-v5.2d}, [%[from]]\n"
                    : "=w"(m0), "=w"(m1), "=w"(m2), "=w"(m3), "=w"(m4), "=w"(m5), [from] "+r"(from)
                    :
                    : "memory");
            m[4] = m4;
            m[5] = m5;
        } else {
            __asm__("ld4r {v0.2d-v3.2d}, [%[from]]\n"
                    : "=w"(m0), "=w"(m1), "=w"(m2), "=w"(m3)
                    : [from] "r"(from)
                    : "memory");
        }
        m[0] = m0;
        m[1] = m1;
        m[2] = m2;
        m[3] = m3;
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
        FW_ALWAYS_INLINE void run(const GemmArgs& args, const Output& output, const char* panel, int64_t column,
                                  int64_t length) {
            bool stored = false;
            if constexpr (kVectors == 3) {
                stored = run_8x12<I8mmInt8>(args, output, panel, column, div_up(length, kKr), acc);
            } else {
                stored = run_8x8<I8mmInt8>(args, output, panel, column, div_up(length, kKr), acc);
            }
            if (!stored) {
                const auto* multiplier = reinterpret_cast<const float*>(panel + 16 * kVectors);
                store_other<Tile, kRows, kVectors>(*this, args, output, multiplier, column);
            }
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int64x2_t a = vreinterpretq_s64_s32(acc[kVectors * (kRow - kRow % 2) + 2 * v]);
                const int64x2_t b = vreinterpretq_s64_s32(acc[kVectors * (kRow - kRow % 2) + 2 * v + 1]);
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
