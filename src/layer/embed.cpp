// Embed: row `index` of a table for each index of the input.
#include "base/parallel.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/shape.h"

namespace fw {

namespace {

class Embed final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        num_output_ = params.i(0);
        input_dim_ = params.i(1);
        const bool bias = params.i(2) != 0;
        if (params.i(18) != 0) {
            return Status::error(Code::kUnsupported, "int8_scale_term is %d: int8 tables are not supported",
                                 params.i(18));
        }
        if (num_output_ < 1 || input_dim_ < 1) {
            return Status::error(Code::kInvalidArgument, "num_output is %d, input_dim %d, expected at least 1",
                                 num_output_, input_dim_);
        }
        const int64_t count = int64_t{num_output_} * input_dim_;
        if (weights.size() != (bias ? 2U : 1U) || weights[0].count() != count ||
            (bias && weights[1].count() != num_output_)) {
            return Status::error(Code::kInvalidArgument,
                                 "weight_data_size is %d, expected num_output x input_dim = %lld", params.i(3),
                                 static_cast<long long>(count));
        }
        table_ = weights[0].to_floats();
        if (bias) {
            bias_ = weights[1].to_floats();
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        FW_RETURN_IF_ERROR(check_rank(in[0].shape, 1, 1));
        const int64_t dims[] = {in[0].shape.w(), num_output_};
        return make_shape(2, dims, &out[0].shape);
    }

    Status prepare(const PrepareContext& context) override {
        const DType in = context.inputs[0].dtype;
        if ((in != DType::kInt32 && in != DType::kFloat32) || context.outputs[0].dtype != DType::kFloat32) {
            return Status::error(Code::kUnsupported, "has no implementation from %s to %s", name(in),
                                 name(context.outputs[0].dtype));
        }
        return {};
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const Tensor& to = out[0];
        parallel_for(in[0].w(), context.threads, [&](int64_t i) {
            const float* row = table_.data() + index_of(in[0], i) * num_output_;
            float* target = to.ptr<float>() + i * to.stride[0];
            for (int k = 0; k < num_output_; ++k) {
                target[k * to.stride[1]] = row[k] + (bias_.empty() ? 0.0F : bias_[static_cast<size_t>(k)]);
            }
        });
        return {};
    }

    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        *operation = EmbedOperation{table_, bias_, input_dim_};
        return {};
    }

    size_t weight_bytes() const override { return (table_.size() + bias_.size()) * sizeof(float); }

private:
    // Indices beyond the table take its nearest row, as in ncnn; NaN takes the first.
    int64_t index_of(const Tensor& in, int64_t i) const {
        const int64_t last = input_dim_ - 1;
        if (in.dtype == DType::kInt32) {
            const int32_t index = in.ptr<int32_t>()[i * in.stride[0]];
            return index < 0 ? 0 : (index > last ? last : index);
        }
        const float index = in.ptr<float>()[i * in.stride[0]];
        if (!(index > 0.0F)) {
            return 0;
        }
        return index >= static_cast<float>(last) ? last : static_cast<int64_t>(index);
    }

    int num_output_ = 0;
    int input_dim_ = 0;
    std::vector<float> table_;
    std::vector<float> bias_;
};

}  // namespace

std::unique_ptr<Layer> make_Embed() {
    return std::make_unique<Embed>();
}

}  // namespace fw
