// Where packed weights of Winograd's way lie: a matrix a frequency, then biases and multipliers.
#pragma once

#include "base/memory.h"
#include "kernel/panel.h"
#include "kernel/winograd.h"

namespace fw {

/// Elements of the matrix products: float, or pairs of 16 bits.
inline int64_t winograd_length(const Winograd& winograd, int64_t k) {
    return winograd.kernel->int8 ? div_up(k, 2) : k;
}

/// Bytes from matrix to matrix.
inline size_t winograd_plane_bytes(const Winograd& winograd, int64_t k, int64_t n) {
    GemmWeights plane;
    plane.n = n;
    plane.k = winograd_length(winograd, k);
    return round_up(packed_gemm_bytes(*winograd.gemm, plane), kAlignment);
}

/// Channels, as whole vectors.
inline int64_t winograd_padded(const Winograd& winograd, int64_t channels) {
    return div_up(channels, winograd.kernel->lanes) * winograd.kernel->lanes;
}

}  // namespace fw
