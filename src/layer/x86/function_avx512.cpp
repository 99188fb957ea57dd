// Functions of one float over runs, 16 at a time.
#include "kernel/function_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

// The second operand wins where one is a nan.
template <>
FW_ALWAYS_INLINE Float16 at_least(Float16 x, Float16 low) {
    return _mm512_max_ps(low, x);
}
template <>
FW_ALWAYS_INLINE Float16 at_most(Float16 x, Float16 high) {
    return _mm512_min_ps(high, x);
}

}  // namespace

extern const FunctionKernel function_avx512 = {"function_avx512", Isa::kAvx512, apply_function<Float16>};

}  // namespace fw
