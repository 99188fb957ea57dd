#include "layer/support/softmax.h"

#include <algorithm>

#include "layer/support/functions.h"

namespace fw {

namespace {

constexpr int64_t kLanes = 8;  // so many maxima and sums run side by side

float largest_of(const float* x, int64_t n) {
    float largest[kLanes];
    std::fill(largest, largest + kLanes, x[0]);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        for (int64_t j = 0; j < kLanes; ++j) {
            largest[j] = x[i + j] > largest[j] ? x[i + j] : largest[j];
        }
    }
    for (; i < n; ++i) {
        largest[0] = x[i] > largest[0] ? x[i] : largest[0];
    }
    return *std::max_element(largest, largest + kLanes);
}

double sum_of(const float* x, int64_t n) {
    double sums[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        for (int64_t j = 0; j < kLanes; ++j) {
            sums[j] += static_cast<double>(x[i + j]);
        }
    }
    for (; i < n; ++i) {
        sums[0] += static_cast<double>(x[i]);
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace

void softmax(const FunctionKernel& kernel, const float* in, int64_t in_step, float* out, int64_t out_step, int64_t n) {
    if (in_step == 1 && out_step == 1) {
        kernel.apply({FloatFunction::kExp, largest_of(in, n)}, in, n, out);
        const auto factor = static_cast<float>(1.0 / sum_of(out, n));
        for (int64_t i = 0; i < n; ++i) {
            out[i] *= factor;
        }
        return;
    }
    float largest = in[0];
    for (int64_t i = 1; i < n; ++i) {
        largest = in[i * in_step] > largest ? in[i * in_step] : largest;
    }
    double sum = 0.0;
    for (int64_t i = 0; i < n; ++i) {
        const float value = fn::exp(in[i * in_step] - largest);
        out[i * out_step] = value;
        sum += static_cast<double>(value);
    }
    const auto factor = static_cast<float>(1.0 / sum);
    for (int64_t i = 0; i < n; ++i) {
        out[i * out_step] *= factor;
    }
}

}  // namespace fw
