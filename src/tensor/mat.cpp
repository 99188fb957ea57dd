#include "fw/mat.h"

#include <cstdio>
#include <cstring>

#include "base/memory.h"

namespace fw {

size_t element_size(DType type) {
    switch (type) {
        case DType::kFloat32:
        case DType::kInt32: return 4;
        case DType::kFloat16: return 2;
        case DType::kInt8: return 1;
    }
    return 0;
}

const char* name(DType type) {
    switch (type) {
        case DType::kFloat32: return "float32";
        case DType::kFloat16: return "float16";
        case DType::kInt8: return "int8";
        case DType::kInt32: return "int32";
    }
    return "?";
}

int64_t Shape::count() const {
    if (rank == 0) {
        return 0;
    }
    int64_t product = 1;
    for (int axis = 0; axis < rank; ++axis) {
        product *= dims[axis];
    }
    return product;
}

bool Shape::valid() const {
    if (rank < 1 || rank > kMaxRank) {
        return false;
    }
    int64_t product = 1;
    for (int axis = 0; axis < rank; ++axis) {
        if (dims[axis] < 0) {
            return false;
        }
        // Extents of 0 must not hide an overflow of the others.
        product *= dims[axis] > 0 ? dims[axis] : 1;
        if (product > kMaxElements) {
            return false;
        }
    }
    return true;
}

bool Shape::operator==(const Shape& other) const {
    return rank == other.rank && std::memcmp(dims, other.dims, sizeof(int) * static_cast<size_t>(rank)) == 0;
}

std::string Shape::str() const {
    std::string text = "[";
    for (int axis = 0; axis < rank; ++axis) {
        text += (axis > 0 ? "x" : "") + std::to_string(dims[axis]);
    }
    return text + "]";
}

Result<Mat> Mat::create(const Shape& shape, DType type, Allocator* allocator) {
    if (!shape.valid()) {
        return Status::error(Code::kInvalidArgument, "cannot create a Mat of shape %s", shape.str().c_str());
    }
    Mat mat;
    mat.shape_ = shape;
    mat.dtype_ = type;
    mat.owner_ = allocate_shared_bytes(static_cast<size_t>(shape.count()) * element_size(type), allocator);
    if (!mat.owner_) {
        return Status::error(Code::kOutOfMemory, "no memory for a Mat of shape %s", shape.str().c_str());
    }
    mat.data_ = mat.owner_.get();
    return mat;
}

Mat Mat::wrap(void* data, const Shape& shape, DType type) {
    Mat mat;
    mat.shape_ = shape;
    mat.dtype_ = type;
    mat.data_ = data;
    return mat;
}

Result<Mat> Mat::clone() const {
    FW_ASSIGN_OR_RETURN(Mat copy, create(shape_, dtype_));
    if (count() > 0) {
        std::memcpy(copy.data_, data_, bytes());
    }
    return copy;
}

Result<Mat> Mat::reshape(const Shape& shape) const {
    if (!shape.valid() || shape.count() != count()) {
        return Status::error(Code::kInvalidArgument, "cannot reshape %s to %s", shape_.str().c_str(),
                             shape.str().c_str());
    }
    Mat view = *this;
    view.shape_ = shape;
    return view;
}

}  // namespace fw
