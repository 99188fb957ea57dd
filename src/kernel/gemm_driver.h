// The one GEMM driver: tiles of a panel, over a trait struct of an instruction set (gemm_traits.h; see any gemm_*.cpp).
// Included by each kernel file and compiled with its flags.
#pragma once

#include "kernel/gemm_rows.h"
#include "kernel/gemm_traits.h"
#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

/// Outputs of a row in float.
template <class K, int kVectors>
FW_ALWAYS_INLINE void store_row_floats(const GemmArgs& args, const typename K::Acc* acc, const float* multiplier,
                                       char* out, int64_t columns) {
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
        const int64_t left = columns - v * K::kLanes;
        K::store(args.epilogue, acc[v], multiplier + v * K::kLanes, out + v * K::kLanes * 4,
                 left < K::kLanes ? left : K::kLanes);
    });
}

/// Any output of the rows of a tile: apart, so that the code of tiles is not doubled.
template <class K, int kVectors>
__attribute__((noinline)) void store_apart(const GemmArgs& args, int64_t rows, const typename K::Acc* acc,
                                           const float* multiplier, int64_t column) {
    const int64_t columns = args.n - column;
    if (args.epilogue.float_output) {
        for (int64_t r = 0; r < rows; ++r, acc += kVectors) {
            store_row_floats<K, kVectors>(args, acc, multiplier, static_cast<char*>(args.out[r]) + column * 4, columns);
        }
        return;
    }
    if constexpr (Sums<K>::kValue) {
        if (args.epilogue.sum != nullptr) {
            const typename Sums<K>::Store sums(args.epilogue);
            for (int64_t r = 0; r < rows; ++r, acc += kVectors) {
                sums.template store<kVectors>(acc, multiplier, static_cast<char*>(args.out[r]) + column, columns);
            }
            return;
        }
    }
    const typename K::ByteStore bytes(args.epilogue);
    for (int64_t r = 0; r < rows; ++r, acc += kVectors) {
        char* out = static_cast<char*>(args.out[r]) + column;
        if (kBends<K> && args.epilogue.bent != BentFunction::kIdentity) {
            bytes.template store_bent<kVectors>(args.epilogue, acc, multiplier, out, columns);
        } else {
            bytes.template store<kVectors>(acc, multiplier, out, columns);
        }
    }
}

/// Rows of whole pixels that lie behind one another, of one vector.
template <class K>
FW_ALWAYS_INLINE void store_fours(const GemmArgs& args, int64_t rows, const typename K::Acc* acc,
                                  const float* multiplier) {
    const int64_t whole = rows / 4 * 4;
    K::ByteStore::store_fours(args.epilogue, acc, rows / 4, multiplier, args.out[0], args.n);
    if (whole < rows) {
        GemmArgs rest = args;
        rest.out += whole;
        store_apart<K, 1>(rest, rows - whole, acc + whole, multiplier, 0);
    }
}

/// The accumulators of a tile.
template <class K, int kRows, int kVectors>
struct Tile {
    using Element = typename K::Element;
    static constexpr int64_t kStep = int64_t{K::kLanes} * K::kKr * kWeightSize<K>;
    static constexpr int64_t kVectorBytes = int64_t{K::kLanes} * 4;

    typename K::Acc acc[kRows][kVectors];

