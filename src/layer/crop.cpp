// Crop: a box of the input, given by offsets and sizes, by starts and ends, or by the shape of a second input.
#include <algorithm>

#include "layer/operation.h"
#include "layer/support/expression.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"

namespace fw {

namespace {

constexpr int kRest = -233;

// Parameters by name of a dimension; which axis a name is depends on the rank.
struct Named {
    int w = 0, h = 0, d = 0, c = 0;

    int of(int rank, int axis) const {
        if (axis == rank - 1) {
            return w;
        }
        if (axis == rank - 2) {
            return h;
        }
        return axis == 0 ? c : d;
    }
};

struct Box {
    int64_t begin[Shape::kMaxRank] = {0, 0, 0, 0};
    int64_t extent[Shape::kMaxRank] = {0, 0, 0, 0};
};

class Crop final : public MoveLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        FW_RETURN_IF_ERROR(starts_expr_.parse(params.s(19), "starts_expr"));
        FW_RETURN_IF_ERROR(ends_expr_.parse(params.s(20), "ends_expr"));
        FW_RETURN_IF_ERROR(axes_expr_.parse(params.s(21), "axes_expr"));
        offset_ = {params.i(0), params.i(1), params.i(13), params.i(2)};
        size_ = {params.i(3), params.i(4), params.i(14), params.i(5)};
        offset2_ = {params.i(6), params.i(7), params.i(15), params.i(8)};
        given_ = {params.ints(9), params.ints(10), params.ints(11)};
        return by_expression() ? Status() : check(given_);
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        Box box;
        FW_RETURN_IF_ERROR(find_box(shapes_of(in), &box));
        return make_shape(in[0].shape.rank, box.extent, &out[0].shape);
    }

    bool view(Span<const Tensor> in, Span<Tensor> out) const override { return crop(in, &out[0]).ok(); }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        Tensor part;
        FW_RETURN_IF_ERROR(crop(in, &part));
        copy_elements(part, out[0], context.threads);
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        Tensor part;
        FW_RETURN_IF_ERROR(crop(in, &part));
        CopyOperation copy;
        copy.parts.push_back({part.data, out[0].data, copy_dims(part, out[0]), {}});
        *operation = std::move(copy);
        return {};
    }

