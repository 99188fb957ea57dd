#include "kernel/dw_line_driver.h"
#include "layer/arm/dw_f32.h"

namespace fw {

namespace {

struct NeonF32 : FloatLanes8 {
    template <int kSize>
    struct Rows {
        Pair row[kSize];
    };
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr bool kInterleaved = false;

    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const float* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { column.row[y] = load_bias(rows[y]); });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        Rows<kSize> weights;
        unroll<kSize>([&](auto y)
                          FW_INLINE_LAMBDA { weights.row[y] = load_bias(static_cast<const float*>(p) + y * kLanes); });
        return weights;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { acc = add_product(acc, x.row[y], w.row[y]); });
        return acc;
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_f32_3x3s1_8_neon, kNeon, NeonF32, 3, 1)
FW_DEFINE_DW_LINE(dw_line_f32_3x3s2_8_neon, kNeon, NeonF32, 3, 2)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s1_8_neon, kNeon, NeonF32, 5, 1)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s2_8_neon, kNeon, NeonF32, 5, 2)

}  // namespace fw
