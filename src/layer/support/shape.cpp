#include "layer/support/shape.h"

#include <string>

namespace fw {

Status make_shape(int rank, const int64_t* dims, Shape* out) {
    Shape shape;
    shape.rank = rank;
    int64_t count = 1;
    bool ok = rank >= 1 && rank <= Shape::kMaxRank;
    for (int axis = 0; ok && axis < rank; ++axis) {
        ok = dims[axis] >= 1 && dims[axis] <= Shape::kMaxElements / count;
        if (ok) {
            count *= dims[axis];
            shape[axis] = static_cast<int>(dims[axis]);
        }
    }
    if (!ok) {
        std::string text;
        for (int axis = 0; axis < rank; ++axis) {
            text += (axis == 0 ? "" : "x") + std::to_string(dims[axis]);
        }
        return Status::error(Code::kInvalidArgument,
                             "output would be [%s], expected extents from 1 and at most %lld elements", text.c_str(),
                             static_cast<long long>(Shape::kMaxElements));
    }
    *out = shape;
    return {};
}

Status resolve_axis(int axis, int rank, int* out) {
    const int64_t resolved = axis < 0 ? int64_t{axis} + rank : axis;
    if (resolved < 0 || resolved >= rank) {
        return Status::error(Code::kInvalidArgument, "axis is %d, expected %d to %d for an input of rank %d", axis,
                             -rank, rank - 1, rank);
    }
    *out = static_cast<int>(resolved);
    return {};
}

Status check_rank(const Shape& shape, int least, int most) {
    if (shape.rank < least || shape.rank > most) {
        return Status::error(Code::kInvalidArgument, "input is %s, expected rank %d to %d", shape.str().c_str(), least,
                             most);
    }
    return {};
}

}  // namespace fw
