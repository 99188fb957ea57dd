// A table of 256 bytes is 16 shuffles of 16 entries. An index that is not one of a shuffle's 16 gets its top bit set by
// a saturating addition, which makes the shuffle give 0.
#include "layer/x86/avx2.h"

namespace fw {

namespace {

void look_up(const int8_t* in, int64_t count, const int8_t* table, int8_t* out) {
    __m256i part[16];
    unroll<16>([&](auto i) FW_INLINE_LAMBDA {
        part[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i)));
    });
    const auto apply = [&](const int8_t* from) FW_INLINE_LAMBDA {
        __m256i index =
            _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)), _mm256_set1_epi8(-128));
        __m256i result = _mm256_setzero_si256();
        unroll<16>([&](auto i) FW_INLINE_LAMBDA {
            const __m256i inside = _mm256_adds_epu8(index, _mm256_set1_epi8(0x70));
            result = _mm256_or_si256(result, _mm256_shuffle_epi8(part[i], inside));
            index = _mm256_sub_epi8(index, _mm256_set1_epi8(16));
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
