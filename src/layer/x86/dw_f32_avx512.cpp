#include "kernel/dw_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512F32 {
    using Element = float;
    using Acc = __m512;
    using Weights = __m512;
    static constexpr int kLanes = 16, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_ps(p); }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return _mm512_loadu_ps(p); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const float* const* a, int64_t c, Weights w) {
        return _mm512_fmadd_ps(_mm512_loadu_ps(a[0] + c), w, acc);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats16(clamp16(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_16_avx512, kAvx512, Avx512F32)

}  // namespace fw
