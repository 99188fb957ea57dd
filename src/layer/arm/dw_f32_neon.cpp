#include "kernel/dw_driver.h"
#include "kernel/dw_f32.h"
#include "layer/arm/float_lanes.h"

namespace fw {

FW_DEFINE_DW(dw_f32_8_neon, kNeon, FloatTaps<FloatLanes8>)

}  // namespace fw
