// What the levels share of depthwise lines of few channels: outputs of vectors of eight channels. Included by each
// kernel file and compiled with its flags.
#pragma once

#include "kernel/dw_few_driver.h"
#include "layer/x86/avx2.h"

namespace fw {
namespace {

/// As in ByteStore8: only the upper bound is needed before rounding.
struct FewOutput {
    Epilogue e;
    __m256 hi;
    __m256i zero_point, lo, order;

    FW_ALWAYS_INLINE explicit FewOutput(const Epilogue& epilogue)
        : e(epilogue),
          hi(_mm256_set1_ps(e.hi)),
          zero_point(_mm256_set1_epi16(static_cast<short>(e.zero_point))),
          lo(_mm256_set1_epi8(static_cast<char>(static_cast<int32_t>(e.lo) + e.zero_point))),
          // Packing works within 128 bits: the first four channels of each vector, then the others.
          order(_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)) {}

    template <BentFunction kFunction>
    FW_ALWAYS_INLINE void store4(const __m256i (&acc)[4], const float* const (&multiplier)[4], void* out) const {
        __m256i q[4];
        unroll<4>([&](auto i) FW_INLINE_LAMBDA {
            __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[i]), _mm256_loadu_ps(multiplier[i]));
            if constexpr (kFunction != BentFunction::kIdentity) {
                x = _mm256_mul_ps(function8<kFunction>(x, e), _mm256_set1_ps(e.scale));
            }
            q[i] = _mm256_cvtps_epi32(_mm256_min_ps(hi, x));
        });
        const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero_point);
        const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero_point);
        const __m256i bytes = _mm256_max_epi8(_mm256_packs_epi16(low, high), lo);
        _mm256_storeu_si256(static_cast<__m256i*>(out), _mm256_permutevar8x32_epi32(bytes, order));
    }
};

/// A trait of dw_few_driver.h but for its products.
struct FewBytes {
    using Acc = __m256i;
    using Output = FewOutput;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static __attribute__((noinline)) void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                                int64_t count) {
        if (e.float_output) {
            store_floats8(clamp8(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(multiplier)), e), out, count);
        } else if (e.bent != BentFunction::kIdentity) {
            ByteStore8(e).store_bent<1>(e, &acc, multiplier, out, count);
        } else {
            ByteStore8(e).store<1>(&acc, multiplier, out, count);
        }
    }
};

}  // namespace
}  // namespace fw
