#include "kernel/dw_f32.h"
#include "kernel/dw_line_driver.h"
#include "layer/arm/float_lanes.h"
#if defined(__aarch64__)
#include "layer/arm/dw_line_f32.h"
#endif

namespace fw {

#if defined(__aarch64__)
FW_DEFINE_DW_LINE_RUN(dw_line_f32_3x3s1_8_neon, kNeon, FloatLine<FloatLanes8>, 3, 1,
                      (run_float_line<FloatLine<FloatLanes8>, 3>))
FW_DEFINE_DW_LINE_RUN(dw_line_f32_5x5s1_8_neon, kNeon, FloatLine<FloatLanes8>, 5, 1,
                      (run_float_line<FloatLine<FloatLanes8>, 5>))
#else
FW_DEFINE_DW_LINE(dw_line_f32_3x3s1_8_neon, kNeon, FloatLine<FloatLanes8>, 3, 1)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s1_8_neon, kNeon, FloatLine<FloatLanes8>, 5, 1)
#endif
FW_DEFINE_DW_LINE(dw_line_f32_3x3s2_8_neon, kNeon, FloatLine<FloatLanes8>, 3, 2)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s2_8_neon, kNeon, FloatLine<FloatLanes8>, 5, 2)

}  // namespace fw
