// Scale: x * scale + bias, by channel. The scale is a weight, or the second input (scale_data_size = -233).
#include "layer/support/channel_affine.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

constexpr int kSecondInput = -233;

class Scale final : public ChannelAffine {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        const int channels = params.i(0);
        dynamic_ = channels == kSecondInput;
        if (dynamic_) {
            return {};
        }
        FW_RETURN_IF_ERROR(check_range("scale_data_size", channels, 1, Shape::kMaxElements));
        FW_RETURN_IF_ERROR(take_floats(weights, 0, channels, "scale_data", &a_));
        b_.assign(a_.size(), 0.0F);
        if (params.i(1) != 0) {
            FW_RETURN_IF_ERROR(take_floats(weights, 1, channels, "bias_data", &b_));
        }
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        if (in.size() != (dynamic_ ? 2U : 1U)) {
            return Status::error(Code::kInvalidArgument, "has %zu inputs, expected %d", in.size(), dynamic_ ? 2 : 1);
        }
        if (!dynamic_) {
            return ChannelAffine::infer(in, out);
        }
        out[0].shape = in[0].shape;
        if (channel_axis(in[1].shape) < 0) {
            return Status::error(Code::kInvalidArgument, "the scale %s is not one value a channel",
                                 in[1].shape.str().c_str());
        }
        return check_channels(in[0].shape, in[1].shape.count());
    }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (!dynamic_) {
            return ChannelAffine::forward(in, out, context);
        }
        const int64_t step = in[1].stride[channel_axis(in[1].shape)];
        channel_affine(in[0], out[0], in[1].ptr<const float>(), nullptr, step, context.threads);
        return {};
    }

private:
    // The only axis longer than 1 ([C], [C,1,1]); -1 if there are several.
    static int channel_axis(const Shape& shape) {
        int found = 0;
        for (int axis = 0, longer = 0; axis < shape.rank; ++axis) {
            if (shape[axis] != 1) {
                found = longer++ == 0 ? axis : -1;
            }
        }
        return found;
    }

    bool dynamic_ = false;
};

}  // namespace

std::unique_ptr<Layer> make_Scale() {
    return std::make_unique<Scale>();
}

}  // namespace fw
