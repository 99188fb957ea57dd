#include "kernel/tap_rows.h"

#include <cstring>

namespace fw {

namespace {

template <class T, class Byte>
void fill_eight(Byte* at, int64_t step, T** to) {
    Byte* const half = at + 4 * step;
    to[0] = at;
    to[1] = at + step;
    to[2] = at + 2 * step;
    to[3] = at + 3 * step;
    to[4] = half;
    to[5] = half + step;
    to[6] = half + 2 * step;
    to[7] = half + 3 * step;
}

// `count` addresses, `step` bytes apart, to places that are `place_step` apart.
template <class T, class Byte>
void fill(Byte* at, int64_t step, int64_t count, int64_t place_step, T** to) {
    for (; place_step == 1 && count >= 8; count -= 8, to += 8, at += 8 * step) {
        fill_eight(at, step, to);
    }
    for (; count > 0; --count, to += place_step, at += step) {
        *to = at;
    }
}

}  // namespace

TapRows::TapRows(const ConvJob& job, int element_size, int64_t tap_step, int64_t pixel_step, int64_t first, char* edges)
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
      x_(static_cast<int>(first % g_.out_w)),
      dense_(g_.taps() == 1 && !g_.transposed && g_.pad_top == 0 && g_.pad_left == 0 &&
             int64_t{g_.out_h - 1} * g_.stride_h < g_.in_h && int64_t{g_.out_w - 1} * g_.stride_w < g_.in_w),
      edges_(edges) {
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

// `count` pixels from `at` on whose windows lie in the input, side by side: without what others need.
__attribute__((noinline)) void TapRows::fill_inside(const char* at, int64_t count, const void** rows) const {
    const ConvGeometry& g = g_;
    const int64_t step = g.stride_w * w_step_;
    const int64_t right = g.dilation_w * w_step_;
    const int64_t down = g.dilation_h * h_step_;
    const int64_t tap_step = tap_step_;
    const int64_t kernel_w = g.kernel_w;
    for (int64_t ky = g.kernel_h; ky > 0; --ky, at += down) {
        const char* tap = at;
        for (int64_t kx = kernel_w; kx > 0; --kx, rows += tap_step, tap += right) {
            fill(tap, step, count, 1, rows);
        }
    }
}

// Pixels x_ .. x_ + count - 1 of output row y_. Taps outside, pixels inside: most taps of a span lie in the input as a
// whole, which takes one test a tap instead of one an address.
void TapRows::fill_span(int count, const void** rows) const {
    const int64_t step = g_.stride_w * w_step_;
    if (dense_) {
        fill(input_ + y_ * (g_.stride_h * h_step_) + x_ * step, step, count, pixel_step_, rows);
        return;
    }
    const bool direct = !g_.transposed;
    const int64_t x = int64_t{x_} * g_.stride_w - g_.pad_left;
    const int64_t least = x + int64_t{count - 1} * g_.stride_w - g_.in_w;  // below 0 where the last pixel is inside
    const int64_t y = int64_t{y_} * g_.stride_h - g_.pad_top;
    if (direct && pixel_step_ == 1 && x >= 0 && y >= 0 && least + int64_t{g_.kernel_w - 1} * g_.dilation_w < 0 &&
        y + int64_t{g_.kernel_h - 1} * g_.dilation_h < g_.in_h) {
        fill_inside(input_ + y * h_step_ + x * w_step_, count, rows);
        return;
    }
    fill_any(count, x, least, rows);
}

__attribute__((noinline)) void TapRows::fill_any(int count, int64_t x, int64_t least, const void** rows) const {
    const int64_t step = g_.stride_w * w_step_;
    const bool direct = !g_.transposed;
    for (int ky = 0; ky < g_.kernel_h; ++ky) {
        const int iy = source(y_, ky, g_.stride_h, g_.dilation_h, g_.pad_top, g_.in_h, g_.transposed);
        const char* line = input_ + iy * h_step_;
        int64_t tap = 0;
        for (int kx = 0; kx < g_.kernel_w; ++kx, rows += tap_step_, tap += g_.dilation_w) {
            if (direct && iy >= 0 && x + tap >= 0 && least + tap < 0) {
                fill(line + (x + tap) * w_step_, step, count, pixel_step_, rows);
                continue;
            }
            const void** to = rows;
            for (int i = 0; i < count; ++i, to += pixel_step_) {
                const int ix = source(x_ + i, kx, g_.stride_w, g_.dilation_w, g_.pad_left, g_.in_w, g_.transposed);
                *to = iy < 0 || ix < 0 ? pad_row_ : line + ix * w_step_;
            }
        }
    }
}

void TapRows::fill_joined(int count, const void** rows, char* edges) const {
    const auto tap_bytes = static_cast<size_t>(w_step_);
    for (int ky = 0; ky < g_.kernel_h; ++ky, rows += tap_step_) {
        const int iy = source(y_, ky, g_.stride_h, g_.dilation_h, g_.pad_top, g_.in_h, false);
        const char* line = input_ + iy * h_step_;
        int64_t x = int64_t{x_} * g_.stride_w - g_.pad_left;
        for (int i = 0; i < count; ++i, x += g_.stride_w) {
            if (iy >= 0 && x >= 0 && x + g_.kernel_w <= g_.in_w) {
                rows[i * pixel_step_] = line + x * w_step_;
                continue;
            }
            rows[i * pixel_step_] = edges;
            for (int64_t ix = x; ix < x + g_.kernel_w; ++ix, edges += tap_bytes) {
                std::memcpy(edges, iy < 0 || ix < 0 || ix >= g_.in_w ? pad_row_ : line + ix * w_step_, tap_bytes);
            }
        }
    }
}

void TapRows::next(int64_t count, const void** rows, void** place) {
    char* edges = edges_;
    while (count > 0) {
        const int left = g_.out_w - x_;
        const int span = count < left ? static_cast<int>(count) : left;
        if (edges != nullptr) {
            fill_joined(span, rows, edges);
            edges += span * g_.taps() * w_step_;
        } else {
            fill_span(span, rows);
        }
        fill(out_row_ + x_ * out_w_step_, out_w_step_, span, 1, place);
        place += span;
        rows += span * pixel_step_;
        count -= span;
        x_ += span;
        if (x_ == g_.out_w) {
            x_ = 0;
            ++y_;
            out_row_ += out_h_step_;
        }
    }
}

}  // namespace fw
