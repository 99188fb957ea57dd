// The GEMM driver of instruction sets that multiply by an element or by blocks of bytes: ARM's. Included by each kernel
// file and compiled with its flags.
//
// The rows of a tile are copied to scratch memory first, kAdjacent elements of each in turn:
// [ceil(length / kAdjacent)][kMr][kAdjacent]. One load then brings the operands of several rows, or several of one, and
// a tile has two addresses to advance, A's and B's. All taps are one long sum.
//
// A trait K has: Element (of A), Packed (of the copy, and of B), kMr, kLanes, kVectors, kKr, kAdjacent, kUnroll (steps
// a loop), kRows1 (least height of a tile), Tile<kRows, kVectors> (accumulators of kRows rows by kVectors vectors of
// kLanes columns), Output (constants of an Epilogue) and
//   void interleave(const Element* const rows[kMr], int64_t length, Packed* out)
//       may write up to 64 bytes of each row past its end
//   void Tile::start(const void* bias)
//   void Tile::step(const Packed* a, const Packed* b)        kMr * kKr elements of A, kLanes * kVectors * kKr of B
//   bool kWhole<kRows, kVectors>: in place of both
//   void Tile::multiply(Packed* a, const char* panel, int64_t length)
//   void Tile::store(const GemmArgs&, const Output&, const float* multiplier, int64_t column)        the epilogue
// It may have
//   Rows, and bool kFused<kRows, kVectors>: in place of all of these
//   Rows(const GemmArgs&, const Output&, int64_t steps, int64_t end_column)
//   void Tile::run(const Rows&, const GemmArgs&, const char* panel, int64_t column, int64_t count)
//       of `count` panels, one behind the other
//   kLeastEven: there are tiles of so many rows, and of one more and so on to kMr: rows are cut into even ones
#pragma once

#include <cstring>
#include <type_traits>

#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

template <class K, int kRows, int kVectors, class = void>
struct IsFused {
    static constexpr bool kValue = false;
};
template <class K, int kRows, int kVectors>
struct IsFused<K, kRows, kVectors, std::enable_if_t<K::template kFused<kRows, kVectors>>> {
    static constexpr bool kValue = true;
};

/// K::kLeastEven, else kMr.
template <class K, class = void>
struct LeastEven {
    static constexpr int kRows = K::kMr;
};
template <class K>
struct LeastEven<K, std::enable_if_t<(K::kLeastEven > 0)>> {
    static constexpr int kRows = K::kLeastEven;
};

/// GemmKernel::steps
template <class K>
constexpr bool kSteps = IsFused<K, K::kMr, K::kVectors>::kValue;

template <class K>
constexpr bool kBlockInt8 = sizeof(typename K::Element) == 1;

// A compiler that loads the operands of later steps early needs more registers than there are (GCC 12 spills them).
#define FW_KEEP_ORDER(a, b) __asm__ volatile("" : "+r"(a), "+r"(b)::"memory")

// Joins the taps of each row: what a copy writes past the end of a tap is overwritten by the next one.
template <class K>
void join_taps(const GemmArgs& args, int64_t pitch, typename K::Element* to) {
    using Element = typename K::Element;
    constexpr int64_t kPiece = 16 / sizeof(Element);
    const bool three = args.k > 2 * kPiece && args.k <= 3 * kPiece;  // nine floats of an image
    for (int64_t r = 0; r < K::kMr; ++r) {
        Element* out = to + r * pitch;
        const void* const* row = args.rows + r;
        for (int64_t t = 0; t < args.taps; ++t, row += K::kMr, out += args.k) {
            const auto* from = static_cast<const Element*>(*row);
            if (three) {
                std::memcpy(out, from, 48);
                continue;
            }
            for (int64_t p = 0; p < args.k; p += kPiece) {
                std::memcpy(out + p, from + p, 16);
            }
        }
    }
}

template <class K>
void interleave_rows(const GemmArgs& args, typename K::Packed* to) {
    using Element = typename K::Element;
    const auto* rows = reinterpret_cast<const Element* const*>(args.rows);
    if (kSteps<K> && args.row_step != 0) {
        const Element* starts[K::kMr];
        starts[0] = rows[0];
        unroll<K::kMr - 1>([&](auto r) FW_INLINE_LAMBDA {
            starts[r + 1] = starts[r] + (r + 1 < args.m ? args.row_step / static_cast<int64_t>(sizeof(Element)) : 0);
        });
        K::interleave(starts, args.k, to);
        return;
    }
    if (args.taps == 1 || args.k % K::kAdjacent == 0) {
        for (int64_t t = 0; t < args.taps; ++t, rows += K::kMr, to += args.k * K::kMr) {
            K::interleave(rows, args.k, to);
        }
        return;
    }
    const int64_t pitch = packed_row_pitch(args.taps * args.k);
    auto* joined = reinterpret_cast<Element*>(to + K::kMr * pitch);
    join_taps<K>(args, pitch, joined);
    const Element* starts[K::kMr];
    unroll<K::kMr>([&](auto r) FW_INLINE_LAMBDA { starts[r] = joined + r * pitch; });
    K::interleave(starts, args.taps * args.k, to);
}

