// Addresses of the input pixels that a run of output pixels reads.
#pragma once

#include "kernel/conv.h"

namespace fw {

/// Walks output pixels in row-major order and gives, for each, one input address a tap and its own address.
class TapRows {
public:
    /// Starts at output pixel `first`. The i-th pixel of a run has its tap t at rows[t * tap_step + i * pixel_step].
    /// With `edges`, memory for the windows of as many pixels as next() is asked for, the taps of a window's row, which
    /// must lie side by side in the input, are one tap; where padding is among them, they are copied there.
    TapRows(const ConvJob& job, int element_size, int64_t tap_step, int64_t pixel_step, int64_t first,
            char* edges = nullptr);

    /// Fills the addresses of the next `count` pixels; those of the outputs go to place[i].
    void next(int64_t count, const void** rows, void** place);

private:
    void fill_span(int count, const void** rows) const;
    void fill_inside(const char* at, int64_t count, const void** rows) const;
    void fill_any(int count, int64_t x, int64_t least, const void** rows) const;
    void fill_joined(int count, const void** rows, char* edges) const;
    /// Input coordinate of a tap along one axis, or -1 where it is padding.
    static int source(int out, int tap, int stride, int dilation, int pad, int extent, bool transposed);

    const ConvGeometry& g_;
    const char* input_;
    const char* pad_row_;
    int64_t h_step_;  ///< bytes from row to row of the input
    int64_t w_step_;
    int64_t out_w_step_;
    int64_t tap_step_;
    int64_t pixel_step_;
    char* out_row_;  ///< of the output row that y_ is in
    int64_t out_h_step_;
    int y_;
    int x_;
    bool dense_;  ///< one tap, always inside
    char* edges_;
};

}  // namespace fw
