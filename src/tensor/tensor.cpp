#include "tensor/tensor.h"

#include <cstring>

namespace fw {

namespace {

// Strides of a dense tensor in the given layout.
void dense_strides(const Shape& shape, Layout layout, int64_t* stride) {
    const bool nhwc = layout == Layout::kNhwc && shape.rank >= 3;
    int64_t step = 1;
    if (nhwc) {
        stride[0] = 1;
        step = shape[0];
    }
    for (int axis = shape.rank - 1; axis >= (nhwc ? 1 : 0); --axis) {
        stride[axis] = step;
        step *= shape[axis];
    }
}

// Copies one run of `count` elements of `size` bytes each, strides in elements.
void copy_run(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t count, size_t size) {
    if (from_stride == 1 && to_stride == 1) {
        std::memcpy(to, from, static_cast<size_t>(count) * size);
        return;
    }
    const auto bytes = static_cast<int64_t>(size);
    if (size == 4) {
        for (int64_t i = 0; i < count; ++i) {
            std::memcpy(to + i * to_stride * 4, from + i * from_stride * 4, 4);
        }
    } else if (size == 1) {
        for (int64_t i = 0; i < count; ++i) {
            to[i * to_stride] = from[i * from_stride];
        }
    } else {
        for (int64_t i = 0; i < count; ++i) {
            std::memcpy(to + i * to_stride * bytes, from + i * from_stride * bytes, size);
        }
    }
}

}  // namespace

bool Tensor::is_dense(Layout layout) const {
    int64_t want[Shape::kMaxRank];
    dense_strides(shape, layout, want);
    for (int axis = 0; axis < rank(); ++axis) {
        if (shape[axis] != 1 && stride[axis] != want[axis]) {
            return false;
        }
    }
    return true;
}

Tensor make_tensor(void* data, const TensorDesc& desc, Layout layout) {
    Tensor t;
    t.data = data;
    t.shape = desc.shape;
    t.dtype = desc.dtype;
    t.quant = desc.quant;
    dense_strides(t.shape, layout, t.stride);
    return t;
}

bool same_layout(const Tensor& a, const Tensor& b) {
    bool same = a.shape == b.shape && a.dtype == b.dtype;
    for (int axis = 0; axis < a.rank() && same; ++axis) {
        same = a.shape[axis] == 1 || a.stride[axis] == b.stride[axis];
    }
    return same;
}

Tensor view_of(const Mat& mat) {
    // The runtime never writes through a view of an input.
    return make_tensor(const_cast<void*>(mat.data<void>()), TensorDesc{mat.shape(), mat.dtype(), {}}, Layout::kPlain);
}

Tensor permuted(const Tensor& t, const int* order) {
    Tensor out = t;
    for (int axis = 0; axis < t.rank(); ++axis) {
        out.shape[axis] = t.shape[order[axis]];
        out.stride[axis] = t.stride[order[axis]];
    }
    return out;
}

bool reshaped_view(const Tensor& t, const Shape& shape, Tensor* out) {
    if (t.count() != shape.count()) {
        return false;
    }
    Tensor view = t;
    view.shape = shape;
    // Match runs of axes of equal element counts, outermost first, axes of one element left out; within a run the old
    // axes must follow each other without gaps, then the new ones divide it.
    int old_axes[Shape::kMaxRank];
    int old_count = 0;
    for (int axis = 0; axis < t.rank(); ++axis) {
        if (t.shape[axis] != 1) {
            old_axes[old_count++] = axis;
        }
    }
    int from = 0;
    for (int i = 0; i < shape.rank;) {
        if (shape[i] == 1) {
            view.stride[i++] = 1;
            continue;
        }
        if (from == old_count) {
            return false;  // an extent of 0
        }
        int to = i;
        int64_t new_size = shape[i];
        int64_t old_size = t.shape[old_axes[from]];
        int last = from;
        while (new_size != old_size) {
            if (new_size < old_size) {
                if (++to == shape.rank) {
                    return false;
                }
                new_size *= shape[to];
            } else {
                if (++last == old_count) {
                    return false;
                }
                const int axis = old_axes[last];
                if (t.stride[old_axes[last - 1]] != t.stride[axis] * t.shape[axis]) {
                    return false;
                }
                old_size *= t.shape[axis];
            }
        }
        int64_t stride = t.stride[old_axes[last]];
        for (int axis = to; axis >= i; --axis) {
            view.stride[axis] = stride;
            stride *= shape[axis];
        }
        from = last + 1;
        i = to + 1;
    }
    *out = view;
    return true;
}

void copy_tensor(const Tensor& from, const Tensor& to) {
    const size_t size = element_size(from.dtype);
    const auto bytes = static_cast<int64_t>(size);
    const auto* src = static_cast<const char*>(from.data);
    auto* dst = static_cast<char*>(to.data);
    // The innermost loop runs along channels when both sides keep them adjacent, else along x.
    const bool along_channels = from.rank() >= 3 && from.stride[0] == 1 && to.stride[0] == 1 && from.w_stride() != 1;
    for (int z = 0; z < from.d(); ++z) {
        for (int y = 0; y < from.h(); ++y) {
            const char* s = src + (z * from.d_stride() + y * from.h_stride()) * bytes;
            char* t = dst + (z * to.d_stride() + y * to.h_stride()) * bytes;
            if (along_channels) {
                const bool whole_row = from.w_stride() == from.c() && to.w_stride() == to.c();
                const int runs = whole_row ? 1 : from.w();
                const int64_t length = whole_row ? int64_t{from.c()} * from.w() : from.c();
                for (int x = 0; x < runs; ++x) {
                    copy_run(s + x * from.w_stride() * bytes, 1, t + x * to.w_stride() * bytes, 1, length, size);
                }
            } else {
                for (int c = 0; c < from.c(); ++c) {
                    copy_run(s + c * from.c_stride() * bytes, from.w_stride(), t + c * to.c_stride() * bytes,
                             to.w_stride(), from.w(), size);
                }
            }
        }
    }
}

}  // namespace fw