// `panel` points at its bias. Rows past args.m are computed and not stored.
template <class K, int kRows, int kVectors>
FW_ALWAYS_INLINE void block_tile(const GemmArgs& args, const typename K::Output& output, const char* panel,
                                 int64_t column, int64_t length) {
    using Packed = typename K::Packed;
    constexpr int64_t kColumns = int64_t{kVectors} * K::kLanes;
    constexpr int64_t kStepA = int64_t{K::kMr} * K::kKr;
    constexpr int64_t kStepB = kColumns * K::kKr;
    typename K::template Tile<kRows, kVectors> tile;
    auto* a = static_cast<Packed*>(args.scratch);
    const auto* multiplier = reinterpret_cast<const float*>(panel + kColumns * 4);
    if constexpr (K::template kWhole<kRows, kVectors>) {
        tile.multiply(a, panel, length);
        tile.store(args, output, multiplier, column);
    } else {
        tile.start(panel);
        const auto* b = reinterpret_cast<const Packed*>(panel + kColumns * (kBlockInt8<K> ? 8 : 4));
        int64_t steps = div_up(length, K::kKr);
        for (; steps >= K::kUnroll; steps -= K::kUnroll) {
            unroll<K::kUnroll>([&](auto) FW_INLINE_LAMBDA {
                tile.step(a, b);
                a += kStepA;
                b += kStepB;
                FW_KEEP_ORDER(a, b);
            });
        }
        for (; steps > 0; --steps, a += kStepA, b += kStepB) {
            tile.step(a, b);
        }
        tile.store(args, output, multiplier, column);
    }
}

/// A function of its own: the compiler's loop over a large tile leaves no registers for what is around it.
template <class K, int kRows, int kVectors>
__attribute__((noinline)) void block_tile_apart(const GemmArgs& args, const typename K::Output& output,
                                                const char* panel, int64_t column) {
    block_tile<K, kRows, kVectors>(args, output, panel, column, args.taps * args.k);
}

/// What the tiles of rows of a call have in common.
template <class K>
struct BlockCall {
    int64_t length;
    int64_t column_bytes;
    typename K::Output output;
    Panels panels;
    int64_t end_column;
    const char* first_panel = nullptr;  ///< where panels are of one vector

    explicit BlockCall(const GemmArgs& args)
        : length(args.taps * args.k),
          column_bytes(gemm_column_bytes(args.taps, args.k, K::kKr, sizeof(typename K::Packed), true)),
          output(args.epilogue),
          panels(args.panel_begin, args.n, K::kLanes, K::kVectors),
          end_column(args.n) {
        const int64_t end = panel_at(args.panel_end, args.n, K::kLanes, K::kVectors).column;
        end_column = args.panel_end < panel_count(args.n, K::kLanes, K::kVectors) ? end : args.n;
        if constexpr (K::kVectors == 1) {
            const int64_t panel_bytes = K::kLanes * column_bytes;
            const char* packed = static_cast<const char*>(args.packed);
            first_panel = packed + args.panel_begin * panel_bytes;
        }
    }
};

struct NoRows {
    template <class... Args>
    explicit NoRows(const Args&...) {}
};
template <class K, int kRows, bool kFused>
struct RowsOf {
    using Type = NoRows;
};
template <class K, int kRows>
struct RowsOf<K, kRows, true> {
    using Type = typename K::Rows;
};

