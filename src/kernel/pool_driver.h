// Maxima of windows, over a trait struct of an instruction set. Included by each kernel file and compiled with its
// flags.
//
// A trait K has: Element, Vec (a register of kBytes bytes of channels), and
//   Vec load(const char*)      Vec set(Element)      Vec max(Vec value, Vec best)   best where value is NaN
//   void store(Vec, char* out, int64_t bytes)        the first `bytes` bytes, at most kBytes
// and on 64-bit ARM
//   void load4(const char*, Vec* out)                four registers by one instruction
#pragma once

#include "kernel/kernel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

// kVectors vectors of channels from byte `offset` on, of which the last may hold fewer than K::kBytes.
template <class K, int kVectors>
FW_ALWAYS_INLINE void max_block(const PoolArgs& args, typename K::Vec first, int64_t offset, int64_t bytes) {
    typename K::Vec best[kVectors];
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { best[v] = first; });
    const char* row = static_cast<const char*>(args.corner) + offset;
    for (int y = 0; y < args.rows; ++y, row += args.row_step) {
        const char* cell = row;
        for (int x = 0; x < args.columns; ++x, cell += args.column_step) {
            if constexpr (kVectors == 8) {
                typename K::Vec value[8];
                K::load4(cell, &value[0]);
                K::load4(cell + 4 * K::kBytes, &value[4]);
                unroll<8>([&](auto v) FW_INLINE_LAMBDA { best[v] = K::max(value[v], best[v]); });
            } else {
                unroll<kVectors>([&](auto v)
                                     FW_INLINE_LAMBDA { best[v] = K::max(K::load(cell + K::kBytes * v), best[v]); });
            }
        }
    }
    char* out = static_cast<char*>(args.out) + offset;
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { K::store(best[v], out + K::kBytes * v, bytes - K::kBytes * v); });
}

template <class K>
void max_window(const PoolArgs& args, typename K::Element start) {
    constexpr int64_t kBytes = K::kBytes;
    const auto first = K::set(start);
    const int64_t bytes = args.channels * static_cast<int64_t>(sizeof(typename K::Element));
    int64_t at = 0;
#if defined(__aarch64__)  // of 32 registers; where there are 16, eight vectors were not measured
    for (; at + 8 * kBytes <= bytes; at += 8 * kBytes) {
        max_block<K, 8>(args, first, at, 8 * kBytes);
    }
#endif
    for (; at + 4 * kBytes <= bytes; at += 4 * kBytes) {
        max_block<K, 4>(args, first, at, 4 * kBytes);
    }
    for (; at + 2 * kBytes <= bytes; at += 2 * kBytes) {
        max_block<K, 2>(args, first, at, 2 * kBytes);
    }
    for (; at < bytes; at += kBytes) {
        max_block<K, 1>(args, first, at, bytes - at);
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of the traits `Int8` and `Float`; and with maxima of float16.
#define FW_DEFINE_POOL(id, isa, Int8, Float) FW_DEFINE_POOL_WITH(id, isa, Int8, Float, nullptr)
#define FW_DEFINE_POOL_WITH(id, isa, Int8, Float, half) \
    extern const ::fw::PoolKernel id = {#id, ::fw::Isa::isa, ::fw::max_window<Int8>, ::fw::max_window<Float>, half};