private:
    Status crop(Span<const Tensor> in, Tensor* out) const {
        Box box;
        FW_RETURN_IF_ERROR(find_box(shapes_of(in), &box));
        Tensor part = in[0];
        for (int axis = 0; axis < part.rank(); ++axis) {
            part = narrowed(part, axis, box.begin[axis], static_cast<int>(box.extent[axis]));
        }
        *out = part;
        return {};
    }

    struct Slices {
        std::vector<int> starts, ends, axes;
    };

    bool by_expression() const { return !starts_expr_.empty() || !ends_expr_.empty() || !axes_expr_.empty(); }

    static Status check(const Slices& slices) {
        const size_t count = slices.starts.size();
        if (count != slices.ends.size() || (!slices.axes.empty() && slices.axes.size() != count)) {
            return Status::error(Code::kInvalidArgument, "starts has %zu values, ends %zu, axes %zu: expected equal",
                                 count, slices.ends.size(), slices.axes.size());
        }
        return {};
    }

    // What an expression does not give, the plain lists do.
    Status evaluated(const std::vector<Shape>& inputs, Slices* out) const {
        *out = given_;
        if (!starts_expr_.empty()) {
            FW_RETURN_IF_ERROR(starts_expr_.evaluate(inputs, &out->starts));
        }
        if (!ends_expr_.empty()) {
            FW_RETURN_IF_ERROR(ends_expr_.evaluate(inputs, &out->ends));
        }
        if (!axes_expr_.empty()) {
            FW_RETURN_IF_ERROR(axes_expr_.evaluate(inputs, &out->axes));
        }
        return check(*out);
    }

    Status find_box(const std::vector<Shape>& inputs, Box* box) const {
        const Shape& shape = inputs[0];
        if (by_expression()) {
            Slices slices;
            FW_RETURN_IF_ERROR(evaluated(inputs, &slices));
            FW_RETURN_IF_ERROR(from_slices(shape, slices, box));
        } else if (!given_.starts.empty()) {
            FW_RETURN_IF_ERROR(from_slices(shape, given_, box));
        } else if (inputs.size() > 1) {
            from_reference(shape, inputs[1], box);
        } else {
            from_sizes(shape, box);
        }
        for (int axis = 0; axis < shape.rank; ++axis) {
            const int64_t end = box->begin[axis] + box->extent[axis];
            if (box->begin[axis] < 0 || box->extent[axis] < 1 || end > shape[axis]) {
                return Status::error(
                    Code::kInvalidArgument, "the box of axis %d is [%lld, %lld), expected a part of the input %s", axis,
                    static_cast<long long>(box->begin[axis]), static_cast<long long>(end), shape.str().c_str());
            }
        }
        return {};
    }

    // A size that is not given (0) or -233 takes what the offsets leave; others are cut to that.
    void from_sizes(const Shape& shape, Box* box) const {
        for (int axis = 0; axis < shape.rank; ++axis) {
            const int64_t begin = offset_.of(shape.rank, axis);
            const int64_t rest = shape[axis] - begin - offset2_.of(shape.rank, axis);
            const int size = size_.of(shape.rank, axis);
            box->begin[axis] = begin;
            box->extent[axis] = size == 0 || size == kRest ? rest : std::min<int64_t>(size, rest);
        }
    }

    // Width and height (and depth, channels where the reference has them) become those of the reference. A size of -233
    // leaves its dimension alone, as Caffe's Crop with axis 2 needs for the channels.
    void from_reference(const Shape& shape, const Shape& reference, Box* box) const {
        const Named wanted = {reference.w(), reference.h(), reference.d(), reference.c()};
        for (int axis = 0; axis < shape.rank; ++axis) {
            const bool channel = axis == 0 && shape.rank >= 3;
            const bool keep = (channel && reference.rank < shape.rank) || size_.of(shape.rank, axis) == kRest;
            box->begin[axis] = offset_.of(shape.rank, axis);
            box->extent[axis] = keep ? shape[axis] - box->begin[axis] : wanted.of(shape.rank, axis);
        }
    }

    static Status from_slices(const Shape& shape, const Slices& slices, Box* box) {
        for (int axis = 0; axis < shape.rank; ++axis) {
            box->extent[axis] = shape[axis];
        }
        if (slices.axes.empty() && slices.starts.size() > static_cast<size_t>(shape.rank)) {
            return Status::error(Code::kInvalidArgument, "starts has %zu values, the input %s", slices.starts.size(),
                                 shape.str().c_str());
        }
        for (size_t i = 0; i < slices.starts.size(); ++i) {
            int axis = static_cast<int>(i);
            if (!slices.axes.empty()) {
                FW_RETURN_IF_ERROR(resolve_axis(slices.axes[i], shape.rank, &axis));
            }
            const int64_t extent = shape[axis];
            const int64_t start =
                slices.starts[i] == kRest ? 0 : (slices.starts[i] < 0 ? extent + slices.starts[i] : slices.starts[i]);
            const int64_t end =
                slices.ends[i] == kRest ? extent : (slices.ends[i] <= 0 ? extent + slices.ends[i] : slices.ends[i]);
            box->begin[axis] = start;
            box->extent[axis] = std::min(end, extent) - start;
        }
        return {};
    }

    Named offset_, size_, offset2_;
    Slices given_;
    ShapeExpression starts_expr_, ends_expr_, axes_expr_;
};

}  // namespace

std::unique_ptr<Layer> make_Crop() {
    return std::make_unique<Crop>();
}

}  // namespace fw
