// BinaryOp: an operation of two inputs with broadcasting, or of one input and a number (in int8 a table).
#include <algorithm>
#include <cmath>

#include "layer/operation.h"
#include "layer/support/float_runs.h"
#include "layer/support/functions.h"
#include "layer/support/int8_combine.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"
#include "layer/support/vector_pairs.h"

namespace fw {

namespace {

enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin, kPow, kRsub, kRdiv, kRpow, kAtan2, kRatan2 };
constexpr int kLastOp = static_cast<int>(BinaryOp::kRatan2);

// fn(function of two numbers) for the operation, which is float or double by its arguments: a loop over it is compiled
// once an operation, so that each vectorises.
template <class Fn>
auto with_function(BinaryOp op, Fn&& fn) {
    switch (op) {
        case BinaryOp::kAdd: return fn([](auto x, auto y) { return x + y; });
        case BinaryOp::kSub: return fn([](auto x, auto y) { return x - y; });
        case BinaryOp::kMul: return fn([](auto x, auto y) { return x * y; });
        case BinaryOp::kDiv: return fn([](auto x, auto y) { return x / y; });
        case BinaryOp::kMax: return fn([](auto x, auto y) { return x < y ? y : x; });
        case BinaryOp::kMin: return fn([](auto x, auto y) { return y < x ? y : x; });
        case BinaryOp::kPow: return fn([](auto x, auto y) { return fn::pow(x, y); });
        case BinaryOp::kRsub: return fn([](auto x, auto y) { return y - x; });
        case BinaryOp::kRdiv: return fn([](auto x, auto y) { return y / x; });
        case BinaryOp::kRpow: return fn([](auto x, auto y) { return fn::pow(y, x); });
        case BinaryOp::kAtan2: return fn([](auto x, auto y) { return fn::atan2(x, y); });
        case BinaryOp::kRatan2: break;
    }
    return fn([](auto x, auto y) { return fn::atan2(y, x); });
}

// `b` advances by b_step (0 = one number).
void apply(BinaryOp op, const float* a, const float* b, int64_t b_step, float* out, int64_t n) {
    if (b_step == 1 && op == BinaryOp::kAdd) {
        return combine_pairs(a, b, n, out, [](auto x, auto y) { return x + y; });
    }
    if (b_step == 1 && op == BinaryOp::kMul) {
        return combine_pairs(a, b, n, out, [](auto x, auto y) { return x * y; });
    }
    with_function(op, [&](auto&& function) {
        if (b_step == 0) {
            const float value = *b;
            for (int64_t i = 0; i < n; ++i) {
                out[i] = function(a[i], value);
            }
            return;
        }
        for (int64_t i = 0; i < n; ++i) {
            out[i] = function(a[i], b[i]);
        }
    });
}

// `from` brought to a higher rank. It is aligned at the outermost axis, except that a vector as long as the width of a
// matrix of another height runs along the width. first_axis tells where its axes begin.
Shape aligned(const Shape& from, const Shape& like, int* first_axis) {
    *first_axis = from.rank == 1 && like.rank == 2 && from[0] != like[0] && from[0] == like[1] ? 1 : 0;
    Shape shape;
    shape.rank = like.rank;
    for (int axis = 0; axis < like.rank; ++axis) {
        const int own = axis - *first_axis;
        shape[axis] = own >= 0 && own < from.rank ? from[own] : 1;
    }
    return shape;
}

// Strides of `t` seen as `shape`: 0 along axes that it is repeated over.
void broadcast_strides(const Tensor& t, const Shape& shape, int64_t* out) {
    int first = 0;
    const Shape own = aligned(t.shape, shape, &first);
    for (int axis = 0; axis < shape.rank; ++axis) {
        out[axis] = own[axis] == 1 ? 0 : t.stride[axis - first];
    }
}

class BinaryOpLayer final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        const int op = params.i(0);
        if (op < 0 || op > kLastOp) {
            return Status::error(Code::kInvalidArgument, "op_type is %d, expected 0 to %d", op, kLastOp);
        }
        op_ = static_cast<BinaryOp>(op);
        scalar_ = params.i(1) != 0;
        b_ = params.f(2);
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        if (in.size() != (scalar_ ? 1U : 2U)) {
            return Status::error(Code::kInvalidArgument, "has %zu inputs, expected %d", in.size(), scalar_ ? 1 : 2);
        }
        out[0].shape = in[0].shape;
        if (scalar_) {
            return {};
        }
        const Shape& a = in[0].shape;
        const Shape& b = in[1].shape;
        int first = 0;
        const Shape wide_a = a.rank < b.rank ? aligned(a, b, &first) : a;
        const Shape wide_b = b.rank < a.rank ? aligned(b, a, &first) : b;
        Shape shape = wide_a;
        for (int axis = 0; axis < shape.rank; ++axis) {
            if (wide_a[axis] != wide_b[axis] && wide_a[axis] != 1 && wide_b[axis] != 1) {
                return Status::error(Code::kInvalidArgument, "inputs %s and %s do not fit together", a.str().c_str(),
                                     b.str().c_str());
            }
            shape[axis] = std::max(wide_a[axis], wide_b[axis]);
        }
        out[0].shape = shape;
        return {};
    }
    Status prepare(const PrepareContext& context) override {
        mode_ = Mode::kFloat;
        if (all_float(context)) {
            return {};
        }
        if (scalar_) {
            return prepare_table(context);
        }
        static constexpr float kSubtract[] = {1.0F, -1.0F};
        static constexpr float kSubtractFrom[] = {-1.0F, 1.0F};
        using Combine = Int8Combine::Op;
        swapped_ = op_ == BinaryOp::kRdiv;
        switch (op_) {
            case BinaryOp::kAdd: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kSum, context)); break;
            case BinaryOp::kSub: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kSum, context, kSubtract)); break;
            case BinaryOp::kRsub: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kSum, context, kSubtractFrom)); break;
            case BinaryOp::kMul: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kProduct, context)); break;
            case BinaryOp::kDiv: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kQuotient, context)); break;
            case BinaryOp::kRdiv: {
                if (context.inputs.size() != 2) {
                    return unsupported_types(context);
                }
                const TensorDesc operands[] = {context.inputs[1], context.inputs[0]};
                PrepareContext turned = context;
                turned.inputs = operands;
                FW_RETURN_IF_ERROR(combine_.prepare(Combine::kQuotient, turned));
                break;
            }
            case BinaryOp::kMax: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kMax, context)); break;
            case BinaryOp::kMin: FW_RETURN_IF_ERROR(combine_.prepare(Combine::kMin, context)); break;
            default: return unsupported_types(context);
        }
        mode_ = Mode::kCombine;
        return {};
    }
    HalfUse half_use(bool /*arithmetic*/) const override { return HalfUse::kSame; }
    LayerTraits traits() const override { return {true, true, true}; }
    std::string kernel_name() const override { return mode_ == Mode::kCombine ? combine_.kernel_name() : ""; }

    const SumParams* int8_sum() const override { return mode_ == Mode::kCombine ? combine_.sum_params() : nullptr; }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (mode_ == Mode::kTable) {
            look_up(in[0], out[0], table_, context.threads);
            return {};
        }
        const Shape& shape = out[0].shape;
        int64_t a_stride[Shape::kMaxRank] = {};
        int64_t b_stride[Shape::kMaxRank] = {};
        broadcast_strides(in[0], shape, a_stride);
        if (!scalar_) {
            broadcast_strides(in[1], shape, b_stride);
        }
        if (mode_ == Mode::kCombine) {
            const Tensor operands[] = {in[swapped_ ? 1 : 0], in[swapped_ ? 0 : 1]};
            const int64_t* strides[] = {out[0].stride, swapped_ ? b_stride : a_stride, swapped_ ? a_stride : b_stride};
            combine_.run(operands, out[0], strides, context.threads);
            return {};
        }
        const FloatRuns runs(out[0].dtype);
        const HalfArithKernel* half = scalar_ ? nullptr : runs.half_arithmetic();
        const auto combine = half == nullptr         ? nullptr
                             : op_ == BinaryOp::kAdd ? half->sum
                             : op_ == BinaryOp::kMul ? half->product
                                                     : nullptr;
        const RunPlan plan(shape, {out[0].stride, a_stride, b_stride}, runs.in_blocks() && combine == nullptr);
        if (!runs.in_blocks() && !scalar_) {
            for (size_t i = 0; i < 2; ++i) {
                if (plan.repeats_within(kRepeated, i + 1)) {
                    combine_repeated(plan, in, i, out[0].ptr<float>(), context.threads);
                    return {};
                }
            }
        }
        const bool adjacent = plan.step(0) == 1 && plan.step(1) == 1 && plan.step(2) == 1;
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
            if (combine != nullptr && adjacent) {
                combine(in[0].ptr<const uint16_t>() + offset[1], in[1].ptr<const uint16_t>() + offset[2], n,
                        out[0].ptr<uint16_t>() + offset[0]);
                return;
            }
            float buffer[RunPlan::kBlock];
            float b_buffer[RunPlan::kBlock];
            const float* x = runs.load(in[0], offset[1], plan.step(1), n, buffer);
            const int64_t b_step = plan.step(2);
            const float* y =
                scalar_ ? &b_
                        : runs.load(in[1], offset[2], std::max<int64_t>(b_step, 1), b_step == 0 ? 1 : n, b_buffer);
            float* to = runs.target(out[0], offset[0], plan.step(0), buffer);
            apply(op_, x, y, b_step, to, n);
            runs.store(to, n, out[0], offset[0], plan.step(0));
        });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        if (mode_ == Mode::kTable) {
            MapOperation map;
            map.table = table_;
            *operation = map;
            return {};
        }
        if (scalar_) {
            MapOperation map;
            map.kind = MapOperation::Kind::kElementary;
            map.elementary = with_number();
            *operation = map;
            return {};
        }
        int64_t strides[2][Shape::kMaxRank] = {};
        const bool reversed = mode_ == Mode::kCombine
                                  ? swapped_
                                  : op_ == BinaryOp::kRdiv || op_ == BinaryOp::kRpow || op_ == BinaryOp::kRatan2;
        const size_t first = reversed ? 1 : 0;
        const Tensor operands[] = {in[first], in[1 - first]};
        for (size_t i = 0; i < 2; ++i) {
            broadcast_strides(operands[i], out[0].shape, strides[i]);
        }
        const int64_t* const pointers[] = {strides[0], strides[1]};
        if (mode_ == Mode::kCombine) {
            return combine_.operation(operands, pointers, operation);
        }
        CombineOperation combine;
        FW_RETURN_IF_ERROR(combine_inputs(operands, pointers, &combine));
        using Kind = CombineOperation::Kind;
        switch (op_) {
            case BinaryOp::kAdd: break;
            case BinaryOp::kSub: combine.coefficient[1] = -1.0F; break;
            case BinaryOp::kRsub: combine.coefficient[0] = -1.0F; break;
            case BinaryOp::kMul: combine.kind = Kind::kProduct; break;
            case BinaryOp::kDiv:
            case BinaryOp::kRdiv: combine.kind = Kind::kQuotient; break;
            case BinaryOp::kMax: combine.kind = Kind::kMax; break;
            case BinaryOp::kMin: combine.kind = Kind::kMin; break;
            case BinaryOp::kPow:
            case BinaryOp::kRpow: combine.kind = Kind::kPower; break;
            case BinaryOp::kAtan2:
            case BinaryOp::kRatan2: combine.kind = Kind::kAtan2; break;
        }
        *operation = combine;
        return {};
    }

