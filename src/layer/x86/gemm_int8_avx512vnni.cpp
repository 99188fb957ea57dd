// vpdpbusd multiplies unsigned by signed bytes: activations become a + 128 (one exclusive or), and the packed bias
// holds -128 times the sum of the weights.
#include <cstring>

#include "kernel/gemm_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512VnniInt8 {
    using Element = int8_t;
    using Acc = __m512i;
    using Vec = __m512i;
    static constexpr int kMr = 8, kVectors = 3, kLanes = 16, kKr = 4;
    static constexpr bool kInt8 = true, kUnsignedInput = true;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Vec load_a(const int8_t* a) {
        int32_t four = 0;
        std::memcpy(&four, a, 4);
        return _mm512_xor_si512(_mm512_set1_epi8(-128), _mm512_set1_epi32(four));
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm512_dpbusd_epi32(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators16(e, acc, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_int8_8x48c4_avx512vnni, kAvx512Vnni, Avx512VnniInt8)

}  // namespace fw
