#include "layer/arm/pool.h"

namespace fw {

namespace {

struct MaxHalf {
    using Vec = float16x8_t;
    using Element = uint16_t;  // bits
    static constexpr int64_t kBytes = 16;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return vld1q_f16(reinterpret_cast<const float16_t*>(p)); }
    FW_POOL_LOAD_4(f16, float16_t)
    static FW_ALWAYS_INLINE Vec set(uint16_t x) { return vreinterpretq_f16_u16(vdupq_n_u16(x)); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return vmaxnmq_f16(value, best); }
    static FW_ALWAYS_INLINE void store(Vec x, char* out, int64_t bytes) {
        store_bytes(vreinterpretq_s8_f16(x), out, bytes);
    }
};

}  // namespace

FW_DEFINE_POOL_WITH(pool_fp16, kFp16, MaxInt8, MaxFloat, max_window<MaxHalf>)

}  // namespace fw
