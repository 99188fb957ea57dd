#include "kernel/dw_f32.h"
#include "kernel/dw_line_driver.h"
#include "layer/arm/float_lanes.h"
#if defined(__aarch64__)
#include "layer/arm/dw_line_segments.h"
#endif

namespace fw {

#if defined(__aarch64__)
namespace {

FW_DEFINE_LINES(".4s")

template <int kSize, int kStride>
void run_float_lines(const DwLineArgs& args) {
    const auto bias = [](const char* block) FW_INLINE_LAMBDA { return block; };
    run_lines<FloatLine<FloatLanes8>, kSize, kStride>(args, &args.epilogue.lo, bias);
}

}  // namespace

#define FW_DEFINE_FLOAT_LINE(id, size, stride) \
    FW_DEFINE_DW_LINE_RUN(id, kNeon, FloatLine<FloatLanes8>, size, stride, (run_float_lines<size, stride>))
#else
#define FW_DEFINE_FLOAT_LINE(id, size, stride) FW_DEFINE_DW_LINE(id, kNeon, FloatLine<FloatLanes8>, size, stride)
#endif
FW_DEFINE_FLOAT_LINE(dw_line_f32_3x3s1_8_neon, 3, 1)
FW_DEFINE_FLOAT_LINE(dw_line_f32_3x3s2_8_neon, 3, 2)
FW_DEFINE_FLOAT_LINE(dw_line_f32_5x5s1_8_neon, 5, 1)
FW_DEFINE_FLOAT_LINE(dw_line_f32_5x5s2_8_neon, 5, 2)

}  // namespace fw
