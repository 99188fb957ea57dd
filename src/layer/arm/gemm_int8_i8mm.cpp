// smmla multiplies two rows by two columns of eight bytes each: an accumulator holds [row][column] of a pair of each.
// 24 accumulators, four registers of A, six of B.
#include "layer/arm/gemm_int8.h"

namespace fw {

namespace {

struct I8mmInt8 {
    using Element = int8_t;
    using Output = ByteOutput;
    static constexpr int kMr = 8, kVectors = 3, kKr = 8, kUnroll = 1, kRows1 = 2;
    static constexpr bool kMarked = false;

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

    template <int kRows, int kVectors>
    struct Tile {
        int32x4_t acc[kRows / 2][2 * kVectors];

        explicit FW_ALWAYS_INLINE Tile(const void* bias) {
            unroll<2 * kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int32x2_t b = vld1_s32(static_cast<const int32_t*>(bias) + 2 * v);
                unroll<kRows / 2>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = vcombine_s32(b, b); });
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
                        int32x4_t& sum = acc[r][kVectors * half + v];
                        sum = vmmlaq_s32(sum, va[r], vb[v]);
                    });
                });
            });
        }
        template <int kRow>
        FW_ALWAYS_INLINE void row(int32x4_t* x) const {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int64x2_t a = vreinterpretq_s64_s32(acc[kRow / 2][2 * v]);
                const int64x2_t b = vreinterpretq_s64_s32(acc[kRow / 2][2 * v + 1]);
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
