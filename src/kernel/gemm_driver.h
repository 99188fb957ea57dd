// The one GEMM driver: tiles of a panel, over a trait struct of an instruction set (see any gemm_*.cpp). Included by
// each kernel file and compiled with its flags.
//
// A trait K has: Element (of A), Acc and Vec (registers), kMr, kVectors, kLanes, kKr, kInt8, kUnsignedInput, and
//   Acc load_bias(const void*)                    kLanes accumulators
//   Vec load_b(const void*)                       kLanes * kKr elements of B, kLanes * kKr * sizeof(Element) bytes
//   Vec load_a(const Element*)                    kKr elements, repeated over the lanes
//   Acc multiply_add(Acc, Vec a, Vec b)
//   void store(const Epilogue&, Acc, const float* multiplier, void* out, int64_t count)    epilogue, count <= kLanes
// It may have
//   ByteStore, made of an Epilogue once a tile, with
//       void store<kCount>(const Acc*, const float* multiplier, void* out, int64_t count)
//       the int8 output of kCount adjacent vectors at once, whatever of it is within count > 0
//       void store_bent<kCount>(const Epilogue&, the same)      with the epilogue's function in it
//   kStoresSmall: ByteStore has store_small<kCount>, for multipliers below 1; others have their outputs stored apart
//   SumStore, likewise, with store<kCount>: the bytes of Epilogue::sum
//   Packed, a type, and void copy_row<kCount>(const Element*, Packed*)      16, 32 or 64 bytes or 16 floats, converted
//       load_a then takes a const Packed*. The rows of A are copied to GemmArgs::scratch first: a conversion is then
//       done once a row instead of once a panel and vector, all taps become one long sum, and a tile has one address
//       instead of one a row.
//   kBendsFloats, and Acc bend<BentFunction>(const Epilogue&, Acc), the epilogue's function of floats
//   kInlinesTiles: every tile is code within one function, with all that its outputs may need: for small tiles, whose
//       calls would be felt
//   kStoresApart: every tile takes its outputs from memory, in a function that has all that they may need: for tiles
//       that are small code
//   kStoresFours: ByteStore has
//       static void store_fours(const Epilogue&, const Acc*, int64_t fours, const float* multiplier, void* out,
//                               int64_t columns)
//       the int8 outputs of so many times four rows of one vector that lie behind one another, with any function
//   kLeakyTiles: whole tiles with leaky ReLU, 0 != a <= 1, are code of their own; ByteStore has
//       void store_leaky<kCount>(const Epilogue&, const Acc*, const float* multiplier, void* out, int64_t count)
//   Weight, the type of B in memory where it is not Element: uint16_t, GemmKernel::half is kBfloat16
#pragma once

#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

template <class...>
using Void = void;

template <class K, class = void>
struct StoresBytes {
    static constexpr bool kValue = false;
};
template <class K>
struct StoresBytes<K, Void<typename K::ByteStore>> {
    static constexpr bool kValue = true;
};
template <class K, class = void>
struct Sums {
    static constexpr bool kValue = false;
    using Store = void;
};
#ifndef FW_MINSIZE
template <class K>
struct Sums<K, Void<typename K::SumStore>> {
    static constexpr bool kValue = true;
    using Store = typename K::SumStore;
};
#endif
template <class K, class = void>
struct PacksRows {
    static constexpr bool kValue = false;
    using Packed = typename K::Element;
    static constexpr int kSize = 0;
};
template <class K>
struct PacksRows<K, Void<typename K::Packed>> {
    static constexpr bool kValue = true;
    using Packed = typename K::Packed;
    static constexpr int kSize = sizeof(Packed);
};

