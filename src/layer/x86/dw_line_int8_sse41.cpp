// The AVX2 kernel on 128 bits: rows are widened to 16 bits and interleaved in pairs for pmaddwd, which is exact.
#include "kernel/dw_line_driver.h"
#include "layer/x86/sse41.h"

namespace fw {

namespace {

struct Sse41Int8 {
    struct Pair {
        __m128i v[2];
    };
    template <int kSize>
    struct Rows {
        Pair taps[(kSize + 1) / 2];
    };
    using Element = int8_t;
    using Acc = Pair;
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr int kLanes = 8, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false, kInterleaved = true;

    static FW_ALWAYS_INLINE Pair load_bias(const void* p) {
        const auto* from = static_cast<const __m128i*>(p);
        return {{_mm_loadu_si128(from), _mm_loadu_si128(from + 1)}};
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        const auto* from = static_cast<const int8_t*>(p);
        Rows<kSize> weights;
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            weights.taps[t] = {{widen8(from + t * kLanes * 2), widen8(from + t * kLanes * 2 + 8)}};
        });
        return weights;
    }
    /// A missing row repeats the last one; its weights are zero.
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const int8_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            constexpr int kFirst = 2 * int(t);
            const __m128i first = widen8(rows[kFirst]);
            const __m128i second = kFirst + 1 < kSize ? widen8(rows[kFirst + 1 < kSize ? kFirst + 1 : kFirst]) : first;
            column.taps[t] = {{_mm_unpacklo_epi16(first, second), _mm_unpackhi_epi16(first, second)}};
        });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            unroll<2>([&](auto q) FW_INLINE_LAMBDA {
                acc.v[q] = multiply_add_pairs(acc.v[q], x.taps[t].v[q], w.taps[t].v[q]);
            });
        });
        return acc;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        store_accumulators8(e, acc.v[0], acc.v[1], multiplier, out, count);
    }
};

}  // namespace

FW_DEFINE_DW_LINE(dw_line_int8_3x3s1_8c2_sse41, kSse41, Sse41Int8, 3, 1)
FW_DEFINE_DW_LINE(dw_line_int8_3x3s2_8c2_sse41, kSse41, Sse41Int8, 3, 2)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s1_8c2_sse41, kSse41, Sse41Int8, 5, 1)
FW_DEFINE_DW_LINE(dw_line_int8_5x5s2_8c2_sse41, kSse41, Sse41Int8, 5, 2)

}  // namespace fw
