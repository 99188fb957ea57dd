// Gemm: out = alpha * (A * B + beta * C); A, B and C are inputs or weights.
#include <algorithm>

#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/matrix.h"

namespace fw {

namespace {

/// What C adds to element (i, j): element i * row_stride + j * column_stride of it.
struct Addend {
    const float* data = nullptr;
    int64_t row_stride = 0;
    int64_t column_stride = 0;
};

class Gemm final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> weights) override;
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    Status prepare(const PrepareContext& context) override;
    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const override;
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    [[maybe_unused]] Status operation(Span<const Tensor> in, Span<const Tensor> out,
                                      Operation* operation) const FW_DEVICE_OVERRIDE;
    LayerTraits traits() const override {
        LayerTraits traits;
        traits.any_stride_output = false;
        return traits;
    }
    std::string kernel_name() const override { return kernel_ != nullptr ? kernel_->name : ""; }
    size_t weight_bytes() const override { return packed_b_.bytes() + (a_.size() + c_.size()) * sizeof(float); }
    int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/) const override {
        Extents e;
        return extents(in, &e).ok() ? e.m * e.n * e.k : 0;
    }

private:
    struct Extents {
        int64_t m = 0, n = 0, k = 0;
    };
    size_t inputs() const { return (constant_a_ ? 0U : 1U) + (constant_b_ ? 0U : 1U); }
    bool has_c_input(size_t count) const { return !constant_c_ && count > inputs(); }
    Status extents(Span<const TensorDesc> in, Extents* out) const;
    Status c_type(const Shape& c, const Extents& e, int* type) const;
    Status pack_b(bool for_device);
    bool adds_c(size_t count) const { return has_c_input(count) || (c_type_ >= 0 && !packed_c_); }
    float alpha_left() const { return constant_b_ ? 1.0F : alpha_; }
    /// The product goes straight into an output of rank 2 where nothing is left to do.
    MatrixWorkspace::Use use(size_t count) const {
        return {constant_b_, transpose_out_ || n1m_ || adds_c(count) || alpha_left() != 1.0F};
    }
    MatrixView left(Span<const Tensor> in, const Extents& e, size_t* next) const;
    Status find_addend(Span<const Tensor> in, const Extents& e, Addend* out) const;

    float alpha_ = 1.0F, beta_ = 1.0F;
    bool trans_a_ = false, trans_b_ = false;
    bool constant_a_ = false, constant_b_ = false, constant_c_ = false;
    bool n1m_ = false, transpose_out_ = false;
    int c_type_ = -1;
    Extents constant_;
    std::vector<float> a_, b_, c_;
    PackedMatrix packed_b_;             ///< of a constant B, times alpha
    bool packed_c_ = false;             ///< C is the bias of packed_b_
    std::unique_ptr<WeightRows> rows_;  ///< packed_b_ for a device; columns are outputs
    const GemmKernel* kernel_ = nullptr;
};

// Rows and columns as stored; a 3-d blob is a matrix if its middle extent is 1.
Status matrix_extents(const char* which, const Shape& shape, int64_t* rows, int64_t* columns) {
    if (shape.rank == 2 || (shape.rank == 3 && shape[1] == 1)) {
        *rows = shape[0];
        *columns = shape.w();
        return {};
    }
    return Status::error(Code::kInvalidArgument, "%s is %s, expected a matrix", which, shape.str().c_str());
}

