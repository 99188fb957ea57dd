// WeightedCore: what every layer with a weight matrix shares. Takes the weights, quantizes and packs them for a kernel,
// and runs that kernel over a geometry with the fused activation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/conv.h"
#include "kernel/strassen.h"
#include "kernel/winograd.h"
#include "layer/layer.h"
#include "layer/support/depthwise.h"
#include "layer/support/float_runs.h"
#include "layer/support/fused_activation.h"

namespace fw {

struct GroupOrder;  // kernel/match_groups.h
struct WeightRows;  // layer/operation.h

class WeightedCore {
public:
    /// The weights as the file has them: [outputs][channels / group][kernel_h][kernel_w].
    struct Spec {
        int outputs = 0;
        int channels = 0;  ///< of the input, all groups together
        int group = 1;
        int kernel_h = 1;
        int kernel_w = 1;
        bool bias = false;
        bool int8_scales = false;  ///< the file has one weight scale an output (or fewer, repeated) behind the bias
        /// A filter row is one tap of kernel_w * channels elements that lie together: first layers with few channels.
        bool row_taps = false;
        /// Depthwise windows move by this many columns a pixel, without dilation; 0: not so.
        int line_stride = 0;
        /// Layers that may be depthwise; nullptr: groups are multiplied one by one, whatever their size.
        FindDepthwise find_depthwise = nullptr;
        float pad_value = 0.0F;
        FusedActivation activation;

        int64_t taps() const { return row_taps ? kernel_h : int64_t{kernel_h} * kernel_w; }
        /// Elements of a tap.
        int64_t tap_length() const { return int64_t{channels} / group * (row_taps ? kernel_w : 1); }
        int64_t weights_per_output() const { return int64_t{channels} / group * kernel_h * kernel_w; }
        bool depthwise() const {
            return find_depthwise != nullptr && group == channels && group == outputs && group > 1;
        }
    };

    /// Checks the number of blobs and of their elements.
    Status load(const Spec& spec, Span<const Weight> weights);
    /// Without weights: a layer that gets them later, in a copy of itself.
    void load(const Spec& spec) { spec_ = spec; }
    /// Sets Spec::row_taps; before prepare.
    void use_row_taps(bool use) { spec_.row_taps = use; }
    /// Windows of 3x3 move by one pixel and without dilation over all channels, to out_h x out_w outputs as far as that
    /// is known: they may go by Winograd's way, with single taps. Before prepare.
    void use_winograd(int out_h, int out_w) {
        winograd_h_ = out_h;
        winograd_w_ = out_w;
    }
    /// Windows of one pixel move by one over all channels, to so many pixels: in half floats they may go Strassen's
    /// way. Before prepare.
    void use_strassen(int64_t pixels) { strassen_pixels_ = pixels; }
    /// Products are of several rows each: in int8 they may go by a `matched` kernel. Before prepare.
    void use_matched(bool use) { matches_ = use; }
    /// Accepts float to float, int8 to int8 and int8 to float, and float16 where half_use() says so.
    Status prepare(const PrepareContext& context);
    HalfUse half_use(bool arithmetic) const;
    /// Layer::rectified
    Rectified rectified() const { return rectified_; }

    /// The layer for another processor, after a prepare() for a device. `geometry` with the strides of the tensors.
    Status operation(const ConvGeometry& geometry, Operation* operation) const;

    const Spec& spec() const { return spec_; }
    size_t scratch_bytes(int threads, int out_h, int out_w) const;
    /// Outputs are operands of a sum (PrepareContext::sum).
    bool adds() const { return kFusesNeighbours && adds_; }
    /// `geometry` has taps() taps. `input` and `output` are the first pixels of tensors with adjacent channels. A layer
    /// that adds is done if `residual`, the other operand's first pixel, is given and that has the strides of the
    /// output; else finish() is to be called.
    void run(const ConvGeometry& geometry, const void* input, void* output, int threads, void* scratch,
             const int8_t* residual = nullptr) const;
    /// Adds a residual of any strides with adjacent channels to what run() wrote.
    void finish(const Tensor& residual, const Tensor& output, int threads) const;

