// Depthwise lines of float16: pixels, weights, products and sums.
#include "layer/arm/block_halves.h"
#include "layer/arm/dw_line_segments.h"

namespace fw {

namespace {

/// The trait of dw_line_driver.h, for channels that fill no whole registers.
struct HalfLine {
    using Element = float16_t;
    struct Acc {
        float16x8_t v[2];
    };
    template <int kSize>
    struct Rows {
        Acc row[kSize];
    };
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    using Output = HalfOutput;
    static constexpr int kLanes = 16, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false, kInterleaved = false;

    static FW_ALWAYS_INLINE Acc load(const float16_t* p) { return {{vld1q_f16(p), vld1q_f16(p + 8)}}; }
    static FW_ALWAYS_INLINE float16x8_t rounded(const float* p) {
        return vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(p)), vld1q_f32(p + 4));
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) {
        return {{rounded(static_cast<const float*>(p)), rounded(static_cast<const float*>(p) + 8)}};
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const float16_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { column.row[y] = load(rows[y]); });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        Rows<kSize> weights;
        unroll<kSize>([&](auto y)
                          FW_INLINE_LAMBDA { weights.row[y] = load(static_cast<const float16_t*>(p) + 16 * y); });
        return weights;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            unroll<2>([&](auto i) FW_INLINE_LAMBDA { acc.v[i] = vfmaq_f16(acc.v[i], x.row[y].v[i], w.row[y].v[i]); });
        });
        return acc;
    }
    static FW_ALWAYS_INLINE void store(const HalfOutput& output, const Acc& acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        const float16x8_t lo = vdupq_n_f16(output.half_bounds[0]);
        const float16x8_t hi = vdupq_n_f16(output.half_bounds[1]);
        unroll<2>([&](auto i) FW_INLINE_LAMBDA {
            store_halves(vminq_f16(vmaxq_f16(acc.v[i], lo), hi), static_cast<float16_t*>(out) + 8 * i, count - 8 * i);
        });
    }
};

FW_DEFINE_LINES(".8h")

template <int kSize, int kStride>
void run_half_lines(const DwLineArgs& args) {
    const HalfOutput output(args.epilogue);
    float16_t rounded[HalfLine::kLanes];
    const auto bias = [&](const char* block) FW_INLINE_LAMBDA {
        const HalfLine::Acc all = HalfLine::load_bias(block);
        vst1q_f16(rounded, all.v[0]);
        vst1q_f16(rounded + 8, all.v[1]);
        return rounded;
    };
    run_lines<HalfLine, kSize, kStride>(args, output.half_bounds, bias);
}

}  // namespace

#define FW_DEFINE_HALF_LINE(id, size, stride) \
    FW_DEFINE_DW_LINE_HALF(id, kFp16, HalfLine, size, stride, (run_half_lines<size, stride>))
FW_DEFINE_HALF_LINE(dw_line_f16_3x3s1_16_fp16, 3, 1)
FW_DEFINE_HALF_LINE(dw_line_f16_3x3s2_16_fp16, 3, 2)
FW_DEFINE_HALF_LINE(dw_line_f16_5x5s1_16_fp16, 5, 1)
FW_DEFINE_HALF_LINE(dw_line_f16_5x5s2_16_fp16, 5, 2)

}  // namespace fw
