// MultiHeadAttention (Vaswani et al., "Attention Is All You Need", 2017, section 3.2.2) over rows: with
// Q = scale * (q Wq^T + bq), K = k Wk^T + bk, V = v Wv^T + bv, head by head O = softmax(Q K^T + mask) V, and the output
// O Wo^T + bo. Inputs: [query,] [key,] [value,] [mask]; a key that is not given is the query, a value the key.
// Without weights (weight_data_size 0) the inputs are Q, K and V before the scale, the output is O.
#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/matrix.h"
#include "layer/support/shape.h"
#include "layer/support/softmax.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

/// A projection: weights [out][in] and a bias, until they are packed.
struct Linear {
    std::vector<float> weight, bias;
    int64_t in = 0, out = 0;
    std::vector<PackedMatrix> packed;  ///< the outputs in pieces
    std::unique_ptr<WeightRows> rows;  ///< for a device

    /// Into pieces of `width` outputs.
    Status pack(const GemmKernel& kernel, int64_t width, bool for_device);
    size_t packed_bytes() const;
};

Status Linear::pack(const GemmKernel& kernel, int64_t width, bool for_device) {
    packed.resize(static_cast<size_t>(out / width));
    int64_t first = 0;
    for (PackedMatrix& piece : packed) {
        FW_RETURN_IF_ERROR(piece.pack(kernel, width, in, weight.data() + first * in, bias.data() + first));
        first += width;
    }
    if (kHasAccelerator && for_device) {
        rows = std::make_unique<WeightRows>();
        rows->own(std::move(weight));
        rows->bias = std::move(bias);
    }
    weight = std::vector<float>();
    bias = std::vector<float>();
    return {};
}

size_t Linear::packed_bytes() const {
    size_t bytes = 0;
    for (const PackedMatrix& piece : packed) {
        bytes += piece.bytes();
    }
    return bytes;
}

void scale_by(float factor, std::vector<float>* values) {
    for (float& value : *values) {
        value *= factor;
    }
}

constexpr int64_t kWholeVectors = 16;

MatrixView rows_of(const Tensor& t) {
    return {t.ptr(), t.h(), t.w(), t.stride[0], t.stride[1]};
}

class MultiHeadAttention final : public Layer {
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
    int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const override;
    size_t weight_bytes() const override;

private:
    /// Which input is the key and which the value.
    size_t key(size_t inputs) const { return inputs - mask_ > 1 ? 1 : 0; }
    size_t value(size_t inputs) const { return inputs - mask_ > 2 ? 2 : key(inputs); }

    /// Parts of the workspace in floats: Q, K and V of the heads that are projected together and O, all empty without
    /// projections, the scores of a head, then room for a product.
    struct Parts {
        int64_t q, k, v, o, scores, product;
    };
    Parts parts(int64_t queries, int64_t keys) const;

    void add_mask(const Tensor& mask, int head, int64_t queries, int64_t keys, float* scores) const;
    Status load_projections(const Params& params, Span<const Weight> weights);

    Linear q_, k_, v_, out_;
    int heads_ = 1;
    int64_t embed_ = 0;
    int together_ = 1;      ///< heads that are projected at once: one, if its columns are whole vectors of every level
    float scale_ = 1;       ///< of the scores; with projections part of q_ once that is packed
    bool projects_ = true;  ///< has the projections
    size_t mask_ = 0;       ///< 1 = the last input is a mask
    const GemmKernel* kernel_ = nullptr;
    const FunctionKernel* exp_ = nullptr;
};

Status MultiHeadAttention::load(const Params& params, Span<const Weight> weights) {
    embed_ = params.i(0);
    heads_ = params.i(1);
    FW_RETURN_IF_ERROR(check_range("embed_dim", embed_, 1, Shape::kMaxElements));
    FW_RETURN_IF_ERROR(check_range("num_heads", heads_, 1, embed_));
    if (embed_ % heads_ != 0) {
        return Status::error(Code::kInvalidArgument, "num_heads is %d, which does not divide embed_dim %lld", heads_,
                             static_cast<long long>(embed_));
    }
    if (params.i(7) != 0 || params.i(18) != 0) {
        return Status::error(Code::kUnsupported, "kv_cache (7) is %d, quantize_term (18) %d: only 0 is supported",
                             params.i(7), params.i(18));
    }
    mask_ = params.i(5) != 0 ? 1 : 0;
    const int64_t head_dim = embed_ / heads_;
    together_ = head_dim % kWholeVectors == 0 ? 1 : heads_;
    scale_ = params.has(6) ? params.f(6) : 1.0F / std::sqrt(static_cast<float>(head_dim));
    projects_ = params.i(2) != 0;
    if (projects_) {
        return load_projections(params, weights);
    }
    if (params.i(3) != embed_ || params.i(4) != embed_) {
        return Status::error(Code::kInvalidArgument,
                             "kdim (3) is %d, vdim (4) %d: without weights both are embed_dim (0), %lld", params.i(3),
                             params.i(4), static_cast<long long>(embed_));
    }
    for (Linear* linear : {&q_, &k_, &v_, &out_}) {
        linear->in = linear->out = embed_;
    }
    return {};
}

