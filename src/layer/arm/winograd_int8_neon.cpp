// Transforms of Winograd's convolution in int8: 16-bit planes, which hold the transformed bytes exactly, and 32-bit
// sums.
#include "kernel/winograd_driver.h"
#include "layer/arm/gemm_int8.h"

namespace fw {

namespace {

struct Transforms {
    using Pixel = int8_t;
    using In = int16_t __attribute__((vector_size(16)));
    using Words = uint16_t __attribute__((vector_size(16)));
    using Out = uint32_t __attribute__((vector_size(16)));
    struct Output {
        explicit FW_ALWAYS_INLINE Output(const Epilogue& e)
            : bytes(e.zero_point, e.float_output ? 0 : static_cast<int32_t>(e.lo) + e.zero_point,
                    e.float_output ? 0 : static_cast<int32_t>(e.hi) + e.zero_point),
              epilogue(e) {}
        ByteOutput bytes;
        Epilogue epilogue;
    };
    static constexpr bool kInt8 = true;

    static FW_ALWAYS_INLINE In load(const int8_t* pixel) {
        const int16x8_t words = vmovl_s8(vld1_s8(pixel));
        return load_lanes<In>(&words);
    }
    template <int kSize>
    static FW_ALWAYS_INLINE void store(const Output& output, const WinogradOutputArgs& args, int64_t c,
                                       const Out (&sum)[kSize], void* const* pixels, int64_t count) {
        const int32x4_t bias = vld1q_s32(static_cast<const int32_t*>(args.bias) + c);
        const float32x4_t multiplier = vld1q_f32(args.multiplier + c);
        float32x4_t x[kSize][1];
        bool whole = count >= 4 && !output.epilogue.float_output;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            const uint32x4_t sum64 = vmulq_n_u32(load_lanes<uint32x4_t>(&sum[y]), kWinogradNinth);
            const int32x4_t acc = vsraq_n_s32(bias, vreinterpretq_s32_u32(sum64), kWinogradShift);
            x[y][0] = vmulq_f32(vcvtq_f32_s32(acc), multiplier);
            whole = whole && pixels[y] != nullptr;
        });
        if (whole) {
            char* to[kSize];
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { to[y] = static_cast<char*>(pixels[y]) + c; });
            store_four_rows<1>(output.bytes, x, to);
            return;
        }
        const float32x4_t lo = vdupq_n_f32(output.epilogue.lo);
        const float32x4_t hi = vdupq_n_f32(output.epilogue.hi);
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            if (pixels[y] == nullptr) {
                return;
            }
            if (output.epilogue.float_output) {
                store_floats(clamp4(x[y][0], lo, hi), static_cast<float*>(pixels[y]) + c, count);
            } else {
                const int8x16_t bytes = output.bytes.bytes(x[y][0], x[y][0], x[y][0], x[y][0]);
                store_bytes(bytes, static_cast<char*>(pixels[y]) + c, count < 4 ? count : 4);
            }
        });
    }
};

}  // namespace

FW_DEFINE_WINOGRAD(winograd_int8_4x4_neon, kNeon, Transforms, 4)

}  // namespace fw
