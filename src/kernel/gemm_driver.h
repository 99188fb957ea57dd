// The one GEMM driver: tiles of a panel, over a trait struct of an instruction set (see any gemm_*.cpp). Included by
// each kernel file and compiled with its flags.
//
// A trait K has: Element (of A), Acc and Vec (registers), kMr, kVectors, kLanes, kKr, kInt8, kUnsignedInput, and
//   Acc load_bias(const void*)                    kLanes accumulators
//   Vec load_b(const void*)                       kLanes * kKr elements of B, kLanes * kKr * sizeof(Element) bytes
//   Vec load_a(const Element*)                    kKr elements, repeated over the lanes
//   Acc multiply_add(Acc, Vec a, Vec b)
//   void store(const Epilogue&, Acc, const float* multiplier, void* out, int64_t count)    epilogue, count <= kLanes
#pragma once

#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

// One tile of kRows x (kVectors * lanes): `panel` points at its bias. Rows past args.m are computed and not stored.
template <class K, int kRows, int kVectors>
void gemm_tile(const GemmArgs& args, const char* panel, int64_t column) {
    using Element = typename K::Element;
    constexpr int64_t kVectorBytes = int64_t{K::kLanes} * 4;
    constexpr int64_t kStep = int64_t{K::kLanes} * K::kKr * static_cast<int64_t>(sizeof(Element));

    typename K::Acc acc[kRows][kVectors];
    unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
        const typename K::Acc bias = K::load_bias(panel + v * kVectorBytes);
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { acc[r][v] = bias; });
    });

    const char* b = panel + kVectors * kVectorBytes * (K::kInt8 ? 2 : 1);
    const void* const* rows = args.rows;
    for (int64_t t = 0; t < args.taps; ++t, rows += K::kMr) {
        const Element* a[kRows];
        unroll<kRows>([&](auto r) FW_INLINE_LAMBDA { a[r] = static_cast<const Element*>(rows[r]); });
        for (int64_t p = 0; p < args.k; p += K::kKr, b += kVectors * kStep) {
            typename K::Vec vb[kVectors];
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { vb[v] = K::load_b(b + v * kStep); });
            unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
                const typename K::Vec va = K::load_a(a[r] + p);
                unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA { acc[r][v] = K::multiply_add(acc[r][v], va, vb[v]); });
            });
        }
    }

    const auto* multiplier = reinterpret_cast<const float*>(panel + kVectors * kVectorBytes);
    const int64_t columns = args.n - column;
    const int64_t out_size = args.epilogue.float_output ? 4 : 1;
    unroll<kRows>([&](auto r) FW_INLINE_LAMBDA {
        if (r < args.m) {
            char* out = static_cast<char*>(args.out[r]) + column * out_size;
            unroll<kVectors>([&](auto v) FW_INLINE_LAMBDA {
                const int64_t left = columns - v * K::kLanes;
                K::store(args.epilogue, acc[r][v], multiplier + v * K::kLanes, out + v * K::kLanes * out_size,
                         left < K::kLanes ? left : K::kLanes);
            });
        }
    });
}

// The tile height for the rows that are left: full, 4 or 1. 14x14, 28x28 and 56x56 leave 4 of any height, 7x7 leaves 1.
template <class K, int kVectors>
void gemm_rows(const GemmArgs& args, const char* panel, int64_t column) {
    if (args.m > 4) {
        gemm_tile<K, K::kMr, kVectors>(args, panel, column);
    } else if (args.m > 1) {
        gemm_tile<K, 4, kVectors>(args, panel, column);
    } else {
        gemm_tile<K, 1, kVectors>(args, panel, column);
    }
}

template <class K>
void gemm_run(const GemmArgs& args) {
    const int64_t column_bytes = gemm_column_bytes(args.taps, args.k, K::kKr, K::kInt8);
    for (int64_t i = args.panel_begin; i < args.panel_end; ++i) {
        const Panel at = panel_at(i, args.n, K::kLanes, K::kVectors);
        const char* panel = static_cast<const char*>(args.packed) + at.column * column_bytes;
        unroll<K::kVectors>([&](auto v) FW_INLINE_LAMBDA {
            if (at.vectors == v + 1) {
                gemm_rows<K, v + 1>(args, panel, at.column);
            }
        });
    }
}

}  // namespace
}  // namespace fw

/// Defines the kernel `id` of trait `K`.
#define FW_DEFINE_GEMM(id, isa, K)                                                                      \
    extern const ::fw::GemmKernel id = {#id,       ::fw::Isa::isa, K::kInt8, K::kUnsignedInput, K::kMr, \
                                        K::kLanes, K::kVectors,    K::kKr,   ::fw::gemm_run<K>};