/// All panels, for the first kRows rows of the tile.
template <class K, int kRows>
void block_panels(const GemmArgs& args, const BlockCall<K>& call) {
    const int64_t length = call.length;
    const int64_t column_bytes = call.column_bytes;
    const auto* packed = static_cast<const char*>(args.packed);
    const int64_t steps = div_up(length, K::kKr);
    if constexpr (K::kVectors == 1) {
        const int64_t panel_bytes = K::kLanes * column_bytes;
        const char* panel = call.first_panel;
        for (int64_t i = args.panel_begin; i < args.panel_end; ++i, panel += panel_bytes) {
            block_tile<K, kRows, 1>(args, call.output, panel, i * K::kLanes, length);
        }
    } else {
        Panels panels = call.panels;
        const typename RowsOf<K, kRows, IsFused<K, kRows, K::kVectors>::kValue>::Type rows(args, call.output, steps,
                                                                                           call.end_column);
        int64_t count = 0;
        for (int64_t left = args.panel_end - args.panel_begin; left > 0; left -= count) {
            const Panel at = panels.next(IsFused<K, kRows, K::kVectors>::kValue ? left : 1, &count);
            // Whole panels, most of them, are looked for first.
            unroll<K::kVectors>([&](auto less) FW_INLINE_LAMBDA {
                constexpr int kVectors = K::kVectors - less;
                if (at.vectors != kVectors) {
                    return;
                }
                const char* panel = packed + at.column * column_bytes;
                if constexpr (IsFused<K, kRows, kVectors>::kValue) {
                    typename K::template Tile<kRows, kVectors> tile;
                    tile.run(rows, args, panel, at.column, count);
                } else {
                    constexpr int64_t kColumns = int64_t{kVectors} * K::kLanes;
                    for (int64_t i = 0, column = at.column; i < count;
                         ++i, column += kColumns, panel += kColumns * column_bytes) {
                        if constexpr (K::template kWhole<kRows, kVectors>) {
                            block_tile<K, kRows, kVectors>(args, call.output, panel, column, length);
                        } else {
                            block_tile_apart<K, kRows, kVectors>(args, call.output, panel, column);
                        }
                    }
                }
            });
        }
    }
}

// One tile of rows.
template <class K>
void block_rows(const GemmArgs& args, const BlockCall<K>& call) {
    constexpr int kHalf = K::kMr > 4 ? 4 : K::kMr;
    interleave_rows<K>(args, static_cast<typename K::Packed*>(args.scratch));
    if (args.m > kHalf) {
        bool done = false;
        unroll<K::kMr - LeastEven<K>::kRows>([&](auto i) FW_INLINE_LAMBDA {
            constexpr int kRows = LeastEven<K>::kRows + i;
            if (!done && args.m <= kRows) {
                block_panels<K, kRows>(args, call);
                done = true;
            }
        });
        if (!done) {
            block_panels<K, K::kMr>(args, call);
        }
    } else if (args.m > K::kRows1) {
        block_panels<K, kHalf>(args, call);
    } else {
        block_panels<K, K::kRows1>(args, call);
    }
}

template <class K>
void gemm_block_run(const GemmArgs& args) {
    const BlockCall<K> call(args);
    GemmArgs tile = args;
    const void* row = args.rows[0];
    void* out = args.out[0];
    const bool steps = kSteps<K> && args.row_step != 0;
    if (steps) {
        tile.rows = &row;
        tile.out = &out;
    }
    for (int64_t left = args.m; left > 0; left -= tile.m) {
        tile.m = left < K::kMr ? left : K::kMr;
        if (steps && LeastEven<K>::kRows < K::kMr) {
            const int64_t even = div_up(left, div_up(left, K::kMr));
            tile.m = even >= LeastEven<K>::kRows ? even : tile.m;
        }
        block_rows<K>(tile, call);
        if (steps) {
            row = static_cast<const char*>(row) + tile.m * args.row_step;
            out = static_cast<char*>(out) + tile.m * args.out_step;
        } else {
            tile.rows += tile.taps * K::kMr;
            tile.out += K::kMr;
        }
    }
}

}  // namespace
}  // namespace fw

// clang-format off
#define FW_GEMM_BLOCK_FIELDS(id, isa, K, pairs_apart)                                                                   \
    {#id, ::fw::Isa::isa, ::fw::kBlockInt8<K>, sizeof(K::Packed) == 2 ? ::fw::HalfFormat::kFloat16 : ::fw::HalfFormat::kFloat32, false, sizeof(K::Packed) + sizeof(K::Element), \
     K::kMr, K::kLanes, K::kVectors, K::kKr, false, pairs_apart, false, ::fw::gemm_block_run<K>, ::fw::kSteps<K>, sizeof(K::Packed) == 2 && sizeof(K::Element) == 2}
// clang-format on

/// Defines the kernel `id` of trait `K`. Scratch memory holds the interleaved rows and, where taps are joined, those.
#define FW_DEFINE_GEMM_BLOCK(id, isa, K) extern const ::fw::GemmKernel id = FW_GEMM_BLOCK_FIELDS(id, isa, K, false);

/// The same of a kernel of pairs.
#define FW_DEFINE_GEMM_BLOCK_PAIRS(id, isa, K) \
    extern const ::fw::PairGemmKernel id = {FW_GEMM_BLOCK_FIELDS(id, isa, K, true)};
