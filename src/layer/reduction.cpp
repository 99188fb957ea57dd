// Reduction: sum, mean, norm and others over all or some axes; sum and mean in int8 too (docs/int8-contract.md).
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/loop_nest.h"
#include "layer/support/pointwise.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"
#include "quant/quant.h"

namespace fw {

namespace {

enum class ReductionOp : uint8_t {
    kSum,
    kAbsSum,
    kSquareSum,
    kMean,
    kMax,
    kMin,
    kProduct,
    kL1,
    kL2,
    kLogSum,
    kLogSumExp
};
constexpr int kLastOp = static_cast<int>(ReductionOp::kLogSumExp);

// Folds the elements of the nest in double precision.
template <class Fn>
double fold(const float* in, const LoopNest& nest, double start, Fn&& fn) {
    double value = start;
    nest.for_each_run([&](const LoopNest::Steps& offset, int64_t n, const LoopNest::Steps& step) {
        for (int64_t i = 0; i < n; ++i) {
            value = fn(value, static_cast<double>(in[offset[0] + i * step[0]]));
        }
    });
    return value;
}

double reduce(ReductionOp op, const float* in, const LoopNest& nest) {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    const auto sum = [](double a, double x) { return a + x; };
    const auto square_sum = [](double a, double x) { return a + x * x; };
    switch (op) {
        case ReductionOp::kSum: return fold(in, nest, 0.0, sum);
        case ReductionOp::kAbsSum:
        case ReductionOp::kL1: return fold(in, nest, 0.0, [](double a, double x) { return a + std::fabs(x); });
        case ReductionOp::kSquareSum: return fold(in, nest, 0.0, square_sum);
        case ReductionOp::kMean: return mean_of(in, nest);
        case ReductionOp::kMax: return fold(in, nest, -kInf, [](double a, double x) { return x > a ? x : a; });
        case ReductionOp::kMin: return fold(in, nest, kInf, [](double a, double x) { return x < a ? x : a; });
        case ReductionOp::kProduct: return fold(in, nest, 1.0, [](double a, double x) { return a * x; });
        case ReductionOp::kL2: return std::sqrt(fold(in, nest, 0.0, square_sum));
        case ReductionOp::kLogSum: return std::log(fold(in, nest, 0.0, sum));
        case ReductionOp::kLogSumExp: {
            const double largest = reduce(ReductionOp::kMax, in, nest);
            const double rest = fold(in, nest, 0.0, [&](double a, double x) { return a + std::exp(x - largest); });
            return largest + std::log(rest);
        }
    }
    return 0.0;
}

int64_t sum_of(const int8_t* in, const LoopNest& nest, int32_t zero_point) {
    int64_t sum = 0;
    nest.for_each_run([&](const LoopNest::Steps& offset, int64_t n, const LoopNest::Steps& step) {
        for (int64_t i = 0; i < n; ++i) {
            sum += in[offset[0] + i * step[0]];
        }
    });
    return sum - nest.count() * zero_point;
}

class Reduction final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        const int op = params.i(0);
        FW_RETURN_IF_ERROR(check_range("operation", op, 0, kLastOp));
        op_ = static_cast<ReductionOp>(op);
        all_ = params.i(1) != 0;
        coefficient_ = params.f(2);
        axes_ = params.ints(3);
        keep_ = params.i(4) != 0;
        if (!axes_.empty() && !all_ && params.i(5) == 0) {
            return Status::error(
                Code::kUnsupported,
                "axes are given without fixbug0 (5=1): in files that old they are ambiguous; convert the model "
                "again");
        }
        return {};
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        unsigned mask = 0;
        FW_RETURN_IF_ERROR(reduced_axes(in[0].shape, &mask));
        Shape shape;
        for (int axis = 0; axis < in[0].shape.rank; ++axis) {
            if ((mask >> static_cast<unsigned>(axis) & 1U) == 0) {
                shape[shape.rank++] = in[0].shape[axis];
            } else if (keep_) {
                shape[shape.rank++] = 1;
            }
        }
        out[0].shape = shape.rank == 0 ? Shape(1) : shape;
        return {};
    }
    Status prepare(const PrepareContext& context) override {
        const TensorDesc& in = context.inputs[0];
        const TensorDesc& out = context.outputs[0];
        int8_ = in.dtype == DType::kInt8 && out.dtype == DType::kInt8;
        if (in.dtype == DType::kFloat32 && out.dtype == DType::kFloat32) {
            return {};
        }
        if (!int8_ || !in.quant.known() || !out.quant.known() || !(coefficient_ > 0.0F) ||
            (op_ != ReductionOp::kSum && op_ != ReductionOp::kMean)) {
            return unsupported_types(context);
        }
        in_quant_ = in.quant;
        out_quant_ = out.quant;
        return {};
    }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        LoopNest kept;
        LoopNest reduced;
        FW_RETURN_IF_ERROR(loops(in[0], out[0], &kept, &reduced));
        reduced.sort_by_input();
        if (int8_) {
            const float multiplier = level_multiplier(reduced);
            parallel_for(kept.count(), context.threads, [&](int64_t i) {
                const LoopNest::Steps offset = kept.at(i);
                const int64_t sum = sum_of(in[0].ptr<const int8_t>() + offset[0], reduced, in_quant_.zero_point);
                const float scaled = static_cast<float>(sum) * multiplier;
                out[0].ptr<int8_t>()[offset[1]] =
                    round_to_int8(static_cast<double>(scaled), out_quant_.zero_point, quant_min(out_quant_), kQuantMax);
            });
            return {};
        }
        parallel_for(kept.count(), context.threads, [&](int64_t i) {
            const LoopNest::Steps offset = kept.at(i);
            const double value = reduce(op_, in[0].ptr<const float>() + offset[0], reduced);
            out[0].ptr<float>()[offset[1]] = static_cast<float>(value * static_cast<double>(coefficient_));
        });
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        using Fold = ReduceOperation::Fold;
        using Of = ReduceOperation::Of;
        using Finish = ReduceOperation::Finish;
        ReduceOperation reduce;
        FW_RETURN_IF_ERROR(loops(in[0], out[0], &reduce.kept, &reduce.reduced));
        reduce.factor = coefficient_;
        switch (op_) {
            case ReductionOp::kSum: break;
            case ReductionOp::kAbsSum:
            case ReductionOp::kL1: reduce.of = Of::kMagnitude; break;
            case ReductionOp::kSquareSum: reduce.of = Of::kSquare; break;
            case ReductionOp::kMean: reduce.factor /= static_cast<float>(reduce.reduced.count()); break;
            case ReductionOp::kMax: reduce.fold = Fold::kMax; break;
            case ReductionOp::kMin: reduce.fold = Fold::kMin; break;
            case ReductionOp::kProduct: reduce.fold = Fold::kProduct; break;
            case ReductionOp::kL2:
                reduce.of = Of::kSquare;
                reduce.finish = Finish::kRoot;
                break;
            case ReductionOp::kLogSum: reduce.finish = Finish::kLog; break;
            case ReductionOp::kLogSumExp:
                reduce.of = Of::kExponential;
                reduce.finish = Finish::kLog;
                break;
        }
        if (int8_) {
            reduce.factor = level_multiplier(reduce.reduced);
        }
        *operation = reduce;
        return {};
    }