Status Gemm::load(const Params& params, Span<const Weight> weights) {
    alpha_ = params.f(0);
    beta_ = params.f(1);
    trans_a_ = params.i(2) != 0;
    trans_b_ = params.i(3) != 0;
    constant_a_ = params.i(4) != 0;
    constant_b_ = params.i(5) != 0;
    constant_c_ = params.i(6) != 0;
    constant_ = {params.i(7), params.i(8), params.i(9)};
    c_type_ = constant_c_ ? params.i(10) : -1;
    n1m_ = params.i(11) != 0;
    transpose_out_ = params.i(14) != 0;
    if (params.i(18) != 0) {
        return Status::error(Code::kUnsupported,
                             "quantize_term (18) is %d, expected 0: int8 Gemm weights are not supported", params.i(18));
    }
    if (c_type_ < -1 || c_type_ > 4) {
        return Status::error(Code::kInvalidArgument, "constant_broadcast_type_C (10) is %d, expected -1 to 4", c_type_);
    }
    const auto [m, n, k] = constant_;
    if (m < 0 || n < 0 || k < 0) {
        return Status::error(Code::kInvalidArgument,
                             "constantM, N, K (7, 8, 9) are %d, %d, %d, expected numbers from 0", static_cast<int>(m),
                             static_cast<int>(n), static_cast<int>(k));
    }
    const int64_t c_counts[] = {1, m, m, m * n, n};
    const struct {
        bool present;
        int64_t count;
        const char* name;
        std::vector<float>* to;
    } blobs[] = {{constant_a_, m * k, "A_data", &a_},
                 {constant_b_, n * k, "B_data", &b_},
                 {c_type_ >= 0, c_type_ >= 0 ? c_counts[c_type_] : 0, "C_data", &c_}};
    size_t index = 0;
    for (const auto& blob : blobs) {
        if (!blob.present) {
            continue;
        }
        if (index >= weights.size() || blob.count < 1 || weights[index].count() != blob.count) {
            return Status::error(Code::kInvalidArgument, "%s has %lld elements, expected %lld", blob.name,
                                 static_cast<long long>(index < weights.size() ? weights[index].count() : 0),
                                 static_cast<long long>(blob.count));
        }
        *blob.to = weights[index++].to_floats();
    }
    return {};
}

Status Gemm::extents(Span<const TensorDesc> in, Extents* out) const {
    if (in.size() < inputs() || in.size() > inputs() + (constant_c_ ? 0U : 1U)) {
        return Status::error(Code::kInvalidArgument, "has %d inputs, expected %d%s", static_cast<int>(in.size()),
                             static_cast<int>(inputs()), constant_c_ ? "" : " and C");
    }
    int64_t rows = constant_.m;
    int64_t columns = constant_.k;
    size_t next = 0;
    if (!constant_a_) {
        FW_RETURN_IF_ERROR(matrix_extents("A", in[next++].shape, &rows, &columns));
    }
    out->m = trans_a_ && !constant_a_ ? columns : rows;
    out->k = trans_a_ && !constant_a_ ? rows : columns;
    int64_t k = constant_.k;
    out->n = constant_.n;
    if (!constant_b_) {
        FW_RETURN_IF_ERROR(matrix_extents("B", in[next].shape, &rows, &columns));
        out->n = trans_b_ ? rows : columns;
        k = trans_b_ ? columns : rows;
    }
    if (k != out->k) {
        return Status::error(Code::kInvalidArgument, "A has %lld columns and B %lld rows: they do not match",
                             static_cast<long long>(out->k), static_cast<long long>(k));
    }
    if (constant_c_ &&
        ((c_type_ >= 1 && c_type_ <= 3 && constant_.m != out->m) || (c_type_ >= 3 && constant_.n != out->n))) {
        return Status::error(Code::kInvalidArgument, "C is for %lld x %lld, the product is %lld x %lld",
                             static_cast<long long>(constant_.m), static_cast<long long>(constant_.n),
                             static_cast<long long>(out->m), static_cast<long long>(out->n));
    }
    return {};
}

Status Gemm::c_type(const Shape& c, const Extents& e, int* type) const {
    if (c.rank <= 2 && c.h() == 1 && c.w() == e.n) {
        *type = 4;
    } else if (c.rank == 1 && c.w() == e.m) {
        *type = 1;
    } else if (c.count() == 1) {
        *type = 0;
    } else if (c.rank == 2 && c.h() == e.m && c.w() == e.n) {
        *type = 3;
    } else if (c.rank == 2 && c.h() == e.m && c.w() == 1) {
        *type = 2;
    } else {
        return Status::error(Code::kInvalidArgument, "C is %s, which does not broadcast to %lld x %lld",
                             c.str().c_str(), static_cast<long long>(e.m), static_cast<long long>(e.n));
    }
    return {};
}

