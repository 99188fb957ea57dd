// What the levels share of depthwise lines of few channels: outputs of vectors of eight channels. Included by each
// kernel file and compiled with its flags.
#pragma once

#include "kernel/dw_few_driver.h"
#include "layer/x86/avx2.h"

namespace fw {
namespace {

/// Its constants stay in memory, registers are for the weights.
struct FewOutput {
    const Epilogue& e;
    float hi;
    int16_t zero_point;
    int8_t lo;

    explicit FewOutput(const Epilogue& epilogue)
        : e(epilogue),
          hi(epilogue.hi),
          zero_point(static_cast<int16_t>(epilogue.zero_point)),
          lo(static_cast<int8_t>(static_cast<int32_t>(epilogue.lo) + epilogue.zero_point)) {}
};

/// A trait of dw_few_driver.h but for its products.
struct FewBytes {
    using Acc = __m256i;
    using Output = FewOutput;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static __attribute__((noinline)) void store(const Output& output, const Acc& acc, const float* multiplier,
                                                void* out, int64_t count) {
        const Epilogue& e = output.e;
        if (e.float_output) {
            store_floats8(clamp8(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(multiplier)), e), out, count);
        } else if (e.bent != BentFunction::kIdentity) {
            ByteStore8(e).store_bent<1>(e, &acc, multiplier, out, count);
        } else {
            ByteStore8(e).store<1>(&acc, multiplier, out, count);
        }
    }
    /// As in ByteStore8: only the upper bound is needed before rounding.
    template <class Function>
    static FW_ALWAYS_INLINE void store4_as(const Output& o, const Acc (&acc)[4], const float* const (&multiplier)[4],
                                           void* out, Function function) {
        __m256i q[4];
        unroll<4>([&](auto i) FW_INLINE_LAMBDA {
            const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[i]), _mm256_loadu_ps(multiplier[i]));
            q[i] = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(o.hi), function(x)));
        });
        const __m256i zero_point = _mm256_set1_epi16(o.zero_point);
        const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero_point);
        const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero_point);
        const __m256i bytes = _mm256_max_epi8(_mm256_packs_epi16(low, high), _mm256_set1_epi8(o.lo));
        // Packing works within 128 bits: the first four channels of each vector, then the others.
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        _mm256_storeu_si256(static_cast<__m256i*>(out), _mm256_permutevar8x32_epi32(bytes, order));
    }
    static FW_ALWAYS_INLINE void store4(const Output& output, const Acc (&acc)[4], const float* const (&multiplier)[4],
                                        void* out) {
        if (output.e.bent == BentFunction::kIdentity) {
            store4_as(output, acc, multiplier, out, [](__m256 x) FW_INLINE_LAMBDA { return x; });
        } else {
            store4_as(output, acc, multiplier, out, [&](__m256 x) FW_INLINE_LAMBDA { return bend8(x, output.e); });
        }
    }
};

}  // namespace
}  // namespace fw
