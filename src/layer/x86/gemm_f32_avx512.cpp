#include "kernel/gemm_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512F32 {
    using Element = float;
    using Acc = __m512;
    using Vec = __m512;
    static constexpr int kMr = 8, kVectors = 3, kLanes = 16, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false, kBendsFloats = true;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_ps(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm512_loadu_ps(p); }
    static FW_ALWAYS_INLINE Vec load_a(const float* a) { return _mm512_set1_ps(*a); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm512_fmadd_ps(a, b, acc); }
    template <BentFunction kFunction>
    static FW_ALWAYS_INLINE Acc bend(const Epilogue& e, Acc acc) {
        return function16<kFunction>(acc, e);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats16(clamp16(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_f32_8x48_avx512, kAvx512, Avx512F32)

}  // namespace fw
