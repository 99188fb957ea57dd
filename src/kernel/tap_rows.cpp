#include "kernel/tap_rows.h"

namespace fw {

TapRows::TapRows(const ConvJob& job, int element_size, int64_t tap_step, int64_t pixel_step, int64_t first)
    : g_(job.geometry),
      input_(static_cast<const char*>(job.input)),
      pad_row_(static_cast<const char*>(job.pad_row)),
      h_step_(g_.in_h_stride * element_size),
      w_step_(g_.in_w_stride * element_size),
      out_w_step_(g_.out_w_stride * job.out_element_size),
      tap_step_(tap_step),
      pixel_step_(pixel_step),
      out_row_(static_cast<char*>(job.output)),
      out_h_step_(g_.out_h_stride * job.out_element_size),
      y_(static_cast<int>(first / g_.out_w)),
      x_(static_cast<int>(first % g_.out_w)) {
    out_row_ += y_ * out_h_step_;
}

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

void TapRows::fill_pixel(const void** rows) const {
    if (!g_.transposed) {
        // Most windows lie inside: no test for each tap.
        const int64_t top = int64_t{y_} * g_.stride_h - g_.pad_top;
        const int64_t left = int64_t{x_} * g_.stride_w - g_.pad_left;
        const int64_t bottom = top + int64_t{g_.kernel_h - 1} * g_.dilation_h;
        const int64_t right = left + int64_t{g_.kernel_w - 1} * g_.dilation_w;
        if (top >= 0 && left >= 0 && bottom < g_.in_h && right < g_.in_w) {
            const char* line = input_ + top * h_step_ + left * w_step_;
            for (int ky = 0; ky < g_.kernel_h; ++ky, line += g_.dilation_h * h_step_) {
                const char* at = line;
                for (int kx = 0; kx < g_.kernel_w; ++kx, at += g_.dilation_w * w_step_, rows += tap_step_) {
                    *rows = at;
                }
            }
            return;
        }
    }
    for (int ky = 0; ky < g_.kernel_h; ++ky) {
        const int iy = source(y_, ky, g_.stride_h, g_.dilation_h, g_.pad_top, g_.in_h, g_.transposed);
        for (int kx = 0; kx < g_.kernel_w; ++kx, rows += tap_step_) {
            const int ix = source(x_, kx, g_.stride_w, g_.dilation_w, g_.pad_left, g_.in_w, g_.transposed);
            *rows = iy < 0 || ix < 0 ? pad_row_ : input_ + iy * h_step_ + ix * w_step_;
        }
    }
}

void TapRows::next(int64_t count, const void** rows, char** place) {
    for (int64_t i = 0; i < count; ++i, rows += pixel_step_) {
        fill_pixel(rows);
        place[i] = out_row_ + x_ * out_w_step_;
        if (++x_ == g_.out_w) {
            x_ = 0;
            ++y_;
            out_row_ += out_h_step_;
        }
    }
}

}  // namespace fw
