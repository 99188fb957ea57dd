// 16 channels at a time: with 8, the three multiply-adds of a column would wait for one another.
#include "kernel/dw_line_driver.h"
#include "layer/x86/avx2.h"

namespace fw {

namespace {

struct Avx2F32 {
    struct Pair {
        __m256 v[2];
    };
    template <int kSize>
    struct Rows {
        Pair row[kSize];
    };
    using Element = float;
    using Acc = Pair;
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr int kLanes = 16, kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false, kInterleaved = false;

    static FW_ALWAYS_INLINE Pair load_bias(const void* p) {
        const auto* from = static_cast<const float*>(p);
        return {{_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}};
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const float* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { column.row[y] = load_bias(rows[y]); });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        Rows<kSize> weights;
        unroll<kSize>([&](auto y)
                          FW_INLINE_LAMBDA { weights.row[y] = load_bias(static_cast<const float*>(p) + y * kLanes); });
        return weights;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            acc.v[0] = _mm256_fmadd_ps(x.row[y].v[0], w.row[y].v[0], acc.v[0]);
            acc.v[1] = _mm256_fmadd_ps(x.row[y].v[1], w.row[y].v[1], acc.v[1]);
        });
        return acc;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* /*multiplier*/, void* out,
                                       int64_t count) {
        store_floats8(clamp8(acc.v[0], e), out, count < 8 ? count : 8);
        if (count > 8) {
            store_floats8(clamp8(acc.v[1], e), static_cast<float*>(out) + 8, count - 8);
        }
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_f32_3x3s1_16_avx2, kAvx2, Avx2F32, 3, 1)
FW_DEFINE_DW_LINE(dw_line_f32_3x3s2_16_avx2, kAvx2, Avx2F32, 3, 2)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s1_16_avx2, kAvx2, Avx2F32, 5, 1)
FW_DEFINE_DW_LINE(dw_line_f32_5x5s2_16_avx2, kAvx2, Avx2F32, 5, 2)

}  // namespace fw
