// The AVX2 kernel on 128 bits: bytes are widened to 16 bits and multiplied in pairs (pmaddwd), which is exact.
#include "kernel/gemm_driver.h"
#include "layer/x86/sse41.h"

namespace fw {

namespace {

struct Sse41Int8 {
    using Element = int8_t;
    using Packed = int16_t;
    using Acc = __m128i;
    using Vec = __m128i;
    using ByteStore = ByteStore4;
    static constexpr int kMr = 4, kVectors = 2, kLanes = 4, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false, kInlinesTiles = true;

    template <int kCount>
    static FW_ALWAYS_INLINE void copy_row(const int8_t* from, int16_t* to) {
        unroll<kCount / 8>([&](auto i) FW_INLINE_LAMBDA {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + i, widen8(from + 8 * i));
        });
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return widen8(p); }
    static FW_ALWAYS_INLINE Vec load_a(const int16_t* a) { return _mm_set1_epi32(load_word(a)); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return multiply_add_pairs(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators4(e, acc, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_int8_4x8c2_sse41, kSse41, Sse41Int8)

}  // namespace fw
