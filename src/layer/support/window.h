// Sliding windows: output extents and paddings that convolution and pooling share. One axis at a time.
#pragma once

#include <cstdint>

#include "fw/status.h"

namespace fw {

/// Values of a pad parameter that ask for "same" padding instead of giving a number.
constexpr int kPadSameUpper = -233;  ///< the odd cell goes after
constexpr int kPadSameLower = -234;  ///< the odd cell goes before

/// Parameters of one axis as a layer's file gives them.
struct WindowSpec {
    int kernel = 1;
    int stride = 1;
    int dilation = 1;
    int pad_before = 0;  ///< cells, or kPadSame* (then pad_after must say the same)
    int pad_after = 0;
};

/// One axis resolved for an input extent.
struct WindowAxis {
    int out = 0;         ///< windows, >= 1
    int pad_before = 0;  ///< cells before the image, >= 0
    int pad_after = 0;   ///< cells after it, >= 0, so that every window lies within the padded image
};

/// Pooling's key 5.
enum class PoolPad : int {
    kCeil = 0,       ///< Caffe: the far border grows until the last window fits
    kValid = 1,      ///< incomplete windows are dropped
    kSameUpper = 2,  ///< pads are computed, the given ones ignored
    kSameLower = 3,
};

/// kernel, stride, dilation >= 1, pads >= 0 or kPadSame*: for Layer::load. `axis` ("width") is for the message.
Status check_window(const char* axis, const WindowSpec& spec);

/// Convolution: out = (in + pads - (dilation * (kernel - 1) + 1)) / stride + 1. Same padding takes
/// max(0, extent + (in - 1) / stride * stride - in) cells an axis. Fails with kInvalidArgument where no window fits.
Status conv_window(const char* axis, int64_t in, const WindowSpec& spec, WindowAxis* out);

/// Pooling. In kCeil a window may lie wholly beyond the image: nothing is cut as Caffe does.
Status pool_window(const char* axis, int64_t in, const WindowSpec& spec, PoolPad mode, WindowAxis* out);

/// The cells [begin, end) of the image that window `index` covers, dilation 1; empty (begin == end) for one in the
/// border.
struct WindowRange {
    int begin = 0;
    int end = 0;
    int count() const { return end - begin; }
};
inline WindowRange window_range(int index, int in, int kernel, int stride, int pad_before) {
    const int64_t start = int64_t{index} * stride - pad_before;
    const int64_t stop = start + kernel;
    WindowRange r;
    r.begin = static_cast<int>(start < 0 ? 0 : (start < in ? start : in));
    r.end = static_cast<int>(stop < r.begin ? r.begin : (stop < in ? stop : in));
    return r;
}

}  // namespace fw
