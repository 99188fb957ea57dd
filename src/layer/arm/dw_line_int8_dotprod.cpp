// The rows of a column are interleaved, so that each group of four bytes holds four taps of one channel for sdot.
#include "kernel/dw_line_driver.h"
#include "layer/arm/dw_int8.h"

namespace fw {

namespace {

struct DotprodInt8 : ByteLanes16 {
    struct Bytes {
        int8x16_t v[4];
    };
    template <int kSize>
    struct Rows {
        Bytes taps[(kSize + 3) / 4];
    };
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr int kKr = 4;
    static constexpr bool kInterleaved = true;

    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        const auto* from = static_cast<const int8_t*>(p);
        Rows<kSize> weights;
        unroll<(kSize + 3) / 4>([&](auto t) FW_INLINE_LAMBDA {
            unroll<4>([&](auto q) FW_INLINE_LAMBDA { weights.taps[t].v[q] = vld1q_s8(from + 64 * t + 16 * q); });
        });
        return weights;
    }
    /// Missing rows repeat the last one; their weights are zero.
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const int8_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<(kSize + 3) / 4>([&](auto t) FW_INLINE_LAMBDA {
            int8x16_t row[4];
            unroll<4>([&](auto i) FW_INLINE_LAMBDA {
                if constexpr (4 * t + i < kSize) {
                    row[i] = vld1q_s8(rows[4 * t + i]);
                } else {
                    row[i] = row[i - 1];
                }
            });
            const auto pairs = [](int8x16_t x) FW_INLINE_LAMBDA { return vreinterpretq_s16_s8(x); };
            const int16x8_t low01 = pairs(vzip1q_s8(row[0], row[1])), high01 = pairs(vzip2q_s8(row[0], row[1]));
            const int16x8_t low23 = pairs(vzip1q_s8(row[2], row[3])), high23 = pairs(vzip2q_s8(row[2], row[3]));
            int8x16_t* v = column.taps[t].v;
            v[0] = vreinterpretq_s8_s16(vzip1q_s16(low01, low23));
            v[1] = vreinterpretq_s8_s16(vzip2q_s16(low01, low23));
            v[2] = vreinterpretq_s8_s16(vzip1q_s16(high01, high23));
            v[3] = vreinterpretq_s8_s16(vzip2q_s16(high01, high23));
        });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<(kSize + 3) / 4>([&](auto t) FW_INLINE_LAMBDA {
            unroll<4>([&](auto q) FW_INLINE_LAMBDA { acc.v[q] = vdotq_s32(acc.v[q], x.taps[t].v[q], w.taps[t].v[q]); });
        });
        return acc;
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_int8_3x3s1_16c4_dotprod, kDotprod, DotprodInt8, 3, 1)
FW_DEFINE_DW_LINE(dw_line_int8_3x3s2_16c4_dotprod, kDotprod, DotprodInt8, 3, 2)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s1_16c4_dotprod, kDotprod, DotprodInt8, 5, 1)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s2_16c4_dotprod, kDotprod, DotprodInt8, 5, 2)

}  // namespace fw
