// Transforms of Winograd's F(4x4, 3x3) for products of half floats, in float16: points 0, +-sqrt(1/2), +-sqrt(2) and
// infinity, whose factors are smaller than those of whole points. Inputs leave as a sixteenth, so that no value is
// larger than 1.7 times the largest input; the weights are 16 times as large (winograd.cpp).
#include "layer/arm/block_halves.h"

namespace fw {

namespace {

constexpr int kSize = 4;
constexpr int kTile = 6;
constexpr int kLanes = 8;
constexpr float kRoot = 1.41421356F;

FW_ALWAYS_INLINE float16x8_t times(float16x8_t a, float factor) {
    return vmulq_n_f16(a, static_cast<float16_t>(factor));
}
/// sum + a * factor.
FW_ALWAYS_INLINE float16x8_t plus(float16x8_t sum, float16x8_t a, float factor) {
    return vfmaq_n_f16(sum, a, static_cast<float16_t>(factor));
}

/// s B^T d, where s is 1 / kDivisor.
template <int kDivisor>
FW_ALWAYS_INLINE void to_frequencies(const float16x8_t (&d)[6], float16x8_t (&out)[6]) {
    constexpr float s = 1.0F / kDivisor;
    const auto scaled = [](float16x8_t x) FW_INLINE_LAMBDA { return kDivisor == 1 ? x : times(x, s); };
    const auto add = [](float16x8_t sum, float16x8_t x)
                         FW_INLINE_LAMBDA { return kDivisor == 1 ? vaddq_f16(sum, x) : plus(sum, x, s); };
    const float16x8_t d4 = scaled(d[4]);
    const float16x8_t a = plus(d4, d[2], -2.0F * s);
    const float16x8_t b = plus(times(d[3], kRoot / 2 * s), d[1], -kRoot * s);
    const float16x8_t c = plus(d4, d[2], -0.5F * s);
    const float16x8_t e = plus(times(d[3], kRoot * s), d[1], -kRoot / 2 * s);
    out[0] = plus(add(d4, d[0]), d[2], -2.5F * s);
    out[1] = vaddq_f16(a, b);
    out[2] = vsubq_f16(a, b);
    out[3] = vaddq_f16(c, e);
    out[4] = vsubq_f16(c, e);
    out[5] = plus(add(scaled(d[5]), d[1]), d[3], -2.5F * s);
}

/// A^T m.
FW_ALWAYS_INLINE void from_frequencies(const float16x8_t (&m)[6], float16x8_t (&out)[4]) {
    const float16x8_t even1 = vaddq_f16(m[1], m[2]);
    const float16x8_t odd1 = vsubq_f16(m[1], m[2]);
    const float16x8_t even2 = vaddq_f16(m[3], m[4]);
    const float16x8_t odd2 = vsubq_f16(m[3], m[4]);
    out[0] = vaddq_f16(vaddq_f16(m[0], even1), even2);
    out[1] = plus(times(odd1, kRoot / 2), odd2, kRoot);
    out[2] = plus(times(even1, 0.5F), even2, 2.0F);
    out[3] = plus(plus(m[5], odd1, kRoot / 4), odd2, 2 * kRoot);
}

FW_ALWAYS_INLINE float16x8_t rounded(const float* x) {
    return vcvt_high_f16_f32(vcvt_f16_f32(vld1q_f32(x)), vld1q_f32(x + 4));
}
FW_ALWAYS_INLINE float16x8_t load(const float16_t* x) {
    return vld1q_f16(x);
}
FW_ALWAYS_INLINE float16x8_t load(const float* x) {
    return rounded(x);
}

template <class T>
void input_of(const WinogradInputArgs& args) {
    const auto* const* pixels = reinterpret_cast<const T* const*>(args.pixels);
    float16x8_t columns[kTile][kTile];
    for (int64_t c = 0; c < args.channels; c += kLanes) {
        unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
            float16x8_t d[kTile];
            float16x8_t f[kTile];
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { d[y] = load(pixels[y * kTile + x] + c); });
            to_frequencies<16>(d, f);
            unroll<kTile>([&](auto y) FW_INLINE_LAMBDA { columns[y][x] = f[y]; });
        });
        char* out = static_cast<char*>(args.out) + c * 2;
        unroll<kTile>([&](auto y) FW_INLINE_LAMBDA {
            float16x8_t f[kTile];
            to_frequencies<1>(columns[y], f);
            unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
                vst1q_f16(reinterpret_cast<float16_t*>(out), f[x]);
                out += args.plane;
            });
        });
    }
}

