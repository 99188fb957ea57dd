// What the float traits of the depthwise kernels share, over the lanes of an instruction set. Included by each kernel
// file and compiled with its flags.
//
// `Lanes` has: Acc (kLanes floats), kLanes, and
//   Acc load(const float*, int64_t count)       of which `count` lanes matter; no vector without one is read
//   Acc add_product(Acc, Acc x, Acc w)
//   void store(const Epilogue&, Acc, const float* multiplier, void* out, int64_t count)      but for Epilogue::bent
// and may have
//   kBendsFloats, and Acc bend<BentFunction>(const Epilogue&, Acc)
#pragma once

#include <type_traits>

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

template <class Lanes, class = void>
constexpr bool kLanesBend = false;
#ifndef FW_MINSIZE
template <class Lanes>
constexpr bool kLanesBend<Lanes, std::void_t<decltype(Lanes::kBendsFloats)>> = Lanes::kBendsFloats;
#endif

template <class Lanes>
struct FloatChannels : Lanes {
    using Element = float;
    using typename Lanes::Acc;
    static constexpr int kKr = 1;
    static constexpr bool kInt8 = false, kUnsignedInput = false;

    static FW_ALWAYS_INLINE Acc load_all(const void* p) {
        return Lanes::load(static_cast<const float*>(p), Lanes::kLanes);
    }
    static FW_ALWAYS_INLINE Acc load_bias(const void* p) { return load_all(p); }
};

/// The trait of dw_driver.h.
template <class Lanes>
struct FloatTaps : FloatChannels<Lanes> {
    using typename FloatChannels<Lanes>::Acc;
    using Weights = Acc;

    static FW_ALWAYS_INLINE Weights load_weights(const void* p) { return FloatTaps::load_all(p); }
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const float* const* a, int64_t c, Weights w) {
        return Lanes::add_product(acc, FloatTaps::load_all(a[0] + c), w);
    }
};

/// The trait of dw_line_driver.h: a column is its rows as they lie.
template <class Lanes>
struct FloatLine : FloatChannels<Lanes> {
    using typename FloatChannels<Lanes>::Acc;
    using Bare = Lanes;  ///< its store leaves the function out
    template <int kSize>
    struct Rows {
        Acc row[kSize];
    };
    template <int kSize>
    using Column = Rows<kSize>;
    template <int kSize>
    using Weights = Rows<kSize>;
    static constexpr bool kInterleaved = false, kBends = kLanesBend<Lanes>;

    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_column(const float* const* rows, int64_t count) {
        Rows<kSize> column;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { column.row[y] = Lanes::load(rows[y], count); });
        return column;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Rows<kSize> load_weights(const void* p) {
        Rows<kSize> weights;
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
            weights.row[y] = FloatLine::load_all(static_cast<const float*>(p) + y * Lanes::kLanes);
        });
        return weights;
    }
    template <int kSize>
    static FW_ALWAYS_INLINE Acc multiply_add(Acc acc, const Rows<kSize>& x, const Rows<kSize>& w) {
        unroll<kSize>([&](auto y) FW_INLINE_LAMBDA { acc = Lanes::add_product(acc, x.row[y], w.row[y]); });
        return acc;
    }
    static FW_ALWAYS_INLINE void store(const Epilogue& e, const Acc& acc, const float* multiplier, void* out,
                                       int64_t count) {
        Acc sums[1] = {acc};
        bend_all(e, sums);
        Lanes::store(e, sums[0], multiplier, out, count);
    }
    /// The epilogue's function, if there is one.
    template <int kCount>
    static FW_ALWAYS_INLINE void bend_all(const Epilogue& e, Acc (&sums)[kCount]) {
        if constexpr (kBends) {
            if (e.bent == BentFunction::kLeakyRelu) {
                unroll<kCount>([&](auto i) FW_INLINE_LAMBDA {
                    sums[i] = Lanes::template bend<BentFunction::kLeakyRelu>(e, sums[i]);
                });
            } else if (e.bent == BentFunction::kHardSwish) {
                unroll<kCount>([&](auto i) FW_INLINE_LAMBDA {
                    sums[i] = Lanes::template bend<BentFunction::kHardSwish>(e, sums[i]);
                });
            }
        }
    }
};

}  // namespace
}  // namespace fw
