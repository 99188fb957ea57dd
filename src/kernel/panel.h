// How n columns are cut into panels. Shared by packing and kernels; `static`, so that no copy leaves an ISA object.
#pragma once

#include <cstdint>

namespace fw {

struct Panel {
    int64_t column;  ///< first column
    int64_t vectors;
};

static inline int64_t div_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/// Panels have at most `max_vectors` vectors of `lanes` columns each, and differ by one vector at most: 64 columns of
/// 16 lanes become 2 + 2 rather than 3 + 1.
static inline int64_t panel_count(int64_t n, int64_t lanes, int64_t max_vectors) {
    return div_up(div_up(n, lanes), max_vectors);
}

static inline Panel panel_at(int64_t index, int64_t n, int64_t lanes, int64_t max_vectors) {
    const int64_t vectors = div_up(n, lanes);
    const int64_t panels = div_up(vectors, max_vectors);
    const int64_t begin = index * vectors / panels;
    return {begin * lanes, (index + 1) * vectors / panels - begin};
}

/// Bytes of one column of a packed GEMM panel: bias, multiplier (int8), weights. Panel i begins at its first column
/// times this.
static inline int64_t gemm_column_bytes(int64_t taps, int64_t k, int64_t kr, bool int8) {
    return int8 ? 8 + taps * div_up(k, kr) * kr : 4 + taps * k * 4;
}

}  // namespace fw
