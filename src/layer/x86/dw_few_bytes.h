// What the levels share of depthwise lines of few channels: outputs of vectors of eight channels. Included by each
// kernel file and compiled with its flags.
#pragma once

#include "kernel/dw_few_driver.h"
#include "layer/x86/avx2.h"

namespace fw {
namespace {

struct FewOutput : FourStore8 {
    using FourStore8::FourStore8;

    template <BentFunction kFunction>
    FW_ALWAYS_INLINE void store4(const __m256i (&acc)[4], const float* const (&multiplier)[4], void* out) const {
        const auto load = [&](auto i) FW_INLINE_LAMBDA { return _mm256_loadu_ps(multiplier[i]); };
        _mm256_storeu_si256(static_cast<__m256i*>(out), in_order(halves<kFunction>(acc, load)));
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
