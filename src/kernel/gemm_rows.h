// Rows of A in the scratch memory of kernels that copy them (gemm_driver.h, which includes this).
#pragma once

#include "kernel/gemm_traits.h"
#include "kernel/kernel.h"
#include "kernel/panel.h"
#include "kernel/unroll.h"

namespace fw {
namespace {

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

}  // namespace
}  // namespace fw
