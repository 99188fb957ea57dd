// Products of bfloat16: vdpbf16ps adds two of them to a float32 sum. No processor that has it was at hand: what it
// computes is tested by emulation (tests/emulation).
#include <cstring>

#include "kernel/gemm_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512Bf16 {
    using Element = float;
    using Packed = uint16_t;
    using Weight = uint16_t;
    using Acc = __m512;
    using Vec = __m512bh;
    static constexpr int kMr = 8, kVectors = 2, kLanes = 16, kKr = 2;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    template <int kCount>
    static FW_ALWAYS_INLINE void copy_row(const float* from, uint16_t* to) {
        static_assert(kCount == 16);
        const __m256bh x = _mm512_cvtneps_pbh(_mm512_loadu_ps(from));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(x));
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_ps(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(p)); }
    static FW_ALWAYS_INLINE Vec load_a(const uint16_t* a) {
        int32_t two = 0;
        std::memcpy(&two, a, 4);
        return reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm512_dpbf16_ps(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats16(clamp16(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_bf16_8x32c2_avx512bf16, kAvx512Bf16, Avx512Bf16)

}  // namespace fw
