// Four taps at a time: the bytes of 16 channels of each are transposed to 16 groups of four for vpdpbusd. Activations
// become a + 128, and the packed bias holds -128 times the sum of the weights.
#include "kernel/dw_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512VnniInt8 {
    using Element = int8_t;
    using Acc = __m512i;
    using Weights = __m512i;
    static constexpr int kLanes = 16, kKr = 4;
    static constexpr bool kInt8 = true, kUnsignedInput = true;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE __m128i load(const int8_t* a) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
    }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const int8_t* const* a, int64_t c, Weights w) {
        __m512i x = _mm512_castsi128_si512(load(a[0] + c));
        x = _mm512_inserti32x4(x, load(a[1] + c), 1);
        x = _mm512_inserti32x4(x, load(a[2] + c), 2);
        x = _mm512_inserti32x4(x, load(a[3] + c), 3);
        // Words of four channels, tap by tap, to lanes of four taps; then bytes within the lanes.
        const __m512i words = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        const __m512i bytes =
            _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
        x = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(words, x), bytes);
        return _mm512_dpbusd_epi32(acc, _mm512_xor_si512(x, _mm512_set1_epi8(-128)), w);
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        store_accumulators16(e, acc, multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_int8_16c4_avx512vnni, kAvx512Vnni, Avx512VnniInt8)

}  // namespace fw
