// Addresses of the input pixels that a run of output pixels reads.
#pragma once

#include "kernel/conv.h"

namespace fw {

/// Walks the output pixels of a geometry in row-major order and writes, for each, one address a tap.
class TapRows {
public:
    /// Addresses go to rows[t * tap_step + i * pixel_step] for tap t of the i-th pixel of a run.
    TapRows(const ConvGeometry& geometry, const void* input, const void* pad_row, int element_size, int64_t tap_step,
            int64_t pixel_step)
        : g_(geometry),
          input_(static_cast<const char*>(input)),
          pad_row_(static_cast<const char*>(pad_row)),
          size_(element_size),
          tap_step_(tap_step),
          pixel_step_(pixel_step) {}

    /// Fills the addresses of `count` pixels from output pixel `first` on.
    void fill(int64_t first, int64_t count, const void** rows) const;

private:
    void fill_pixel(int y, int x, const void** rows) const;
    /// Input coordinate of a tap along one axis, or -1 where it is padding.
    static int source(int out, int tap, int stride, int dilation, int pad, int extent, bool transposed);

    const ConvGeometry& g_;
    const char* input_;
    const char* pad_row_;
    int64_t size_;
    int64_t tap_step_;
    int64_t pixel_step_;
};

}  // namespace fw
