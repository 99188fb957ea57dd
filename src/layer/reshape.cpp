// Reshape, Flatten, Squeeze, ExpandDims: the same elements in the same row-major order under another shape.
#include "layer/operation.h"
#include "layer/support/expression.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"

namespace fw {

namespace {

// All they differ in is the shape that comes out.
class ReshapingLayer : public MoveLayer {
public:
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        return new_shape(shapes_of(in), &out[0].shape);
    }

    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        Shape shape;
        return new_shape(shapes_of(in), &shape).ok() && reshaped_view(in[0], shape, &out[0]);
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        copy_reshaped(in[0], out[0], context.threads);
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        CopyOperation copy;
        copy.parts.push_back({in[0].data, out[0].data, {}, {}});
        if (!reshaped_copy_dims(in[0], out[0], &copy.parts[0].dims)) {
            return Status::error(Code::kUnsupported, "%s to %s are no loops with strides", in[0].shape.str().c_str(),
                                 out[0].shape.str().c_str());
        }
        *operation = std::move(copy);
        return {};
    }

protected:
    /// From the shapes of all inputs; the first is the one that is reshaped.
    virtual Status new_shape(const std::vector<Shape>& in, Shape* out) const = 0;
};

class Reshape final : public ReshapingLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        FW_RETURN_IF_ERROR(expression_.parse(params.s(6), "shape_expr"));
        given_ = {params.i(0), params.i(1), params.i(11), params.i(2)};
        return expression_.empty() ? check(given_) : Status();
    }

protected:
    Status new_shape(const std::vector<Shape>& inputs, Shape* out) const override {
        if (expression_.empty()) {
            return filled_in(inputs[0], given_, out);
        }
        std::vector<int> list;  // from the width outwards
        FW_RETURN_IF_ERROR(expression_.evaluate(inputs, &list));
        if (list.empty() || list.size() > Shape::kMaxRank) {
            return Status::error(Code::kInvalidArgument, "shape_expr has %zu sizes, expected 1 to %d", list.size(),
                                 Shape::kMaxRank);
        }
        const size_t rank = list.size();
        const auto at = [&](size_t i) { return i < rank ? list[i] : kAbsent; };
        const Sizes sizes = {at(0), at(1), rank == 4 ? at(2) : kAbsent, rank == 4 ? at(3) : at(2)};
        FW_RETURN_IF_ERROR(check(sizes));
        return filled_in(inputs[0], sizes, out);
    }

private:
    static constexpr int kAbsent = -233;
    struct Sizes {
        int w = kAbsent, h = kAbsent, d = kAbsent, c = kAbsent;
    };

    static Status check(const Sizes& given) {
        const struct {
            const char* name;
            int value;
        } sizes[] = {{"w", given.w}, {"h", given.h}, {"d", given.d}, {"c", given.c}};
        for (const auto& size : sizes) {
            if (size.value < -1 && size.value != kAbsent) {
                return Status::error(Code::kInvalidArgument,
                                     "%s is %d, expected a size, 0 to keep the input's, -1 for the rest or %d for none",
                                     size.name, size.value, kAbsent);
            }
        }
        // The rank is that of the outermost size given; those inside it must be given too.
        const bool gap = given.w == kAbsent || (given.h == kAbsent && given.c != kAbsent) ||
                         (given.c == kAbsent && given.d != kAbsent);
        if (gap) {
            return Status::error(Code::kInvalidArgument, "sizes w %d, h %d, d %d, c %d leave one out between others",
                                 given.w, given.h, given.d, given.c);
        }
        return {};
    }

    static Status filled_in(const Shape& in, const Sizes& given, Shape* out) {
        int64_t dims[Shape::kMaxRank];
        int rank = 0;
        const auto push = [&](int size, int kept) {
            if (size != kAbsent) {
                dims[rank++] = size == 0 ? kept : size;
            }
        };
        push(given.c, in.c());
        push(given.d, in.d());
        push(given.h, in.h());
        push(given.w, in.w());
        // 32-bit sizes: a product of four may need 124 bits, so stop once it is larger than any blob.
        int64_t known = 1;
        int open = -1;
        int opens = 0;
        for (int i = 0; i < rank; ++i) {
            if (dims[i] == -1) {
                open = i;
                ++opens;
            } else if (known <= Shape::kMaxElements) {
                known *= dims[i];
            }
        }
        const int64_t count = in.count();
        const bool divides = known > 0 && count % known == 0;
        if (opens > 1 || !divides || (opens == 0 && known != count)) {
            return Status::error(Code::kInvalidArgument,
                                 "cannot turn %s into w %d, h %d, d %d, c %d (0 keeps, -1 takes the rest, %d is none)",
                                 in.str().c_str(), given.w, given.h, given.d, given.c, kAbsent);
        }
        if (opens == 1) {
            dims[open] = count / known;
        }
        return make_shape(rank, dims, out);
    }

    Sizes given_;
    ShapeExpression expression_;
};