Status Gemm::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    Extents e;
    FW_RETURN_IF_ERROR(extents(in, &e));
    if (has_c_input(in.size())) {
        int type = 0;
        FW_RETURN_IF_ERROR(c_type(in[in.size() - 1].shape, e, &type));
    }
    const auto rows = static_cast<int>(transpose_out_ ? e.n : e.m);
    const auto columns = static_cast<int>(transpose_out_ ? e.m : e.n);
    out[0].shape = n1m_ ? Shape(rows, 1, columns) : Shape(rows, columns);
    return {};
}

Status Gemm::prepare(const PrepareContext& context) {
    FW_RETURN_IF_ERROR(Layer::prepare(context));
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    kernel_ = find_gemm_kernel(false, isa, 0);
    return constant_b_ ? pack_b(context.for_device) : Status();
}

Status Gemm::pack_b(bool for_device) {
    const auto [m, n, k] = constant_;
    std::vector<float> transposed(b_.size());
    for (int64_t j = 0; j < n; ++j) {
        for (int64_t i = 0; i < k; ++i) {
            transposed[static_cast<size_t>(j * k + i)] =
                alpha_ * b_[static_cast<size_t>(trans_b_ ? j * k + i : i * n + j)];
        }
    }
    packed_c_ = c_type_ == 0 || c_type_ == 4;
    std::vector<float> bias;
    for (int64_t j = 0; j < n && packed_c_; ++j) {
        bias.push_back(alpha_ * beta_ * c_[c_type_ == 0 ? 0 : static_cast<size_t>(j)]);
    }
    b_ = std::vector<float>();
    FW_RETURN_IF_ERROR(packed_b_.pack(*kernel_, n, k, transposed.data(), packed_c_ ? bias.data() : nullptr));
    if (kHasAccelerator && for_device) {
        bias.resize(static_cast<size_t>(n), 0.0F);
        rows_ = std::make_unique<WeightRows>();
        rows_->own(std::move(transposed));
        rows_->bias = std::move(bias);
    }
    return {};
}

size_t Gemm::workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/, int threads) const {
    Extents e;
    return kernel_ != nullptr && extents(in, &e).ok()
               ? MatrixWorkspace(*kernel_, e.m, e.n, e.k, threads, use(in.size())).total
               : 0;
}

Status Gemm::find_addend(Span<const Tensor> in, const Extents& e, Addend* out) const {
    int type = c_type_;
    int64_t stride[2] = {e.n, 1};
    if (has_c_input(in.size())) {
        const Tensor& c = in[in.size() - 1];
        FW_RETURN_IF_ERROR(c_type(c.shape, e, &type));
        out->data = c.ptr();
        stride[0] = c.rank() == 1 ? c.stride[0] : c.stride[c.rank() - 2];
        stride[1] = c.stride[c.rank() - 1];
    } else if (c_type_ >= 0 && !packed_c_) {
        out->data = c_.data();
        stride[0] = c_type_ == 3 ? e.n : 1;
    }
    out->row_stride = type >= 1 && type <= 3 ? stride[0] : 0;
    out->column_stride = type >= 3 ? stride[1] : 0;
    return {};
}

MatrixView stored_matrix(const Tensor& t) {
    return {t.ptr(), t.shape[0], t.w(), t.stride[0], t.w_stride()};
}

// Weights follow transA and transB too.
MatrixView Gemm::left(Span<const Tensor> in, const Extents& e, size_t* next) const {
    if (constant_a_) {
        return trans_a_ ? MatrixView{a_.data(), e.m, e.k, 1, e.m} : MatrixView{a_.data(), e.m, e.k, e.k, 1};
    }
    const MatrixView a = stored_matrix(in[(*next)++]);
    return trans_a_ ? a.transposed() : a;
}

