// Layer: what the runtime asks of a layer type. One object a node of the optimised graph; immutable after prepare,
// shared by threads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"
#include "model/schema.h"
#include "model/weight.h"
#include "tensor/tensor.h"

namespace fw {

class PagePool;    // base/memory.h
struct Operation;  // layer/operation.h
struct SumParams;  // quant/quant.h

/// False in a build for the CPU alone. What only another processor needs is left out of it: Layer::operation() is no
/// virtual function there, nothing calls it, and the linker drops it ([[maybe_unused]] where it is not inline).
#ifdef FW_NO_ACCELERATOR
constexpr bool kHasAccelerator = false;
#define FW_DEVICE_VIRTUAL
#define FW_DEVICE_OVERRIDE
#else
constexpr bool kHasAccelerator = true;
#define FW_DEVICE_VIRTUAL virtual
#define FW_DEVICE_OVERRIDE override
#endif

/// Whether int8 values are what a rectifier leaves: most of them at the zero point or a little above it.
enum class Rectified : uint8_t {
    kNo,
    kMostly,  ///< few are below the zero point, and not far: swish, GELU, leaky ReLU
    kWholly,  ///< none is: ReLU
};

/// What a layer may know when it packs its weights: types and scales of its blobs. Shapes come later and may vary.
struct PrepareContext {
    Span<const TensorDesc> inputs;   ///< dtype and quant are set; shape is that of the declared input or rank 0
    Span<const TensorDesc> outputs;  ///< likewise
    /// int8: one scale for each output channel; 0 = dead channel (docs/int8-contract.md). Empty in float.
    Span<const float> weight_scales;
    /// int8 outputs are made in the scale `before_sum`; they and the last input are the operands of this sum.
    /// nullptr = none. Convolutions only.
    const SumParams* sum = nullptr;
    QuantParams before_sum = {};
    /// int8 outputs are then looked up in this table of 256 entries, index q + 128, after they were made in the scale
    /// `before_table`. Empty = none. Only layers with weights get one.
    Span<const int8_t> table = {};
    QuantParams before_table = {};
    /// Float layers with weights: keep those in float16.
    bool fp16_weights = false;
    /// And multiply in float16 where the level in use can.
    bool fp16_arithmetic = false;
    /// Float layers with weights, whatever those are kept in: multiply in bfloat16 where the level in use can.
    bool bf16_arithmetic = false;
    /// Layers may go Winograd's way.
    bool winograd = true;
    /// What the first input's values are as far as the layers in front of it can tell. A hint: a pooling window wholly
    /// in the padding gives the lowest byte, and a custom layer whatever it likes.
    Rectified rectified = Rectified::kNo;
    /// Another processor will run the layer: keep what operation() needs.
    bool for_device = false;
    /// Packed weights that are kept come from here. nullptr = from anywhere.
    PagePool* pool = nullptr;
};

/// What a layer gets for one run.
struct RunContext {
    int threads = 1;
    void* workspace = nullptr;  ///< workspace_bytes() bytes, kAlignment-aligned, contents undefined
};

struct LayerTraits {
    /// forward() accepts inputs with any strides. Otherwise the executor makes inputs of rank 3 and 4 dense NHWC first.
    bool any_stride_input = true;
    /// forward() writes outputs with any strides (a slice of a Concat's output). Otherwise outputs are dense.
    bool any_stride_output = true;
    /// Output 0 may be the same memory as input 0 when that has no other reader: element-wise layers of equal shape and
    /// dtype.
    bool in_place = false;
    /// Where any_stride_input is false: inputs of rank 3 with adjacent channels may have any other strides (a slice of
    /// the channels).
    bool adjacent_channels_input = false;
};

/// True if forward() of a layer with these traits accepts an input with the strides of `input`.
bool accepts_strides(const LayerTraits& traits, const Tensor& input);

class Layer {
public:
    virtual ~Layer() = default;

    /// Reads and checks parameters and takes the weights it needs (a Weight is a cheap reference). Errors state
    /// parameter, value and what was expected; the caller adds file, line and layer name.
    virtual Status load(const Params& params, Span<const Weight> weights) = 0;

    /// Output shapes for input shapes. The default for layers that keep it: output i has the shape of input 0. Sets
    /// `shape` only; the extents of `out` are validated by the caller. For an output whose extent depends on the data
    /// (DetectionOutput) this is the upper bound, and forward lowers shape[0] of its output.
    virtual Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const;

    /// Chooses kernels and packs weights for the dtypes of inputs and outputs. Fails with kUnsupported for a dtype that
    /// the layer cannot do; the default accepts float32 only.
    virtual Status prepare(const PrepareContext& context);

    /// Which blobs prepare() takes in float16 at the level in use, whatever their shapes; after load(). `arithmetic` is
    /// PrepareContext::fp16_arithmetic.
    virtual HalfUse half_use(bool arithmetic) const;

    virtual LayerTraits traits() const { return {}; }
    /// Describes the outputs as views of the inputs, if nothing needs to be computed or moved; else returns false.
    /// `out` comes with shape, dtype and scale.
    virtual bool view(Span<const Tensor> in, Span<Tensor> out) const;
    virtual size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const;

    /// Computes. Shapes, dtypes and strides are as planned; every extent is at least 1 unless an upstream layer lowered
    /// it.
    virtual Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const = 0;

    /// The sum that a layer prepared for int8 makes of its inputs; nullptr = it makes none.
    virtual const SumParams* int8_sum() const { return nullptr; }
    /// What a layer prepared for int8 makes of any inputs.
    virtual Rectified rectified() const { return Rectified::kNo; }
    /// What forward() would compute, for another processor; after a prepare() for a device. kUnsupported, with the
    /// reason, where only forward() can.
    FW_DEVICE_VIRTUAL Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const;

    /// Name of the kernel that prepare chose; "" = the reference implementation in this class.
    virtual std::string kernel_name() const { return {}; }
    /// Multiply-accumulates of one forward for these shapes, as publications count them: of layers with weights and
    /// matrix products, without biases; padding counts as if it were pixels.
    virtual int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const;
    /// The time of one forward in float or int8 for these shapes, as a share of what macs() would take one by one:
    /// below 1 where a layer has an algorithm with fewer products. Needs load() only.
    virtual double time_share(bool int8, Span<const TensorDesc> in, Span<const TensorDesc> out) const;
    /// Bytes of packed weights.
    virtual size_t weight_bytes() const { return 0; }
};

/// Creates a layer of a built-in type; nullptr for a type that this build does not have (FW_LAYERS).
std::unique_ptr<Layer> create_layer(const std::string& type);
/// Types of this build, in the order of layers.inc.
std::vector<std::string> layer_types();

}  // namespace fw
