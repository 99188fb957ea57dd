// 16 channels at a time, by tiles of pixels; few channels by columns, whose three multiply-adds would wait for one
// another with 8.
#include "kernel/dw_f32.h"
#include "kernel/dw_line_tile_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Pair {
    struct Acc {
        __m256 v[2];
    };
    static constexpr int kLanes = 16;
    static constexpr bool kBendsFloats = true;

    static FW_ALWAYS_INLINE Acc load(const float* from, int64_t /*count*/) {
        return {{_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}};
    }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, const Acc& x, const Acc& w) {
        acc.v[0] = _mm256_fmadd_ps(x.v[0], w.v[0], acc.v[0]);
        acc.v[1] = _mm256_fmadd_ps(x.v[1], w.v[1], acc.v[1]);
        return acc;
    }
    template <BentFunction kFunction>
    static FW_ALWAYS_INLINE Acc bend(const Epilogue& e, const Acc& acc) {
        return {{function8<kFunction>(acc.v[0], e), function8<kFunction>(acc.v[1], e)}};
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats8(clamp8(acc.v[0], e), out, count < 8 ? count : 8);
        if (count > 8) {
            store_floats8(clamp8(acc.v[1], e), static_cast<float*>(out) + 8, count - 8);
        }
    }
};

using Line = FloatLine<Avx2Pair>;

// The addresses of a tile of nine taps are felt where few channels share them.
void run_3x3s1(const DwLineArgs& args) {
    if (args.channels <= 2 * Line::kLanes) {
        dw_line_run<Line, 3, 1>(args);
    } else {
        dw_line_tiles_run<Line, 3, 1>(args);
    }
}

}  // namespace

FW_DEFINE_DW_LINE_RUN(dw_line_f32_3x3s1_16_avx2, kAvx2, Line, 3, 1, run_3x3s1)
FW_DEFINE_DW_LINE_RUN(dw_line_f32_3x3s2_16_avx2, kAvx2, Line, 3, 2, (dw_line_tiles_run<Line, 3, 2>))
FW_DEFINE_DW_LINE_RUN(dw_line_f32_5x5s1_16_avx2, kAvx2, Line, 5, 1, (dw_line_tiles_run<Line, 5, 1>))
FW_DEFINE_DW_LINE_RUN(dw_line_f32_5x5s2_16_avx2, kAvx2, Line, 5, 2, (dw_line_tiles_run<Line, 5, 2>))

}  // namespace fw
