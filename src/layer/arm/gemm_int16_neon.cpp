// Products of 16-bit integers for Winograd's way in int8 (PairGemmKernel): smlal by element. A register of A holds the
// pairs of four rows; the pairs of B's columns are taken apart once for all rows.
#include "kernel/gemm_block_driver.h"
#include "layer/arm/gemm_words.h"

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

template <int kTileRows, int kTileVectors>
struct NeonPairs {
    using Element = int32_t;
    using Output = Epilogue;
    static constexpr int kMr = kTileRows, kVectors = kTileVectors, kKr = 1, kUnroll = 2, kRows1 = 1;
    static constexpr bool kMarked = false;

    static FW_ALWAYS_INLINE void interleave(const int32_t* const* rows, int64_t length, int32_t* out) {
        for (int64_t p = 0; p < length; p += 4, out += 4 * kMr) {
            interleave_words<kMr>(rows, p, out);
        }
    }

    template <int kRows, int kWide>
    struct Tile {
        int32x4_t acc[kRows][kWide];

        explicit FW_ALWAYS_INLINE Tile(const void* bias) {
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                const int32x4_t b = vld1q_s32(static_cast<const int32_t*>(bias) + 4 * v);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = b; });
            });
        }
        FW_ALWAYS_INLINE void step(const int32_t* a, const int32_t* b) {
            int8x16_t va[(kRows + 3) / 4];
            int8x16_t vb[kWide];
            load_adjacent(reinterpret_cast<const int8_t*>(a), va);
            load_adjacent(reinterpret_cast<const int8_t*>(b), vb);
            unroll<(kWide + 1) / 2>([&](auto pair) FW_INLINE_LAMBDA {
                constexpr int kFirst = 2 * int(pair);
                constexpr int kSecond = kFirst + 1 < kWide ? kFirst + 1 : kFirst;
                const int16x8x2_t parts =
                    vuzpq_s16(vreinterpretq_s16_s8(vb[kFirst]), vreinterpretq_s16_s8(vb[kSecond]));
                unroll<2>([&](auto part) FW_INLINE_LAMBDA {
                    unroll<kSecond - kFirst + 1>([&](auto half) FW_INLINE_LAMBDA {
                        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                            int32x4_t& sum = acc[r][kFirst + int(half)];
                            sum = add_product<int(half) == 1, 2 * (int(r) % 4) + int(part)>(
                                sum, parts.val[part], vreinterpretq_s16_s8(va[r / 4]));
                        });
                    });
                });
            });
        }
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Epilogue& /*e*/, const float* /*multiplier*/,
                                    int64_t column) const {
            const int64_t columns = args.n - column;
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                if (r < args.m) {
                    float* out = static_cast<float*>(args.out[r]) + column;
                    unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                        store_floats(vreinterpretq_f32_s32(acc[r][v]), out + 4 * v, columns - 4 * v);
                    });
                }
            });
        }
    };
};

#if defined(__aarch64__)
using Pairs = NeonPairs<8, 3>;
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
