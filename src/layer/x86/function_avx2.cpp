// Functions of one float over runs, 8 at a time.
#include <immintrin.h>

#include "kernel/function_driver.h"

namespace fw {

namespace {

// The second operand wins where one is a nan.
template <>
FW_ALWAYS_INLINE Float8 at_least(Float8 x, Float8 low) {
    return _mm256_max_ps(low, x);
}
template <>
FW_ALWAYS_INLINE Float8 at_most(Float8 x, Float8 high) {
    return _mm256_min_ps(high, x);
}

}  // namespace

extern const FunctionKernel function_avx2 = {"function_avx2", Isa::kAvx2, apply_function<Float8>};

}  // namespace fw
