// fmla by element: a register of A holds four rows. 24 accumulators; on ARMv7, which has half the registers, eight.
#include "kernel/gemm_block_driver.h"
#include "layer/arm/gemm_words.h"
#if defined(__aarch64__)
#include "layer/arm/block_floats.h"
#endif

namespace fw {

namespace {

/// acc + b * a[kLane]; fused where the architecture promises that.
template <int kLane>
FW_ALWAYS_INLINE float32x4_t add_product(float32x4_t acc, float32x4_t b, float32x4_t a) {
#if defined(__aarch64__)
    return vfmaq_laneq_f32(acc, b, a, kLane);
#else
    return vmlaq_lane_f32(acc, b, kLane < 2 ? vget_low_f32(a) : vget_high_f32(a), kLane % 2);
#endif
}

template <int kTileRows, int kTileVectors>
struct NeonF32 {
    using Element = float;
    using Packed = float;
    using Output = Epilogue;
    static constexpr int kMr = kTileRows, kLanes = 4, kVectors = kTileVectors, kKr = 1, kAdjacent = 1, kUnroll = 4,
                         kRows1 = 1;
    template <int kRows, int kVectors>
    static constexpr bool kWhole = false;
#if defined(__aarch64__)
    using Rows = FloatRows;
    template <int kRows, int kVectors>
    static constexpr bool kFused = kFloatBlock<kRows, kVectors>;
#endif

    static FW_ALWAYS_INLINE void interleave(const float* const* rows, int64_t length, float* out) {
#if defined(__aarch64__)
        interleave_eight(rows, length, out);
#else
        const float* at[kMr];  // in registers: what is written might be rows[...]
        unroll<kMr>([&](auto r) FW_INLINE_LAMBDA { at[r] = rows[r]; });
        for (int64_t p = 0; p < length; p += 4, out += 4 * kMr) {
            interleave_words<kMr>(at, p, out);
        }
#endif
    }

    template <int kRows, int kWide>
    struct Tile {
        float32x4_t acc[kRows][kWide];

        FW_ALWAYS_INLINE void start(const void* bias) {
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                const float32x4_t b = vld1q_f32(static_cast<const float*>(bias) + 4 * v);
                unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = b; });
            });
        }
        FW_ALWAYS_INLINE void step(const float* a, const float* b) {
            float32x4_t va[(kRows + 3) / 4];
            float32x4_t vb[kWide];
            load_adjacent(a, va);
            load_adjacent(b, vb);
            unroll<kWide>([&](auto v) FW_INLINE_LAMBDA {
                unroll<kRows>(
                    [&](auto r) FW_INLINE_LAMBDA { acc[r][v] = add_product<int(r) % 4>(acc[r][v], vb[v], va[r / 4]); });
            });
        }
#if defined(__aarch64__)
        FW_ALWAYS_INLINE void run(const FloatRows& rows, const GemmArgs& args, const char* panel, int64_t column,
                                  int64_t count) {
            constexpr int64_t kColumns = int64_t{4} * kWide;
            for (; count > 0; --count, panel += kColumns * 4 * (1 + rows.steps), column += kColumns) {
                run_float_block<kRows, kWide>(rows, args, panel, column);
            }
        }
#endif
        FW_ALWAYS_INLINE void store(const GemmArgs& args, const Epilogue& e, const float* /*multiplier*/,
                                    int64_t column) const {
            const float32x4_t lo = vdupq_n_f32(e.lo);
            const float32x4_t hi = vdupq_n_f32(e.hi);
            const auto result = [&](auto r, float32x4_t(&row)[kWide]) FW_INLINE_LAMBDA {
                unroll<kWide>([&](auto v) FW_INLINE_LAMBDA { row[v] = clamp4(acc[r][v], lo, hi); });
            };
            store_tile<kRows, kWide>(args, column, args.n - column, result);
        }
    };
};

#if defined(__aarch64__)
using Rows = NeonF32<8, 3>;
#else
using Rows = NeonF32<4, 2>;
#endif

}  // namespace

#if defined(__aarch64__)
FW_DEFINE_GEMM_BLOCK(gemm_f32_8x12_neon, kNeon, Rows)
#else
FW_DEFINE_GEMM_BLOCK(gemm_f32_4x8_neon, kNeon, Rows)
#endif

}  // namespace fw