    FW_ALWAYS_INLINE explicit Tile(const char* panel) {
        unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
            const typename K::Acc bias = K::load_bias(panel + v * kVectorBytes);
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = bias; });
        });
    }
    /// One step of kKr products; `a(r)` is the address of row r.
    template <class RowAddress>
    FW_ALWAYS_INLINE void step(const char* b, RowAddress a) {
        typename K::Vec vb[kVectors];
        unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { vb[v] = K::load_b(b + v * kStep); });
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            const typename K::Vec va = K::load_a(a(r));
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { acc[r][v] = K::multiply_add(acc[r][v], va, vb[v]); });
        });
    }
    template <BentFunction kFunction>
    FW_ALWAYS_INLINE void bend(const Epilogue& epilogue) {
        unroll<kRows * kVectors>([&](auto i) FW_INLINE_LAMBDA {
            typename K::Acc& sum = acc[i / kVectors][i % kVectors];
            sum = K::template bend<kFunction>(epilogue, sum);
        });
    }
    /// Calls store_row(row, its output) for the rows that there are.
    template <class Fn>
    FW_ALWAYS_INLINE void for_each_row(const GemmArgs& args, int64_t column, Fn&& store_row) const {
        const int64_t offset = column * (args.epilogue.float_output ? 4 : 1);
        const int64_t rows = args.m;
        void* const* out = args.out;
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
            if (r < rows) {
                store_row(acc[r], static_cast<char*>(out[r]) + offset);
            }
        });
    }
    /// int8 outputs with leaky ReLU of a slope up to 1.
    FW_ALWAYS_INLINE void store_leaky(const GemmArgs& args, const char* panel, int64_t column) const {
        const auto* multiplier = reinterpret_cast<const float*>(panel + kVectors * kVectorBytes);
        const int64_t columns = args.n - column;
        const typename K::ByteStore bytes(args.epilogue);
        for_each_row(args, column, [&](const auto& row, char* out) FW_INLINE_LAMBDA {
            bytes.template store_leaky<kVectors>(args.epilogue, row, multiplier, out, columns);
        });
    }
    FW_ALWAYS_INLINE void store(const GemmArgs& args, const char* panel, int64_t column) const {
        const auto* multiplier = reinterpret_cast<const float*>(panel + kVectors * kVectorBytes);
        const int64_t columns = args.n - column;
        if constexpr (StoresBytes<K>::kValue) {
            const bool floats = args.epilogue.float_output;
            const bool bent = kBends<K> && !floats && args.epilogue.bent != BentFunction::kIdentity;
            const bool sums = Sums<K>::kValue && !floats && args.epilogue.sum != nullptr;
            constexpr bool kWhole = kRows == K::kMr && kVectors == K::kVectors;
            if constexpr (Sums<K>::kValue && kWhole) {
                if (sums) {
                    const typename Sums<K>::Store store_sums(args.epilogue);
                    for_each_row(args, column, [&](const auto& row, char* out) FW_INLINE_LAMBDA {
                        store_sums.template store<kVectors>(row, multiplier, out, columns);
                    });
                    return;
                }
            }
            if constexpr (kStoresFours<K> && kRows >= 4 && kVectors == 1) {
                if (!floats && !sums && args.out_step == columns && columns <= K::kLanes && columns % 4 == 0) {
                    typename K::Acc copy[kRows];
                    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { copy[r] = acc[r][0]; });
                    store_fours<K>(args, args.m < kRows ? args.m : kRows, copy, multiplier);
                    return;
                }
            }
            const bool large = kStoresSmall<K> && !args.epilogue.small;
            if (kStoresApart<K> || (!kInlinesTiles<K> && (bent || floats || sums || large))) {
                typename K::Acc copy[kRows * kVectors];  // `acc` has to stay in registers
                unroll<kRows * kVectors>([&](auto i) FW_INLINE_LAMBDA { copy[i] = acc[i / kVectors][i % kVectors]; });
                store_apart<K, kVectors>(args, args.m < kRows ? args.m : kRows, copy, multiplier, column);
                return;
            }
            if (bent) {
                const typename K::ByteStore bytes(args.epilogue);
                for_each_row(args, column, [&](const auto& row, char* out) FW_INLINE_LAMBDA {
                    bytes.template store_bent<kVectors>(args.epilogue, row, multiplier, out, columns);
                });
                return;
            }
            if (!floats) {
                const typename K::ByteStore bytes(args.epilogue);
                for_each_row(args, column, [&](const auto& row, char* out) FW_INLINE_LAMBDA {
                    if constexpr (kStoresSmall<K>) {
                        bytes.template store_small<kVectors>(row, multiplier, out, columns);
                    } else {
                        bytes.template store<kVectors>(row, multiplier, out, columns);
                    }
                });
                return;
            }
        }
        const int64_t out_size = args.epilogue.float_output ? 4 : 1;
        for_each_row(args, column, [&](const auto& row, char* out) FW_INLINE_LAMBDA {
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int64_t left = columns - v * K::kLanes;
                K::store(args.epilogue, row[v], multiplier + v * K::kLanes, out + v * K::kLanes * out_size,
                         left < K::kLanes ? left : K::kLanes);
            });
        });
    }
};

