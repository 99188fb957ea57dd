#include "kernel/gemm_driver.h"
#include "kernel/portable.h"

namespace fw {

namespace {

struct ScalarF32 {
    using Element = float;
    using Acc = Float4;
    using Vec = Float4;
    static constexpr int kMr = 4, kVectors = 2, kLanes = 4, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load_as<Float4>(p); }
    static FW_ALWAYS_INLINE Vec load_b(const void* p) { return load_as<Float4>(p); }
    static FW_ALWAYS_INLINE Vec load_a(const float* a) { return Float4{*a, *a, *a, *a}; }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, Vec a, Vec b) { return acc + a * b; }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats(clamp4(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_GEMM(gemm_f32_4x8_scalar, kScalar, ScalarF32)

}  // namespace fw
