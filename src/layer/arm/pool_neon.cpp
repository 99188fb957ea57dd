#include "layer/arm/pool.h"

namespace fw {

FW_DEFINE_POOL(pool_neon, kNeon, MaxInt8, MaxFloat)

}  // namespace fw
