#include "layer/support/normalize.h"

#include <cmath>

namespace fw {

void write_normalized(const Tensor& in, const Tensor& out, const LoopNest::Steps& offset, const LoopNest& inner,
                      const Normalization& n, const float* gamma, const float* beta) {
    inner.for_each_run([&](const LoopNest::Steps& run, int64_t length, const LoopNest::Steps& step) {
        const float* x = in.ptr<const float>() + offset[0] + run[0];
        float* y = out.ptr<float>() + offset[1] + run[1];
        const int64_t parameter = offset[2] + run[2];
        for (int64_t i = 0; i < length; ++i) {
            const int64_t p = parameter + i * step[2];
            const auto value = static_cast<float>((static_cast<double>(x[i * step[0]]) - n.shift) * n.factor);
            const float scaled = gamma == nullptr ? value : value * gamma[p];
            y[i * step[1]] = beta == nullptr ? scaled : scaled + beta[p];
        }
    });
}

Normalization mean_and_deviation(const float* in, const LoopNest& nest, double eps) {
    const double mean = mean_of(in, nest);
    return {mean, 1.0 / std::sqrt(mean_square_of(in, nest, mean) + eps)};
}

}  // namespace fw