    /// Writes `count` elements of padding in the input's type.
    void fill_padding(void* to, size_t count) const;
    bool int8() const { return int8_; }
    int in_element_size() const { return int8_ ? 1 : half_in_ ? 2 : 4; }
    int out_element_size() const { return out_size_; }
    std::string kernel_name() const;
    size_t weight_bytes() const { return packed_bytes_; }

private:
    std::vector<float> real_bias() const;
    Status quantize(const PrepareContext& context, WeightRows* rows);
    /// `orders`: of each group of a `matched` kernel.
    Status pack(const WeightRows& rows, const std::vector<GroupOrder>& orders, PagePool* pool);
    Status pack_winograd(const WeightRows& rows, PagePool* pool);
    Status pack_strassen(const WeightRows& rows, PagePool* pool);
    Status allocate_packed(PagePool* pool);
    void choose_winograd(Isa isa, const WeightRows& rows);
    /// `rows` in the order of pixels.
    void choose_matched(const PrepareContext& context, Isa isa, const WeightRows& rows,
                        std::vector<GroupOrder>* orders);
    Rectified find_rectified(const PrepareContext& context) const;
    /// Lets a GemmWeights or DwWeights point at the weights from output `first` on.
    template <class Weights>
    void set_values(const WeightRows& rows, int64_t first, Weights* weights) const;
    /// The outputs of a group.
    GemmWeights group_weights(const WeightRows& rows, int group) const;
    void choose_strassen(Isa isa, const WeightRows& rows);
    GemmWeights dense_weights(const WeightRows& rows) const;
    template <class T>
    void reorder(Span<const T> values, WeightRows* rows) const;
    Status pack_float16();
    /// What the row functions know of a run.
    struct RowJob {
        const WeightedCore* core;
        const int8_t* residual;  ///< where it belongs to `output`; nullptr: nothing is added or looked up yet
        const void* output;
        bool added;  ///< by the kernel
    };
    bool finishes_rows(const RowJob& rows) const;
    /// The kernel adds the residual itself.
    bool kernel_sums() const;
    SumEpilogue sum_epilogue(const RowJob& rows) const;
    bool kernel_bends() const;
    void bend_outputs();
    Status prepare_sum(const PrepareContext& context);
    Status choose_kernel(const PrepareContext& context, Isa isa);
    DepthwiseWindow window() const { return {spec_.kernel_h, spec_.kernel_w, spec_.line_stride, spec_.channels}; }
    RowFunction row_function(const RowJob& rows) const;
    static void activate_row(const void* job, const void* from, void* to, int64_t count);
    /// False, with nothing written, where the activation has no arithmetic in float16.
    bool activates_in_half(const uint16_t* from, uint16_t* to, int64_t count) const;
    static void activate_half_row(const void* job, const void* from, void* to, int64_t count);
    static void narrow_row(const void* job, const void* from, void* to, int64_t count);
    static void quantize_row(const void* job, const void* from, void* to, int64_t count);
    static void finish_row(const void* job, const void* from, void* to, int64_t count);

    Spec spec_;
    std::vector<Weight> weights_;
    std::shared_ptr<const WeightRows> rows_;  ///< kept for a device
    bool int8_ = false;
    bool half_in_ = false;
    bool half_out_ = false;
    HalfRuns half_runs_ = {};
    bool staged_ = false;  ///< the activation works on floats, apart from the kernel
    int out_size_ = 4;
    QuantParams out_quant_;  ///< before the sum and the table, where there are any
    bool adds_ = false;
    SumParams sum_;  ///< of the outputs and a residual
    Rectified rectified_ = Rectified::kNo;
    const RunKernel* run_kernel_ = nullptr;
    const FunctionKernel* function_kernel_ = nullptr;
    std::vector<int8_t> table_;  ///< of a point-wise layer that follows; empty = none
    const TableKernel* table_kernel_ = nullptr;
    Epilogue epilogue_;
    float pad_value_ = 0.0F;
    int8_t pad_byte_ = 0;
    bool widens_weights_ = false;  ///< kept in float16, multiplied in float32
    void (*widen_)(const uint16_t* half, int64_t count, float* out) = nullptr;
    const GemmKernel* gemm_ = nullptr;
    bool matches_ = false;  ///< a `matched` one may be
    int offset_ = 0;        ///< of a `matched` one
    int winograd_h_ = 0;    ///< 0: not by this way
    int winograd_w_ = 0;
    Winograd winograd_;                          ///< instead of gemm_ where it has a kernel
    int64_t strassen_pixels_ = 0;                ///< 0: not by this way
    Strassen strassen_;                          ///< likewise
    std::shared_ptr<const DepthwiseKernel> dw_;  ///< instead of gemm_
    std::shared_ptr<void> packed_;
    std::shared_ptr<void> pad_row_;
    size_t packed_bytes_ = 0;
    size_t group_bytes_ = 0;
};

}  // namespace fw
