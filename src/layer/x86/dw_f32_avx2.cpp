#include "kernel/dw_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2F32 {
    using Element = float;
    using Acc = __m256;
    using Weights = __m256;
    static constexpr int kLanes = 8, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_ps(static_cast<const float*>(p)); }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) {
        return _mm256_loadu_ps(static_cast<const float*>(p));
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const float* const* a, int64_t c, Weights w) {
        return _mm256_fmadd_ps(_mm256_loadu_ps(a[0] + c), w, acc);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats8(clamp8(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_8_avx2, kAvx2, Avx2F32)

}  // namespace fw
