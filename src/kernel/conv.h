// Convolutions over the GEMM and depthwise kernels: which input pixel each tap reads, cache blocks, threads.
#pragma once

#include "kernel/kernel.h"

namespace fw {

/// Where pixels lie and how windows move over them. Strides are in elements of the tensor they belong to.
/// Output pixel (y, x) reads, for tap (ky, kx), input pixel
///   (y * stride_h - pad_top + ky * dilation_h, likewise x)                              convolution
///   ((y + pad_top - ky * dilation_h) / stride_h if that is whole, likewise x)           `transposed`: deconvolution
/// or the row of padding where that is not inside of the input.
struct ConvGeometry {
    int in_h = 1, in_w = 1;
    int64_t in_h_stride = 0, in_w_stride = 0;
    int out_h = 1, out_w = 1;
    int64_t out_h_stride = 0, out_w_stride = 0;
    int kernel_h = 1, kernel_w = 1;
    int stride_h = 1, stride_w = 1;
    int dilation_h = 1, dilation_w = 1;
    int pad_top = 0, pad_left = 0;
    bool transposed = false;

    int64_t taps() const { return int64_t{kernel_h} * kernel_w; }
    int64_t pixels() const { return int64_t{out_h} * out_w; }
};

/// A function of single elements over `count` finished outputs that are still in the cache. `from` is what the kernel
/// wrote, `to` its place in the output: the same memory unless `staged`, where the kernel writes float rows to scratch
/// memory first and the function converts them.
struct RowFunction {
    void (*run)(const void* context, const void* from, void* to, int64_t count) = nullptr;
    const void* context = nullptr;
    bool staged = false;
};

/// One group of a convolution. `k` channels are read and `n` channels written from the given addresses on.
struct ConvJob {
    ConvGeometry geometry;
    const void* input = nullptr;
    void* output = nullptr;
    const void* pad_row = nullptr;  ///< k elements of the padding value; nullptr only where no tap leaves the input
    const void* packed = nullptr;
    /// Float GEMM: `packed` is from pack_half, and panels are widened by `widen` just before they are used.
    void (*widen)(const uint16_t* half, int64_t count, float* out) = nullptr;
    int64_t k = 0;  ///< depthwise: channels in and out
    int64_t n = 0;
    Epilogue epilogue;
    RowFunction row_function;
    int threads = 1;
    void* scratch = nullptr;   ///< gemm_conv_scratch_bytes / dw_conv_scratch_bytes
    int out_element_size = 4;  ///< of the output tensor
    bool half_input = false;   ///< input and pad_row are float16: for kernels that take them

    int in_element_size(bool int8) const { return int8 ? 1 : half_input ? 2 : 4; }
};

/// Results do not depend on the number of threads: every output is computed whole, by one of them.
void run_gemm_conv(const GemmKernel& kernel, const ConvJob& job);
size_t gemm_conv_scratch_bytes(const GemmKernel& kernel, int64_t taps, int64_t k, int64_t n, bool staged, int threads,
                               bool half = false);

/// Depthwise convolution line by line: not transposed, horizontal dilation 1, kernel.size and kernel.stride as the
/// geometry has them. `pad_row` must not be nullptr.
void run_dw_line_conv(const DwLineKernel& kernel, const ConvJob& job);

void run_dw_conv(const DwKernel& kernel, const ConvJob& job);
size_t dw_conv_scratch_bytes(int64_t taps, int64_t channels, bool staged, int threads);

}  // namespace fw
