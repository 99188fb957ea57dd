// Functions of one float over runs, 8 at a time.
#include "kernel/function_driver.h"

namespace fw {

extern const FunctionKernel function_avx2 = {"function_avx2", Isa::kAvx2, apply_function<Float8>};

}  // namespace fw
