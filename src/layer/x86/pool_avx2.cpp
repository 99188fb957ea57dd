// Maxima of windows: 128 bytes of channels at a time.
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Max8 {
    using Vec = __m256i;
    using Element = int8_t;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec set(int8_t x) { return _mm256_set1_epi8(x); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return _mm256_max_epi8(value, best); }
    static FW_ALWAYS_INLINE __m256i bytes(Vec x) { return x; }
};

struct MaxFloat {
    using Vec = __m256;
    using Element = float;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return _mm256_loadu_ps(reinterpret_cast<const float*>(p)); }
    static FW_ALWAYS_INLINE Vec set(float x) { return _mm256_set1_ps(x); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return _mm256_max_ps(value, best); }  // NaN never wins
    static FW_ALWAYS_INLINE __m256i bytes(Vec x) { return _mm256_castps_si256(x); }
};

// kVectors vectors of channels, of which the last may have fewer than 32 bytes.
template <class K, int kVectors>
FW_ALWAYS_INLINE void max_block(const PoolArgs& args, typename K::Vec first, int64_t offset, int64_t bytes) {
    typename K::Vec best[kVectors];
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { best[v] = first; });
    const char* row = static_cast<const char*>(args.corner) + offset;
    for (int y = 0; y < args.rows; ++y, row += args.row_step) {
        const char* cell = row;
        for (int x = 0; x < args.columns; ++x, cell += args.column_step) {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { best[v] = K::max(K::load(cell + 32 * v), best[v]); });
        }
    }
    char* out = static_cast<char*>(args.out) + offset;
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
        const int64_t left = bytes - 32 * v;
        if (left >= 32) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32 * v), K::bytes(best[v]));
        } else {
            char rest[32];
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(rest), K::bytes(best[v]));
            std::memcpy(out + 32 * v, rest, static_cast<size_t>(left));
        }
    });
}

template <class K>
FW_ALWAYS_INLINE void max_window(const PoolArgs& args, typename K::Element start) {
    const auto first = K::set(start);
    const int64_t bytes = args.channels * static_cast<int64_t>(sizeof(typename K::Element));
    int64_t at = 0;
    for (; at + 128 <= bytes; at += 128) {
        max_block<K, 4>(args, first, at, bytes - at);
    }
    for (; at + 64 <= bytes; at += 64) {
        max_block<K, 2>(args, first, at, bytes - at);
    }
    for (; at < bytes; at += 32) {
        max_block<K, 1>(args, first, at, bytes - at);
    }
}

void max_int8(const PoolArgs& args, int8_t start) {
    max_window<Max8>(args, start);
}
void max_f32(const PoolArgs& args, float start) {
    max_window<MaxFloat>(args, start);
}

}  // namespace

extern const PoolKernel pool_avx2 = {"pool_avx2", Isa::kAvx2, max_int8, max_f32};

}  // namespace fw
