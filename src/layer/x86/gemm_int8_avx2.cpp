// Bytes are widened to 16 bits and multiplied in pairs (vpmaddwd), which is exact: the sum of two products of bytes
// fits. vpmaddubsw would be faster and saturates. Rows of A are widened once while they are packed.
#include <cstring>

#include "kernel/gemm_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Int8 {
    using Element = int8_t;
    using Packed = int16_t;
    using Acc = __m256i;
    using Vec = __m256i;
    using ByteStore = ByteStore8;
    static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false, kInlinesTiles = true;

    template <int kCount>
    static FW_ALWAYS_INLINE void copy_row(const int8_t* from, int16_t* to) {
        unroll<kCount / 16>([&](auto i) FW_INLINE_LAMBDA {
            const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from) + i);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to) + i, _mm256_cvtepi8_epi16(x));
        });
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(p)));
    }
    static FW_ALWAYS_INLINE Vec load_a(const int16_t* a) {
        int32_t two = 0;
        std::memcpy(&two, a, 4);
        return _mm256_set1_epi32(two);
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators8(e, acc, multiplier, out, count);
        }
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_int8_6x16c2_avx2, kAvx2, Avx2Int8)

}  // namespace fw
