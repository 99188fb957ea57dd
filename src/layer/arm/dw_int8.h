// What the int8 depthwise kernels share: blocks of 16 channels, products of two taps added in 16 bits (weights are
// within [-127, 127], so that they fit), the epilogue.
#pragma once

#include "layer/arm/neon.h"

namespace fw {
namespace {

struct ByteLanes16 {
    struct Words {
        int32x4_t v[4];
    };
    using Element = int8_t;
    using Acc = Words;
    static constexpr int kLanes = 16;
    static constexpr bool kInt8 = true, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) {
        const auto* from = static_cast<const int32_t*>(p);
        return {{vld1q_s32(from), vld1q_s32(from + 4), vld1q_s32(from + 8), vld1q_s32(from + 12)}};
    }
    static FW_ALWAYS_INLINE Acc add(Acc acc, int16x8_t low, int16x8_t high) {
        acc.v[0] = vaddw_s16(acc.v[0], vget_low_s16(low));
        acc.v[2] = vaddw_s16(acc.v[2], vget_low_s16(high));
#if defined(__aarch64__)
        acc.v[1] = vaddw_high_s16(acc.v[1], low);
        acc.v[3] = vaddw_high_s16(acc.v[3], high);
#else
        acc.v[1] = vaddw_s16(acc.v[1], vget_high_s16(low));
        acc.v[3] = vaddw_s16(acc.v[3], vget_high_s16(high));
#endif
        return acc;
    }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, int8x16_t x, int8x16_t w) {
#if defined(__aarch64__)
        return add(acc, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w));
#else
        return add(acc, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_s8(vget_high_s8(x), vget_high_s8(w)));
#endif
    }
    static FW_ALWAYS_INLINE Acc add_products(Acc acc, int8x16_t x0, int8x16_t w0, int8x16_t x1, int8x16_t w1) {
        const int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
#if defined(__aarch64__)
        return add(acc, vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1)), vmlal_high_s8(vmull_high_s8(x0, w0), x1, w1));
#else
        const int16x8_t high = vmull_s8(vget_high_s8(x0), vget_high_s8(w0));
        return add(acc, vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1)),
                   vmlal_s8(high, vget_high_s8(x1), vget_high_s8(w1)));
#endif
    }
    struct Output {
        explicit FW_ALWAYS_INLINE Output(const Epilogue& e)
            : bytes(e.zero_point, e.float_output ? 0 : static_cast<int32_t>(e.lo) + e.zero_point,
                    e.float_output ? 0 : static_cast<int32_t>(e.hi) + e.zero_point),
              epilogue(e) {}
        ByteOutput bytes;
        Epilogue epilogue;
    };
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        store(Output(e), acc, multiplier, out, count);
    }
    static FW_ALWAYS_INLINE void store(const Output& output, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        float32x4_t x[4];
        unroll<4>([&](auto q)
                      FW_INLINE_LAMBDA { x[q] = vmulq_f32(vcvtq_f32_s32(acc.v[q]), vld1q_f32(multiplier + 4 * q)); });
        if (output.epilogue.float_output) {
            const float32x4_t lo = vdupq_n_f32(output.epilogue.lo);
            const float32x4_t hi = vdupq_n_f32(output.epilogue.hi);
            unroll<4>([&](auto q) FW_INLINE_LAMBDA {
                store_floats(clamp4(x[q], lo, hi), static_cast<float*>(out) + 4 * q, count - 4 * q);
            });
            return;
        }
        store_bytes(output.bytes.bytes(x[0], x[1], x[2], x[3]), out, count);
    }
};

#if defined(__aarch64__)

/// A trait `K` with the store of one kind of UpperByteOutput. Vectors of multipliers are loaded by one instruction.
template <class K, UpperByteOutput::Kind kKind>
struct WithUpperBytes : K {
    using Output = UpperByteOutput;

    static FW_ALWAYS_INLINE void store(const Output& output, typename K::Acc acc, const float* multiplier, void* out,
                                       int64_t count) {
        alignas(16) static constexpr uint8_t kUpperBytes[16] = {3,  7,  11, 15, 19, 23, 27, 31,
                                                                35, 39, 43, 47, 51, 55, 59, 63};
        const uint8x16_t upper = vld1q_u8(kUpperBytes);
        uint8x16_t bytes;
        // clang-format off
#define FW_SCALED_UPPER_BYTES(convert)                                                                              \
    __asm__("ld1 {v0.4s-v3.4s}, [%[multiplier]]\n"                                                                  \
            "scvtf %0.4s, %0.4s\n scvtf %1.4s, %1.4s\n scvtf %2.4s, %2.4s\n scvtf %3.4s, %3.4s\n"                    \
            "fmul v0.4s, %0.4s, v0.4s\n fmul v1.4s, %1.4s, v1.4s\n"                                                 \
            "fmul v2.4s, %2.4s, v2.4s\n fmul v3.4s, %3.4s, v3.4s\n"                                                 \
            "frintn v0.4s, v0.4s\n frintn v1.4s, v1.4s\n frintn v2.4s, v2.4s\n frintn v3.4s, v3.4s\n"                \
            convert " v0.4s, v0.4s, #24\n" convert " v1.4s, v1.4s, #24\n"                                           \
            convert " v2.4s, v2.4s, #24\n" convert " v3.4s, v3.4s, #24\n"                                           \
            "tbl %[bytes].16b, {v0.16b-v3.16b}, %[upper].16b\n"                                                     \
            : "+w"(acc.v[0]), "+w"(acc.v[1]), "+w"(acc.v[2]), "+w"(acc.v[3]), [bytes] "=w"(bytes)                   \
            : [multiplier] "r"(multiplier), [upper] "w"(upper),                                                     \
              "m"(*reinterpret_cast<const float(*)[16]>(multiplier))                                                \
            : "v0", "v1", "v2", "v3")
        // clang-format on
        if constexpr (kKind == UpperByteOutput::Kind::kSigned) {
            FW_SCALED_UPPER_BYTES("fcvtzs");
            store_bytes(vmaxq_s8(vreinterpretq_s8_u8(bytes), output.lo), out, count);
        } else {
            FW_SCALED_UPPER_BYTES("fcvtzu");
            if constexpr (kKind == UpperByteOutput::Kind::kBounded) {
                bytes = vminq_u8(bytes, output.most);
            }
            store_bytes(vreinterpretq_s8_u8(veorq_u8(bytes, output.finish)), out, count);
        }
#undef FW_SCALED_UPPER_BYTES
    }
};

#endif

}  // namespace
}  // namespace fw
