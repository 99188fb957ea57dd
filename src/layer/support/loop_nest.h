// LoopNest: loops over some axes of a tensor, for layers that reduce over the others: softmax, reductions,
// normalisations.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/tensor.h"

namespace fw {

/// Up to six loops; each has a step for every operand. By convention: 0 input, 1 output, 2 parameters (0 where unused).
struct LoopNest {
    static constexpr int kMaxAxes = 6;
    using Steps = std::array<int64_t, 3>;

    int rank = 0;
    std::array<int64_t, kMaxAxes> extent = {};
    std::array<Steps, kMaxAxes> step = {};

    void add(int64_t axis_extent, const Steps& steps) {
        if (axis_extent == 1) {
            return;
        }
        extent[static_cast<size_t>(rank)] = axis_extent;
        step[static_cast<size_t>(rank++)] = steps;
    }
    int64_t count() const {
        int64_t product = 1;
        for (size_t axis = 0; axis < static_cast<size_t>(rank); ++axis) {
            product *= extent[axis];
        }
        return product;
    }
    /// Offsets of the index-th round, the last axis turning fastest.
    Steps at(int64_t index) const {
        Steps offset = {};
        for (int axis = rank - 1; axis >= 0; --axis) {
            const auto a = static_cast<size_t>(axis);
            const int64_t i = index % extent[a];
            index /= extent[a];
            for (size_t operand = 0; operand < offset.size(); ++operand) {
                offset[operand] += i * step[a][operand];
            }
        }
        return offset;
    }
    /// Puts the axis with the smallest input step innermost. Rounds come in another order then.
    void sort_by_input();
    /// fn(offsets, length, steps) for every run along the last axis.
    template <class Fn>
    void for_each_run(Fn&& fn) const {
        if (rank == 0) {
            fn(Steps{}, int64_t{1}, Steps{1, 1, 1});
            return;
        }
        const auto last = static_cast<size_t>(rank - 1);
        LoopNest outer = *this;
        --outer.rank;
        const int64_t runs = outer.count();
        for (int64_t run = 0; run < runs; ++run) {
            fn(outer.at(run), extent[last], step[last]);
        }
    }
};

/// Axes of `in` (mask bit = axis) go to `chosen`, the others to `others`, in their order. `out` has the shape of `in`
/// (chosen axes may have extent 1 there, then their output step is 0).
void split_axes(const Tensor& in, const Tensor& out, unsigned mask, LoopNest* chosen, LoopNest* others);

/// Mean of the elements in double precision, and mean square of their distance from `centre`.
double mean_of(const float* in, const LoopNest& nest);
double mean_square_of(const float* in, const LoopNest& nest, double centre);

}  // namespace fw
