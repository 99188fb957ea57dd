// Functions of one float over runs, 16 at a time.
#include "kernel/function_driver.h"

namespace fw {

extern const FunctionKernel function_avx512 = {"function_avx512", Isa::kAvx512, apply_function<Float16>};

}  // namespace fw
