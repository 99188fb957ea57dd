#include "layer/support/run_plan.h"

#include <algorithm>

#include "base/parallel.h"

namespace fw {

RunPlan::RunPlan(const Shape& shape, Span<const int64_t* const> strides, bool in_blocks) {
    count_ = shape.count();
    // Axes longer than 1, the output's largest stride first.
    std::array<int, Shape::kMaxRank> axes = {};
    int count = 0;
    const int64_t* out = strides[0];
    for (int axis = 0; axis < shape.rank; ++axis) {
        if (shape[axis] != 1) {
            axes[static_cast<size_t>(count++)] = axis;
        }
    }
    std::stable_sort(axes.begin(), axes.begin() + count, [&](int a, int b) { return out[a] > out[b]; });

    stride_.assign(strides.size(), {1, 0, 0, 0});
    size_t used = 0;
    for (int i = 0; i < count; ++i) {
        const int axis = axes[static_cast<size_t>(i)];
        bool merges = used > 0;
        for (size_t operand = 0; operand < strides.size(); ++operand) {
            merges = merges && stride_[operand][used - 1] == strides[operand][axis] * shape[axis];
        }
        if (!merges) {
            ++used;
        }
        extent_[used - 1] *= shape[axis];
        for (size_t operand = 0; operand < strides.size(); ++operand) {
            stride_[operand][used - 1] = strides[operand][axis];
        }
    }
    rank_ = used == 0 ? 1 : static_cast<int>(used);
    prefer_long_runs();
    for (int axis = 0; axis < inner(); ++axis) {
        outer_ *= extent_[static_cast<size_t>(axis)];
    }
    for (size_t operand = 0; operand < strides.size(); ++operand) {
        if (in_blocks || step(operand) != 1) {
            piece_ = kBlock;
        }
    }
}

bool RunPlan::repeats(size_t repeated) const {
    if (rank_ != 2) {
        return false;
    }
    for (size_t i = 0; i < stride_.size(); ++i) {
        if (stride_[i][1] != 1 || stride_[i][0] != (i == repeated ? 0 : length())) {
            return false;
        }
    }
    return true;
}

// A run of three channels costs more to start than to do: go along the longest axis then, though with gaps.
void RunPlan::prefer_long_runs() {
    constexpr int64_t kShort = 8;
    const auto last = static_cast<size_t>(inner());
    const auto longest =
        static_cast<size_t>(std::max_element(extent_.begin(), extent_.begin() + rank_) - extent_.begin());
    if (extent_[last] >= kShort || longest == last) {
        return;
    }
    std::swap(extent_[last], extent_[longest]);
    for (auto& stride : stride_) {
        std::swap(stride[last], stride[longest]);
    }
}

void RunPlan::walk(int threads, PieceFn fn, void* context) const {
    if (count_ == 0) {
        return;
    }
    const int64_t pieces = (length() + piece_ - 1) / piece_;
    const int64_t items = outer_ * pieces;
    const int64_t parts = count_ < kParallelCount || threads <= 1 ? 1 : std::min<int64_t>(items, threads);
    parallel_for(parts, static_cast<int>(parts), [&](int64_t part) {
        Cursor cursor = seek(items * part / parts, pieces);
        for (int64_t item = items * part / parts; item < items * (part + 1) / parts; ++item) {
            fn(context, cursor.offset.data(), std::min(piece_, length() - cursor.start));
            advance(&cursor);
        }
    });
}

void RunPlan::move(Cursor* cursor, int axis, int64_t steps) const {
    for (size_t i = 0; i < stride_.size(); ++i) {
        cursor->offset[i] += steps * stride_[i][static_cast<size_t>(axis)];
    }
}

void RunPlan::advance(Cursor* cursor) const {
    if (cursor->start + piece_ < length()) {
        cursor->start += piece_;
        move(cursor, inner(), piece_);
        return;
    }
    move(cursor, inner(), -cursor->start);
    cursor->start = 0;
    for (int axis = inner() - 1; axis >= 0; --axis) {
        const bool more = ++cursor->index[axis] < extent_[static_cast<size_t>(axis)];
        move(cursor, axis, more ? 1 : 1 - extent_[static_cast<size_t>(axis)]);
        if (more) {
            return;
        }
        cursor->index[axis] = 0;
    }
}

RunPlan::Cursor RunPlan::seek(int64_t item, int64_t pieces) const {
    Cursor cursor;
    cursor.offset.assign(stride_.size(), 0);
    cursor.start = item % pieces * piece_;
    move(&cursor, inner(), cursor.start);
    int64_t rest = item / pieces;
    for (int axis = inner() - 1; axis >= 0; --axis) {
        cursor.index[axis] = rest % extent_[static_cast<size_t>(axis)];
        move(&cursor, axis, cursor.index[axis]);
        rest /= extent_[static_cast<size_t>(axis)];
    }
    return cursor;
}

}  // namespace fw
