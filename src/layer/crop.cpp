// Crop: a box of the input, given by offsets and sizes, by starts and ends, or by the shape of a second input.
#include <algorithm>

#include "layer/operation.h"
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
        FW_RETURN_IF_ERROR(refuse_expression(params, 19, "starts_expr"));
        FW_RETURN_IF_ERROR(refuse_expression(params, 20, "ends_expr"));
        FW_RETURN_IF_ERROR(refuse_expression(params, 21, "axes_expr"));
        offset_ = {params.i(0), params.i(1), params.i(13), params.i(2)};
        size_ = {params.i(3), params.i(4), params.i(14), params.i(5)};
        offset2_ = {params.i(6), params.i(7), params.i(15), params.i(8)};
        starts_ = params.ints(9);
        ends_ = params.ints(10);
        axes_ = params.ints(11);
        if (starts_.size() != ends_.size() || (!axes_.empty() && axes_.size() != starts_.size())) {
            return Status::error(Code::kInvalidArgument, "starts has %zu values, ends %zu, axes %zu: expected equal",
                                 starts_.size(), ends_.size(), axes_.size());
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        Box box;
        FW_RETURN_IF_ERROR(find_box(in[0].shape, in.size() > 1 ? &in[1].shape : nullptr, &box));
        return make_shape(in[0].shape.rank, box.extent, &out[0].shape);
    }

    bool view(Span<const Tensor> in, Span<Tensor> out) const override { return crop(in, &out[0]).ok(); }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        Tensor part;
        FW_RETURN_IF_ERROR(crop(in, &part));
        copy_elements(part, out[0], context.threads);
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const override {
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
        FW_RETURN_IF_ERROR(find_box(in[0].shape, in.size() > 1 ? &in[1].shape : nullptr, &box));
        Tensor part = in[0];
        for (int axis = 0; axis < part.rank(); ++axis) {
            part = narrowed(part, axis, box.begin[axis], static_cast<int>(box.extent[axis]));
        }
        *out = part;
        return {};
    }

    Status find_box(const Shape& shape, const Shape* reference, Box* box) const {
        if (!starts_.empty()) {
            FW_RETURN_IF_ERROR(from_slices(shape, box));
        } else if (reference != nullptr) {
            from_reference(shape, *reference, box);
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

    Status from_slices(const Shape& shape, Box* box) const {
        for (int axis = 0; axis < shape.rank; ++axis) {
            box->extent[axis] = shape[axis];
        }
        if (axes_.empty() && starts_.size() > static_cast<size_t>(shape.rank)) {
            return Status::error(Code::kInvalidArgument, "starts has %zu values, the input %s", starts_.size(),
                                 shape.str().c_str());
        }
        for (size_t i = 0; i < starts_.size(); ++i) {
            int axis = static_cast<int>(i);
            if (!axes_.empty()) {
                FW_RETURN_IF_ERROR(resolve_axis(axes_[i], shape.rank, &axis));
            }
            const int64_t extent = shape[axis];
            const int64_t start = starts_[i] == kRest ? 0 : (starts_[i] < 0 ? extent + starts_[i] : starts_[i]);
            const int64_t end = ends_[i] == kRest ? extent : (ends_[i] <= 0 ? extent + ends_[i] : ends_[i]);
            box->begin[axis] = start;
            box->extent[axis] = std::min(end, extent) - start;
        }
        return {};
    }

    Named offset_, size_, offset2_;
    std::vector<int> starts_, ends_, axes_;
};

}  // namespace

std::unique_ptr<Layer> make_Crop() {
    return std::make_unique<Crop>();
}

}  // namespace fw
