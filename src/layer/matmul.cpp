// MatMul: numpy.matmul of two inputs, batched over the outer axes with broadcasting; transB swaps B's last two axes.
#include <algorithm>

#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/matrix.h"

namespace fw {

namespace {

/// An operand as a batch of matrices: extents and strides of up to two batch axes, and of the matrix.
struct Operand {
    int64_t batch[2] = {1, 1};
    int64_t batch_stride[2] = {0, 0};
    MatrixView matrix;
};

// A 1-d A is a row, a 1-d B a column.
Operand operand_of(const Shape& shape, const int64_t* stride, const float* data, bool is_b, bool transposed) {
    Operand o;
    const int rank = shape.rank;
    const auto at = [&](int axis) { return stride == nullptr ? 0 : stride[axis]; };
    if (rank == 1) {
        o.matrix = {data, 1, shape[0], 0, at(0)};
        o.matrix = is_b ? o.matrix.transposed() : o.matrix;
        return o;
    }
    o.matrix = {data, shape[rank - 2], shape[rank - 1], at(rank - 2), at(rank - 1)};
    o.matrix = transposed ? o.matrix.transposed() : o.matrix;
    for (int axis = 0; axis < rank - 2; ++axis) {
        const int slot = axis + 4 - rank;
        o.batch[slot] = shape[axis];
        o.batch_stride[slot] = shape[axis] == 1 ? 0 : at(axis);
    }
    return o;
}

// The output's axes are the batch axes, then rows unless A is 1-d, then columns unless B is.
Operand result_of(Span<const Tensor> in, const Tensor& out) {
    Operand o;
    o.matrix = {out.ptr(), 1, 1, 0, 0};
    int axis = out.rank();
    if (in[1].rank() > 1) {
        o.matrix.columns = out.shape[--axis];
        o.matrix.column_stride = out.stride[axis];
    }
    if (in[0].rank() > 1) {
        o.matrix.rows = out.shape[--axis];
        o.matrix.row_stride = out.stride[axis];
    }
    if (in[0].rank() == 1 && in[1].rank() == 1) {
        axis = 0;
    }
    for (int slot = 1; slot >= 0 && axis > 0; --slot) {
        o.batch[slot] = out.shape[--axis];
        o.batch_stride[slot] = out.stride[axis];
    }
    return o;
}

class MatMul final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        trans_b_ = params.i(0) != 0;
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    Status prepare(const PrepareContext& context) override;
    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const override;
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    [[maybe_unused]] Status operation(Span<const Tensor> in, Span<const Tensor> out,
                                      Operation* operation) const FW_DEVICE_OVERRIDE;
    std::string kernel_name() const override { return kernel_ != nullptr ? kernel_->name : ""; }
    int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const override {
        return out[0].shape.count() * in[0].shape.w();
    }

private:
    bool trans_b_ = false;
    const GemmKernel* kernel_ = nullptr;
};

Status MatMul::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    const Operand a = operand_of(in[0].shape, nullptr, nullptr, false, false);
    const Operand b = operand_of(in[1].shape, nullptr, nullptr, true, trans_b_);
    if (a.matrix.columns != b.matrix.rows) {
        return Status::error(Code::kInvalidArgument, "inputs are %s and %s: inner extents %lld and %lld do not match",
                             in[0].shape.str().c_str(), in[1].shape.str().c_str(),
                             static_cast<long long>(a.matrix.columns), static_cast<long long>(b.matrix.rows));
    }
    int dims[4];
    int count = 0;
    const int rank = std::max({in[0].shape.rank, in[1].shape.rank, 2});
    for (int axis = 4 - rank; axis < 2; ++axis) {
        if (a.batch[axis] != b.batch[axis] && a.batch[axis] != 1 && b.batch[axis] != 1) {
            return Status::error(Code::kInvalidArgument, "inputs are %s and %s: outer extents do not broadcast",
                                 in[0].shape.str().c_str(), in[1].shape.str().c_str());
        }
        dims[count++] = static_cast<int>(std::max(a.batch[axis], b.batch[axis]));
    }
    if (in[0].shape.rank > 1) {
        dims[count++] = static_cast<int>(a.matrix.rows);
    }
    if (in[1].shape.rank > 1) {
        dims[count++] = static_cast<int>(b.matrix.columns);
    }
    if (count == 0) {
        dims[count++] = 1;
    }
    out[0].shape = Shape();
    out[0].shape.rank = count;
    std::copy(dims, dims + count, out[0].shape.dims);
    return {};
}

Status MatMul::prepare(const PrepareContext& context) {
    FW_RETURN_IF_ERROR(Layer::prepare(context));
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    kernel_ = find_gemm_kernel(false, isa, 0);
    return {};
}

size_t MatMul::workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/, int threads) const {
    if (kernel_ == nullptr) {
        return 0;
    }
    const Operand a = operand_of(in[0].shape, nullptr, nullptr, false, false);
    const Operand b = operand_of(in[1].shape, nullptr, nullptr, true, trans_b_);
    return MatrixWorkspace(*kernel_, a.matrix.rows, b.matrix.columns, a.matrix.columns, threads, {false, true}).total;
}

Status MatMul::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    const Operand a = operand_of(in[0].shape, in[0].stride, in[0].ptr(), false, false);
    const Operand b = operand_of(in[1].shape, in[1].stride, in[1].ptr(), true, trans_b_);
    const int64_t m = a.matrix.rows;
    const int64_t n = b.matrix.columns;
    const Operand o = result_of(in, out[0]);
    const int64_t row_stride = o.matrix.row_stride;
    const int64_t column_stride = o.matrix.column_stride;
    for (int64_t i = 0; i < std::max(a.batch[0], b.batch[0]); ++i) {
        for (int64_t j = 0; j < std::max(a.batch[1], b.batch[1]); ++j) {
            MatrixView left = a.matrix;
            MatrixView right = b.matrix;
            left.data += i * a.batch_stride[0] + j * a.batch_stride[1];
            right.data += i * b.batch_stride[0] + j * b.batch_stride[1];
            float* to = out[0].ptr() + i * o.batch_stride[0] + j * o.batch_stride[1];
            if (column_stride == 1) {
                multiply_to(*kernel_, left, right, context.threads, context.workspace, to, row_stride);
                continue;
            }
            const float* product = multiply(*kernel_, left, right, context.threads, context.workspace);
            for (int64_t r = 0; r < m; ++r) {
                for (int64_t c = 0; c < n; ++c) {
                    to[r * row_stride + c * column_stride] = product[r * n + c];
                }
            }
        }
    }
    return {};
}

Status MatMul::operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const {
    const Operand o = result_of(in, out[0]);
    const auto batch_of = [&](const Operand& operand, const Tensor& t) {
        Tensor batch = t;
        const MatrixView& m = operand.matrix;
        batch.shape = Shape(static_cast<int>(o.batch[0]), static_cast<int>(o.batch[1]), static_cast<int>(m.rows),
                            static_cast<int>(m.columns));
        const int64_t stride[] = {operand.batch_stride[0], operand.batch_stride[1], m.row_stride, m.column_stride};
        std::copy(stride, stride + 4, batch.stride);
        return batch;
    };
    *operation = ProductOperation{batch_of(operand_of(in[0].shape, in[0].stride, in[0].ptr(), false, false), in[0]),
                                  batch_of(operand_of(in[1].shape, in[1].stride, in[1].ptr(), true, trans_b_), in[1]),
                                  batch_of(o, out[0])};
    return {};
}

}  // namespace

std::unique_ptr<Layer> make_MatMul() {
    return std::make_unique<MatMul>();
}

}  // namespace fw
