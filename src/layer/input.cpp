// Input: a blob that the application gives. Parameters: its shape, 0 for an extent that is not fixed.
#include "layer/layer.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class Input final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        const int w = params.i(0);
        const int h = params.i(1);
        const int d = params.i(11);
        const int c = params.i(2);
        FW_RETURN_IF_ERROR(check_range("w", w, 0, Shape::kMaxElements));
        FW_RETURN_IF_ERROR(check_range("h", h, 0, Shape::kMaxElements));
        FW_RETURN_IF_ERROR(check_range("d", d, 0, Shape::kMaxElements));
        FW_RETURN_IF_ERROR(check_range("c", c, 0, Shape::kMaxElements));
        if (d != 0) {
            shape_ = Shape(c, d, h, w);
        } else if (c != 0) {
            shape_ = Shape(c, h, w);
        } else if (h != 0) {
            shape_ = Shape(h, w);
        } else if (w != 0) {
            shape_ = Shape(w);
        }
        if (shape_.rank != 0 && !shape_.valid()) {
            return Status::error(Code::kInvalidArgument, "shape %s is too large", shape_.str().c_str());
        }
        return {};
    }
    // The declared shape; the runtime replaces it with that of the blob that was set.
    Status infer(Span<const TensorDesc> /*in*/, Span<TensorDesc> out) const override {
        out[0].shape = shape_;
        return {};
    }
    Status prepare(const PrepareContext& /*context*/) override { return {}; }
    Status forward(Span<const Tensor> /*in*/, Span<Tensor> /*out*/, const RunContext& /*context*/) const override {
        return {};
    }

private:
    Shape shape_;
};

}  // namespace

std::unique_ptr<Layer> make_Input() {
    return std::make_unique<Input>();
}

}  // namespace fw
