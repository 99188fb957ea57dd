// What gemm_driver.h wants of the trait struct of an instruction set, and what it makes of it.
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
//   kPacksAhead: int8 with Packed; there are whole tiles for GemmArgs::packs_ahead
//   kLeakyTiles: whole tiles with leaky ReLU, 0 != a <= 1, are code of their own; ByteStore has
//       void store_leaky<kCount>(const Epilogue&, const Acc*, const float* multiplier, void* out, int64_t count)
//   Weight, the type of B in memory where it is not Element: uint16_t, GemmKernel::half is kBfloat16
#pragma once

#include <cstdint>

#include "kernel/kernel.h"

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
template <class K, class = void>
constexpr bool kPacksAhead = false;
#ifndef FW_MINSIZE
template <class K>
constexpr bool kPacksAhead<K, Void<decltype(K::kPacksAhead)>> = K::kPacksAhead;
#endif
template <class K>
constexpr int64_t kWeightSize = sizeof(typename WeightOf<K>::Type);
template <class K>
constexpr HalfFormat kHalfFormat = kWeightSize<K> == 2 ? HalfFormat::kBfloat16 : HalfFormat::kFloat32;

}  // namespace
}  // namespace fw
