// Softmax: exp(x) / sum of exp along one axis, the largest element subtracted first; from float, or from int8 to float
// or int8.
#include <algorithm>

#include "base/cpu.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/loop_nest.h"
#include "layer/support/pointwise.h"
#include "layer/support/shape.h"
#include "layer/support/softmax.h"
#include "quant/quant.h"

namespace fw {

namespace {

// One vector of n levels, to float or int8; docs/int8-contract.md.
template <class To, class Convert>
void softmax(const int8_t* in, int64_t in_step, To* out, int64_t out_step, int64_t n, const SoftmaxTable& table,
             const QuantParams* quant, Convert&& convert) {
    int8_t largest = in[0];
    for (int64_t i = 1; i < n; ++i) {
        largest = std::max(largest, in[i * in_step]);
    }
    int64_t sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        sum += table.weight[largest - in[i * in_step]];
    }
    const float factor = softmax_factor(sum, quant);
    for (int64_t i = 0; i < n; ++i) {
        out[i * out_step] = convert(table.value[largest - in[i * in_step]] * factor);
    }
}

class Softmax final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        axis_ = params.i(0);
        if (axis_ != 0 && params.i(1) == 0) {
            return Status::error(
                Code::kUnsupported,
                "axis is %d without fixbug0 (1=1): in files that old the axis is ambiguous; convert the "
                "model again",
                axis_);
        }
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        int axis = 0;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, in[0].shape.rank, &axis));
        out[0].shape = in[0].shape;
        return {};
    }
    Status prepare(const PrepareContext& context) override {
        const TensorDesc& in = context.inputs[0];
        const TensorDesc& out = context.outputs[0];
        int8_ = in.dtype == DType::kInt8;
        const bool known = out.dtype == DType::kFloat32 || (out.dtype == DType::kInt8 && out.quant.known());
        if (int8_ && in.quant.known() && known) {
            make_softmax_table(in.quant, &table_);
            return {};
        }
        return !int8_ && in.dtype == DType::kFloat32 && out.dtype == DType::kFloat32 ? Status()
                                                                                     : unsupported_types(context);
    }
    LayerTraits traits() const override { return {true, true, true}; }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        int axis = 0;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, in[0].rank(), &axis));
        LoopNest along;
        LoopNest others;
        split_axes(in[0], out[0], 1U << static_cast<unsigned>(axis), &along, &others);
        if (in[0].count() == 0) {
            return {};
        }
        FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
        const FunctionKernel* kernel = find_function_kernel(isa);
        parallel_for(others.count(), context.threads, [&](int64_t i) {
            const LoopNest::Steps offset = others.at(i);
            if (int8_) {
                forward_int8(in[0].ptr<const int8_t>() + offset[0], in[0].stride[axis], in[0].shape[axis], out[0],
                             offset[1], out[0].stride[axis]);
                return;
            }
            softmax(*kernel, in[0].ptr<const float>() + offset[0], in[0].stride[axis], out[0].ptr<float>() + offset[1],
                    out[0].stride[axis], in[0].shape[axis]);
        });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> /*out*/, Operation* operation) const FW_DEVICE_OVERRIDE {
        SoftmaxOperation softmax;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, in[0].rank(), &softmax.axis));
        softmax.table = int8_ ? &table_ : nullptr;
        *operation = softmax;
        return {};
    }

private:
    void forward_int8(const int8_t* in, int64_t in_step, int64_t n, const Tensor& out, int64_t offset,
                      int64_t out_step) const {
        if (out.dtype == DType::kFloat32) {
            softmax(in, in_step, out.ptr<float>() + offset, out_step, n, table_, nullptr, [](float x) { return x; });
            return;
        }
        const QuantParams& quant = out.quant;
        const int lo = quant_min(quant);
        softmax(in, in_step, out.ptr<int8_t>() + offset, out_step, n, table_, &quant,
                [&](float x) { return round_to_int8(static_cast<double>(x), quant.zero_point, lo, kQuantMax); });
    }

    int axis_ = 0;
    bool int8_ = false;
    SoftmaxTable table_ = {};
};

}  // namespace

std::unique_ptr<Layer> make_Softmax() {
    return std::make_unique<Softmax>();
}

}  // namespace fw
