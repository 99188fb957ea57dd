// The driver of `matched` kernels (kernel/matched.h), which multiply bytes as they are by vpmaddubsw and add four
// products a lane in 16 bits. Two registers of them take five instructions where vpmaddwd's pairs take eight and
// conversions. Included by each kernel file and compiled with its flags.
//
// A trait K has, of what gemm_traits.h lists, all that Tile needs but multiply_add; kKr = 2 * kGroup, Acc is Vec, and
//   int kElementCost, kOutputCost                     those of GemmKernel
//   Vec load(const void*), void save(void*, Vec)      whole vectors, of at most kOverread bytes
//   Vec load_a(const void*)                           a group, repeated over the lanes
//   Vec bytes(int)                                    the same one everywhere
//   Vec words(int)                                    likewise, of 16 bits
//   Vec less(Vec a, Vec b)                            of unsigned bytes a - b, 0 where that is below 0
//   Vec least(Vec a, Vec b)                           of unsigned bytes
//   bool is_zero(Vec)
//   unsigned nonzero(Vec)                             a bit for each group that is not 0
//   int count(unsigned)                               of such bits
//   Vec in_front(unsigned, Vec)                       the groups that have a bit, then anything
//   Vec count_from(int first)                         first, first + 1 and so on, of 32 bits
//   Vec multiply(Vec a, Vec b)                        sums of two adjacent products, unsigned by signed bytes
//   Vec add_words(Vec, Vec)
//   Acc add_pairs(Acc, Vec words, Vec signs)          adds two adjacent words, each times its sign
#pragma once

#include <cstring>

#include "kernel/gemm_driver.h"
#include "kernel/matched.h"
#include "layer/x86/matched_rows.h"

namespace fw {
namespace {

struct PanelOrder {
    const uint16_t* steps;  // [count][2]
    int64_t count;
    const uint16_t* place;  // [groups]
};

template <class K, int kVectors>
constexpr int64_t kGroupBytes = kVectors* int64_t{sizeof(typename K::Vec)};

// Products of a tile's rests: those above are added, those below subtracted.
template <class K, int kRows, int kVectors>
FW_ALWAYS_INLINE void add_rests(const TileRows<K>& from, const uint16_t* place, const char* weights,
                                Tile<K, kRows, kVectors>* tile) {
    using Vec = typename K::Vec;
    unroll<2>([&](auto kind) FW_INLINE_LAMBDA {
        const Vec signs = K::words(kind == TileRows<K>::kAbove ? 1 : -1);
        const int64_t length = from.length(kind);
        for (int64_t i = 0; i < length; ++i) {
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                const char* group = weights + place[from.groups(kind, r)[i]] * kGroupBytes<K, kVectors>;
                const Vec x = K::load_a(from.bytes(kind, r) + i);
                unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                    const Vec sum = K::multiply(x, K::load_b(group + v * kGroupBytes<K, 1>));
                    tile->acc[r][v] = K::add_pairs(tile->acc[r][v], sum, signs);
                });
            });
        }
    });
}

// A function for each shape, so that accumulators have all registers.
template <class K, int kRows, int kVectors>
__attribute__((noinline)) void matched_tile(const GemmArgs& args, const TileRows<K>& from, const PanelOrder& order,
                                            const char* panel, int64_t column) {
    using Vec = typename K::Vec;
    const Vec ones = K::words(1);
    Tile<K, kRows, kVectors> tile(panel);
    const char* b = panel + 2 * kGroupBytes<K, kVectors>;
    add_rests(from, order.place, b, &tile);
    const int64_t pitch = from.pitch();
    constexpr int64_t kStep = 2 * kGroupBytes<K, kVectors>;
    const uint16_t* const end = order.steps + 2 * order.count;
    for (const uint16_t* step = order.steps; step != end; step += 2, b += kStep) {
        const uint8_t* first = from.rows() + step[0] * kGroup;
        const uint8_t* second = from.rows() + step[1] * kGroup;
        // The last vector of weights is loaded for each row: with it there would be one more than there are registers.
        constexpr int kHeld = 2 * kVectors - 1;
        Vec held[kHeld];
        unroll<kHeld>([&](auto i) FW_INLINE_LAMBDA { held[i] = K::load_b(b + i * kGroupBytes<K, 1>); });
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            const Vec x = K::load_a(first + r * pitch);
            const Vec y = K::load_a(second + r * pitch);
            __asm__("" : "+r"(b));  // else the compiler would do it once
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                constexpr int kOther = kVectors + v;
                const Vec other =
                    kOther < kHeld ? held[kOther < kHeld ? kOther : 0] : K::load_b(b + kHeld * kGroupBytes<K, 1>);
                const Vec sum = K::add_words(K::multiply(x, held[v]), K::multiply(y, other));
                tile.acc[r][v] = K::add_pairs(tile.acc[r][v], sum, ones);
            });
        });
    }
    tile.store(args, panel, column);
}

template <class K>
void matched_run(const GemmArgs& args) {
    MatchedHeader header;
    std::memcpy(&header, args.packed, sizeof(header));
    const char* const packed = static_cast<const char*>(args.packed) + sizeof(header);
    const int64_t column_bytes = 8 + 2 * kGroup * header.steps;
    const int64_t order_size = group_order_size(header.steps, group_count(args.taps * args.k));
    const auto* const orders =
        reinterpret_cast<const uint16_t*>(packed + div_up(args.n, K::kLanes) * K::kLanes * column_bytes);
    GemmArgs tile = args;
    for (int64_t left = args.m; left > 0; left -= K::kMr) {
        tile.m = left < K::kMr ? left : K::kMr;
        const TileRows<K> rows(tile, header.offset);
        Panels panels(args.panel_begin, args.n, K::kLanes, K::kVectors);
        for (int64_t i = args.panel_begin, count = 0; i < args.panel_end; ++i) {
            const Panel at = panels.next(1, &count);
            const uint16_t* numbers = orders + i * order_size;
            const PanelOrder order = {numbers + 1, numbers[0], numbers + 1 + 2 * int64_t{header.steps}};
            const char* panel = packed + at.column * column_bytes;
            unroll<K::kVectors>([&](auto v) FW_INLINE_LAMBDA {
                if (at.vectors != v + 1) {
                    return;
                }
                if (tile.m > 1) {
                    matched_tile<K, K::kMr, v + 1>(tile, rows, order, panel, at.column);
                } else {
                    matched_tile<K, 1, v + 1>(tile, rows, order, panel, at.column);
                }
            });
        }
        tile.rows += tile.taps * K::kMr;
        tile.out += K::kMr;
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait `K`.
#define FW_DEFINE_GEMM_MATCHED(id, isa, K)                          \
    extern const ::fw::GemmKernel id = {#id,                        \
                                        ::fw::Isa::isa,             \
                                        K::kInt8,                   \
                                        ::fw::HalfFormat::kFloat32, \
                                        false,                      \
                                        ::fw::kMatchedScratchSize,  \
                                        K::kMr,                     \
                                        K::kLanes,                  \
                                        K::kVectors,                \
                                        K::kKr,                     \
                                        false,                      \
                                        false,                      \
                                        ::fw::kBends<K>,            \
                                        ::fw::matched_run<K>,       \
                                        false,                      \
                                        false,                      \
                                        true,                       \
                                        K::kElementCost,            \
                                        K::kOutputCost};
