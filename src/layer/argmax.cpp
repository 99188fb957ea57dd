// ArgMax: indices (in row-major order of the whole blob) of the topk largest elements, largest first; with out_max_val
// the values.
#include <algorithm>
#include <functional>
#include <utility>

#include "layer/layer.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class ArgMax final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        values_ = params.i(0) != 0;
        count_ = params.i(1);
        return check_range("topk", count_, 1, Shape::kMaxElements);
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        FW_RETURN_IF_ERROR(check_range("topk", count_, 1, in[0].shape.count()));
        out[0].shape = Shape(values_ ? 2 : 1, count_);
        return {};
    }
    // Indices in a row, below their values if those are wanted.
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& /*context*/) const override {
        std::vector<std::pair<float, int64_t>> order(static_cast<size_t>(in[0].count()));
        for_each_element(in[0], [&](int64_t index, int64_t offset) {
            order[static_cast<size_t>(index)] = {in[0].ptr<const float>()[offset], index};
        });
        if (static_cast<size_t>(count_) > order.size()) {
            return Status::error(Code::kInvalidArgument, "topk is %d for %zu elements", count_, order.size());
        }
        // Of equal values the larger index comes first, as in Caffe. A nan counts as the smallest, to keep the order
        // strict.
        const auto before = [](const std::pair<float, int64_t>& a, const std::pair<float, int64_t>& b) {
            const bool a_nan = a.first != a.first;
            const bool b_nan = b.first != b.first;
            if (a_nan || b_nan) {
                return a_nan == b_nan ? a.second > b.second : b_nan;
            }
            return a.first != b.first ? a.first > b.first : a.second > b.second;
        };
        std::partial_sort(order.begin(), order.begin() + count_, order.end(), before);
        for (int i = 0; i < count_; ++i) {
            const auto& [value, index] = order[static_cast<size_t>(i)];
            float* to = out[0].ptr<float>() + i * out[0].w_stride();
            if (values_) {
                *to = value;
                to += out[0].h_stride();
            }
            *to = static_cast<float>(index);
        }
        return {};
    }

private:
    bool values_ = false;
    int count_ = 1;
};

}  // namespace

std::unique_ptr<Layer> make_ArgMax() {
    return std::make_unique<ArgMax>();
}

}  // namespace fw