template <class K, class = void>
struct WeightOf {
    using Type = typename K::Element;
};
template <class K>
struct WeightOf<K, Void<typename K::Weight>> {
    using Type = typename K::Weight;
};
// The smallest build has functions of outputs apart from its kernels.
#ifdef FW_MINSIZE
template <class K>
constexpr bool kBends = false;
#else
template <class K>
constexpr bool kBends = StoresBytes<K>::kValue;
#endif
template <class K, class = void>
constexpr bool kTileBends = false;
#ifndef FW_MINSIZE
template <class K>
constexpr bool kTileBends<K, Void<decltype(K::kBendsFloats)>> = K::kBendsFloats;
#endif
template <class K, class = void>
constexpr bool kInlinesTiles = false;
template <class K>
constexpr bool kInlinesTiles<K, Void<decltype(K::kInlinesTiles)>> = K::kInlinesTiles;
template <class K, class = void>
constexpr bool kStoresApart = false;
template <class K>
constexpr bool kStoresApart<K, Void<decltype(K::kStoresApart)>> = K::kStoresApart;
template <class K, class = void>
constexpr bool kStoresSmall = false;
template <class K>
constexpr bool kStoresSmall<K, Void<decltype(K::kStoresSmall)>> = K::kStoresSmall;
template <class K, class = void>
constexpr bool kStoresFours = false;
#ifndef FW_MINSIZE
template <class K>
constexpr bool kStoresFours<K, Void<decltype(K::kStoresFours)>> = K::kStoresFours;
#endif
template <class K, class = void>
constexpr bool kLeakyTiles = false;
#ifndef FW_MINSIZE
template <class K>
constexpr bool kLeakyTiles<K, Void<decltype(K::kLeakyTiles)>> = K::kLeakyTiles;
#endif
template <class K>
constexpr int64_t kWeightSize = sizeof(typename WeightOf<K>::Type);
template <class K>
constexpr HalfFormat kHalfFormat = kWeightSize<K> == 2 ? HalfFormat::kBfloat16 : HalfFormat::kFloat32;

/// Copies one tap of the tile's rows, kCount elements at a time. What a copy writes past the end of the tap is
/// overwritten by the next tap's, or lies between the rows.
template <class K, int kCount>
FW_ALWAYS_INLINE void pack_tap(const void* const* rows, int64_t m, int64_t k, typename K::Packed* to, int64_t pitch) {
    for (int64_t r = 0; r < m; ++r, to += pitch) {
        const auto* from = static_cast<const typename K::Element*>(rows[r]);
        for (int64_t p = 0; p < k; p += kCount) {
            K::template copy_row<kCount>(from + p, to + p);
        }
    }
}

/// Copies the rows of a tile: [kMr][pitch].
template <class K>
FW_ALWAYS_INLINE void pack_rows(const GemmArgs& args, int64_t pitch) {
    auto* to = static_cast<typename K::Packed*>(args.scratch);
    const void* const* rows = args.rows;
    const int64_t m = args.m;  // for all that the compiler knows, `to` may be in the arguments
    const int64_t k = args.k;
    for (int64_t t = args.taps; t > 0; --t, rows += K::kMr, to += k) {
        // A copy reads up to 64 bytes past the end: of floats never more than 16 at once.
        constexpr bool kBytes = sizeof(typename K::Element) == 1;
        if constexpr (kBytes) {
            if (k > 32) {
                pack_tap<K, 64>(rows, m, k, to, pitch);
                continue;
            }
            if (k > 16) {
                pack_tap<K, 32>(rows, m, k, to, pitch);
                continue;
            }
        }
        pack_tap<K, 16>(rows, m, k, to, pitch);
    }
    if constexpr (!K::kInt8 && K::kKr > 1) {
        // The last step's products with padding: what lies behind a row may be infinite.
        for (int64_t r = 0; r < m; ++r, to += pitch) {
            for (int i = 0; i < K::kKr; ++i) {
                to[i] = 0;
            }
        }
    }
}

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

template <class K>
void gemm_run(const GemmArgs& args) {
    const int64_t pitch = packed_row_pitch(args.taps * args.k);
    const int64_t most = K::kMr * (PacksRows<K>::kValue ? args.scratch_tiles : 1);
    GemmArgs rows = args;
    GemmArgs tile = args;
    for (int64_t left = args.m; left > 0; left -= most) {
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
                                        ::fw::PacksRows<K>::kValue};

/// The same of a kernel of pairs.
#define FW_DEFINE_GEMM_PAIRS(id, isa, K)                                                                          \
    extern const ::fw::PairGemmKernel id = {{#id, ::fw::Isa::isa, K::kInt8, ::fw::HalfFormat::kFloat32,           \
                                             K::kUnsignedInput, 0, K::kMr, K::kLanes, K::kVectors, K::kKr, false, \
                                             false, false, ::fw::gemm_run<K>}};
