#include "layer/support/loop_nest.h"

#include <utility>

namespace fw {

namespace {

// Sum of fn(x) in several interleaved partial sums, which the compiler can keep in one vector.
template <class Fn>
double sum_of(const float* in, const LoopNest& nest, Fn&& fn) {
    constexpr int64_t kLanes = 4;
    double lanes[kLanes] = {};
    nest.for_each_run([&](const LoopNest::Steps& offset, int64_t n, const LoopNest::Steps& step) {
        const float* x = in + offset[0];
        const int64_t s = step[0];
        int64_t i = 0;
        for (; i + kLanes <= n; i += kLanes) {
            for (int64_t lane = 0; lane < kLanes; ++lane) {
                lanes[lane] += fn(static_cast<double>(x[(i + lane) * s]));
            }
        }
        for (; i < n; ++i) {
            lanes[0] += fn(static_cast<double>(x[i * s]));
        }
    });
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

}  // namespace

void LoopNest::sort_by_input() {
    for (int i = 1; i < rank; ++i) {
        for (auto j = static_cast<size_t>(i); j > 0 && step[j][0] > step[j - 1][0]; --j) {
            std::swap(step[j], step[j - 1]);
            std::swap(extent[j], extent[j - 1]);
        }
    }
}

void split_axes(const Tensor& in, const Tensor& out, unsigned mask, LoopNest* chosen, LoopNest* others) {
    *chosen = {};
    *others = {};
    for (int axis = 0; axis < in.rank(); ++axis) {
        LoopNest* nest = (mask >> static_cast<unsigned>(axis) & 1U) != 0 ? chosen : others;
        nest->add(in.shape[axis], {in.stride[axis], out.shape[axis] == 1 ? 0 : out.stride[axis], 0});
    }
}

double mean_of(const float* in, const LoopNest& nest) {
    return sum_of(in, nest, [](double x) { return x; }) / static_cast<double>(nest.count());
}

double mean_square_of(const float* in, const LoopNest& nest, double centre) {
    return sum_of(in, nest, [centre](double x) { return (x - centre) * (x - centre); }) /
           static_cast<double>(nest.count());
}

}  // namespace fw
