// Tensor: a strided view of a blob inside the runtime. Owns nothing; the executor's arena or a Mat does.
#pragma once

#include <cstdint>

#include "fw/mat.h"
#include "fw/table.h"

namespace fw {

/// How a dense tensor of rank 3 or 4 lies in memory. Rank 1 and 2 are the same in both.
enum class Layout : uint8_t {
    kNhwc,   ///< axis 0 (channel) innermost: the layout of every activation unless a layer says otherwise
    kPlain,  ///< row-major in the order of the axes: the public Mat's layout
};

/// What is known of a value before it has memory.
struct TensorDesc {
    Shape shape;
    DType dtype = DType::kFloat32;
    QuantParams quant;  ///< of int8 values

    size_t bytes() const { return static_cast<size_t>(shape.count()) * element_size(dtype); }
};

/// Strides are in elements, one for each axis, parallel to shape.dims; they may be any positive number (views, slices
/// of a concatenation) so a layer either works on strides or declares that it needs a dense NHWC input (Layer::traits).
struct Tensor {
    void* data = nullptr;
    Shape shape;
    DType dtype = DType::kFloat32;
    QuantParams quant;
    int64_t stride[Shape::kMaxRank] = {0, 0, 0, 0};

    int w() const { return shape.w(); }
    int h() const { return shape.h(); }
    int d() const { return shape.d(); }
    int c() const { return shape.c(); }
    int rank() const { return shape.rank; }
    int64_t count() const { return shape.count(); }

    template <class T = float>
    T* ptr() const {
        return static_cast<T*>(data);
    }
    /// Strides by name, 0 for an axis that the rank lacks.
    int64_t w_stride() const { return rank() >= 1 ? stride[rank() - 1] : 0; }
    int64_t h_stride() const { return rank() >= 2 ? stride[rank() - 2] : 0; }
    int64_t d_stride() const { return rank() == 4 ? stride[1] : 0; }
    int64_t c_stride() const { return rank() >= 3 ? stride[0] : 0; }

    /// Element of a tensor of rank <= 3; absent axes have index 0.
    template <class T = float>
    T& at(int c, int y, int x) const {
        return ptr<T>()[c * c_stride() + y * h_stride() + x * w_stride()];
    }
    template <class T = float>
    T& at(int c, int z, int y, int x) const {
        return ptr<T>()[c * c_stride() + z * d_stride() + y * h_stride() + x * w_stride()];
    }

    TensorDesc desc() const { return TensorDesc{shape, dtype, quant}; }
    /// Dense in the given layout (extents of 1 have no say), so that count() elements follow each other.
    bool is_dense(Layout layout) const;
    /// Channels of a pixel are adjacent (stride 1); pixels and rows may lie apart. What the fast kernels need.
    bool has_adjacent_channels() const { return rank() <= 2 || shape[0] == 1 || stride[0] == 1; }
    int64_t byte_stride(int axis) const { return stride[axis] * static_cast<int64_t>(element_size(dtype)); }
};

/// Fills the strides of a dense tensor.
Tensor make_tensor(void* data, const TensorDesc& desc, Layout layout = Layout::kNhwc);
/// The same shape, dtype and strides (extents of 1 have no say).
bool same_layout(const Tensor& a, const Tensor& b);
/// A view of a public Mat (plain layout).
Tensor view_of(const Mat& mat);
/// A view with axes reordered: axis i of the result is axis order[i] of `t`.
Tensor permuted(const Tensor& t, const int* order);
/// The same elements in row-major order under another shape, if strides allow it without a copy; false otherwise.
bool reshaped_view(const Tensor& t, const Shape& shape, Tensor* out);
/// Copies elements (same shape and dtype, any strides). Fast where rows or channels are adjacent on both sides.
void copy_tensor(const Tensor& from, const Tensor& to);

/// Calls fn(offsets...) style loops over every element in the logical order (axis 0 slowest).
/// `fn(index, offset)` gets the running row-major index and the element's offset in `t`.
template <class Fn>
void for_each_element(const Tensor& t, Fn&& fn) {
    int64_t index = 0;
    for (int c = 0; c < t.c(); ++c) {
        for (int z = 0; z < t.d(); ++z) {
            for (int y = 0; y < t.h(); ++y) {
                int64_t offset = c * t.c_stride() + z * t.d_stride() + y * t.h_stride();
                for (int x = 0; x < t.w(); ++x, offset += t.w_stride()) {
                    fn(index++, offset);
                }
            }
        }
    }
}

}  // namespace fw
