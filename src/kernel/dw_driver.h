// The one depthwise driver: blocks of channels over pixels, over a trait struct of an instruction set. Included by each
// kernel file and compiled with its flags.
//
// A trait K has: Element, Acc (kLanes accumulators), Weights (kLanes * kKr weights), kLanes, kKr, kInt8,
// kUnsignedInput, and
//   Acc load_bias(const void*)
//   Weights load_weights(const void*)             kLanes * kKr elements
//   Acc multiply_add(Acc, const Element* const a[kKr], int64_t c, Weights)      a[i] + c: kLanes channels of tap i
//   void store(const Epilogue&, Acc, const float* multiplier, void* out, int64_t count)
#pragma once

#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

template <class K, int kTaps>
FW_ALWAYS_INLINE void dw_taps(typename K::Acc& acc, const typename K::Element* const* a, int64_t taps, int64_t c,
                              const char* weights) {
    using Element = typename K::Element;
    constexpr int64_t kStep = int64_t{K::kLanes} * K::kKr * static_cast<int64_t>(sizeof(Element));
    if constexpr (kTaps > 0) {
        unroll<(kTaps + K::kKr - 1) / K::kKr>([&](auto group) FW_INLINE_LAMBDA {
            const Element* tap[K::kKr];
            unroll<K::kKr>([&](auto i) FW_INLINE_LAMBDA {
                constexpr int kWanted = group * K::kKr + i;
                tap[i] = a[kWanted < kTaps ? kWanted : kTaps - 1];
            });
            acc = K::multiply_add(acc, tap, c, K::load_weights(weights + group * kStep));
        });
    } else {
        for (int64_t t = 0; t < taps; t += K::kKr, weights += kStep) {
            const Element* tap[K::kKr];
            unroll<K::kKr>([&](auto i) FW_INLINE_LAMBDA { tap[i] = a[t + i < taps ? t + i : taps - 1]; });
            acc = K::multiply_add(acc, tap, c, K::load_weights(weights));
        }
    }
}

// kTaps = 0: any number of taps.
template <class K, int kTaps>
void dw_pixels(const DwArgs& args) {
    using Element = typename K::Element;
    constexpr int64_t kHead = int64_t{K::kLanes} * (K::kInt8 ? 8 : 4);
    const int64_t padded = div_up(args.taps, K::kKr) * K::kKr;
    const int64_t block_bytes = kHead + padded * K::kLanes * static_cast<int64_t>(sizeof(Element));
    const int64_t out_size = args.epilogue.float_output ? 4 : 1;
    const char* block = static_cast<const char*>(args.packed);
    for (int64_t c = 0; c < args.channels; c += K::kLanes, block += block_bytes) {
        const int64_t left = args.channels - c;
        const int64_t count = left < K::kLanes ? left : K::kLanes;
        const auto* multiplier = reinterpret_cast<const float*>(block + K::kLanes * 4);
        for (int64_t p = 0; p < args.pixels; ++p) {
            const auto* a = reinterpret_cast<const Element* const*>(args.rows + p * args.taps);
            typename K::Acc acc = K::load_bias(block);
            dw_taps<K, kTaps>(acc, a, args.taps, c, block + kHead);
            K::store(args.epilogue, acc, multiplier, static_cast<char*>(args.out[p]) + c * out_size, count);
        }
    }
}

template <class K>
void dw_run(const DwArgs& args) {
    if (args.taps == 9) {
        dw_pixels<K, 9>(args);
    } else {
        dw_pixels<K, 0>(args);
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait `K`.
#define FW_DEFINE_DW(id, isa, K)                                                                    \
    extern const ::fw::DwKernel id = {#id,       ::fw::Isa::isa, K::kInt8,       K::kUnsignedInput, \
                                      K::kLanes, K::kKr,         ::fw::dw_run<K>};
