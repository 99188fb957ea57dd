#include "kernel/dw_driver.h"
#include "kernel/dw_f32.h"
#include "kernel/portable.h"

namespace fw {

namespace {

struct ScalarLanes {
    using Acc = Float4;
    static constexpr int kLanes = 4;

    static FW_ALWAYS_INLINE Acc load(const float* from, int64_t /*count*/) { return load_as<Float4>(from); }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, Acc x, Acc w) { return acc + x * w; }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats(clamp4(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_4_scalar, kScalar, FloatTaps<ScalarLanes>)

}  // namespace fw
