// Depthwise lines of bytes for levels without a dot product of bytes: rows are widened to 16 bits and interleaved in
// pairs for pmaddwd, which is exact. Included by each kernel file and compiled with its flags.
#pragma once

#include "kernel/dw_line_driver.h"

namespace fw {
namespace {

/// A trait of dw_line_driver.h, but for its store, of an instruction set V that has Vec (a register), kWords (of 16
/// bits in one) and
///   Vec widen(const int8_t*)                      kWords bytes
///   Vec load(const void*)                         a register of 32-bit sums
///   Vec low(Vec a, Vec b), high(Vec a, Vec b)     words of a and b in turns
///   Vec multiply_add(Vec acc, Vec a, Vec b)       acc + sums of two adjacent products
template <class V>
struct DwLineWords {
    using Vec = typename V::Vec;
    struct Pair {
        Vec v[2];
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
    static constexpr int kLanes = V::kWords, kKr = 2;
    static constexpr bool kInt8 = true, kUnsignedInput = false, kInterleaved = true, kWidensWeights = true;

    static FW_ALWAYS_INLINE Pair load_bias(const void* p) {
        const auto* from = static_cast<const int32_t*>(p);
        return {{V::load(from), V::load(from + kLanes / 2)}};
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        const auto* from = static_cast<const int8_t*>(p);
        Rows<kSize> weights;
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            weights.taps[t] = {{V::widen(from + t * kLanes * 2), V::widen(from + t * kLanes * 2 + kLanes)}};
        });
        return weights;
    }
    /// A missing row repeats the last one; its weights are zero.
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const int8_t* const* rows, int64_t /*count*/) {
        Rows<kSize> column;
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            constexpr int kFirst = 2 * int(t);
            const Vec first = V::widen(rows[kFirst]);
            const Vec second = kFirst + 1 < kSize ? V::widen(rows[kFirst + 1 < kSize ? kFirst + 1 : kFirst]) : first;
            column.taps[t] = {{V::low(first, second), V::high(first, second)}};
        });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<(kSize + 1) / 2>([&](auto t) FW_INLINE_LAMBDA {
            unroll<2>([&](auto q)
                          FW_INLINE_LAMBDA { acc.v[q] = V::multiply_add(acc.v[q], x.taps[t].v[q], w.taps[t].v[q]); });
        });
        return acc;
    }
};

}  // namespace
}  // namespace fw
