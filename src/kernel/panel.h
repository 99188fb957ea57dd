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
/// 16 lanes become 2 + 2 rather than 3 + 1. The wider ones come first.
static inline int64_t panel_count(int64_t n, int64_t lanes, int64_t max_vectors) {
    return div_up(div_up(n, lanes), max_vectors);
}

static inline Panel panel_at(int64_t index, int64_t n, int64_t lanes, int64_t max_vectors) {
    const int64_t vectors = div_up(n, lanes);
    if (vectors <= max_vectors) {
        return {0, vectors};  // without the divisions, which a small tile would feel
    }
    const int64_t panels = div_up(vectors, max_vectors);
    const int64_t least = vectors / panels;
    const int64_t wider = vectors - least * panels;
    return {(index * least + (index < wider ? index : wider)) * lanes, least + (index < wider ? 1 : 0)};
}

namespace {

/// Panels from `index` on, one after the other, with divisions only for the first one.
class Panels {
public:
    Panels(int64_t index, int64_t n, int64_t lanes, int64_t max_vectors) : lanes_(lanes) {
        const int64_t count = panel_count(n, lanes, max_vectors);
        const int64_t vectors = div_up(n, lanes);
        least_ = vectors;
        if (count > 1) {
            least_ = vectors / count;
            wider_ = vectors - least_ * count;
        }
        column_ = (index * least_ + (index < wider_ ? index : wider_)) * lanes;
        wider_ = index < wider_ ? wider_ - index : 0;
    }
    /// The next one, and how many from it on, at most `most` > 0, are as wide: they are passed.
    Panel next(int64_t most, int64_t* count) {
        const bool wide = wider_ > 0;
        const Panel at = {column_, least_ + (wide ? 1 : 0)};
        *count = wide && wider_ < most ? wider_ : most;
        wider_ -= wide ? *count : 0;
        column_ += *count * at.vectors * lanes_;
        return at;
    }

private:
    int64_t lanes_;
    int64_t least_ = 0;   ///< vectors of the narrower panels
    int64_t wider_ = 0;   ///< how many that have one more are left
    int64_t column_ = 0;  ///< of the next panel
};

}  // namespace

/// Bytes of one column of a packed GEMM panel: bias, multiplier (weights of one byte), weights. Panel i begins at its
/// first column times this. Each tap is padded to kr, or all together where the kernel packs rows of A.
static inline int64_t gemm_column_bytes(int64_t taps, int64_t k, int64_t kr, int64_t weight_bytes, bool packs_rows) {
    const int64_t length = packs_rows ? div_up(taps * k, kr) * kr : taps * div_up(k, kr) * kr;
    return (weight_bytes == 1 ? 8 : 4) + length * weight_bytes;
}

/// GemmKernel::marked: what columns are padded to, and bytes of marks of a panel.
constexpr int64_t kMarkedKr = 4;
static inline int64_t panel_marks(int64_t length) {
    return (length + 3) / 8 + 1;
}

/// Elements from row to row of A where a kernel packs rows of `length` elements, all taps: 64 more may be written
/// behind a row. An odd number of cache lines of bytes, so that the rows of a tile do not share the same few sets of
/// the cache.
static inline int64_t packed_row_pitch(int64_t length) {
    return (div_up(length + 64, 64) | 1) * 64;
}

}  // namespace fw
