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

// clang-format off
#define FW_LOOK_UP(x, y)                                                                                    \
    "eor v" y ".16b, v" x ".16b, %[first].16b\n sub v4.16b, v" y ".16b, %[step].16b\n"                      \
    "tbl v" y ".16b, {v16.16b-v19.16b}, v" y ".16b\n tbx v" y ".16b, {v20.16b-v23.16b}, v4.16b\n"          \
    "tbx v" y ".16b, {v24.16b-v27.16b}, v" x ".16b\n sub v" x ".16b, v" x ".16b, %[step].16b\n"            \
    "tbx v" y ".16b, {v28.16b-v31.16b}, v" x ".16b\n"
/// The same for `rounds` > 0 times 64 bytes: GCC 12 copies parts and results.
void look_up_rounds(const int8_t* in, int64_t rounds, const int8_t* table, int8_t* out) {
    __asm__ volatile(
        "ld1 {v16.16b-v19.16b}, [%[table]], #64\n ld1 {v20.16b-v23.16b}, [%[table]], #64\n"
        "ld1 {v24.16b-v27.16b}, [%[table]], #64\n ld1 {v28.16b-v31.16b}, [%[table]]\n"
        "1:\n"
        "ldp q0, q1, [%[in]], #32\n" FW_LOOK_UP("0", "2") FW_LOOK_UP("1", "3") "stp q2, q3, [%[out]], #32\n"
        "ldp q0, q1, [%[in]], #32\n" FW_LOOK_UP("0", "2") FW_LOOK_UP("1", "3") "stp q2, q3, [%[out]], #32\n"
        "subs %[rounds], %[rounds], #1\n b.ne 1b\n"
        : [in] "+r"(in), [rounds] "+r"(rounds), [table] "+r"(table), [out] "+r"(out)
        : [first] "w"(vdupq_n_u8(128)), [step] "w"(vdupq_n_u8(64))
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24",
          "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}
#undef FW_LOOK_UP
// clang-format on

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
    int64_t i = 0;
#if defined(__aarch64__)
    if (count >= 64) {
        look_up_rounds(in, count / 64, table, out);
        i = count / 64 * 64;
    }
    if (i == count) {
        return;
    }
#endif
    const Table at(table);
    for (; i + 16 <= count; i += 16) {
        vst1q_s8(out + i, at(vld1q_s8(in + i)));
    }
    if (i < count) {
        store_bytes(at(vld1q_s8(in + i)), out + i, count - i);
    }
}

}  // namespace

extern const TableKernel table_neon = {"table_neon", Isa::kNeon, look_up};

}  // namespace fw
