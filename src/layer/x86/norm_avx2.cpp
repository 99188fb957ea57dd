// Sums of runs of bytes, 32 at a time, and the constants of a normalisation, 8 at a time.
#include "layer/x86/avx2.h"

namespace fw {

namespace {

/// Sums of 16-bit differences and of their squares, in pairs.
struct Sums {
    __m256i zero_point;
    __m256i sum = _mm256_setzero_si256();
    __m256i square_sum = _mm256_setzero_si256();

    explicit FW_ALWAYS_INLINE Sums(int32_t zp) : zero_point(_mm256_set1_epi16(static_cast<short>(zp))) {}
    FW_ALWAYS_INLINE void add(const int8_t* x) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
        const __m256i d = _mm256_sub_epi16(_mm256_cvtepi8_epi16(bytes), zero_point);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(d, _mm256_set1_epi16(1)));
        square_sum = _mm256_add_epi32(square_sum, _mm256_madd_epi16(d, d));
    }
};

/// The eight of x together, in the lower half of the result, those of y in the upper.
FW_ALWAYS_INLINE long long sums_of(__m256i x, __m256i y) {
    __m256i pairs = _mm256_hadd_epi32(x, y);
    pairs = _mm256_hadd_epi32(pairs, pairs);
    return _mm_cvtsi128_si64(_mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}

void sum(const int8_t* x, int64_t count, int32_t zero_point, int32_t* sums) {
    Sums s(zero_point);
    int64_t i = 0;
    for (; i + 32 <= count; i += 32) {
        s.add(x + i);
        s.add(x + i + 16);
    }
    if (i < count) {
        int8_t rest[32];
        std::memset(rest, zero_point, sizeof(rest));
        std::memcpy(rest, x + i, static_cast<size_t>(count - i));
        s.add(rest);
        s.add(rest + 16);
    }
    const long long both = sums_of(s.sum, s.square_sum);
    std::memcpy(sums, &both, sizeof(both));
}

FW_ALWAYS_INLINE __m256 to_floats(__m256d low, __m256d high) {
    return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}

/// Notes how small and how large numbers are, by their bits without the sign; 0 counts as the largest of the small.
struct Range {
    __m256i least = _mm256_set1_epi32(-1);  ///< less 1
    __m256i most = _mm256_setzero_si256();

    /// `mask`: 0x7fffffff, 0 for what does not count.
    FW_ALWAYS_INLINE void add(__m256 x, __m256i mask) {
        const __m256i bits = _mm256_and_si256(_mm256_castps_si256(x), mask);
        least = _mm256_min_epu32(least, _mm256_add_epi32(bits, _mm256_set1_epi32(-1)));
        most = _mm256_max_epu32(most, bits);
    }
    /// All are 0 or above FLT_MIN (a number that became FLT_MIN may have been below), and finite.
    FW_ALWAYS_INLINE bool is_normal() const {
        const __m256i low = _mm256_cmpeq_epi32(least, _mm256_max_epu32(least, _mm256_set1_epi32(0x00800000)));
        const __m256i high = _mm256_cmpeq_epi32(most, _mm256_min_epu32(most, _mm256_set1_epi32(0x7f7fffff)));
        return _mm256_movemask_epi8(_mm256_and_si256(low, high)) == -1;
    }
};

bool constants(const NormArgs& args, int64_t count, float* a, float* b) {
    const __m256d factor = _mm256_set1_pd(args.factor);
    const __m256d mean = _mm256_set1_pd(args.mean);
    const double* const gamma = args.gamma;
    const double* const shift = args.shift;
    Range range;
    const auto eight = [&](int64_t i, __m256i mask) FW_INLINE_LAMBDA {
        __m256d scaled[2];
        __m256d shifted[2];
        unroll<2>([&](auto h) FW_INLINE_LAMBDA {
            scaled[h] = _mm256_mul_pd(_mm256_loadu_pd(gamma + i + 4 * h), factor);
            shifted[h] = _mm256_sub_pd(_mm256_loadu_pd(shift + i + 4 * h), _mm256_mul_pd(scaled[h], mean));
        });
        const __m256 x = to_floats(scaled[0], scaled[1]);
        const __m256 y = to_floats(shifted[0], shifted[1]);
        range.add(x, mask);
        range.add(y, mask);
        _mm256_storeu_ps(a + i, x);
        _mm256_storeu_ps(b + i, y);
    };
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        eight(i, _mm256_set1_epi32(0x7fffffff));
    }
    if (i < count) {
        const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i inside = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count - i)), index);
        eight(i, _mm256_srli_epi32(inside, 1));
    }
    return range.is_normal();
}

}  // namespace

extern const NormKernel norm_avx2 = {"norm_avx2", Isa::kAvx2, sum, constants};

}  // namespace fw
