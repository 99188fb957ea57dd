// Depthwise convolution along a line of pixels, over a trait struct of an instruction set. Included by each kernel file
// and compiled with its flags.
//
// Every column of input pixels is loaded (and, in int8, its rows interleaved) once and added to all windows that cover
// it: with kernel k and stride s, ceil(k / s) windows are open at a time, and their accumulators are registers.
//
// A trait K has: Element, Acc (kLanes accumulators), Column<kSize> and Weights<kSize> (kSize rows of kLanes channels),
// kLanes, kKr, kInt8, kUnsignedInput, kInterleaved, and
//   Acc load_bias(const void*)
//   Column<kSize> load_column<kSize>(const Element* const* rows, int64_t count)     of which `count` channels matter
//   Weights<kSize> load_weights<kSize>(const void*)            kLanes * (kSize padded to kKr) elements
//   Acc multiply_add<kSize>(Acc, const Column<kSize>&, const Weights<kSize>&)
//   void store(const Output&, const Acc&, const float* multiplier, void* out, int64_t count)      count <= kLanes
//       Output is an Epilogue, or the trait's type of this name, made of one
// It may have bool run_block<kSize, kStride>(const DwLineArgs&, const Output&, const char* block, int64_t c): a block
// of channels from `c` on in its own way, or false. It may have kBends: its store knows Epilogue::bent. It may have
// kParts<kSize>: the rows of a column are loaded and added in so many parts, where all of them together leave too few
// registers. load_column, load_weights and multiply_add have the part as their second template argument. It may have
// kWidensWeights: load_weights computes, so that it is called once a line and block of channels for any size.
#pragma once

#include <type_traits>

#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

template <class...>
using LineVoid = void;

template <class K, class = void>
struct LineOutput {
    using Type = Epilogue;
};
template <class K>
struct LineOutput<K, LineVoid<typename K::Output>> {
    using Type = typename K::Output;
};

template <class K, class = void>
constexpr bool kLineBends = false;
template <class K>
constexpr bool kLineBends<K, LineVoid<decltype(K::kBends)>> = K::kBends;

template <class K, class = void>
constexpr bool kLineWidens = false;
template <class K>
constexpr bool kLineWidens<K, LineVoid<decltype(K::kWidensWeights)>> = K::kWidensWeights;

template <class K, int kSize, int kStride, class = void>
constexpr bool kRunsBlocks = false;
template <class K, int kSize, int kStride>
constexpr bool kRunsBlocks<K, kSize, kStride, LineVoid<decltype(&K::template run_block<kSize, kStride>)>> = true;

// The parts of a column: one, or those of the trait.
template <class K, int kSize, class = void>
struct LineParts {
    static constexpr int kCount = 1;
    template <int kPart, class... Args>
    static FW_ALWAYS_INLINE auto load_column(Args... args) {
        return K::template load_column<kSize>(args...);
    }
    template <int kPart>
    static FW_ALWAYS_INLINE auto load_weights(const void* from) {
        return K::template load_weights<kSize>(from);
    }
    template <int kPart, class Column, class Weights>
    static FW_ALWAYS_INLINE auto multiply_add(typename K::Acc sum, const Column& column, const Weights& weights) {
        return K::template multiply_add<kSize>(sum, column, weights);
    }
};
template <class K, int kSize>
struct LineParts<K, kSize, std::enable_if_t<(K::template kParts<kSize> > 1)>> {
    static constexpr int kCount = K::template kParts<kSize>;
    template <int kPart, class... Args>
    static FW_ALWAYS_INLINE auto load_column(Args... args) {
        return K::template load_column<kSize, kPart>(args...);
    }
    template <int kPart>
    static FW_ALWAYS_INLINE auto load_weights(const void* from) {
        return K::template load_weights<kSize, kPart>(from);
    }
    template <int kPart, class Column, class Weights>
    static FW_ALWAYS_INLINE auto multiply_add(typename K::Acc sum, const Column& column, const Weights& weights) {
        return K::template multiply_add<kSize, kPart>(sum, column, weights);
    }
};

