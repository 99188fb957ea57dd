#include "kernel/dw_driver.h"
#include "kernel/dw_f32.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2Lanes {
    using Acc = __m256;
    static constexpr int kLanes = 8;

    static FW_ALWAYS_INLINE Acc load(const float* from, int64_t /*count*/) { return _mm256_loadu_ps(from); }
    static FW_ALWAYS_INLINE Acc add_product(Acc acc, Acc x, Acc w) { return _mm256_fmadd_ps(x, w, acc); }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, Acc acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats8(clamp8(acc, e), out, count);
    }
};

}  // namespace

FW_DEFINE_DW(dw_f32_8_avx2, kAvx2, FloatTaps<Avx2Lanes>)

}  // namespace fw