private:
    Status loops(const Tensor& in, const Tensor& out, LoopNest* kept, LoopNest* reduced) const {
        unsigned mask = 0;
        FW_RETURN_IF_ERROR(reduced_axes(in.shape, &mask));
        for (int axis = 0, to = 0; axis < in.rank(); ++axis) {
            if ((mask >> static_cast<unsigned>(axis) & 1U) != 0) {
                reduced->add(in.shape[axis], {in.stride[axis], 0, 0});
                to += keep_ ? 1 : 0;
            } else {
                kept->add(in.shape[axis], {in.stride[axis], out.stride[to++], 0});
            }
        }
        return {};
    }

    float level_multiplier(const LoopNest& reduced) const {
        const double count = op_ == ReductionOp::kMean ? static_cast<double>(reduced.count()) : 1.0;
        return average_multiplier(in_quant_, out_quant_, count / static_cast<double>(coefficient_));
    }

    // Bit = axis. No axes given means all.
    Status reduced_axes(const Shape& shape, unsigned* mask) const {
        *mask = 0;
        if (all_ || axes_.empty()) {
            *mask = (1U << static_cast<unsigned>(shape.rank)) - 1;
            return {};
        }
        for (const int given : axes_) {
            int axis = 0;
            FW_RETURN_IF_ERROR(resolve_axis(given, shape.rank, &axis));
            *mask |= 1U << static_cast<unsigned>(axis);
        }
        return {};
    }

    ReductionOp op_ = ReductionOp::kSum;
    bool all_ = true;
    bool keep_ = false;
    float coefficient_ = 1.0F;
    std::vector<int> axes_;
    bool int8_ = false;
    QuantParams in_quant_;
    QuantParams out_quant_;
};

}  // namespace

std::unique_ptr<Layer> make_Reduction() {
    return std::make_unique<Reduction>();
}

}  // namespace fw