// Whether periods inside of the input have a loop of their own, without its tests and products for each address, which
// is as much code again: on ARM 15 % fewer instructions. On x86 it gains for bytes at 3x3 and stride 1 (3 to 8 % at
// AVX2, more at SSE4.1), nothing at stride 2.
#if defined(__ARM_NEON)
template <class K, int kSize, int kStride>
constexpr bool kLineAdvances = true;
#else
template <class K, int kSize, int kStride>
constexpr bool kLineAdvances = kSize == 3 && kStride == 1 && K::kInt8;
#endif

// Keeps a compiler from holding what lies at `address` from column to column: on x86 GCC 12 does, in memory of its own.
#if defined(__ARM_NEON)
#define FW_READ_AGAIN(address) static_cast<void>(address)
#else
#define FW_READ_AGAIN(address) __asm__("" : "+r"(address))
#endif

// A block of channels from `c` on.
template <class K, int kSize, int kStride>
void dw_line_block(const DwLineArgs& args, const char* block, int64_t c) {
    using Element = typename K::Element;
    constexpr int kSlots = (kSize + kStride - 1) / kStride;
    constexpr int kPeriod = kSlots * kStride;
    constexpr int64_t kHead = int64_t{K::kLanes} * (K::kInt8 ? 8 : 4);
    constexpr int64_t kStep = int64_t{K::kLanes} * ((kSize + K::kKr - 1) / K::kKr * K::kKr * sizeof(Element));
    using Parts = LineParts<K, kSize>;
    constexpr bool kHeld = kSize == 3 || kLineWidens<K>;  // else more weights than registers: they stay in memory
    constexpr bool kAdvances = kLineAdvances<K, kSize, kStride>;
    const char* weights = block + kHead;
    const auto* multiplier = reinterpret_cast<const float*>(block + K::kLanes * 4);
    const int64_t left = args.channels - c;
    const int64_t channels = left < K::kLanes ? left : K::kLanes;
    const typename LineOutput<K>::Type output(args.epilogue);
    if constexpr (kRunsBlocks<K, kSize, kStride>) {
        if (K::template run_block<kSize, kStride>(args, output, block, c)) {
            return;
        }
    }
    const int64_t out_step = args.out_step;
    const int64_t offset = c * static_cast<int64_t>(sizeof(Element));
    constexpr int64_t kFloatSize = K::kInt8 ? 4 : sizeof(Element);
    char* out = static_cast<char*>(args.out) + c * (args.epilogue.float_output ? kFloatSize : 1);

    static_assert(!kHeld || Parts::kCount == 1, "held weights have no parts");
    decltype(Parts::template load_weights<0>(nullptr)) held[kSize];
    unroll<kHeld ? kSize : 0>([&](auto x)
                                  FW_INLINE_LAMBDA { held[x] = K::template load_weights<kSize>(weights + x * kStep); });
    typename K::Acc acc[kSlots];
    unroll<kSlots>([&](auto s) FW_INLINE_LAMBDA { acc[s] = K::load_bias(block); });
    // Column i of a period. Those before the first window have no pixel to finish.
    const auto add_column = [&](auto i, const Element* const* rows, int64_t count, bool finishes) FW_INLINE_LAMBDA {
        const char* taps = weights;
        if constexpr (!kHeld) {
            FW_READ_AGAIN(taps);
        }
        unroll<Parts::kCount>([&](auto part) FW_INLINE_LAMBDA {
            const auto column = Parts::template load_column<part>(rows, count);
            unroll<kSize>([&](auto x) FW_INLINE_LAMBDA {
                // This column is tap x of pixel (first + i - x) / kStride, if that is whole.
                constexpr int kAhead = int(i) - int(x) + kPeriod;
                if constexpr (kAhead % kStride == 0) {
                    typename K::Acc& sum = acc[kAhead / kStride % kSlots];
                    if constexpr (int(x) == 0 && int(part) == 0) {
                        sum = K::load_bias(block);
                    }
                    if constexpr (kHeld) {
                        sum = Parts::template multiply_add<part>(sum, column, held[x]);
                    } else {
                        sum = Parts::template multiply_add<part>(sum, column,
                                                                 Parts::template load_weights<part>(taps + x * kStep));
                    }
                    if constexpr (int(x) == kSize - 1 && int(part) == Parts::kCount - 1) {
                        if (finishes) {
                            K::store(output, sum, multiplier, out, count);
                            out += out_step;
                        }
                    }
                }
            });
        });
    };
    const int64_t columns = (args.pixels - 1) * kStride + kSize;
    // The next column of each row, or the first one: an address as far as that is inside of the input. Ten registers
    // for them are more than float weights in memory leave on x86.
    constexpr bool kWalks = kAdvances || K::kInt8 || kSize == 3;
    uintptr_t next[kSize];
    uintptr_t step[kSize];
    unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
        step[y] = static_cast<uintptr_t>(args.line_step[y]);
        next[y] = reinterpret_cast<uintptr_t>(args.lines[y]) + static_cast<uintptr_t>(args.first_column) * step[y] +
                  static_cast<uintptr_t>(offset);
    });
    const uintptr_t pad = reinterpret_cast<uintptr_t>(args.pad_row) + static_cast<uintptr_t>(offset);
    const auto add_period = [&](int64_t first) FW_INLINE_LAMBDA {
        unroll<kPeriod>([&](auto i) FW_INLINE_LAMBDA {
            if (first + i >= columns) {
                return;
            }
            const int64_t at = args.first_column + first + i;
            const bool inside = at >= 0 && at < args.columns;
            const Element* rows[kSize];
            unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
                const uintptr_t address = kWalks ? next[y] : next[y] + static_cast<uintptr_t>(first + i) * step[y];
                rows[y] = reinterpret_cast<const Element*>(inside ? address : pad);
                next[y] += kWalks ? step[y] : 0;
            });
            add_column(i, rows, channels, first + i >= kSize - 1);
        });
    };
    // Columns up to `last` are inside of the input, but for those of the first period.
    const int64_t last = columns < args.columns - args.first_column ? columns : args.columns - args.first_column;
    const bool advances = args.first_column + kPeriod >= 0 && channels == K::kLanes;
    for (int64_t first = 0; first < columns; first += kPeriod) {
        if (kAdvances && first > 0 && first + kPeriod <= last && advances) {
            for (; first + kPeriod <= last; first += kPeriod) {
                unroll<kPeriod>([&](auto i) FW_INLINE_LAMBDA {
                    const Element* rows[kSize];
                    unroll<kSize>([&](auto y) FW_INLINE_LAMBDA {
                        rows[y] = reinterpret_cast<const Element*>(next[y]);
                        next[y] += step[y];
                    });
                    add_column(i, rows, K::kLanes, true);
                });
            }
        }
        add_period(first);
    }
}

