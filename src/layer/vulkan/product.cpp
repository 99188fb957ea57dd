// Products of matrices, and attention, which is several of them.
#include "layer/vulkan/recorder.h"
#include "layer/vulkan/shaders.h"

namespace fw::vulkan {

namespace {

constexpr int kTile = 32;  // as product.comp

// A dense tensor of floats at an address.
Tensor dense(const void* address, const Shape& shape) {
    TensorDesc desc;
    desc.shape = shape;
    return make_tensor(const_cast<void*>(address), desc, Layout::kPlain);
}

// The columns of each head of [rows][heads * width] as a batch: [1][heads][rows][width].
Tensor heads_of(const Tensor& t, int heads) {
    const int width = t.w() / heads;
    Tensor out = t;
    out.shape = Shape(1, heads, t.h(), width);
    const int64_t stride[] = {0, width * t.stride[1], t.stride[0], t.stride[1]};
    std::copy(stride, stride + 4, out.stride);
    return out;
}

void transpose(Tensor* t) {
    std::swap(t->shape.dims[2], t->shape.dims[3]);
    std::swap(t->stride[2], t->stride[3]);
}

}  // namespace

Status Recorder::product(const ProductOperation& op, Dispatch* dispatch) {
    FW_ASSIGN_OR_RETURN(const Place a, place(op.a));
    FW_ASSIGN_OR_RETURN(const Place b, place(op.b));
    FW_ASSIGN_OR_RETURN(const Place to, place(op.out));
    const Shape& shape = op.out.shape;
    dispatch->push = {word(shape[2]), word(shape[3]), word(op.a.shape[3]), word(shape[1])};
    for (const auto& [tensor, at] : {std::make_pair(&op.a, a), std::make_pair(&op.b, b), std::make_pair(&op.out, to)}) {
        dispatch->push.push_back(word(at.element));
        for (const int64_t step : tensor->stride) {
            dispatch->push.push_back(word(static_cast<int>(step)));
        }
    }
    FW_ASSIGN_OR_RETURN(dispatch->constants, constants_->add(std::vector<uint32_t>(1, 0)));
    dispatch->shader = of_floats(shader::product_float, shader::product_half);
    dispatch->arena_offset = {a.offset, b.offset, to.offset};
    const int64_t groups[] = {(shape[3] + kTile - 1) / kTile, (shape[2] + kTile - 1) / kTile,
                              int64_t{shape[0]} * shape[1]};
    for (size_t axis = 0; axis < 3; ++axis) {
        if (groups[axis] > device_.limits().maxComputeWorkGroupCount[axis]) {
            return Status::error(Code::kUnsupported, "%lld tiles are more than a dispatch takes",
                                 static_cast<long long>(groups[axis]));
        }
        dispatch->groups[axis] = static_cast<uint32_t>(groups[axis]);
    }
    return {};
}

Tensor Recorder::scratch_tensor(const Shape& shape, uint64_t* used) {
    const uint64_t offset = scratch(*used);
    *used = offset - scratch_offset_ + static_cast<uint64_t>(shape.count()) * (half_ ? 2 : 4);
    scratch_bytes_ = std::max(scratch_bytes_, *used);
    return dense(reinterpret_cast<const void*>(kArenaAddress + (half_ ? 2 : 1) * offset), shape);
}

// Constant operands are written to the scratch memory first.
Status Recorder::gemm(const GemmOperation& op, std::vector<Dispatch>* dispatches) {
    ProductOperation matrices = op.product;
    Tensor addend = op.c;
    uint64_t used = 0;
    for (const auto& [values, tensor] :
         {std::make_pair(op.a_values, &matrices.a), std::make_pair(op.b_values, &matrices.b),
          std::make_pair(op.c_values, &addend)}) {
        if (values.empty()) {
            continue;
        }
        const Tensor to = scratch_tensor(Shape(static_cast<int>(values.size())), &used);
        tensor->data = to.data;
        dispatches->emplace_back();
        FW_RETURN_IF_ERROR(
            constant(ConstantOperation{std::vector<float>(values.begin(), values.end()), {}}, to, &dispatches->back()));
    }
    dispatches->emplace_back();
    FW_RETURN_IF_ERROR(product(matrices, &dispatches->back()));
    const Tensor& out = matrices.out;
    if (addend.data != nullptr) {
        CombineOperation sum;
        sum.from = {out, addend};
        sum.coefficient = {op.alpha, op.beta};
        dispatches->emplace_back();
        return combine(sum, out, &dispatches->back());
    }
    if (op.alpha != 1.0F) {
        MapOperation scaled;
        scaled.kind = MapOperation::Kind::kElementary;
        scaled.elementary.a = op.alpha;
        dispatches->emplace_back();
        return map(scaled, out, out, &dispatches->back());
    }
    return {};
}

// What is projected here, the scores and O in front of a projection lie in the scratch memory.
Status Recorder::attention(const AttentionOperation& op, Span<const Tensor> in, const Tensor& out,
                           std::vector<Dispatch>* dispatches) {
    const auto project = [&](const WeightRows& rows, const Tensor& from, const Tensor& to) -> Status {
        ConvOperation conv_op;
        conv_op.rows = &rows;
        conv_op.channels = from.w();
        conv_op.outputs = to.w();
        conv_op.geometry.in_h = conv_op.geometry.out_h = from.h();
        conv_op.geometry.in_h_stride = from.stride[0];
        conv_op.geometry.out_h_stride = to.stride[0];
        ++part_;
        dispatches->emplace_back();
        return conv(conv_op, from, to, &dispatches->back());
    };
    const auto multiply = [&](const Tensor& a, const Tensor& b, const Tensor& to) -> Status {
        dispatches->emplace_back();
        return product({a, b, to}, &dispatches->back());
    };
    const Tensor& query = in[0];
    const Tensor& key = in[op.key];
    const Tensor& value = in[op.value];
    uint64_t used = 0;
    const auto take = [&](const Shape& shape) { return scratch_tensor(shape, &used); };
    const auto projected = [&](const WeightRows* rows, const Tensor& from) -> Result<Tensor> {
        if (rows == nullptr) {
            return from;
        }
        const Tensor to = take(Shape(from.h(), op.embed));
        FW_RETURN_IF_ERROR(project(*rows, from, to));
        return to;
    };
    FW_ASSIGN_OR_RETURN(const Tensor q, projected(op.q_rows, query));
    FW_ASSIGN_OR_RETURN(const Tensor k, projected(op.k_rows, key));
    FW_ASSIGN_OR_RETURN(const Tensor v, projected(op.v_rows, value));
    const Tensor scores = take(Shape(1, op.heads, query.h(), key.h()));
    const Tensor o = op.out_rows == nullptr ? out : take(Shape(query.h(), op.embed));
    Tensor k_columns = heads_of(k, op.heads);
    transpose(&k_columns);
    FW_RETURN_IF_ERROR(multiply(heads_of(q, op.heads), k_columns, scores));
    if (op.scale != 1.0F) {
        MapOperation scaled;
        scaled.kind = MapOperation::Kind::kElementary;
        scaled.elementary.a = op.scale;
        dispatches->emplace_back();
        FW_RETURN_IF_ERROR(map(scaled, scores, scores, &dispatches->back()));
    }
    if (op.masked) {
        const Tensor& mask = in[in.size() - 1];
        const int rank = mask.rank();
        CombineOperation sum;
        sum.from = {scores, scores};
        const int64_t stride[] = {0, rank == 3 ? mask.stride[0] : 0, mask.stride[rank - 2], mask.stride[rank - 1]};
        sum.from[1].data = mask.data;
        std::copy(stride, stride + 4, sum.from[1].stride);
        dispatches->emplace_back();
        FW_RETURN_IF_ERROR(combine(sum, scores, &dispatches->back()));
    }
    SoftmaxOperation over_keys;
    over_keys.axis = 3;
    dispatches->emplace_back();
    FW_RETURN_IF_ERROR(softmax(over_keys, scores, scores, &dispatches->back()));
    FW_RETURN_IF_ERROR(multiply(scores, heads_of(v, op.heads), heads_of(o, op.heads)));
    return op.out_rows == nullptr ? Status() : project(*op.out_rows, o, out);
}

}  // namespace fw::vulkan
