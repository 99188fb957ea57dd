#include "kernel/gemm_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2F32 {
    using Element = float;
    using Acc = __m256;
    using Vec = __m256;
    static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false, kBendsFloats = true;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_ps(static_cast<const float*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm256_loadu_ps(static_cast<const float*>(p)); }
    static FW_ALWAYS_INLINE Vec load_a(const float* a) { return _mm256_broadcast_ss(a); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm256_fmadd_ps(a, b, acc); }
    template <BentFunction kFunction>
    static FW_ALWAYS_INLINE Acc bend(const Epilogue& e, Acc acc) {
        return function8<kFunction>(acc, e);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats8(clamp8(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_f32_6x16_avx2, kAvx2, Avx2F32)

}  // namespace fw
