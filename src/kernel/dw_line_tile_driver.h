// Depthwise convolution along a line, a few adjacent pixels at a time whose sums stay in registers while each weight is
// loaded once for all of them: for instruction sets with too few registers for the windows of dw_line_driver.h and a
// column besides, but products with an operand in memory. Included by each kernel file and compiled with its flags.
//
// K is a trait as dw_f32.h has it: FloatLine.
#pragma once

#include "kernel/dw_f32.h"
#include "kernel/dw_line_driver.h"
#include "kernel/panel.h"

namespace fw {
namespace {

// Six sums of two registers each, since a multiply-add takes four cycles and two begin in each; a weight takes two
// more.
constexpr int kTilePixels = 6;

/// Where channel 0 of the columns of a tile's windows lies, a row of the windows each.
struct TileColumns {
    static constexpr int kMost = 16;
    uintptr_t at[5][kMost];

    __attribute__((noinline)) TileColumns(const DwLineArgs& args, int64_t first_column, int size, int columns) {
        for (int y = 0; y < size; ++y) {
            const auto step = static_cast<uintptr_t>(args.line_step[y]);
            uintptr_t address =
                reinterpret_cast<uintptr_t>(args.lines[y]) + static_cast<uintptr_t>(first_column) * step;
            int64_t column = first_column;
            for (int j = 0; j < columns; ++j, ++column, address += step) {
                const bool inside = column >= 0 && column < args.columns;
                at[y][j] = inside ? address : reinterpret_cast<uintptr_t>(args.pad_row);
            }
        }
    }
};

/// The last channels of a tile, whose function is done.
template <class K>
__attribute__((noinline)) void store_rest(const DwLineArgs& args, const typename K::Acc* acc, int pixels, char* out,
                                          int64_t count) {
    for (int p = 0; p < pixels; ++p, out += args.out_step) {
        K::Bare::store(args.epilogue, acc[p], nullptr, out, count);
    }
}

/// The epilogue and the stores of a tile. Networks' channels are multiples of eight.
template <class K, int kPixels>
FW_ALWAYS_INLINE void store_tile(const DwLineArgs& args, typename K::Acc (&acc)[kPixels], char* out, int64_t count) {
    const Epilogue epilogue = args.epilogue;  // what is written may be one, for all that the compiler knows
    const int64_t step = args.out_step;
    K::bend_all(epilogue, acc);
    const auto store_all = [&](auto channels) FW_INLINE_LAMBDA {
        unroll<kPixels>([&](auto p)
                            FW_INLINE_LAMBDA { K::Bare::store(epilogue, acc[p], nullptr, out + p * step, channels); });
    };
    if (count == K::kLanes) {
        store_all(Index<K::kLanes>());
    } else if (count == K::kLanes / 2) {
        store_all(Index<K::kLanes / 2>());
    } else {
        typename K::Acc copy[kPixels];  // `acc` has to stay in registers
        unroll<kPixels>([&](auto p) FW_INLINE_LAMBDA { copy[p] = acc[p]; });
        store_rest<K>(args, copy, kPixels, out, count);
    }
}

/// kPixels from `first` on, all channels: what is read lies together.
template <class K, int kSize, int kStride, int kPixels>
__attribute__((noinline)) void dw_line_tile(const DwLineArgs& args, int64_t first) {
    using Acc = typename K::Acc;
    constexpr auto kElement = static_cast<int64_t>(sizeof(typename K::Element));
    constexpr int64_t kVector = K::kLanes * kElement;
    constexpr int kColumns = (kPixels - 1) * kStride + kSize;
    static_assert(kSize <= 5 && kColumns <= TileColumns::kMost, "more columns than a tile has");
    const TileColumns columns(args, args.first_column + first * kStride, kSize, kColumns);
    const char* block = static_cast<const char*>(args.packed);  // bias, then weights
    char* out = static_cast<char*>(args.out) + first * args.out_step;
    for (int64_t left = args.channels, offset = 0; left > 0; left -= K::kLanes, offset += kVector) {
        const int64_t count = left < K::kLanes ? left : K::kLanes;
        const Acc bias = K::load_bias(block);
        block += kVector;
        Acc acc[kPixels];
        unroll<kPixels>([&](auto p) FW_INLINE_LAMBDA { acc[p] = bias; });
#pragma GCC unroll 1
        for (int y = 0; y < kSize; ++y) {
            const uintptr_t* at = columns.at[y];
            unroll<kSize>([&](auto x) FW_INLINE_LAMBDA {
                const Acc w = K::load_all(block + (x * kSize + y) * kVector);
                unroll<kPixels>([&](auto p) FW_INLINE_LAMBDA {
                    const auto* from =
                        reinterpret_cast<const float*>(at[p * kStride + x] + static_cast<uintptr_t>(offset));
                    acc[p] = K::add_product(acc[p], K::load(from, count), w);
                });
                // A compiler that keeps a column for the next tap needs more registers than there are.
                __asm__ volatile("" ::: "memory");
            });
        }
        block += kSize * kSize * kVector;
        store_tile<K, kPixels>(args, acc, out + offset, count);
    }
}

/// The line in tiles that differ by one pixel at most.
template <class K, int kSize, int kStride>
void dw_line_tiles_run(const DwLineArgs& args) {
    int64_t first = 0;
    for (int64_t tiles = div_up(args.pixels, kTilePixels); tiles > 0; --tiles) {
        const int64_t pixels = div_up(args.pixels - first, tiles);
        unroll<kTilePixels>([&](auto i) FW_INLINE_LAMBDA {
            if (pixels == i + 1) {
                dw_line_tile<K, kSize, kStride, i + 1>(args, first);
            }
        });
        first += pixels;
    }
}

}  // namespace
}  // namespace fw