// One tile of kRows x (kVectors * lanes): `panel` points at its bias. Rows past args.m are computed and not stored.
template <class K, int kRows, int kVectors, bool kLeaky = false>
FW_ALWAYS_INLINE void inline_tile(const GemmArgs& args, const char* panel, int64_t column) {
    using A = typename PacksRows<K>::Packed;
    using T = Tile<K, kRows, kVectors>;
    T tile(panel);
    const char* b = panel + kVectors * T::kVectorBytes * (K::kInt8 ? 2 : 1);
    const A* a[kRows];
    const auto add = [&](int64_t k) FW_INLINE_LAMBDA {
        for (int64_t p = 0; p < k; p += K::kKr, b += kVectors * T::kStep) {
            tile.step(b, [&](auto r) FW_INLINE_LAMBDA { return a[r] + p; });
        }
    };
    if constexpr (PacksRows<K>::kValue) {
        const int64_t pitch = packed_row_pitch(args.taps * args.k);
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { a[r] = static_cast<const A*>(args.scratch) + r * pitch; });
        add(args.taps * args.k);
    } else {
        const void* const* rows = args.rows;
        for (int64_t t = 0; t < args.taps; ++t, rows += K::kMr) {
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { a[r] = static_cast<const A*>(rows[r]); });
            add(args.k);
        }
    }
    if constexpr (kTileBends<K>) {
        if (args.epilogue.bent == BentFunction::kLeakyRelu) {
            tile.template bend<BentFunction::kLeakyRelu>(args.epilogue);
        } else if (args.epilogue.bent == BentFunction::kHardSwish) {
            tile.template bend<BentFunction::kHardSwish>(args.epilogue);
        }
    }
    if constexpr (kLeaky) {
        tile.store_leaky(args, panel, column);
    } else {
        tile.store(args, panel, column);
    }
}

template <class K, int kRows, int kVectors>
void tile_apart(const GemmArgs& args, const char* panel, int64_t column) {
    inline_tile<K, kRows, kVectors>(args, panel, column);
}

// Apart from the other, which more cases would slow down.
template <class K, int kRows, int kVectors>
__attribute__((noinline)) void leaky_tile(const GemmArgs& args, const char* panel, int64_t column) {
    inline_tile<K, kRows, kVectors, true>(args, panel, column);
}

template <class K, int kRows, int kVectors>
FW_ALWAYS_INLINE void gemm_tile(const GemmArgs& args, const char* panel, int64_t column) {
    if constexpr (kLeakyTiles<K> && kRows == K::kMr && kVectors == K::kVectors) {
        const Epilogue& e = args.epilogue;
        if (e.bent == BentFunction::kLeakyRelu && !e.float_output && e.a != 0.0F && e.a <= 1.0F) {
            leaky_tile<K, kRows, kVectors>(args, panel, column);
            return;
        }
    }
    if constexpr (kInlinesTiles<K>) {
        inline_tile<K, kRows, kVectors>(args, panel, column);
    } else {
        tile_apart<K, kRows, kVectors>(args, panel, column);
    }
}

