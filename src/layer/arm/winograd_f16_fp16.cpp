// Transforms of Winograd's F(4x4, 3x3) for products of half floats, in float32: points 0, +-sqrt(1/2), +-sqrt(2) and
// infinity, whose factors are smaller than those of whole points. Inputs leave as a sixteenth, so that no value is
// larger than 1.7 times the largest input; the weights are 16 times as large (winograd.cpp).
#include "layer/arm/neon.h"

namespace fw {

namespace {

constexpr int kSize = 4;
constexpr int kTile = 6;
constexpr float kRoot = 1.41421356F;

/// B^T d.
FW_ALWAYS_INLINE void to_frequencies(const float32x4_t (&d)[6], float32x4_t (&out)[6]) {
    const float32x4_t a = vfmsq_n_f32(d[4], d[2], 2.0F);
    const float32x4_t b = vfmsq_n_f32(vmulq_n_f32(d[3], kRoot / 2), d[1], kRoot);
    const float32x4_t c = vfmsq_n_f32(d[4], d[2], 0.5F);
    const float32x4_t e = vfmsq_n_f32(vmulq_n_f32(d[3], kRoot), d[1], kRoot / 2);
    out[0] = vfmsq_n_f32(vaddq_f32(d[4], d[0]), d[2], 2.5F);
    out[1] = vaddq_f32(a, b);
    out[2] = vsubq_f32(a, b);
    out[3] = vaddq_f32(c, e);
    out[4] = vsubq_f32(c, e);
    out[5] = vfmsq_n_f32(vaddq_f32(d[5], d[1]), d[3], 2.5F);
}

/// A^T m.
FW_ALWAYS_INLINE void from_frequencies(const float32x4_t (&m)[6], float32x4_t (&out)[4]) {
    const float32x4_t even1 = vaddq_f32(m[1], m[2]);
    const float32x4_t odd1 = vsubq_f32(m[1], m[2]);
    const float32x4_t even2 = vaddq_f32(m[3], m[4]);
    const float32x4_t odd2 = vsubq_f32(m[3], m[4]);
    out[0] = vaddq_f32(vaddq_f32(m[0], even1), even2);
    out[1] = vfmaq_n_f32(vmulq_n_f32(odd1, kRoot / 2), odd2, kRoot);
    out[2] = vfmaq_n_f32(vmulq_n_f32(even1, 0.5F), even2, 2.0F);
    out[3] = vfmaq_n_f32(vfmaq_n_f32(m[5], odd1, kRoot / 4), odd2, 2 * kRoot);
}

void input(const WinogradInputArgs& args) {
    const auto* const* pixels = reinterpret_cast<const float* const*>(args.pixels);
    float32x4_t columns[kTile][kTile];
    for (int64_t c = 0; c < args.channels; c += 4) {
        unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
            float32x4_t d[kTile];
            float32x4_t f[kTile];
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { d[y] = vld1q_f32(pixels[y * kTile + x] + c); });
            to_frequencies(d, f);
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { columns[y][x] = f[y]; });
        });
        char* out = static_cast<char*>(args.out) + c * 4;
        unroll<kTile>([&](auto y) FW_INLINE_LAMBDA {
            float32x4_t f[kTile];
            to_frequencies(columns[y], f);
            unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
                vst1q_f32(reinterpret_cast<float*>(out), vmulq_n_f32(f[x], 0.0625F));
                out += args.plane;
            });
        });
    }
}

template <bool kWhole>
FW_ALWAYS_INLINE void output_channels(const WinogradOutputArgs& args, int64_t c) {
    const char* in = static_cast<const char*>(args.in) + c * 4;
    float32x4_t rows[kSize][kTile];
    unroll<kTile>([&](auto y) FW_INLINE_LAMBDA {
        float32x4_t m[kTile];
        float32x4_t f[kSize];
        unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
            m[x] = vld1q_f32(reinterpret_cast<const float*>(in));
            in += args.plane;
        });
        from_frequencies(m, f);
        unroll<kSize>([&](auto x) FW_INLINE_LAMBDA { rows[x][y] = f[x]; });
    });
    const float32x4_t lo = vdupq_n_f32(args.epilogue.lo);
    const float32x4_t hi = vdupq_n_f32(args.epilogue.hi);
    const float32x4_t bias = vld1q_f32(static_cast<const float*>(args.bias) + c);
    unroll<kSize>([&](auto x) FW_INLINE_LAMBDA {
        float32x4_t f[kSize];
        from_frequencies(rows[x], f);
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            auto* to = static_cast<float*>(args.pixels[y * kSize + x]);
            const float32x4_t sum = clamp4(vaddq_f32(f[y], bias), lo, hi);
            if constexpr (kWhole) {
                vst1q_f32(to + c, sum);
            } else if (to != nullptr) {
                store_floats(sum, to + c, args.channels - c);
            }
        });
    });
}

void output(const WinogradOutputArgs& args) {
    bool inside = true;
    for (int i = 0; i < kSize * kSize; ++i) {
        inside = inside && args.pixels[i] != nullptr;
    }
    int64_t c = 0;
    for (; inside && c + 4 <= args.channels; c += 4) {
        output_channels<true>(args, c);
    }
    for (; c < args.channels; c += 4) {
        output_channels<false>(args, c);
    }
}

}  // namespace

extern const WinogradKernel winograd_f16_4x4_fp16 = {
    "winograd_f16_4x4_fp16", Isa::kFp16, false, kSize, 4, input, output, true};

}  // namespace fw
