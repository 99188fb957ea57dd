// Permute: reorders the axes.
#include "layer/operation.h"
#include "layer/support/move_layer.h"
#include "layer/support/strided_copy.h"

namespace fw {

namespace {

class Permute final : public MoveLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        order_type_ = params.i(0);
        if (order_type_ < 0 || order_type_ > 23) {
            return Status::error(Code::kInvalidArgument, "order_type is %d, expected 0 to 23", order_type_);
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        int order[Shape::kMaxRank];
        FW_RETURN_IF_ERROR(find_order(in[0].shape.rank, order));
        out[0].shape.rank = in[0].shape.rank;
        for (int axis = 0; axis < in[0].shape.rank; ++axis) {
            out[0].shape[axis] = in[0].shape[order[axis]];
        }
        return {};
    }

    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        int order[Shape::kMaxRank];
        if (!find_order(in[0].rank(), order).ok()) {
            return false;
        }
        out[0] = permuted(in[0], order);
        return true;
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        int order[Shape::kMaxRank];
        FW_RETURN_IF_ERROR(find_order(in[0].rank(), order));
        copy_elements(permuted(in[0], order), out[0], context.threads);
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        int order[Shape::kMaxRank];
        FW_RETURN_IF_ERROR(find_order(in[0].rank(), order));
        CopyOperation copy;
        copy.parts.push_back({in[0].data, out[0].data, copy_dims(permuted(in[0], order), out[0]), {}});
        *operation = std::move(copy);
        return {};
    }

private:
    // order_type counts the permutations of the axes in lexicographic order: the digits of its factorial form choose
    // among the axes that are left.
    Status find_order(int rank, int* order) const {
        int permutations = 1;
        for (int i = 2; i <= rank; ++i) {
            permutations *= i;
        }
        if (order_type_ >= permutations) {
            return Status::error(Code::kInvalidArgument, "order_type is %d, expected 0 to %d for an input of rank %d",
                                 order_type_, permutations - 1, rank);
        }
        int left[Shape::kMaxRank] = {0, 1, 2, 3};
        int rest = order_type_;
        for (int i = 0; i < rank; ++i) {
            permutations /= rank - i;
            const int choice = rest / permutations;
            rest %= permutations;
            order[i] = left[choice];
            for (int k = choice; k + 1 < rank - i; ++k) {
                left[k] = left[k + 1];
            }
        }
        return {};
    }

    int order_type_ = 0;
};

}  // namespace

std::unique_ptr<Layer> make_Permute() {
    return std::make_unique<Permute>();
}

}  // namespace fw
