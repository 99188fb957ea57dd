#include "kernel/pool_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

FW_ALWAYS_INLINE void store_bytes32(__m256i x, char* out, int64_t bytes) {
    if (bytes >= 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), x);
    } else {
        char rest[32];
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(rest), x);
        std::memcpy(out, rest, static_cast<size_t>(bytes));
    }
}

struct MaxInt8 {
    using Vec = __m256i;
    using Element = int8_t;
    static constexpr int64_t kBytes = 32;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
    static FW_ALWAYS_INLINE Vec set(int8_t x) { return _mm256_set1_epi8(x); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return _mm256_max_epi8(value, best); }
    static FW_ALWAYS_INLINE void store(Vec x, char* out, int64_t bytes) { store_bytes32(x, out, bytes); }
};

struct MaxFloat {
    using Vec = __m256;
    using Element = float;
    static constexpr int64_t kBytes = 32;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return _mm256_loadu_ps(reinterpret_cast<const float*>(p)); }
    static FW_ALWAYS_INLINE Vec set(float x) { return _mm256_set1_ps(x); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return _mm256_max_ps(value, best); }  // NaN never wins
    static FW_ALWAYS_INLINE void store(Vec x, char* out, int64_t bytes) {
        store_bytes32(_mm256_castps_si256(x), out, bytes);
    }
};

}  // namespace

FW_DEFINE_POOL(pool_avx2, kAvx2, MaxInt8, MaxFloat)

}  // namespace fw
