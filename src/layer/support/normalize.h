// What normalisation layers share: y = (x - shift) * factor * gamma + beta, shift and factor from statistics of a part
// of the blob.
#pragma once

#include "base/parallel.h"
#include "layer/support/loop_nest.h"

namespace fw {

struct Normalization {
    double shift = 0.0;
    double factor = 1.0;
};

/// Writes one part: the elements of `inner` from the given offsets. Operand 2 of the nest indexes `gamma` and `beta`
/// (may be null).
void write_normalized(const Tensor& in, const Tensor& out, const LoopNest::Steps& offset, const LoopNest& inner,
                      const Normalization& n, const float* gamma, const float* beta);

/// For every round of `parts`: statistics(first element of the part) gives shift and factor for the elements of
/// `inner`.
template <class Fn>
void normalize(const Tensor& in, const Tensor& out, const LoopNest& parts, const LoopNest& inner, const float* gamma,
               const float* beta, int threads, Fn&& statistics) {
    if (in.count() == 0) {
        return;
    }
    LoopNest sorted = inner;
    sorted.sort_by_input();
    parallel_for(parts.count(), threads, [&](int64_t i) {
        const LoopNest::Steps offset = parts.at(i);
        const Normalization n = statistics(in.ptr<const float>() + offset[0], sorted);
        write_normalized(in, out, offset, sorted, n, gamma, beta);
    });
}

/// Statistics of LayerNorm and its kin: mean and 1 / sqrt(variance + eps).
Normalization mean_and_deviation(const float* in, const LoopNest& nest, double eps);

}  // namespace fw
