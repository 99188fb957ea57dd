#include "kernel/dw_driver.h"
#include "kernel/dw_f32.h"
#include "layer/x86/avx512.h"

namespace fw {

namespace {

struct Avx512Lanes {
    using Acc = __m512;
    static constexpr int kLanes = 16;

    static FW_ALWAYS_INLINE Acc load(const float* from, int64_t /*count*/) { return _mm512_loadu_ps(from); }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, Acc x, Acc w) { return _mm512_fmadd_ps(x, w, acc); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats16(clamp16(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_16_avx512, kAvx512, FloatTaps<Avx512Lanes>)

}  // namespace fw
