// Two taps at a time, whose weights lie interleaved.
#include "layer/arm/dw_int8.h"

#include "kernel/dw_driver.h"

namespace fw {

namespace {

struct NeonInt8 : ByteLanes16 {
    using Weights = int8x16x2_t;
    static constexpr int kKr = 2;

    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return vld2q_s8(static_cast<const int8_t*>(p)); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const int8_t* const* a, int64_t c, Weights w) {
        return add_products(acc, vld1q_s8(a[0] + c), w.val[0], vld1q_s8(a[1] + c), w.val[1]);
    }
};

}  // namespace

FW_DEFINE_DW(dw_int8_16c2_neon, kNeon, NeonInt8)

}  // namespace fw
