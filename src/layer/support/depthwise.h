// The kernels of layers whose every channel is a group of its own. Layers reach them through find_depthwise only, which
// the grouped ones hand to WeightedCore: a build that has none of these layers links none of these kernels.
#pragma once

#include <memory>

#include "fw/mat.h"
#include "kernel/conv.h"
#include "kernel/pack.h"

namespace fw {

/// A depthwise kernel chosen for one window: line by line where the level has a kernel for its size and stride, the
/// general one otherwise.
class DepthwiseKernel {
public:
    virtual ~DepthwiseKernel() = default;
    virtual const char* name() const = 0;
    virtual size_t packed_bytes(const DwWeights& weights) const = 0;
    virtual void pack(const DwWeights& weights, void* out) const = 0;
    virtual size_t scratch_bytes(int64_t taps, int64_t channels, bool staged, int threads) const = 0;
    /// Takes any Epilogue::bent.
    virtual bool bends() const = 0;
    virtual void run(const ConvJob& job) const = 0;
};

struct DepthwiseWindow {
    int kernel_h = 1;
    int kernel_w = 1;
    int line_stride = 0;  ///< columns a pixel, without dilation; 0: not so
    int channels = 0;
};

/// Of int8, float32 or float16 pixels.
using FindDepthwise = std::shared_ptr<const DepthwiseKernel> (*)(const DepthwiseWindow& window, DType type, Isa isa);

/// nullptr of float16 alone, where the level has no kernel for the window.
std::shared_ptr<const DepthwiseKernel> find_depthwise(const DepthwiseWindow& window, DType type, Isa isa);

}  // namespace fw
