#include "kernel/dw_driver.h"
#include "kernel/portable.h"

namespace fw {

namespace {

struct ScalarF32 {
    using Element = float;
    using Acc = Float4;
    using Weights = Float4;
    static constexpr int kLanes = 4, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load_as<Float4>(p); }
    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return load_as<Float4>(p); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const float* const* a, int64_t c, Weights w) {
        return acc + load_as<Float4>(a[0] + c) * w;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats(clamp4(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_4_scalar, kScalar, ScalarF32)

}  // namespace fw
