// MemoryData: a constant blob of the model file.
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"
#include "quant/quant.h"

namespace fw {

namespace {

class MemoryData final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        const int64_t w = params.i(0), h = params.i(1), d = params.i(11), c = params.i(2);
        const int64_t dims[] = {c, d, h, w};
        const int rank = d != 0 ? 4 : (c != 0 ? 3 : (h != 0 ? 2 : 1));
        const int64_t by_rank[] = {c, h, w};  // without depth
        FW_RETURN_IF_ERROR(make_shape(rank, rank == 4 ? dims : by_rank + 3 - rank, &shape_));
        if (weights.size() != 1 || weights[0].count() != shape_.count()) {
            return Status::error(Code::kInvalidArgument, "the blob has %lld values, expected those of %s",
                                 weights.size() == 1 ? static_cast<long long>(weights[0].count()) : 0LL,
                                 shape_.str().c_str());
        }
        weight_ = weights[0];
        return {};
    }

    Status infer(Span<const TensorDesc> /*in*/, Span<TensorDesc> out) const override {
        out[0].shape = shape_;
        return {};
    }

    Status prepare(const PrepareContext& context) override {
        const TensorDesc& out = context.outputs[0];
        quantized_.clear();
        values_ = weight_.to_floats();
        if (out.dtype == DType::kFloat32) {
            return {};
        }
        if (out.dtype != DType::kInt8 || !out.quant.known()) {
            return Status::error(Code::kUnsupported, "has no %s implementation", name(out.dtype));
        }
        quantized_.resize(values_.size());
        quantize_run(values_.data(), static_cast<int64_t>(values_.size()), out.quant, quantized_.data());
        values_ = {};
        return {};
    }

    Status forward(Span<const Tensor> /*in*/, Span<Tensor> out, const RunContext& context) const override {
        // The file has the plain order; copy_elements only reads through the pointer.
        const bool int8 = !quantized_.empty();
        void* values = int8 ? static_cast<void*>(const_cast<int8_t*>(quantized_.data()))
                            : static_cast<void*>(const_cast<float*>(values_.data()));
        copy_elements(make_tensor(values, TensorDesc{shape_, out[0].dtype, out[0].quant}, Layout::kPlain), out[0],
                      context.threads);
        return {};
    }

    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        *operation = ConstantOperation{values_, quantized_};
        return {};
    }

    size_t weight_bytes() const override { return values_.size() * sizeof(float) + quantized_.size(); }

private:
    Shape shape_;
    Weight weight_;
    std::vector<float> values_;      // float output
    std::vector<int8_t> quantized_;  // int8 output
};

}  // namespace

std::unique_ptr<Layer> make_MemoryData() {
    return std::make_unique<MemoryData>();
}

}  // namespace fw
