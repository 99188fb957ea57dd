// Tile: repeats the input along one axis, or along every axis as numpy.tile does.
#include "layer/operation.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"

namespace fw {

namespace {

class Tile final : public MoveLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        axis_ = params.i(0);
        tiles_ = params.i(1);
        repeats_ = params.ints(2);
        if (repeats_.size() > Shape::kMaxRank) {
            return Status::error(Code::kInvalidArgument, "repeats has %zu values, expected at most %d", repeats_.size(),
                                 Shape::kMaxRank);
        }
        if (tiles_ < 1) {
            return Status::error(Code::kInvalidArgument, "tiles is %d, expected at least 1", tiles_);
        }
        for (int repeat : repeats_) {
            if (repeat < 1) {
                return Status::error(Code::kInvalidArgument, "repeats has %d, expected at least 1", repeat);
            }
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        Plan plan;
        FW_RETURN_IF_ERROR(make_plan(in[0].shape, &plan));
        int64_t dims[Shape::kMaxRank];
        for (int axis = 0; axis < plan.rank; ++axis) {
            dims[axis] = int64_t{plan.extent[axis]} * plan.repeat[axis];
        }
        return make_shape(plan.rank, dims, &out[0].shape);
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        Dims dims;
        FW_RETURN_IF_ERROR(find_dims(in[0], out[0], &dims));
        strided_copy(in[0].data, out[0].data, element_size(in[0].dtype), dims.dim, dims.count, context.threads);
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        Dims dims;
        FW_RETURN_IF_ERROR(find_dims(in[0], out[0], &dims));
        CopyOperation copy;
        copy.parts.push_back({in[0].data, out[0].data, {dims.dim, dims.dim + dims.count}, {}});
        *operation = std::move(copy);
        return {};
    }

private:
    // Per axis of the output: how long the input is (1 for an added axis) and how often it comes.
    struct Plan {
        int rank = 0;
        int extent[Shape::kMaxRank] = {1, 1, 1, 1};
        int repeat[Shape::kMaxRank] = {1, 1, 1, 1};
    };

    // For each axis a loop over the repeats, then one over the input.
    struct Dims {
        CopyDim dim[2 * Shape::kMaxRank];
        int count = 0;
    };
    Status find_dims(const Tensor& in, const Tensor& out, Dims* dims) const {
        Plan plan;
        FW_RETURN_IF_ERROR(make_plan(in.shape, &plan));
        const int added = plan.rank - in.rank();
        for (int axis = 0; axis < plan.rank; ++axis) {
            const int64_t step = out.stride[axis];
            dims->dim[dims->count++] = {plan.repeat[axis], 0, plan.extent[axis] * step};
            dims->dim[dims->count++] = {plan.extent[axis], axis < added ? 0 : in.stride[axis - added], step};
        }
        return {};
    }

    Status make_plan(const Shape& shape, Plan* plan) const {
        const int count = static_cast<int>(repeats_.size());
        plan->rank = count > shape.rank ? count : shape.rank;
        for (int axis = 0; axis < shape.rank; ++axis) {
            plan->extent[plan->rank - shape.rank + axis] = shape[axis];
        }
        if (count == 0) {
            int axis = 0;
            FW_RETURN_IF_ERROR(resolve_axis(axis_, shape.rank, &axis));
            plan->repeat[axis] = tiles_;
        }
        for (int i = 0; i < count; ++i) {
            plan->repeat[plan->rank - count + i] = repeats_[static_cast<size_t>(i)];
        }
        return {};
    }

    int axis_ = 0;
    int tiles_ = 1;
    std::vector<int> repeats_;
};

}  // namespace

std::unique_ptr<Layer> make_Tile() {
    return std::make_unique<Tile>();
}

}  // namespace fw