// The tile height for the rows that are left: full, half, 4 or 1. 14x14, 28x28 and 56x56 leave 4 of any height, 7x7
// leaves 1. The smallest build has full tiles and single rows.
template <class K, int kVectors>
void gemm_rows(const GemmArgs& args, const char* panel, int64_t column) {
#ifdef FW_MINSIZE
    constexpr int kHalf = 1;
#else
    constexpr int kHalf = K::kMr >= 12 ? K::kMr / 2 : 4;
#endif
    if (args.m > kHalf) {
        gemm_tile<K, K::kMr, kVectors>(args, panel, column);
    } else if (kHalf > 4 && args.m > 4) {
        gemm_tile<K, kHalf, kVectors>(args, panel, column);
    } else if (kHalf > 1 && args.m > 1) {
        gemm_tile<K, 4, kVectors>(args, panel, column);
    } else {
        gemm_tile<K, 1, kVectors>(args, panel, column);
    }
}

// Rows of a call that are in scratch memory together: all panels are used for them, each for all of its tiles while it
// is in the cache. `args` are those of the rows, `tile` the memory for the arguments of each of its tiles.
template <class K>
FW_ALWAYS_INLINE void gemm_panels(const GemmArgs& args, int64_t pitch, GemmArgs* tile) {
    const int64_t step = args.taps * K::kMr;
    const int64_t scratch_bytes = K::kMr * pitch * PacksRows<K>::kSize;
    const auto for_each_tile = [&](auto&& run) FW_INLINE_LAMBDA {
        tile->rows = args.rows;
        tile->out = args.out;
        tile->scratch = args.scratch;
        for (int64_t left = args.m;; left -= K::kMr) {
            tile->m = left < K::kMr ? left : K::kMr;
            run();
            if (left <= K::kMr) {
                return;
            }
            tile->rows += step;
            tile->out += K::kMr;
            tile->scratch = static_cast<char*>(tile->scratch) + scratch_bytes;
        }
    };
    if constexpr (PacksRows<K>::kValue) {
        for_each_tile([&]() FW_INLINE_LAMBDA { pack_rows<K>(*tile, pitch); });
    }
    const int64_t column_bytes = gemm_column_bytes(args.taps, args.k, K::kKr, kWeightSize<K>, PacksRows<K>::kValue);
    for (int64_t i = args.panel_begin; i < args.panel_end; ++i) {
        const Panel at = panel_at(i, args.n, K::kLanes, K::kVectors);
        const char* panel = static_cast<const char*>(args.packed) + at.column * column_bytes;
        unroll<K::kVectors>([&](auto v) FW_INLINE_LAMBDA {
            if (at.vectors == v + 1) {
                for_each_tile([&]() FW_INLINE_LAMBDA { gemm_rows<K, v + 1>(*tile, panel, at.column); });
            }
        });
    }
}

// A whole tile, whose rows are in scratch memory. While it is multiplied, those of the next one are copied to `to`, a
// piece of each at a time: between the products of a piece there is time for it. Without `next` there is no next one.
template <class K>
__attribute__((noinline)) void ahead_tile(const GemmArgs& args, const void* const* next, void* to, const char* panel,
                                          int64_t column) {
    static_assert(K::kInt8 && PacksRows<K>::kValue && !kTileBends<K>, "bytes that are copied");
    using A = typename K::Packed;
    using T = Tile<K, K::kMr, K::kVectors>;
    T tile(panel);
    const char* b = panel + K::kVectors * T::kVectorBytes * 2;
    const int64_t pitch = packed_row_pitch(args.taps * args.k);
    const auto* a = static_cast<const A*>(args.scratch);
    const auto add = [&](int64_t k) FW_INLINE_LAMBDA {
        for (const A* end = a + k; a < end; a += K::kKr, b += K::kVectors * T::kStep) {
            tile.step(b, [&](auto r) FW_INLINE_LAMBDA { return a + r * pitch; });
        }
    };
    if (next == nullptr) {
        add(args.taps * args.k);
    } else {
        auto* piece = static_cast<A*>(to);
        for (int64_t t = args.taps; t > 0; --t, next += K::kMr) {
            for (int64_t first = 0; first < args.k; first += kRowPiece, piece += kRowPiece) {
                unroll<K::kMr>([&](auto r) FW_INLINE_LAMBDA {
                    K::template copy_row<kRowPiece>(static_cast<const typename K::Element*>(next[r]) + first,
                                                    piece + r * pitch);
                });
                add(kRowPiece);
            }
        }
    }
    tile.store(args, panel, column);
}