Status MultiHeadAttention::load_projections(const Params& params, Span<const Weight> weights) {
    const int64_t query_dim = params.i(2) / embed_;
    const struct {
        Linear* linear;
        int64_t out, in;
        const char *weight, *bias;
    } list[] = {{&q_, embed_, query_dim, "q_weight_data", "q_bias_data"},
                {&k_, embed_, params.i(3), "k_weight_data", "k_bias_data"},
                {&v_, embed_, params.i(4), "v_weight_data", "v_bias_data"},
                {&out_, query_dim, embed_, "out_weight_data", "out_bias_data"}};
    size_t index = 0;
    for (const auto& entry : list) {
        entry.linear->in = entry.in;
        entry.linear->out = entry.out;
        FW_RETURN_IF_ERROR(take_floats(weights, index++, entry.in * entry.out, entry.weight, &entry.linear->weight));
        FW_RETURN_IF_ERROR(take_floats(weights, index++, entry.out, entry.bias, &entry.linear->bias));
    }
    return {};
}

Status MultiHeadAttention::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    if (in.size() < 1 + mask_ || in.size() > 3 + mask_) {
        return Status::error(Code::kInvalidArgument, "has %zu inputs, expected 1 to 3%s", in.size(),
                             mask_ != 0 ? " and a mask" : "");
    }
    const struct {
        size_t input;
        int64_t length;
    } rows[] = {{0, q_.in}, {key(in.size()), k_.in}, {value(in.size()), v_.in}};
    for (const auto& entry : rows) {
        const Shape& shape = in[entry.input].shape;
        FW_RETURN_IF_ERROR(check_rank(shape, 2, 2));
        if (shape.w() != entry.length) {
            return Status::error(Code::kInvalidArgument, "input %zu is %s, expected rows of %lld", entry.input,
                                 shape.str().c_str(), static_cast<long long>(entry.length));
        }
    }
    const int64_t queries = in[0].shape.h();
    const int64_t keys = in[key(in.size())].shape.h();
    if (in[value(in.size())].shape.h() != keys) {
        return Status::error(Code::kInvalidArgument, "%lld keys and %d values, expected as many",
                             static_cast<long long>(keys), in[value(in.size())].shape.h());
    }
    if (mask_ != 0) {
        const Shape& shape = in[in.size() - 1].shape;
        const bool each = shape.rank == 3 && shape.c() == heads_;
        if ((shape.rank != 2 && !each) || shape.h() != queries || shape.w() != keys) {
            return Status::error(Code::kInvalidArgument, "the mask is %s, expected [%lldx%lld] or that for %d heads",
                                 shape.str().c_str(), static_cast<long long>(queries), static_cast<long long>(keys),
                                 heads_);
        }
    }
    const int64_t dims[] = {queries, out_.out};
    return make_shape(2, dims, &out[0].shape);
}

Status MultiHeadAttention::prepare(const PrepareContext& context) {
    FW_RETURN_IF_ERROR(Layer::prepare(context));
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    kernel_ = find_gemm_kernel(false, isa, 0);
    exp_ = find_function_kernel(isa);
    if (!projects_) {
        return {};
    }
    scale_by(scale_, &q_.weight);
    scale_by(scale_, &q_.bias);
    for (Linear* linear : {&q_, &k_, &v_}) {
        FW_RETURN_IF_ERROR(linear->pack(*kernel_, embed_ / heads_ * together_, context.for_device));
    }
    FW_RETURN_IF_ERROR(out_.pack(*kernel_, out_.out, context.for_device));
    return {};
}

MultiHeadAttention::Parts MultiHeadAttention::parts(int64_t queries, int64_t keys) const {
    const auto aligned = [](int64_t count) {
        return static_cast<int64_t>(round_up(static_cast<size_t>(count) * sizeof(float) + kOverread, kAlignment) /
                                    sizeof(float));
    };
    const int64_t width = embed_ / heads_ * together_;
    Parts at{};
    if (projects_) {
        at.k = at.q + aligned(queries * width);
        at.v = at.k + aligned(keys * width);
        at.o = at.v + aligned(keys * width);
        at.scores = at.o + aligned(queries * embed_);
    }
    at.product = at.scores + aligned(queries * keys);
    return at;
}