Status Gemm::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    TensorDesc descs[3];
    for (size_t i = 0; i < in.size(); ++i) {
        descs[i] = in[i].desc();
    }
    Extents e;
    FW_RETURN_IF_ERROR(extents({descs, in.size()}, &e));
    size_t next = 0;
    const MatrixView a = left(in, e, &next);
    Addend c;
    FW_RETURN_IF_ERROR(find_addend(in, e, &c));
    const int64_t first = out[0].stride[0];
    const int64_t last = out[0].w_stride();
    const int64_t row_stride = transpose_out_ ? last : first;
    const int64_t column_stride = transpose_out_ ? first : last;
    const float alpha = alpha_left();
    const MatrixWorkspace::Use parts = use(in.size());
    const bool done = !parts.result;
    const MatrixWorkspace at(*kernel_, e.m, e.n, e.k, context.threads, parts);
    float* product = done ? out[0].ptr() : reinterpret_cast<float*>(static_cast<char*>(context.workspace) + at.result);
    const int64_t product_stride = done ? row_stride : e.n;
    if (constant_b_) {
        multiply_to(*kernel_, a, packed_b_, context.threads, context.workspace, product, product_stride);
    } else {
        const MatrixView b = stored_matrix(in[next]);
        multiply_to(*kernel_, a, trans_b_ ? b.transposed() : b, context.threads, context.workspace, product,
                    product_stride);
    }
    for (int64_t i = 0; i < e.m && !done; ++i) {
        for (int64_t j = 0; j < e.n; ++j) {
            const float added = c.data == nullptr ? 0.0F : c.data[i * c.row_stride + j * c.column_stride];
            out[0].ptr()[i * row_stride + j * column_stride] = alpha * product[i * e.n + j] + alpha_ * beta_ * added;
        }
    }
    return {};
}

// For a GemmOperation; without data the matrix is among its values.
Tensor batch_of(const MatrixView& m) {
    Tensor t;
    t.data = const_cast<float*>(m.data);
    t.shape = Shape(1, 1, static_cast<int>(m.rows), static_cast<int>(m.columns));
    const int64_t stride[] = {0, 0, m.row_stride, m.column_stride};
    std::copy(stride, stride + 4, t.stride);
    return t;
}

// With constant weights and a bias the rows of A are the pixels of a convolution with a window of one.
Status Gemm::operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const {
    if (constant_b_ && rows_ == nullptr) {
        return Status::error(Code::kUnsupported, "was not prepared for a device");
    }
    const bool rows = !constant_a_ && in.size() == 1 && in[0].rank() == 2 && in[0].stride[1] == 1 && out[0].rank() == 2;
    if (constant_b_ && rows && !trans_a_ && !transpose_out_ && (c_type_ < 0 || packed_c_)) {
        ConvOperation conv;
        conv.rows = rows_.get();
        conv.channels = static_cast<int>(constant_.k);
        conv.outputs = static_cast<int>(constant_.n);
        conv.geometry.in_h = conv.geometry.out_h = in[0].h();
        conv.geometry.in_h_stride = in[0].stride[0];
        conv.geometry.out_h_stride = out[0].stride[0];
        *operation = conv;
        return {};
    }
    TensorDesc descs[3];
    for (size_t i = 0; i < in.size(); ++i) {
        descs[i] = in[i].desc();
    }
    Extents e;
    FW_RETURN_IF_ERROR(extents({descs, in.size()}, &e));
    GemmOperation gemm;
    size_t next = 0;
    const MatrixView a = left(in, e, &next);
    gemm.product.a = batch_of(constant_a_ ? MatrixView{nullptr, a.rows, a.columns, a.row_stride, a.column_stride} : a);
    gemm.a_values = a_;
    if (constant_b_) {
        gemm.product.b = batch_of({nullptr, e.k, e.n, 1, e.k});
        gemm.b_values = rows_->floats;
    } else {
        const MatrixView b = stored_matrix(in[next]);
        gemm.product.b = batch_of(trans_b_ ? b.transposed() : b);
    }
    const MatrixView to = stored_matrix(out[0]);
    gemm.product.out = batch_of(transpose_out_ ? to.transposed() : to);
    gemm.alpha = alpha_left();
    gemm.beta = packed_c_ ? 1.0F : alpha_ * beta_;
    Addend c;
    FW_RETURN_IF_ERROR(find_addend(in, e, &c));
    if (packed_c_) {
        gemm.c_values = rows_->bias;
        c.column_stride = 1;
    } else if (constant_c_) {
        gemm.c_values = c_;
    }
    gemm.c = batch_of({gemm.c_values.empty() ? c.data : nullptr, e.m, e.n, c.row_stride, c.column_stride});
    *operation = gemm;
    return {};
}

}  // namespace

std::unique_ptr<Layer> make_Gemm() {
    return std::make_unique<Gemm>();
}

}  // namespace fw
