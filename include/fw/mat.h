// Mat: the tensor that crosses the public interface, and Shape and DType that describe it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "fw/export.h"
#include "fw/status.h"

namespace fw {

enum class DType : uint8_t { kFloat32, kFloat16, kInt8, kInt32 };

/// Bytes of one element.
FW_EXPORT size_t element_size(DType type);
/// "float32", "float16", "int8" or "int32".
FW_EXPORT const char* name(DType type);

/// Extents of a blob, outermost first: {w}, {h, w}, {c, h, w} or {c, d, h, w}. Axis 0 is the outermost, as in Caffe
/// (without the batch) and ncnn. A rank of 0 means "no shape".
struct FW_EXPORT Shape {
    static constexpr int kMaxRank = 4;

    int rank = 0;
    int dims[kMaxRank] = {0, 0, 0, 0};

    Shape() = default;
    explicit Shape(int w) : rank(1), dims{w, 0, 0, 0} {}
    Shape(int h, int w) : rank(2), dims{h, w, 0, 0} {}
    Shape(int c, int h, int w) : rank(3), dims{c, h, w, 0} {}
    Shape(int c, int d, int h, int w) : rank(4), dims{c, d, h, w} {}

    int operator[](int axis) const { return dims[axis]; }
    int& operator[](int axis) { return dims[axis]; }
    /// Extents by name; an absent one is 1.
    int w() const { return rank >= 1 ? dims[rank - 1] : 1; }
    int h() const { return rank >= 2 ? dims[rank - 2] : 1; }
    int d() const { return rank == 4 ? dims[1] : 1; }
    int c() const { return rank >= 3 ? dims[0] : 1; }
    /// Product of the extents; 0 for rank 0. Callers that read extents from a file check them with `valid` first.
    int64_t count() const;
    /// Every extent is at least 0 and the product fits kMaxElements.
    bool valid() const;
    bool operator==(const Shape& other) const;
    bool operator!=(const Shape& other) const { return !(*this == other); }
    /// "[64x56x56]", outermost first.
    std::string str() const;

    /// No blob may have more elements than this (2^31 - 1): indices stay in 32 bits on every backend.
    static constexpr int64_t kMaxElements = 0x7fffffff;
};

/// Where blobs get their memory. Implementations must be safe to call from several threads.
class FW_EXPORT Allocator {
public:
    virtual ~Allocator() = default;
    /// `bytes` aligned to `alignment` (a power of two), or nullptr.
    virtual void* allocate(size_t bytes, size_t alignment) = 0;
    virtual void deallocate(void* pointer) = 0;
};

/// A dense tensor in plain row-major order (channel after channel), reference-counted: copies share the data.
class FW_EXPORT Mat {
public:
    Mat() = default;

    /// Uninitialised memory for `shape`. Fails with kInvalidArgument (bad shape) or kOutOfMemory.
    static Result<Mat> create(const Shape& shape, DType type = DType::kFloat32, Allocator* allocator = nullptr);
    /// A view of the caller's memory, which must outlive every copy of the Mat.
    static Mat wrap(void* data, const Shape& shape, DType type = DType::kFloat32);
    /// A deep copy.
    Result<Mat> clone() const;
    /// The same data under another shape with the same number of elements.
    Result<Mat> reshape(const Shape& shape) const;

    bool empty() const { return data_ == nullptr || shape_.count() == 0; }
    const Shape& shape() const { return shape_; }
    DType dtype() const { return dtype_; }
    int w() const { return shape_.w(); }
    int h() const { return shape_.h(); }
    int d() const { return shape_.d(); }
    int c() const { return shape_.c(); }
    int64_t count() const { return shape_.count(); }
    size_t bytes() const { return static_cast<size_t>(count()) * element_size(dtype_); }

    template <class T = float>
    T* data() {
        return static_cast<T*>(data_);
    }
    template <class T = float>
    const T* data() const {
        return static_cast<const T*>(data_);
    }
    /// First element of channel `c` (rank 3 and 4), or of everything (rank 1 and 2 with c = 0).
    template <class T = float>
    const T* channel(int c) const {
        return data<T>() + static_cast<int64_t>(c) * d() * h() * w();
    }
    template <class T = float>
    T* channel(int c) {
        return data<T>() + static_cast<int64_t>(c) * d() * h() * w();
    }
    /// First element of row `y` of a rank-2 Mat or of channel 0.
    template <class T = float>
    const T* row(int y) const {
        return data<T>() + static_cast<int64_t>(y) * w();
    }

private:
    Shape shape_;
    DType dtype_ = DType::kFloat32;
    void* data_ = nullptr;
    std::shared_ptr<void> owner_;
};

}  // namespace fw
