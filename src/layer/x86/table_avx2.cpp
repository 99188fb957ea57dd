// A table of 256 bytes is 16 shuffles of 16 entries, eight for each half. A shuffle takes the low four bits of an index
// from 0 to 127 and gives 0 for one below 0: the i-th, which holds the difference (an exclusive or) of the table's
// parts i and i - 1, is given the index less 16 i, so that the differences up to the right part add up to it.
#include "layer/x86/avx2.h"

namespace fw {

namespace {

void look_up(const int8_t* in, int64_t count, const int8_t* table, int8_t* out) {
    __m256i part[16];
    unroll<16>([&](auto i) FW_INLINE_LAMBDA {
        const auto* from = reinterpret_cast<const __m128i*>(table) + i;
        const __m128i before = i % 8 == 0 ? _mm_setzero_si128() : _mm_loadu_si128(from - (i % 8 == 0 ? 0 : 1));
        part[i] = _mm256_broadcastsi128_si256(_mm_xor_si128(_mm_loadu_si128(from), before));
    });
    const auto apply = [&](const int8_t* from) FW_INLINE_LAMBDA {
        __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        __m256i lower = _mm256_xor_si256(upper, _mm256_set1_epi8(-128));  // the half below 0 from 0 on
        __m256i result = _mm256_setzero_si256();
        unroll<8>([&](auto i) FW_INLINE_LAMBDA {
            const __m256i both =
                _mm256_xor_si256(_mm256_shuffle_epi8(part[i], lower), _mm256_shuffle_epi8(part[8 + i], upper));
            result = _mm256_xor_si256(result, both);
            lower = _mm256_subs_epi8(lower, _mm256_set1_epi8(16));
            upper = _mm256_subs_epi8(upper, _mm256_set1_epi8(16));
        });
        return result;
    };
    int64_t i = 0;
    for (; i + 32 <= count; i += 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), apply(in + i));
    }
    if (i < count) {
        int8_t rest[32];
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(rest), apply(in + i));
        std::memcpy(out + i, rest, static_cast<size_t>(count - i));
    }
}

}  // namespace

extern const TableKernel table_avx2 = {"table_avx2", Isa::kAvx2, look_up};

}  // namespace fw
