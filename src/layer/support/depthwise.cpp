#include "layer/support/depthwise.h"

#include "kernel/dispatch.h"

namespace fw {

namespace {

class General final : public DepthwiseKernel {
public:
    explicit General(const DwKernel& kernel) : kernel_(kernel) {}
    const char* name() const override { return kernel_.name; }
    size_t packed_bytes(const DwWeights& weights) const override { return packed_dw_bytes(kernel_, weights); }
    void pack(const DwWeights& weights, void* out) const override { pack_dw(kernel_, weights, out); }
    size_t scratch_bytes(int64_t taps, int64_t channels, bool staged, int threads) const override {
        return dw_conv_scratch_bytes(taps, channels, staged, threads);
    }
    bool bends() const override { return false; }
    void run(const ConvJob& job) const override { run_dw_conv(kernel_, job); }

private:
    const DwKernel& kernel_;
};

class Line final : public DepthwiseKernel {
public:
    explicit Line(const DwLineKernel& kernel) : kernel_(kernel) {}
    const char* name() const override { return kernel_.name; }
    size_t packed_bytes(const DwWeights& weights) const override { return packed_dw_line_bytes(kernel_, weights); }
    void pack(const DwWeights& weights, void* out) const override { pack_dw_line(kernel_, weights, out); }
    size_t scratch_bytes(int64_t taps, int64_t channels, bool staged, int threads) const override {
        return dw_conv_scratch_bytes(taps, channels, staged, threads);
    }
    bool bends() const override { return kernel_.bends; }
    void run(const ConvJob& job) const override { run_dw_line_conv(kernel_, job); }

private:
    const DwLineKernel& kernel_;
};

}  // namespace

std::shared_ptr<const DepthwiseKernel> find_depthwise(const DepthwiseWindow& window, DType type, Isa isa) {
    const bool int8 = type == DType::kInt8;
    const bool half = type == DType::kFloat16;
    if (window.kernel_h == window.kernel_w) {
        if (const DwLineKernel* line =
                find_dw_line_kernel(int8, isa, window.kernel_w, window.line_stride, window.channels, half)) {
            return std::make_shared<Line>(*line);
        }
    }
    if (half) {
        return nullptr;
    }
    return std::make_shared<General>(*find_dw_kernel(int8, isa));
}

}  // namespace fw
