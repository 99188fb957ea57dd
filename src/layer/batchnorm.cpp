// BatchNorm: slope * (x - mean) / sqrt(var + eps) + bias, by channel.
#include <cmath>

#include "layer/support/channel_affine.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class BatchNorm final : public ChannelAffine {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        const int channels = params.i(0);
        const float eps = params.f(1);
        FW_RETURN_IF_ERROR(check_range("channels", channels, 1, Shape::kMaxElements));
        std::vector<float> slope;
        std::vector<float> mean;
        std::vector<float> variance;
        std::vector<float> bias;
        FW_RETURN_IF_ERROR(take_floats(weights, 0, channels, "slope_data", &slope));
        FW_RETURN_IF_ERROR(take_floats(weights, 1, channels, "mean_data", &mean));
        FW_RETURN_IF_ERROR(take_floats(weights, 2, channels, "var_data", &variance));
        FW_RETURN_IF_ERROR(take_floats(weights, 3, channels, "bias_data", &bias));
        a_.resize(slope.size());
        b_.resize(slope.size());
        for (size_t i = 0; i < slope.size(); ++i) {
            const double factor =
                static_cast<double>(slope[i]) / std::sqrt(static_cast<double>(variance[i]) + static_cast<double>(eps));
            a_[i] = static_cast<float>(factor);
            b_[i] = static_cast<float>(static_cast<double>(bias[i]) - factor * static_cast<double>(mean[i]));
        }
        return {};
    }
};

}  // namespace

std::unique_ptr<Layer> make_BatchNorm() {
    return std::make_unique<BatchNorm>();
}

}  // namespace fw