size_t MultiHeadAttention::workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/,
                                           int threads) const {
    if (kernel_ == nullptr) {
        return 0;
    }
    const int64_t queries = in[0].shape.h();
    const int64_t keys = in[key(in.size())].shape.h();
    const int64_t head = embed_ / heads_;
    const int64_t width = head * together_;
    const struct {
        int64_t m, n, k;
        bool packed_b;
    } products[] = {{queries, width, q_.in, true}, {keys, width, k_.in, true},   {keys, width, v_.in, true},
                    {queries, keys, head, false},  {queries, head, keys, false}, {queries, out_.out, embed_, true}};
    size_t most = 0;
    for (const auto& p : products) {
        if (p.packed_b && !projects_) {
            continue;
        }
        most = std::max(most, MatrixWorkspace(*kernel_, p.m, p.n, p.k, threads, {p.packed_b, false}).total);
    }
    return static_cast<size_t>(parts(queries, keys).product) * sizeof(float) + most;
}

Status MultiHeadAttention::operation(Span<const Tensor> in, Span<const Tensor> /*out*/, Operation* operation) const {
    *operation = AttentionOperation{q_.rows.get(),
                                    k_.rows.get(),
                                    v_.rows.get(),
                                    out_.rows.get(),
                                    heads_,
                                    static_cast<int>(embed_),
                                    projects_ ? 1.0F : scale_,
                                    key(in.size()),
                                    value(in.size()),
                                    mask_ != 0};
    return {};
}

int64_t MultiHeadAttention::macs(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/) const {
    const int64_t queries = in[0].shape.h();
    const int64_t keys = in[key(in.size())].shape.h();
    const int64_t projections = queries * (q_.in + out_.out) * embed_ + keys * (k_.in + v_.in) * embed_;
    return (projects_ ? projections : 0) + 2 * queries * keys * embed_;
}

size_t MultiHeadAttention::weight_bytes() const {
    return q_.packed_bytes() + k_.packed_bytes() + v_.packed_bytes() + out_.packed_bytes();
}

void MultiHeadAttention::add_mask(const Tensor& mask, int head, int64_t queries, int64_t keys, float* scores) const {
    const int rank = mask.rank();
    const float* from = mask.ptr() + (rank == 3 ? head * mask.stride[0] : 0);
    for (int64_t i = 0; i < queries; ++i) {
        for (int64_t j = 0; j < keys; ++j) {
            *scores++ += from[i * mask.stride[rank - 2] + j * mask.stride[rank - 1]];
        }
    }
}

Status MultiHeadAttention::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    const int64_t queries = in[0].h();
    const int64_t keys = in[key(in.size())].h();
    const int64_t head = embed_ / heads_;
    auto* memory = static_cast<float*>(context.workspace);
    const Parts at = parts(queries, keys);
    void* product = memory + at.product;
    const auto project = [&](const PackedMatrix& piece, const MatrixView& x, float* to, int64_t row_stride) {
        multiply_to(*kernel_, x, piece, context.threads, product, to, row_stride);
    };
    const int64_t width = head * together_;
    float* scores = memory + at.scores;
    float* o = projects_ ? memory + at.o : out[0].ptr();
    const int64_t o_stride = projects_ ? embed_ : out[0].stride[0];
    for (int h = 0; h < heads_; ++h) {
        const int in_piece = h % together_;
        if (projects_ && in_piece == 0) {
            const auto piece = static_cast<size_t>(h / together_);
            project(q_.packed[piece], rows_of(in[0]), memory + at.q, width);
            project(k_.packed[piece], rows_of(in[key(in.size())]), memory + at.k, width);
            project(v_.packed[piece], rows_of(in[value(in.size())]), memory + at.v, width);
        }
        // The head's columns of what was projected, here or by the layers before.
        const auto part = [&](int64_t offset, const Tensor& input) {
            return projects_ ? MatrixView{memory + offset + in_piece * head, input.h(), head, width, 1}
                             : MatrixView{input.ptr() + h * head * input.stride[1], input.h(), head, input.stride[0],
                                          input.stride[1]};
        };
        multiply_to(*kernel_, part(at.q, in[0]), part(at.k, in[key(in.size())]).transposed(), context.threads, product,
                    scores, keys);
        if (!projects_ && scale_ != 1.0F) {
            parallel_for(queries, context.threads, [&](int64_t i) {
                std::transform(scores + i * keys, scores + (i + 1) * keys, scores + i * keys,
                               [this](float score) { return scale_ * score; });
            });
        }
        if (mask_ != 0) {
            add_mask(in[in.size() - 1], h, queries, keys, scores);
        }
        parallel_for(queries, context.threads,
                     [&](int64_t i) { softmax(*exp_, scores + i * keys, 1, scores + i * keys, 1, keys); });
        multiply_to(*kernel_, {scores, queries, keys, keys, 1}, part(at.v, in[value(in.size())]), context.threads,
                    product, o + h * head, o_stride);
    }
    if (projects_) {
        project(out_.packed[0], {o, queries, embed_, embed_, 1}, out[0].ptr(), out[0].stride[0]);
    }
    return {};
}

}  // namespace

std::unique_ptr<Layer> make_MultiHeadAttention() {
    return std::make_unique<MultiHeadAttention>();
}

}  // namespace fw