void input(const WinogradInputArgs& args) {
    if (args.half) {
        input_of<float16_t>(args);
    } else {
        input_of<float>(args);
    }
}

/// T: of the outputs.
template <class T, bool kWhole>
FW_ALWAYS_INLINE void output_channels(const WinogradOutputArgs& args, const HalfOutput& output, int64_t c) {
    const char* in = static_cast<const char*>(args.in) + c * 2;
    float16x8_t rows[kSize][kTile];
    unroll<kTile>([&](auto y) FW_INLINE_LAMBDA {
        float16x8_t m[kTile];
        float16x8_t f[kSize];
        unroll<kTile>([&](auto x) FW_INLINE_LAMBDA {
            m[x] = vld1q_f16(reinterpret_cast<const float16_t*>(in));
            in += args.plane;
        });
        from_frequencies(m, f);
        unroll<kSize>([&](auto x) FW_INLINE_LAMBDA { rows[x][y] = f[x]; });
    });
    const float* bias = static_cast<const float*>(args.bias) + c;
    const auto each = [&](const auto& store) FW_INLINE_LAMBDA {
        unroll<kSize>([&](auto x) FW_INLINE_LAMBDA {
            float16x8_t f[kSize];
            from_frequencies(rows[x], f);
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
                auto* to = static_cast<T*>(args.pixels[y * kSize + x]);
                if (kWhole || to != nullptr) {
                    store(f[y], to + c);
                }
            });
        });
    };
    const int64_t left = args.channels - c;
    if constexpr (sizeof(T) == 2) {
        const float16x8_t start = rounded(bias);
        const float16x8_t lo = vdupq_n_f16(output.half_bounds[0]);
        const float16x8_t hi = vdupq_n_f16(output.half_bounds[1]);
        each([&](float16x8_t x, float16_t* to) FW_INLINE_LAMBDA {
            store_halves(vminq_f16(vmaxq_f16(vaddq_f16(x, start), lo), hi), to, kWhole ? kLanes : left);
        });
    } else {
        const float32x4_t start[] = {vld1q_f32(bias), vld1q_f32(bias + 4)};
        const float32x4_t lo = vdupq_n_f32(output.bounds[0]);
        const float32x4_t hi = vdupq_n_f32(output.bounds[1]);
        each([&](float16x8_t x, float* to) FW_INLINE_LAMBDA {
            const float32x4_t low = vaddq_f32(vcvt_f32_f16(vget_low_f16(x)), start[0]);
            const float32x4_t high = vaddq_f32(vcvt_high_f32_f16(x), start[1]);
            store_floats(clamp4(low, lo, hi), to, kWhole ? 4 : left);
            store_floats(clamp4(high, lo, hi), to + 4, kWhole ? 4 : left - 4);
        });
    }
}

template <class T>
void output_of(const WinogradOutputArgs& args, const HalfOutput& output) {
    bool inside = true;
    for (int i = 0; i < kSize * kSize; ++i) {
        inside = inside && args.pixels[i] != nullptr;
    }
    int64_t c = 0;
    for (; inside && c + kLanes <= args.channels; c += kLanes) {
        output_channels<T, true>(args, output, c);
    }
    for (; c < args.channels; c += kLanes) {
        output_channels<T, false>(args, output, c);
    }
}

void output(const WinogradOutputArgs& args) {
    const HalfOutput output(args.epilogue);
    if (output.half) {
        output_of<float16_t>(args, output);
    } else {
        output_of<float>(args, output);
    }
}

}  // namespace

extern const WinogradKernel winograd_f16_4x4_fp16 = {
    "winograd_f16_4x4_fp16", Isa::kFp16, false, kSize, kLanes, input, output, nullptr, true};

}  // namespace fw
