// 32 channels at a time: with 16, the three multiply-adds of a column would wait for one another.
#include "kernel/dw_f32.h"
#include "kernel/dw_line_driver.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512Pair {
    struct Acc {
        __m512 v[2];
    };
    static constexpr int kLanes = 32;
    static constexpr bool kBendsFloats = true;

    static FW_ALWAYS_INLINE Acc load(const float* from, int64_t count) {
        const int64_t second = count > 16 ? 16 : 0;  // not further past the end than may be read
        return {{_mm512_loadu_ps(from), _mm512_loadu_ps(from + second)}};
    }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, const Acc& x, const Acc& w) {
        acc.v[0] = _mm512_fmadd_ps(x.v[0], w.v[0], acc.v[0]);
        acc.v[1] = _mm512_fmadd_ps(x.v[1], w.v[1], acc.v[1]);
        return acc;
    }
    template <BentFunction kFunction>
    static FW_ALWAYS_INLINE Acc bend(const Epilogue& e, const Acc& acc) {
        return {{function16<kFunction>(acc.v[0], e), function16<kFunction>(acc.v[1], e)}};
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats16(clamp16(acc.v[0], e), out, count < 16 ? count : 16);
        if (count > 16) {
            store_floats16(clamp16(acc.v[1], e), static_cast<float*>(out) + 16, count - 16);
        }
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_f32_3x3s1_32_avx512, kAvx512, FloatLine<Avx512Pair>, 3, 1)
FW_DEFINE_DW_LINE(dw_line_f32_3x3s2_32_avx512, kAvx512, FloatLine<Avx512Pair>, 3, 2)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s1_32_avx512, kAvx512, FloatLine<Avx512Pair>, 5, 1)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s2_32_avx512, kAvx512, FloatLine<Avx512Pair>, 5, 2)

}  // namespace fw
