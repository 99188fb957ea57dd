// vpdpbusd multiplies unsigned by signed bytes: activations become a + 128 (an exclusive or while rows are packed), and
// the packed bias holds -128 times the sum of the weights. Three shapes of tile, all of 24 accumulators: few output
// channels need many rows to make use of them.
#include <cstring>

#include "kernel/gemm_driver.h"
#include "layer/x86/avx2.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct VnniRows {
    using Element = int8_t;
    using Packed = int8_t;
    static constexpr int kKr = 4;
    static constexpr bool kInt8 = true, kUnsignedInput = true, kStoresFours = true;

    template <int kCount>
    static FW_ALWAYS_INLINE void copy_row(const int8_t* from, int8_t* to) {
        if constexpr (kCount == 64) {
            _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), _mm512_set1_epi8(-128)));
        } else if constexpr (kCount == 32) {
            const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(x, _mm256_set1_epi8(-128)));
        } else {
            const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, _mm_set1_epi8(-128)));
        }
    }
    static FW_ALWAYS_INLINE int32_t four_of(const int8_t* a) {
        int32_t four = 0;
        std::memcpy(&four, a, 4);
        return four;
    }
};

template <int kRows, int kColumns>
struct Avx512VnniInt8 : VnniRows {
    using Acc = __m512i;
    using Vec = __m512i;
    using ByteStore = ByteStore16;
    using SumStore = SumStore16;
    static constexpr int kMr = kRows, kVectors = kColumns / 16, kLanes = 16;
    static constexpr bool kLeakyTiles = true, kStoresSmall = true;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return _mm512_loadu_si512(p); }
    static FW_ALWAYS_INLINE Vec load_a(const int8_t* a) { return _mm512_set1_epi32(four_of(a)); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm512_dpbusd_epi32(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators16(e, acc, multiplier, out, count);
        }
    }
};

struct FourRows8 : ByteStore8 {
    using ByteStore8::ByteStore8;

    static __attribute__((noinline)) void store_fours(const Epilogue& e, const __m256i* acc, int64_t fours,
                                                      const float* multiplier, void* out, int64_t columns) {
        switch (e.bent) {
            case BentFunction::kIdentity:
                store_as<BentFunction::kIdentity>(e, acc, fours, multiplier, out, columns);
                break;
            case BentFunction::kLeakyRelu:
                store_as<BentFunction::kLeakyRelu>(e, acc, fours, multiplier, out, columns);
                break;
            case BentFunction::kHardSwish:
                store_as<BentFunction::kHardSwish>(e, acc, fours, multiplier, out, columns);
                break;
        }
    }
    template <BentFunction kFunction>
    static FW_ALWAYS_INLINE void store_as(const Epilogue& e, const __m256i* acc, int64_t fours, const float* multiplier,
                                          void* out, int64_t columns) {
        const FourStore8 four(e);
        const __m256 m = _mm256_loadu_ps(multiplier);
        auto* to = static_cast<char*>(out);
        for (; fours > 0; --fours, acc += 4, to += 4 * columns) {
            const __m256i halves = four.halves<kFunction>(acc, [&](auto) FW_INLINE_LAMBDA { return m; });
            if (columns == 8) {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), FourStore8::in_order(halves));
            } else {
                _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(halves));
            }
        }
    }
};

/// For up to eight outputs.
struct Few : VnniRows {
    using Acc = __m256i;
    using Vec = __m256i;
    using ByteStore = FourRows8;
    static constexpr int kMr = 12, kVectors = 1, kLanes = 8;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return load_bias(p); }
    static FW_ALWAYS_INLINE Vec load_a(const int8_t* a) { return _mm256_set1_epi32(four_of(a)); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return _mm256_dpbusd_epi32(acc, a, b); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* multiplier, void* out, int64_t count) {
        if (count > 0) {
            store_accumulators8(e, acc, multiplier, out, count);
        }
    }
};

struct Rows6 : Avx512VnniInt8<6, 64> {
    static constexpr bool kPacksAhead = true;  // 8 KB of code, and layers of many outputs are multiples of 64
};
using Rows8 = Avx512VnniInt8<8, 48>;
using Rows12 = Avx512VnniInt8<12, 32>;

}  // namespace

FW_DEFINE_GEMM(gemm_int8_6x64c4_avx512vnni, kAvx512Vnni, Rows6)
FW_DEFINE_GEMM(gemm_int8_8x48c4_avx512vnni, kAvx512Vnni, Rows8)
#ifndef FW_MINSIZE
FW_DEFINE_GEMM(gemm_int8_12x8c4_avx512vnni, kAvx512Vnni, Few)
#endif
FW_DEFINE_GEMM(gemm_int8_12x32c4_avx512vnni, kAvx512Vnni, Rows12)

}  // namespace fw
