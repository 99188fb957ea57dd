// Bias: x + bias, by channel.
#include "layer/support/channel_affine.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class Bias final : public ChannelAffine {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        const int channels = params.i(0);
        FW_RETURN_IF_ERROR(check_range("bias_data_size", channels, 1, Shape::kMaxElements));
        FW_RETURN_IF_ERROR(take_floats(weights, 0, channels, "bias_data", &b_));
        a_.assign(b_.size(), 1.0F);
        return {};
    }
};

}  // namespace

std::unique_ptr<Layer> make_Bias() {
    return std::make_unique<Bias>();
}

}  // namespace fw
