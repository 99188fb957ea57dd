// vpdpbusd on 256 bits, as in the AVX-512 kernel: activations become a + 128 while rows are packed, and the packed bias
// holds -128 times the sum of the weights.
#include <cstring>

#include "kernel/gemm_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct AvxVnniInt8 {
    using Element = int8_t;
    using Packed = int8_t;
    using Acc = __m256i;
    using Vec = __m256i;
    using ByteStore = ByteStore8;
    static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kKr = 4;
    static constexpr bool kInt8 = true, kUnsignedInput = true, kInlinesTiles = true;

    template <int kCount>
    static FW_ALWAYS_INLINE void copy_row(const int8_t* from, int8_t* to) {
        unroll<kCount / 16>([&](auto i) FW_INLINE_LAMBDA {
            const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from) + i);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + i, _mm_xor_si128(x, _mm_set1_epi8(-128)));
        });
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_a(const int8_t* a) {
        int32_t four = 0;
        std::memcpy(&four, a, 4);
        return _mm256_set1_epi32(four);
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm256_dpbusd_avx_epi32(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators8(e, acc, multiplier, out, count);
        }
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_int8_6x16c4_avxvnni, kAvxVnni, AvxVnniInt8)

}  // namespace fw
