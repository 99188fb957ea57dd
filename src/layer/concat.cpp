// Concat: joins inputs along an axis. In int8 an input of another scale than the output's goes through a table.
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"
#include "quant/quant.h"

namespace fw {

namespace {

class Concat final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        axis_ = params.i(0);
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& first = in[0].shape;
        int axis = 0;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, first.rank, &axis));
        int64_t dims[Shape::kMaxRank];
        for (int i = 0; i < first.rank; ++i) {
            dims[i] = first[i];
        }
        for (size_t k = 1; k < in.size(); ++k) {
            const Shape& shape = in[k].shape;
            bool same = shape.rank == first.rank;
            for (int i = 0; same && i < first.rank; ++i) {
                same = i == axis || shape[i] == first[i];
            }
            if (!same) {
                return Status::error(Code::kInvalidArgument,
                                     "input %zu is %s, input 0 is %s: they may differ in axis %d only", k,
                                     shape.str().c_str(), first.str().c_str(), axis);
            }
            dims[axis] += shape[axis];
        }
        return make_shape(first.rank, dims, &out[0].shape);
    }

    Status prepare(const PrepareContext& context) override {
        const TensorDesc& out = context.outputs[0];
        tables_.clear();
        for (const TensorDesc& in : context.inputs) {
            if (in.dtype != out.dtype) {
                return Status::error(Code::kUnsupported, "cannot join %s into %s", name(in.dtype), name(out.dtype));
            }
            tables_.emplace_back();
            if (in.dtype != DType::kInt8 || in.quant == out.quant) {
                continue;
            }
            if (!in.quant.known() || !out.quant.known()) {
                return Status::error(Code::kUnsupported, "an int8 blob has no scale");
            }
            PointwiseTable table;
            make_rescale_table(in.quant, out.quant, table);
            tables_.back().assign(table, table + sizeof(PointwiseTable));
        }
        return {};
    }

    HalfUse half_use(bool /*arithmetic*/) const override { return HalfUse::kSame; }
    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        if (in.size() != 1 || in[0].quant != out[0].quant) {
            return false;
        }
        out[0] = in[0];
        return true;
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        int axis = 0;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, in[0].rank(), &axis));
        int64_t begin = 0;
        for (size_t k = 0; k < in.size(); ++k) {
            const Tensor part = narrowed(out[0], axis, begin, in[k].shape[axis]);
            begin += in[k].shape[axis];
            const std::vector<int8_t>* table = k < tables_.size() && !tables_[k].empty() ? &tables_[k] : nullptr;
            if (table == nullptr && part.data == in[k].data) {
                continue;  // its producer wrote it into place
            }
            copy_elements(in[k], part, context.threads, table == nullptr ? nullptr : table->data());
        }
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        int axis = 0;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, in[0].rank(), &axis));
        CopyOperation copy;
        int64_t begin = 0;
        for (size_t k = 0; k < in.size(); ++k) {
            const Tensor part = narrowed(out[0], axis, begin, in[k].shape[axis]);
            begin += in[k].shape[axis];
            const Span<const int8_t> table = k < tables_.size() ? Span<const int8_t>(tables_[k]) : Span<const int8_t>();
            if (!table.empty() || part.data != in[k].data) {
                copy.parts.push_back({in[k].data, part.data, copy_dims(in[k], part), table});
            }
        }
        *operation = std::move(copy);
        return {};
    }

private:
    int axis_ = 0;
    std::vector<std::vector<int8_t>> tables_;  ///< one an input, empty = bytes are copied
};

}  // namespace

std::unique_ptr<Layer> make_Concat() {
    return std::make_unique<Concat>();
}

}  // namespace fw
