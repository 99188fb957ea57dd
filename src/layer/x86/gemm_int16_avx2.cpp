// Products of 16-bit integers for Winograd's way in int8: pairs of them are one element of 32 bits (PairGemmKernel).
#include <cstring>

#include "kernel/gemm_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Pairs {
    using Element = int32_t;
    using Acc = __m256i;
    using Vec = __m256i;
    static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_a(const int32_t* a) { return _mm256_set1_epi32(*a); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& /*e*/, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        if (count > 0) {
            store_floats8(_mm256_castsi256_ps(acc), out, count);
        }
    }
};

}  // namespace

FW_DEFINE_GEMM_PAIRS(gemm_int16_6x16c2_avx2, kAvx2, Avx2Pairs)

}  // namespace fw
