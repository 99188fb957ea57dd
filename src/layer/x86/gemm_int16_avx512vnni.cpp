// Products of 16-bit integers for Winograd's way in int8 (PairGemmKernel), two of them to an accumulator in one step.
#include "kernel/gemm_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512VnniPairs {
    using Element = int32_t;
    using Acc = __m512i;
    using Vec = __m512i;
    static constexpr int kMr = 8, kVectors = 2, kLanes = 16, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Vec load_a(const int32_t* a) { return _mm512_set1_epi32(*a); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm512_dpwssd_epi32(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& /*e*/, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        if (count > 0) {
            store_floats16(_mm512_castsi512_ps(acc), out, count < 16 ? count : 16);
        }
    }
};

}  // namespace

FW_DEFINE_GEMM_PAIRS(gemm_int16_8x32c2_avx512vnni, kAvx512Vnni, Avx512VnniPairs)

}  // namespace fw
