#include "kernel/dw_driver.h"
#include "layer/arm/dw_f32.h"

namespace fw {

namespace {

struct NeonF32 : FloatLanes8 {
    using Weights = Pair;

    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return load_bias(p); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const float* const* a, int64_t c, Weights w) {
        return add_product(acc, load_bias(a[0] + c), w);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_8_neon, kNeon, NeonF32)

}  // namespace fw