private:
    enum class Mode : uint8_t { kFloat, kTable, kCombine };
    static constexpr int64_t kRepeated = 1024;  // elements of an input, one run behind the other

    // Input `repeated` is the same for all runs, a factor for each channel of an image, say: many runs are one.
    void combine_repeated(const RunPlan& plan, Span<const Tensor> in, size_t repeated, float* out, int threads) const {
        float copies[kRepeated];
        const auto* run = in[repeated].ptr<const float>();
        const auto* other = in[1 - repeated].ptr<const float>();
        plan.for_each_repeated(run, kRepeated, copies, threads, [&](int64_t start, int64_t n) {
            const float* x = repeated == 0 ? copies : other + start;
            const float* y = repeated == 0 ? other + start : copies;
            apply(op_, x, y, 1, out + start, n);
        });
    }

    // The float operation with a number, for another processor.
    Elementary with_number() const {
        using Function = Elementary::Function;
        switch (op_) {
            case BinaryOp::kAdd: return {Function::kIdentity, 1.0F, b_};
            case BinaryOp::kSub: return {Function::kIdentity, 1.0F, -b_};
            case BinaryOp::kRsub: return {Function::kIdentity, -1.0F, b_};
            case BinaryOp::kMul: return {Function::kIdentity, b_};
            case BinaryOp::kDiv: return {Function::kQuotient, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kRdiv: return {Function::kDividend, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kMax: return {Function::kMax, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kMin: return {Function::kMin, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kPow: return {Function::kPower, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kRpow: return {Function::kBasePower, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kAtan2: return {Function::kAtan2, 1.0F, 0.0F, 1.0F, b_};
            case BinaryOp::kRatan2: break;
        }
        return {Function::kBaseAtan2, 1.0F, 0.0F, 1.0F, b_};
    }

    Status prepare_table(const PrepareContext& context) {
        const TensorDesc& in = context.inputs[0];
        const TensorDesc& out = context.outputs[0];
        if (in.dtype != DType::kInt8 || out.dtype != DType::kInt8 || !in.quant.known() || !out.quant.known()) {
            return unsupported_types(context);
        }
        const auto function = [](double x, const void* self) {
            const auto* layer = static_cast<const BinaryOpLayer*>(self);
            return with_function(layer->op_, [&](auto&& f) { return f(x, static_cast<double>(layer->b_)); });
        };
        make_pointwise_table(in.quant, out.quant, function, this, table_);
        mode_ = Mode::kTable;
        return {};
    }

    BinaryOp op_ = BinaryOp::kAdd;
    bool scalar_ = false;
    float b_ = 0.0F;
    Mode mode_ = Mode::kFloat;
    bool swapped_ = false;  ///< int8: the second input is the dividend
    Int8Combine combine_;
    PointwiseTable table_ = {};
};

}  // namespace

std::unique_ptr<Layer> make_BinaryOp() {
    return std::make_unique<BinaryOpLayer>();
}

}  // namespace fw