class Flatten final : public ReshapingLayer {
public:
    Status load(const Params& /*params*/, Span<const Weight> /*weights*/) override { return {}; }

protected:
    Status new_shape(const std::vector<Shape>& inputs, Shape* out) const override {
        const Shape& in = inputs[0];
        const int64_t count = in.count();
        return make_shape(1, &count, out);
    }
};

class Squeeze final : public ReshapingLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        w_ = params.i(0) != 0;
        h_ = params.i(1) != 0;
        d_ = params.i(11) != 0;
        c_ = params.i(2) != 0;
        axes_ = params.ints(3);
        return {};
    }

protected:
    // Takes away the chosen axes that have one element; at least one axis stays.
    Status new_shape(const std::vector<Shape>& inputs, Shape* out) const override {
        const Shape& in = inputs[0];
        bool remove[Shape::kMaxRank] = {false, false, false, false};
        if (axes_.empty()) {
            remove[0] = in.rank >= 3 && c_;
            if (in.rank == 4) {
                remove[1] = d_;
            }
            if (in.rank >= 2) {
                remove[in.rank - 2] = h_;
            }
            remove[in.rank - 1] = w_;
        }
        for (int value : axes_) {
            int axis = 0;
            FW_RETURN_IF_ERROR(resolve_axis(value, in.rank, &axis));
            remove[axis] = true;
        }
        Shape shape;
        for (int axis = 0; axis < in.rank; ++axis) {
            if (!remove[axis] || in[axis] != 1) {
                shape[shape.rank++] = in[axis];
            }
        }
        *out = shape.rank == 0 ? Shape(1) : shape;
        return {};
    }

private:
    bool w_ = false, h_ = false, d_ = false, c_ = false;
    std::vector<int> axes_;
};

class ExpandDims final : public ReshapingLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        axes_ = params.ints(3);
        return {};
    }

protected:
    // The axes are those of the output.
    Status new_shape(const std::vector<Shape>& inputs, Shape* out) const override {
        const Shape& in = inputs[0];
        const size_t rank = static_cast<size_t>(in.rank) + axes_.size();
        if (rank > Shape::kMaxRank) {
            return Status::error(Code::kInvalidArgument, "%zu axes added to %s make more than %d", axes_.size(),
                                 in.str().c_str(), Shape::kMaxRank);
        }
        Shape shape;
        shape.rank = static_cast<int>(rank);
        for (int value : axes_) {
            int axis = 0;
            FW_RETURN_IF_ERROR(resolve_axis(value, shape.rank, &axis));
            if (shape[axis] != 0) {
                return Status::error(Code::kInvalidArgument, "axes name axis %d twice", axis);
            }
            shape[axis] = 1;
        }
        int from = 0;
        for (int axis = 0; axis < shape.rank; ++axis) {
            shape[axis] = shape[axis] == 1 ? 1 : in[from++];
        }
        *out = shape;
        return {};
    }

private:
    std::vector<int> axes_;
};

}  // namespace

std::unique_ptr<Layer> make_Reshape() {
    return std::make_unique<Reshape>();
}
std::unique_ptr<Layer> make_Flatten() {
    return std::make_unique<Flatten>();
}
std::unique_ptr<Layer> make_Squeeze() {
    return std::make_unique<Squeeze>();
}
std::unique_ptr<Layer> make_ExpandDims() {
    return std::make_unique<ExpandDims>();
}

}  // namespace fw
