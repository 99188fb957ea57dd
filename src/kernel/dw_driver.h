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

// Adjacent pixels that share one pass over the channels: few enough that their input lines, which a power of two may
// keep apart, fit the ways of a first-level cache; enough to make use of weights held in registers.
constexpr int64_t kDwGroup = 4;

/// The addresses of the taps that one multiply_add takes; a missing one repeats the last (its weight is zero).
template <class K>
struct DwTaps {
    const typename K::Element* tap[K::kKr];

    FW_ALWAYS_INLINE DwTaps(const typename K::Element* const* a, int64_t first, int64_t taps) {
        unroll<K::kKr>([&](auto i) FW_INLINE_LAMBDA { tap[i] = a[first + i < taps ? first + i : taps - 1]; });
    }
};

// Pixels [begin, end) of one block of channels. kTaps = 0: any number of taps; else the weights stay in registers.
template <class K, int kTaps>
FW_ALWAYS_INLINE void dw_block(const DwArgs& args, const char* block, int64_t c, int64_t begin, int64_t end) {
    using Element = typename K::Element;
    constexpr int64_t kHead = int64_t{K::kLanes} * (K::kInt8 ? 8 : 4);
    constexpr int64_t kStep = int64_t{K::kLanes} * K::kKr * static_cast<int64_t>(sizeof(Element));
    constexpr int kSteps = (kTaps + K::kKr - 1) / K::kKr;
    const char* weights = block + kHead;
    const auto* multiplier = reinterpret_cast<const float*>(block + K::kLanes * 4);
    const int64_t left = args.channels - c;
    const int64_t count = left < K::kLanes ? left : K::kLanes;
    const int64_t out_offset = c * (args.epilogue.float_output ? 4 : 1);

    const typename K::Acc bias = K::load_bias(block);
    typename K::Weights held[kSteps > 0 ? kSteps : 1];
    unroll<kSteps>([&](auto i) FW_INLINE_LAMBDA { held[i] = K::load_weights(weights + i * kStep); });
    for (int64_t p = begin; p < end; ++p) {
        const auto* a = reinterpret_cast<const Element* const*>(args.rows + p * args.taps);
        typename K::Acc acc = bias;
        if constexpr (kTaps > 0) {
            unroll<kSteps>([&](auto i) FW_INLINE_LAMBDA {
                acc = K::multiply_add(acc, DwTaps<K>(a, i * K::kKr, kTaps).tap, c, held[i]);
            });
        } else {
            const char* w = weights;
            for (int64_t t = 0; t < args.taps; t += K::kKr, w += kStep) {
                acc = K::multiply_add(acc, DwTaps<K>(a, t, args.taps).tap, c, K::load_weights(w));
            }
        }
        K::store(args.epilogue, acc, multiplier, static_cast<char*>(args.out[p]) + out_offset, count);
    }
}

template <class K, int kTaps>
void dw_pixels(const DwArgs& args) {
    const int64_t padded = div_up(args.taps, K::kKr) * K::kKr;
    const int64_t weight_bytes = padded * static_cast<int64_t>(sizeof(typename K::Element));
    const int64_t block_bytes = K::kLanes * ((K::kInt8 ? 8 : 4) + weight_bytes);
    for (int64_t p = 0; p < args.pixels; p += kDwGroup) {
        const int64_t end = p + kDwGroup < args.pixels ? p + kDwGroup : args.pixels;
        const char* block = static_cast<const char*>(args.packed);
        for (int64_t c = 0; c < args.channels; c += K::kLanes, block += block_bytes) {
            dw_block<K, kTaps>(args, block, c, p, end);
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
