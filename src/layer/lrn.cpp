// LRN: x * (bias + alpha / n * sum)^-beta, the sum of squares over neighbouring channels (n = local_size) or over a
// window of pixels (n = local_size^2; n stays the full size at the edges).
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "layer/layer.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class Lrn final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        const int region = params.i(0);
        size_ = params.i(1);
        alpha_ = params.f(2);
        beta_ = params.f(3);
        bias_ = params.f(4);
        FW_RETURN_IF_ERROR(check_range("region_type", region, 0, 1));
        FW_RETURN_IF_ERROR(check_range("local_size", size_, 1, kLargestWindow));
        if (size_ % 2 == 0) {
            return Status::error(Code::kInvalidArgument, "local_size is %d, expected an odd number", size_);
        }
        across_ = region == 0;
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        out[0].shape = in[0].shape;
        return check_rank(in[0].shape, 3, 3);
    }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        parallel_for(in[0].h(), context.threads, [&](int64_t y) {
            for (int x = 0; x < in[0].w(); ++x) {
                if (across_) {
                    across_channels(in[0], out[0], static_cast<int>(y), x);
                } else {
                    within_channel(in[0], out[0], static_cast<int>(y), x);
                }
            }
        });
        return {};
    }

private:
    static constexpr int kLargestWindow = 65535;

    float power(float base) const {
        if (beta_ == 0.75F) {  // the usual exponent, without pow
            const float root = std::sqrt(base);
            return 1.0F / (root * std::sqrt(root));
        }
        return std::pow(base, -beta_);
    }
    void across_channels(const Tensor& in, const Tensor& out, int y, int x) const {
        const int half = size_ / 2;
        const float factor = alpha_ / static_cast<float>(size_);
        for (int c = 0; c < in.c(); ++c) {
            float sum = 0.0F;
            for (int k = std::max(c - half, 0); k <= std::min(c + half, in.c() - 1); ++k) {
                const float v = in.at(k, y, x);
                sum += v * v;
            }
            out.at(c, y, x) = in.at(c, y, x) * power(bias_ + factor * sum);
        }
    }
    void within_channel(const Tensor& in, const Tensor& out, int y, int x) const {
        const int half = size_ / 2;
        const float factor = alpha_ / (static_cast<float>(size_) * static_cast<float>(size_));
        for (int c = 0; c < in.c(); ++c) {
            float sum = 0.0F;
            for (int v = std::max(y - half, 0); v <= std::min(y + half, in.h() - 1); ++v) {
                for (int u = std::max(x - half, 0); u <= std::min(x + half, in.w() - 1); ++u) {
                    const float value = in.at(c, v, u);
                    sum += value * value;
                }
            }
            out.at(c, y, x) = in.at(c, y, x) * power(bias_ + factor * sum);
        }
    }

    bool across_ = true;
    int size_ = 5;
    float alpha_ = 1.0F;
    float beta_ = 0.75F;
    float bias_ = 1.0F;
};

}  // namespace

std::unique_ptr<Layer> make_LRN() {
    return std::make_unique<Lrn>();
}

}  // namespace fw
