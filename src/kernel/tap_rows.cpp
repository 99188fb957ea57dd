#include "kernel/tap_rows.h"

namespace fw {

int TapRows::source(int out, int tap, int stride, int dilation, int pad, int extent, bool transposed) {
    int64_t at = 0;
    if (transposed) {
        at = int64_t{out} + pad - int64_t{tap} * dilation;
        if (at < 0 || at % stride != 0) {
            return -1;
        }
        at /= stride;
    } else {
        at = int64_t{out} * stride - pad + int64_t{tap} * dilation;
    }
    return at < 0 || at >= extent ? -1 : static_cast<int>(at);
}

void TapRows::fill_pixel(int y, int x, const void** rows) const {
    const int64_t h_step = g_.in_h_stride * size_;
    const int64_t w_step = g_.in_w_stride * size_;
    if (!g_.transposed) {
        // Most windows lie inside: no test for each tap.
        const int64_t top = int64_t{y} * g_.stride_h - g_.pad_top;
        const int64_t left = int64_t{x} * g_.stride_w - g_.pad_left;
        const int64_t bottom = top + int64_t{g_.kernel_h - 1} * g_.dilation_h;
        const int64_t right = left + int64_t{g_.kernel_w - 1} * g_.dilation_w;
        if (top >= 0 && left >= 0 && bottom < g_.in_h && right < g_.in_w) {
            const char* line = input_ + top * h_step + left * w_step;
            for (int ky = 0; ky < g_.kernel_h; ++ky, line += g_.dilation_h * h_step) {
                const char* at = line;
                for (int kx = 0; kx < g_.kernel_w; ++kx, at += g_.dilation_w * w_step, rows += tap_step_) {
                    *rows = at;
                }
            }
            return;
        }
    }
    for (int ky = 0; ky < g_.kernel_h; ++ky) {
        const int iy = source(y, ky, g_.stride_h, g_.dilation_h, g_.pad_top, g_.in_h, g_.transposed);
        for (int kx = 0; kx < g_.kernel_w; ++kx, rows += tap_step_) {
            const int ix = source(x, kx, g_.stride_w, g_.dilation_w, g_.pad_left, g_.in_w, g_.transposed);
            *rows = iy < 0 || ix < 0 ? pad_row_ : input_ + iy * h_step + ix * w_step;
        }
    }
}

void TapRows::fill(int64_t first, int64_t count, const void** rows) const {
    int y = static_cast<int>(first / g_.out_w);
    int x = static_cast<int>(first % g_.out_w);
    for (int64_t i = 0; i < count; ++i, rows += pixel_step_) {
        fill_pixel(y, x, rows);
        if (++x == g_.out_w) {
            x = 0;
            ++y;
        }
    }
}

}  // namespace fw