// The whole tiles of a call; returns how many.
template <class K>
__attribute__((noinline)) int64_t run_ahead(const GemmArgs& args) {
    const int64_t pitch = packed_row_pitch(args.taps * args.k);
    const int64_t column_bytes = gemm_column_bytes(args.taps, args.k, K::kKr, kWeightSize<K>, true);
    constexpr int64_t kColumns = K::kVectors * K::kLanes;
    const int64_t tiles = args.m / K::kMr;
    void* other = static_cast<char*>(args.scratch) + K::kMr * pitch * PacksRows<K>::kSize;
    GemmArgs tile = args;
    tile.m = K::kMr;
    pack_rows<K>(tile, pitch);
    for (int64_t left = tiles; left > 0; --left) {
        const void* const* rows = tile.rows + args.taps * K::kMr;
        const void* const* next = left > 1 ? rows : nullptr;
        for (int64_t i = args.panel_begin; i < args.panel_end; ++i, next = nullptr) {
            const int64_t column = i * kColumns;
            ahead_tile<K>(tile, next, other, static_cast<const char*>(args.packed) + column * column_bytes, column);
        }
        void* const copied = other;
        other = tile.scratch;
        tile.scratch = copied;
        tile.rows = rows;
        tile.out += K::kMr;
    }
    return tiles;
}

template <class K>
void gemm_run(const GemmArgs& args) {
    const int64_t pitch = packed_row_pitch(args.taps * args.k);
    const int64_t most = K::kMr * (PacksRows<K>::kValue ? args.scratch_tiles : 1);
    GemmArgs rows = args;
    GemmArgs tile = args;
    int64_t left = args.m;
    if constexpr (kPacksAhead<K>) {
        if (args.packs_ahead && left >= K::kMr) {
            const int64_t done = run_ahead<K>(args);
            rows.rows += done * rows.taps * K::kMr;
            rows.out += done * K::kMr;
            left -= done * K::kMr;
        }
    }
    for (; left > 0; left -= most) {
        rows.m = left < most ? left : most;
        gemm_panels<K>(rows, pitch, &tile);
        rows.rows += rows.taps * most;
        rows.out += most;
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait `K`.
#define FW_DEFINE_GEMM(id, isa, K)                                              \
    extern const ::fw::GemmKernel id = {#id,                                    \
                                        ::fw::Isa::isa,                         \
                                        K::kInt8,                               \
                                        ::fw::kHalfFormat<K>,                   \
                                        K::kUnsignedInput,                      \
                                        ::fw::PacksRows<K>::kSize,              \
                                        K::kMr,                                 \
                                        K::kLanes,                              \
                                        K::kVectors,                            \
                                        K::kKr,                                 \
                                        false,                                  \
                                        false,                                  \
                                        ::fw::kBends<K> || ::fw::kTileBends<K>, \
                                        ::fw::gemm_run<K>,                      \
                                        false,                                  \
                                        false,                                  \
                                        false,                                  \
                                        0,                                      \
                                        0,                                      \
                                        ::fw::Sums<K>::kValue,                  \
                                        ::fw::PacksRows<K>::kValue,             \
                                        ::fw::kPacksAhead<K>};

/// The same of a kernel of pairs.
#define FW_DEFINE_GEMM_PAIRS(id, isa, K)                                                                          \
    extern const ::fw::PairGemmKernel id = {{#id, ::fw::Isa::isa, K::kInt8, ::fw::HalfFormat::kFloat32,           \
                                             K::kUnsignedInput, 0, K::kMr, K::kLanes, K::kVectors, K::kKr, false, \
                                             false, false, ::fw::gemm_run<K>}};
