// ConvLayer: Convolution, ConvolutionDepthWise, Deconvolution and DeconvolutionDepthWise. They differ in which keys
// they have and in the direction of the window; parameters, shapes and the run are here.
#pragma once

#include <string>

#include "layer/layer.h"
#include "layer/support/weighted.h"
#include "layer/support/window.h"

namespace fw {

class ConvLayer final : public Layer {
public:
    struct Kind {
        bool grouped = false;
        bool transposed = false;
        FindDepthwise find_depthwise = nullptr;  ///< of grouped ones
    };
    explicit ConvLayer(Kind kind) : kind_(kind) {}

    Status load(const Params& params, Span<const Weight> weights) override;
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    Status prepare(const PrepareContext& context) override;
    Rectified rectified() const override { return core_.rectified(); }
    HalfUse half_use(bool arithmetic) const override { return dynamic_ ? HalfUse::kNone : core_.half_use(arithmetic); }
    LayerTraits traits() const override;
    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const override;
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE;
    std::string kernel_name() const override { return core_.kernel_name(); }
    int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const override;
    double time_share(bool int8, Span<const TensorDesc> in, Span<const TensorDesc> out) const override;
    size_t weight_bytes() const override { return core_.weight_bytes(); }

private:
    /// One pixel, whose channels are the shape's only extent.
    static bool is_line(const Shape& shape) { return shape.rank == 1; }
    /// Windows of this size that move by one pixel over all channels.
    bool is_dense(int size) const;
    /// Extents and paddings for an input; strides are left 0.
    Status resolve(const Shape& in, ConvGeometry* out, WindowAxis* vertical, WindowAxis* horizontal) const;
    Status resolve_transposed(const char* axis, int in, const WindowSpec& spec, int output_pad, int wanted,
                              bool pads_count, WindowAxis* out) const;
    Status load_fixed(const Params& params, WeightedCore::Spec spec, Span<const Weight> weights);
    /// dynamic_weight: weights (and bias) are inputs 1 and 2, packed for every run.
    Status check_dynamic(Span<const TensorDesc> in) const;
    Status forward_dynamic(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const;
    size_t padded_rows_bytes(const Shape& in) const;
    int64_t padded_row_bytes(const ConvGeometry& geometry, const WindowAxis& horizontal) const;
    int band_rows(const ConvGeometry& geometry, int64_t row_bytes) const;
    const void* pad_rows(const void* input, const WindowAxis& horizontal, void* workspace, int threads,
                         ConvGeometry* geometry) const;
    /// Row taps: band by band, padded rows and the output rows that read them.
    void run_bands(const ConvGeometry& whole, const WindowAxis& horizontal, const void* input, void* output,
                   int threads, void* workspace, void* scratch, const int8_t* residual) const;

    Kind kind_;
    WeightedCore core_;
    bool dynamic_ = false;
    WindowSpec vertical_;
    WindowSpec horizontal_;
    int output_pad_right_ = 0;
    int output_pad_bottom_ = 0;
    int output_w_ = 0;
    int output_h_ = 0;
};

}  // namespace fw
