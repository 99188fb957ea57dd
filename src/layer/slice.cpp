// Slice: cuts an input into parts along an axis, by lengths or by positions.
#include "layer/operation.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"

namespace fw {

namespace {

constexpr int kRest = -233;

class Slice final : public MoveLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        lengths_ = params.ints(0);
        axis_ = params.i(1);
        positions_ = params.ints(2);
        for (int length : lengths_) {
            if (length < 1 && length != kRest) {
                return Status::error(Code::kInvalidArgument,
                                     "slices has the length %d, expected at least 1, or %d for an even share", length,
                                     kRest);
            }
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        int axis = 0;
        std::vector<int> cuts;
        FW_RETURN_IF_ERROR(find_cuts(in[0].shape, out.size(), &axis, &cuts));
        for (size_t k = 0; k < out.size(); ++k) {
            out[k].shape = in[0].shape;
            out[k].shape[axis] = cuts[k + 1] - cuts[k];
        }
        return {};
    }

    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        int axis = 0;
        std::vector<int> cuts;
        if (!find_cuts(in[0].shape, out.size(), &axis, &cuts).ok()) {
            return false;
        }
        for (size_t k = 0; k < out.size(); ++k) {
            out[k] = narrowed(in[0], axis, cuts[k], cuts[k + 1] - cuts[k]);
        }
        return true;
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        int axis = 0;
        std::vector<int> cuts;
        FW_RETURN_IF_ERROR(find_cuts(in[0].shape, out.size(), &axis, &cuts));
        for (size_t k = 0; k < out.size(); ++k) {
            copy_elements(narrowed(in[0], axis, cuts[k], cuts[k + 1] - cuts[k]), out[k], context.threads);
        }
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        int axis = 0;
        std::vector<int> cuts;
        FW_RETURN_IF_ERROR(find_cuts(in[0].shape, out.size(), &axis, &cuts));
        CopyOperation copy;
        for (size_t k = 0; k < out.size(); ++k) {
            const Tensor part = narrowed(in[0], axis, cuts[k], cuts[k + 1] - cuts[k]);
            copy.parts.push_back({part.data, out[k].data, copy_dims(part, out[k]), {}});
        }
        *operation = std::move(copy);
        return {};
    }

private:
    // Positions 0 = cuts[0] < cuts[1] < ... < cuts[parts] = extent.
    Status find_cuts(const Shape& shape, size_t parts, int* axis, std::vector<int>* cuts) const {
        FW_RETURN_IF_ERROR(resolve_axis(axis_, shape.rank, axis));
        const int extent = shape[*axis];
        const bool by_position = !positions_.empty();
        const size_t given = by_position ? positions_.size() + 1 : lengths_.size();
        if (given != parts && !(given == 0 && !by_position)) {
            return Status::error(Code::kInvalidArgument, "the parameters cut %zu parts, the layer has %zu outputs",
                                 given, parts);
        }
        cuts->assign(1, 0);
        int64_t at = 0;
        for (size_t k = 0; k < parts; ++k) {
            if (by_position) {
                const int64_t position = k < positions_.size() ? positions_[k] : extent;
                at = position < 0 ? position + extent : position;
            } else {
                const int length = lengths_.empty() ? kRest : lengths_[k];
                at += length == kRest ? (extent - at) / static_cast<int64_t>(parts - k) : length;
            }
            if (at <= cuts->back() || at > extent) {
                return Status::error(Code::kInvalidArgument,
                                     "part %zu of axis %d would be [%d, %lld), which is empty or beyond its extent %d",
                                     k, *axis, cuts->back(), static_cast<long long>(at), extent);
            }
            cuts->push_back(static_cast<int>(at));
        }
        return {};
    }

    std::vector<int> lengths_;
    std::vector<int> positions_;
    int axis_ = 0;
};

}  // namespace

std::unique_ptr<Layer> make_Slice() {
    return std::make_unique<Slice>();
}

}  // namespace fw
