// ArgMax: indices (in row-major order of the whole blob) of the topk largest elements, largest first; with out_max_val
// the values; or the index along one axis (Featherweight only).
#include <algorithm>
#include <functional>
#include <utility>

#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/loop_nest.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class ArgMax final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        values_ = params.i(0) != 0;
        count_ = params.i(1);
        axis_ = params.i(2);
        last_ = params.i(3) != 0;
        if (axis_ != kWhole && (values_ || count_ != 1)) {
            return Status::error(Code::kUnsupported, "axis %d with out_max_val or topk %d, expected one index", axis_,
                                 count_);
        }
        return check_range("topk", count_, 1, Shape::kMaxElements);
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        if (axis_ != kWhole) {
            int axis = 0;
            FW_RETURN_IF_ERROR(resolve_axis(axis_, in[0].shape.rank, &axis));
            Shape shape;
            for (int k = 0; k < in[0].shape.rank; ++k) {
                if (k != axis) {
                    shape[shape.rank++] = in[0].shape[k];
                }
            }
            out[0].shape = shape.rank == 0 ? Shape(1) : shape;
            return {};
        }
        FW_RETURN_IF_ERROR(check_range("topk", count_, 1, in[0].shape.count()));
        out[0].shape = Shape(values_ ? 2 : 1, count_);
        return {};
    }
    // Indices in a row, below their values if those are wanted.
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& /*context*/) const override {
        if (axis_ != kWhole) {
            return along_axis(in[0], out[0]);
        }
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

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        ArgMaxOperation argmax;
        argmax.last = last_ || axis_ == kWhole;
        argmax.count = count_;
        const Tensor& from = in[0];
        if (axis_ == kWhole) {
            int64_t step = 1;
            for (int k = from.rank() - 1; k >= 0; --k) {
                argmax.searched.add(from.shape[k], {from.stride[k], 0, step});
                step *= from.shape[k];
            }
            argmax.values = values_;
            argmax.step = out[0].w_stride();
            argmax.indices = values_ ? out[0].h_stride() : 0;
        } else {
            int axis = 0;
            FW_RETURN_IF_ERROR(resolve_axis(axis_, from.rank(), &axis));
            argmax.searched.add(from.shape[axis], {from.stride[axis], 0, 1});
            argmax.kept = others(from, out[0], axis);
        }
        *operation = argmax;
        return {};
    }

private:
    static constexpr int kWhole = -233;

    static LoopNest others(const Tensor& in, const Tensor& out, int axis) {
        LoopNest nest;
        for (int k = 0, to = 0; k < in.rank(); ++k) {
            if (k != axis) {
                nest.add(in.shape[k], {in.stride[k], out.stride[to++], 0});
            }
        }
        return nest;
    }

    // The first or last of equal values counts; a nan is never the largest.
    Status along_axis(const Tensor& in, const Tensor& out) const {
        int axis = 0;
        FW_RETURN_IF_ERROR(resolve_axis(axis_, in.rank(), &axis));
        const LoopNest nest = others(in, out, axis);
        const int64_t step = in.stride[axis];
        nest.for_each_run([&](const LoopNest::Steps& offset, int64_t n, const LoopNest::Steps& steps) {
            for (int64_t i = 0; i < n; ++i) {
                const float* from = in.ptr<const float>() + offset[0] + i * steps[0];
                int best = 0;
                for (int k = 1; k < in.shape[axis]; ++k) {
                    const float most = from[best * step];
                    const bool equal = last_ && from[k * step] == most;
                    best = from[k * step] > most || equal || most != most ? k : best;
                }
                out.ptr<float>()[offset[1] + i * steps[1]] = static_cast<float>(best);
            }
        });
        return {};
    }

    int axis_ = kWhole;
    bool values_ = false;
    bool last_ = false;
    int count_ = 1;
};

}  // namespace

std::unique_ptr<Layer> make_ArgMax() {
    return std::make_unique<ArgMax>();
}

}  // namespace fw
