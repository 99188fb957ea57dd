// RunPlan: walks several strided tensors of one shape together, in runs along the axis where they lie densest, so that
// an element-wise inner loop sees adjacent memory whatever the layout is.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "base/parallel.h"
#include "fw/mat.h"
#include "fw/span.h"

namespace fw {

class RunPlan {
public:
    /// Longest piece when some operand has gaps: callers gather into buffers of this many elements.
    static constexpr int kBlock = 256;

    /// One array of shape.rank strides an operand; 0 along an axis that it is broadcast over. The first operand is the
    /// output: its memory decides the order. Axes that every operand allows are merged.
    /// `in_blocks`: no piece is longer than kBlock.
    RunPlan(const Shape& shape, std::initializer_list<const int64_t*> strides, bool in_blocks = false)
        : RunPlan(shape, Span<const int64_t* const>(strides.begin(), strides.size()), in_blocks) {}
    RunPlan(const Shape& shape, Span<const int64_t* const> strides, bool in_blocks = false);

    /// Step of an operand between elements of a run: 1 adjacent, 0 the same element again.
    int64_t step(size_t operand) const { return stride_[operand][static_cast<size_t>(inner())]; }

    /// Operands other than `repeated` are adjacent throughout and that one is within a run, which all runs have in
    /// common: a factor for each channel of an image, say.
    bool repeats(size_t repeated) const;
    /// Likewise, and at least two of those runs fit `capacity` elements.
    bool repeats_within(int64_t capacity, size_t repeated) const {
        return 2 * length() <= capacity && repeats(repeated);
    }
    /// Then: copies the run as often as it fits, one behind the other, and calls fn(start, n) for stretches of whole
    /// runs that are as long or shorter, on several threads.
    template <class T, class Fn>
    void for_each_repeated(const T* run, int64_t capacity, T* copies, int threads, Fn&& fn) const {
        const int64_t most = std::min(capacity / length(), outer_);
        for (int64_t i = 0; i < most; ++i) {
            std::copy_n(run, length(), copies + i * length());
        }
        parallel_for((outer_ + most - 1) / most, count_ < kParallelCount ? 1 : threads,
                     [&](int64_t i) { fn(i * most * length(), std::min(most, outer_ - i * most) * length()); });
    }
    int64_t length() const { return extent_[static_cast<size_t>(inner())]; }

    /// fn(const int64_t* offsets, int64_t length) for every piece; `offsets` has one entry an operand. Pieces are
    /// longer than kBlock only if every operand is adjacent.
    template <class Fn>
    void for_each(int threads, Fn&& fn) const {
        using Function = std::remove_reference_t<Fn>;
        walk(
            threads,
            [](void* context, const int64_t* offset, int64_t n) { (*static_cast<Function*>(context))(offset, n); },
            &fn);
    }

private:
    static constexpr int64_t kParallelCount = 16384;  // fewer elements are not worth waking threads for
    static constexpr int64_t kPiece = 8192;

    // The loops of for_each, once for all functions.
    using PieceFn = void (*)(void* context, const int64_t* offset, int64_t n);
    void walk(int threads, PieceFn fn, void* context) const;

    struct Cursor {
        int64_t index[Shape::kMaxRank] = {};
        int64_t start = 0;            ///< in the inner axis
        std::vector<int64_t> offset;  ///< one an operand
    };
    void prefer_long_runs();
    int inner() const { return rank_ - 1; }
    Cursor seek(int64_t item, int64_t pieces) const;
    void move(Cursor* cursor, int axis, int64_t steps) const;
    void advance(Cursor* cursor) const;

    int rank_ = 1;
    std::array<int64_t, Shape::kMaxRank> extent_ = {1, 1, 1, 1};
    std::vector<std::array<int64_t, Shape::kMaxRank>> stride_;  ///< one an operand
    int64_t outer_ = 1;
    int64_t count_ = 0;
    int64_t piece_ = kPiece;
};

/// `n` elements side by side: the memory itself if they are adjacent, else a copy in `buffer` (RunPlan::kBlock
/// elements).
template <class T>
const T* gather_run(const T* from, int64_t step, int64_t n, T* buffer) {
    if (step == 1) {
        return from;
    }
    for (int64_t i = 0; i < n; ++i) {
        buffer[i] = from[i * step];
    }
    return buffer;
}

/// Where to write `n` results side by side; scatter_run() brings them home.
template <class T>
T* scatter_target(T* to, int64_t step, T* buffer) {
    return step == 1 ? to : buffer;
}
template <class T>
void scatter_run(const T* buffer, int64_t n, T* to, int64_t step) {
    if (step != 1) {
        for (int64_t i = 0; i < n; ++i) {
            to[i * step] = buffer[i];
        }
    }
}

}  // namespace fw
