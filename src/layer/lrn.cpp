// LRN: x * (bias + alpha / n * sum)^-beta, the sum of squares over neighbouring channels (n = local_size) or over a
// window of pixels (n = local_size^2; n stays the full size at the edges).
#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "layer/operation.h"
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
    Status prepare(const PrepareContext& /*context*/) override {
        FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
        kernel_ = find_function_kernel(isa);
        return {};
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

    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        LrnOperation lrn;
        lrn.across = across_;
        lrn.size = size_;
        lrn.factor = factor();
        lrn.beta = beta_;
        lrn.bias = bias_;
        *operation = lrn;
        return {};
    }

private:
    // Of the sum of squares.
    float factor() const {
        const auto size = static_cast<float>(size_);
        return alpha_ / (across_ ? size : size * size);
    }

    static constexpr int kLargestWindow = 65535;

    static constexpr int kBlock = 256;  // channels at a time

    // base[i] to base[i]^-beta.
    void power(float* base, int count) const {
        if (beta_ == 0.75F) {
            kernel_->apply({FloatFunction::kRoot34}, base, count, base);
            return;
        }
        for (int i = 0; i < count; ++i) {
            base[i] = std::pow(base[i], -beta_);
        }
    }
    float power(float base) const {
        power(&base, 1);
        return base;
    }
    void across_channels(const Tensor& in, const Tensor& out, int y, int x) const {
        for (int c = 0; c < in.c(); c += kBlock) {
            across_block(in, out, y, x, c, std::min(kBlock, in.c() - c));
        }
    }
    // Channels [first, first + count). The k-th channel of every window is added in one loop, so that loops vectorise.
    void across_block(const Tensor& in, const Tensor& out, int y, int x, int first, int count) const {
        const int half = size_ / 2;
        const float* pixel = &in.at(0, y, x);
        const int64_t step = in.c_stride();
        if (step == 1 && out.c_stride() == 1 && size_ == 5) {
            return across_five(pixel, in.c(), first, count, &out.at(first, y, x));
        }
        const float factor_of_sum = factor();
        float sum[kBlock] = {};
        for (int k = std::max(-half, 1 - first - count); k <= std::min(half, in.c() - 1 - first); ++k) {
            const int begin = std::max(0, -(first + k));
            const int end = std::min(count, in.c() - first - k);
            add_squares(pixel + (first + begin + k) * step, step, end - begin, sum + begin);
        }
        for (int i = 0; i < count; ++i) {
            sum[i] = bias_ + factor_of_sum * sum[i];
        }
        power(sum, count);
        scale(pixel + first * step, step, sum, count, &out.at(first, y, x), out.c_stride());
    }
    // The same of windows of five adjacent channels: squares once, zeros beyond the channels, the same sums.
    void across_five(const float* pixel, int channels, int first, int count, float* to) const {
        const float factor_of_sum = factor();
        float squares[kBlock + 4];
        float base[kBlock];
        const int begin = std::max(first - 2, 0);
        const int end = std::min(first + count + 2, channels);
        squares[0] = squares[1] = squares[count + 2] = squares[count + 3] = 0.0F;
        for (int c = begin; c < end; ++c) {
            squares[c - first + 2] = pixel[c] * pixel[c];
        }
        for (int i = 0; i < count; ++i) {
            const float* s = squares + i;
            base[i] = bias_ + factor_of_sum * (s[0] + s[1] + s[2] + s[3] + s[4]);
        }
        power(base, count);
        for (int i = 0; i < count; ++i) {
            to[i] = pixel[first + i] * base[i];
        }
    }
    static void add_squares(const float* x, int64_t step, int count, float* sum) {
        if (step == 1) {
            for (int i = 0; i < count; ++i) {
                sum[i] += x[i] * x[i];
            }
            return;
        }
        for (int i = 0; i < count; ++i) {
            sum[i] += x[i * step] * x[i * step];
        }
    }
    static void scale(const float* x, int64_t step, const float* factor, int count, float* to, int64_t to_step) {
        if (step == 1 && to_step == 1) {
            for (int i = 0; i < count; ++i) {
                to[i] = x[i] * factor[i];
            }
            return;
        }
        for (int i = 0; i < count; ++i) {
            to[i * to_step] = x[i * step] * factor[i];
        }
    }
    void within_channel(const Tensor& in, const Tensor& out, int y, int x) const {
        const int half = size_ / 2;
        const float factor_of_sum = factor();
        for (int c = 0; c < in.c(); ++c) {
            float sum = 0.0F;
            for (int v = std::max(y - half, 0); v <= std::min(y + half, in.h() - 1); ++v) {
                for (int u = std::max(x - half, 0); u <= std::min(x + half, in.w() - 1); ++u) {
                    const float value = in.at(c, v, u);
                    sum += value * value;
                }
            }
            out.at(c, y, x) = in.at(c, y, x) * power(bias_ + factor_of_sum * sum);
        }
    }

    const FunctionKernel* kernel_ = nullptr;
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
