#include "runtime/custom_layer.h"

#include "base/memory.h"

namespace fw {

namespace {

class CustomAdapter final : public Layer {
public:
    CustomAdapter(std::unique_ptr<CustomLayer> custom, const ParamDict& params)
        : custom_(std::move(custom)), params_(params) {}

    Status load(const Params& /*params*/, Span<const Weight> weights) override {
        FW_RETURN_IF_ERROR(custom_->load_param(params_));
        std::vector<Mat> mats;
        for (const Weight& weight : weights) {
            if (weight.count() > Shape::kMaxElements) {
                return Status::error(Code::kInvalidArgument, "a weight blob has too many elements");
            }
            FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(Shape(static_cast<int>(weight.count()))));
            std::vector<float> storage;
            const Span<const float> values = weight.floats(&storage);
            std::copy(values.begin(), values.end(), mat.data());
            weight_bytes_ += mat.bytes();
            mats.push_back(std::move(mat));
        }
        return mats.empty() ? Status() : custom_->load_weights(mats);
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        std::vector<Shape> inputs;
        std::vector<Shape> outputs(out.size());
        for (const TensorDesc& desc : in) {
            inputs.push_back(desc.shape);
        }
        FW_RETURN_IF_ERROR(custom_->infer_shapes(inputs, outputs));
        for (size_t i = 0; i < out.size(); ++i) {
            out[i].shape = outputs[i];
        }
        return {};
    }

    // Room for plain row-major copies of every input and output: the interface knows no other layout.
    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int /*threads*/) const override {
        size_t total = 0;
        for (const Span<const TensorDesc>& side : {in, Span<const TensorDesc>(out)}) {
            for (const TensorDesc& desc : side) {
                total += round_up(desc.bytes(), kAlignment);
            }
        }
        return total;
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        auto* next = static_cast<char*>(context.workspace);
        const auto take = [&](const Tensor& like) {
            Mat mat = Mat::wrap(next, like.shape);
            next += round_up(like.desc().bytes(), kAlignment);
            return mat;
        };
        std::vector<Mat> inputs;
        std::vector<Mat> outputs;
        for (const Tensor& t : in) {
            inputs.push_back(take(t));
            copy_tensor(t, view_of(inputs.back()));
        }
        for (const Tensor& t : out) {
            outputs.push_back(take(t));
        }
        FW_RETURN_IF_ERROR(custom_->forward(inputs, outputs));
        for (size_t i = 0; i < out.size(); ++i) {
            if (outputs[i].dtype() != DType::kFloat32 || outputs[i].shape() != out[i].shape || outputs[i].empty()) {
                return Status::error(Code::kInvalidArgument,
                                     "the custom layer changed the shape of output %zu to %s, planned %s", i,
                                     outputs[i].shape().str().c_str(), out[i].shape.str().c_str());
            }
            copy_tensor(view_of(outputs[i]), out[i]);
        }
        return {};
    }

    size_t weight_bytes() const override { return weight_bytes_; }

private:
    std::unique_ptr<CustomLayer> custom_;
    ParamDict params_;
    size_t weight_bytes_ = 0;
};

}  // namespace

CustomBlobs custom_blobs(const CustomTypes& types) {
    return [&types](const std::string& type, const ParamDict& params, std::vector<BlobSpec>* out) {
        const auto found = types.find(type);
        if (found == types.end()) {
            return false;
        }
        const std::unique_ptr<CustomLayer> layer = found->second.factory(found->second.user_data);
        // Parameters that the layer refuses are reported when the program loads it; they have no blobs.
        if (layer != nullptr && layer->load_param(params).ok()) {
            for (const int64_t count : layer->weight_counts()) {
                out->push_back(BlobSpec{"custom", count, false});
            }
        }
        return true;
    };
}

std::unique_ptr<Layer> make_custom_layer(const CustomType& type, const ParamDict& params) {
    std::unique_ptr<CustomLayer> custom = type.factory(type.user_data);
    return custom ? std::make_unique<CustomAdapter>(std::move(custom), params) : nullptr;
}

}  // namespace fw
