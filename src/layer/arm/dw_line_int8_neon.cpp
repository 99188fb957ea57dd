// Rows are multiplied as bytes: two products fit 16 bits.
#include "kernel/dw_line_driver.h"
#include "layer/arm/dw_int8.h"

namespace fw {

namespace {

struct NeonInt8 : ByteLanes16 {
    template <int kSize>
    struct Rows {
        int8x16_t v[kSize];
    };
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr int kKr = 1;
    static constexpr bool kInterleaved = false;

    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        Rows<kSize> weights;
        unroll<kSize>([&](auto y)
                          FW_INLINE_LAMBDA { weights.v[y] = vld1q_s8(static_cast<const int8_t*>(p) + 16 * y); });
        return weights;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const int8_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { column.v[y] = vld1q_s8(rows[y]); });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<kSize / 2>([&](auto i) FW_INLINE_LAMBDA {
            acc = add_products(acc, x.v[2 * i], w.v[2 * i], x.v[2 * i + 1], w.v[2 * i + 1]);
        });
        return add_product(acc, x.v[kSize - 1], w.v[kSize - 1]);
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_int8_3x3s1_16_neon, kNeon, NeonInt8, 3, 1)
FW_DEFINE_DW_LINE(dw_line_int8_3x3s2_16_neon, kNeon, NeonInt8, 3, 2)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s1_16_neon, kNeon, NeonInt8, 5, 1)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s2_16_neon, kNeon, NeonInt8, 5, 2)

}  // namespace fw
