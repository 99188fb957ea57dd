// Look-ups of 64 entries (32 on ARMv7) at a time: an index beyond a part leaves the result as it is.
#include "layer/arm/neon.h"

namespace fw {

namespace {

#if defined(__aarch64__)

struct Table {
    int8x16x4_t part[4];

    explicit FW_ALWAYS_INLINE Table(const int8_t* table) {
        unroll<4>([&](auto i) FW_INLINE_LAMBDA { part[i] = vld1q_s8_x4(table + 64 * i); });
    }
    FW_ALWAYS_INLINE int8x16_t operator()(int8x16_t x) const {
        // The first index is x + 128; the others are 64 less each.
        const uint8x16_t index = veorq_u8(vreinterpretq_u8_s8(x), vdupq_n_u8(128));
        const uint8x16_t step = vdupq_n_u8(64);
        int8x16_t result = vqtbl4q_s8(part[0], index);
        result = vqtbx4q_s8(result, part[1], vsubq_u8(index, step));
        result = vqtbx4q_s8(result, part[2], vreinterpretq_u8_s8(x));
        return vqtbx4q_s8(result, part[3], vsubq_u8(vreinterpretq_u8_s8(x), step));
    }
};

#else

struct Table {
    const int8_t* table;

    explicit FW_ALWAYS_INLINE Table(const int8_t* from) : table(from) {}
    FW_ALWAYS_INLINE int8x16_t operator()(int8x16_t x) const {
        const uint8x16_t first = veorq_u8(vreinterpretq_u8_s8(x), vdupq_n_u8(128));
        int8x8_t low_index = vreinterpret_s8_u8(vget_low_u8(first));
        int8x8_t high_index = vreinterpret_s8_u8(vget_high_u8(first));
        int8x8_t low = vdup_n_s8(0);
        int8x8_t high = low;
        for (int i = 0; i < 8; ++i) {
            const int8_t* from = table + 32 * i;
            const int8x8x4_t part = {{vld1_s8(from), vld1_s8(from + 8), vld1_s8(from + 16), vld1_s8(from + 24)}};
            low = vtbx4_s8(low, part, low_index);
            high = vtbx4_s8(high, part, high_index);
            low_index = vsub_s8(low_index, vdup_n_s8(32));
            high_index = vsub_s8(high_index, vdup_n_s8(32));
        }
        return vcombine_s8(low, high);
    }
};

#endif

void look_up(const int8_t* in, int64_t count, const int8_t* table, int8_t* out) {
    const Table at(table);
    int64_t i = 0;
    for (; i + 64 <= count; i += 64) {
        int8x16_t x[4];
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { x[q] = at(vld1q_s8(in + i + 16 * q)); });
        unroll<4>([&](auto q) FW_INLINE_LAMBDA { vst1q_s8(out + i + 16 * q, x[q]); });
    }
    for (; i < count; i += 16) {
        store_bytes(at(vld1q_s8(in + i)), out + i, count - i);
    }
}

}  // namespace

extern const TableKernel table_neon = {"table_neon", Isa::kNeon, look_up};

}  // namespace fw
