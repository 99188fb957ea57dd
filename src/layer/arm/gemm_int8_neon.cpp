// Without a dot product: smull and smlal2 add two products in 16 bits (weights are within [-127, 127], so that they
// fit), sadalp adds pairs of those to an accumulator of 32. An accumulator holds four partial sums of one output, which
// are added up in the end. 16 products by three instructions; 16-bit multiplies (smlal by element) would take four.
#include "layer/arm/gemm_int8.h"

namespace fw {

namespace {

FW_ALWAYS_INLINE int32x4_t add_products(int32x4_t acc, int8x16_t a, int8x16_t b) {
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
#if defined(__aarch64__)
    return vpadalq_s16(acc, vmlal_high_s8(low, a, b));
#else
    return vpadalq_s16(acc, vmlal_s8(low, vget_high_s8(a), vget_high_s8(b)));
#endif
}

// The sum of each of four registers.
FW_ALWAYS_INLINE int32x4_t add_across(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) {
#if defined(__aarch64__)
    return vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
#else
    const auto halves = [](int32x4_t x) FW_INLINE_LAMBDA { return vadd_s32(vget_low_s32(x), vget_high_s32(x)); };
    return vcombine_s32(vpadd_s32(halves(a), halves(b)), vpadd_s32(halves(c), halves(d)));
#endif
}

// A tile is one vector of four columns wide.
template <int kTileRows>
struct NeonInt8 {
    using Element = int8_t;
    using Output = ByteOutput;
    static constexpr int kMr = kTileRows, kVectors = 1, kKr = 16, kUnroll = 2, kRows1 = 1;

    static FW_ALWAYS_INLINE void interleave(const int8_t* const* rows, int64_t length, int8_t* out) {
        for (int64_t p = 0; p < length; p += 16, out += 16 * kMr) {
            unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { vst1q_s8(out + 16 * r, vld1q_s8(rows[r] + p)); });
        }
    }

    template <int kRows, int /*kVectors*/>
    struct Tile {
        int32x4_t acc[kRows][4];
        int32x4_t bias;

        explicit FW_ALWAYS_INLINE Tile(const void* from) : bias(vld1q_s32(static_cast<const int32_t*>(from))) {
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

using Rows = NeonInt8<
#if defined(__aarch64__)
    4
#else
    2
#endif
    >;

}  // namespace

#if defined(__aarch64__)
FW_DEFINE_GEMM_BLOCK(gemm_int8_4x4c16_neon, kNeon, Rows)
#else
FW_DEFINE_GEMM_BLOCK(gemm_int8_2x4c16_neon, kNeon, Rows)
#endif

}  // namespace fw
