// Functions of one float over runs, 4 at a time.
#include "kernel/function_driver.h"

namespace fw {

extern const FunctionKernel function_scalar = {"function_scalar", Isa::kScalar, apply_function<Float4>};

}  // namespace fw
