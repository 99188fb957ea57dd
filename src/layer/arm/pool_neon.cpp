// Maxima of windows: 64 bytes of channels at a time.
#include "layer/arm/neon.h"

namespace fw {

namespace {

struct Max8 {
    using Vec = int8x16_t;
    using Element = int8_t;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return vld1q_s8(reinterpret_cast<const int8_t*>(p)); }
    static FW_ALWAYS_INLINE Vec set(int8_t x) { return vdupq_n_s8(x); }
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return vmaxq_s8(value, best); }
    static FW_ALWAYS_INLINE int8x16_t bytes(Vec x) { return x; }
};

struct MaxFloat {
    using Vec = float32x4_t;
    using Element = float;
    static FW_ALWAYS_INLINE Vec load(const char* p) { return vld1q_f32(reinterpret_cast<const float*>(p)); }
    static FW_ALWAYS_INLINE Vec set(float x) { return vdupq_n_f32(x); }
    // NaN never wins.
    static FW_ALWAYS_INLINE Vec max(Vec value, Vec best) { return vbslq_f32(vcgtq_f32(value, best), value, best); }
    static FW_ALWAYS_INLINE int8x16_t bytes(Vec x) { return vreinterpretq_s8_f32(x); }
};

// kVectors vectors of channels, of which the last may have fewer than 16 bytes.
template <class K, int kVectors>
FW_ALWAYS_INLINE void max_block(const PoolArgs& args, typename K::Vec first, int64_t offset, int64_t bytes) {
    typename K::Vec best[kVectors];
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { best[v] = first; });
    const char* row = static_cast<const char*>(args.corner) + offset;
    for (int y = 0; y < args.rows; ++y, row += args.row_step) {
        const char* cell = row;
        for (int x = 0; x < args.columns; ++x, cell += args.column_step) {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { best[v] = K::max(K::load(cell + 16 * v), best[v]); });
        }
    }
    char* out = static_cast<char*>(args.out) + offset;
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { store_bytes(K::bytes(best[v]), out + 16 * v, bytes - 16 * v); });
}

template <class K>
FW_ALWAYS_INLINE void max_window(const PoolArgs& args, typename K::Element start) {
    const auto first = K::set(start);
    const int64_t bytes = args.channels * static_cast<int64_t>(sizeof(typename K::Element));
    int64_t at = 0;
    for (; at + 64 <= bytes; at += 64) {
        max_block<K, 4>(args, first, at, bytes - at);
    }
    for (; at < bytes; at += 16) {
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

extern const PoolKernel pool_neon = {"pool_neon", Isa::kNeon, max_int8, max_f32};

}  // namespace fw