template <class K, int kSize, int kStride>
void dw_line_run(const DwLineArgs& args) {
    constexpr int64_t kPadded = (kSize + K::kKr - 1) / K::kKr * K::kKr;
    constexpr int64_t kTapBytes = kSize * kPadded * static_cast<int64_t>(sizeof(typename K::Element));
    constexpr int64_t kBlockBytes = K::kLanes * ((K::kInt8 ? 8 : 4) + kTapBytes);
    const char* block = static_cast<const char*>(args.packed);
    for (int64_t c = 0; c < args.channels; c += K::kLanes, block += kBlockBytes) {
        dw_line_block<K, kSize, kStride>(args, block, c);
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait `K` for windows of `size` x `size` at a horizontal `stride`; or with a `run` of its
/// own, of float16 too.
#define FW_DEFINE_DW_LINE(id, isa, K, size, stride) \
    FW_DEFINE_DW_LINE_RUN(id, isa, K, size, stride, (::fw::dw_line_run<K, size, stride>))
#define FW_DEFINE_DW_LINE_RUN(id, isa, K, size, stride, run) FW_DEFINE_DW_LINE_ANY(id, isa, K, size, stride, run, false)
#define FW_DEFINE_DW_LINE_HALF(id, isa, K, size, stride, run) FW_DEFINE_DW_LINE_ANY(id, isa, K, size, stride, run, true)
#define FW_DEFINE_DW_LINE_ANY(id, isa, K, size, stride, run, half) \
    extern const ::fw::DwLineKernel id = {#id,                     \
                                          ::fw::Isa::isa,          \
                                          K::kInt8,                \
                                          K::kUnsignedInput,       \
                                          K::kLanes,               \
                                          K::kKr,                  \
                                          K::kInterleaved,         \
                                          size,                    \
                                          stride,                  \
                                          ::fw::kLineBends<K>,     \
                                          run,                     \
                                          half};
