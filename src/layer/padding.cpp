// Padding: adds a border of a constant, of the nearest cell (replicate) or of mirrored cells (reflect).
#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"
#include "quant/quant.h"

namespace fw {

namespace {

enum class Border { kConstant = 0, kReplicate = 1, kReflect = 2 };

struct Pads {
    int64_t before[Shape::kMaxRank] = {0, 0, 0, 0};
    int64_t after[Shape::kMaxRank] = {0, 0, 0, 0};
};

class Padding final : public MoveLayer {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        const struct {
            const char* name;
            int id;
            int* value;
        } sizes[] = {{"top", 0, &top_},   {"bottom", 1, &bottom_}, {"left", 2, &left_},
                     {"right", 3, &right_}, {"front", 7, &front_},   {"behind", 8, &behind_}};
        for (const auto& size : sizes) {
            *size.value = params.i(size.id);
            if (*size.value < 0) {
                return Status::error(Code::kInvalidArgument, "%s is %d, expected at least 0", size.name, *size.value);
            }
        }
        const int type = params.i(4);
        if (type < 0 || type > 2) {
            return Status::error(Code::kInvalidArgument,
                                 "type is %d, expected 0 (constant), 1 (replicate) or 2 (reflect)", type);
        }
        border_ = static_cast<Border>(type);
        values_.assign(1, params.f(5));
        const int per_channel = params.i(6);
        if (per_channel != 0) {
            if (weights.size() != 1 || weights[0].count() != per_channel) {
                return Status::error(Code::kInvalidArgument, "per_channel_pad_data_size is %d, expected as many values",
                                     per_channel);
            }
            values_ = weights[0].to_floats();
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& shape = in[0].shape;
        Pads pads;
        FW_RETURN_IF_ERROR(pads_of(shape, &pads));
        int64_t dims[Shape::kMaxRank];
        for (int axis = 0; axis < shape.rank; ++axis) {
            dims[axis] = shape[axis] + pads.before[axis] + pads.after[axis];
        }
        return make_shape(shape.rank, dims, &out[0].shape);
    }

    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        if (std::max({top_, bottom_, left_, right_, front_, behind_}) > 0) {
            return false;
        }
        out[0] = in[0];
        return true;
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        switch (element_size(in[0].dtype)) {
            case 1: return pad<uint8_t>(in[0], out[0], context.threads);
            case 4: return pad<uint32_t>(in[0], out[0], context.threads);
            default:
                return Status::error(Code::kUnsupported, "has no %s implementation", name(in[0].dtype));
        }
    }

private:
    Status pads_of(const Shape& shape, Pads* pads) const {
        FW_RETURN_IF_ERROR(check_rank(shape, 1, 4));
        pads->before[shape.rank - 1] = left_;
        pads->after[shape.rank - 1] = right_;
        if (shape.rank >= 2) {
            pads->before[shape.rank - 2] = top_;
            pads->after[shape.rank - 2] = bottom_;
        }
        if (shape.rank >= 3) {  // channels of a 3-d blob, the depth of a 4-d one
            pads->before[shape.rank - 3] = front_;
            pads->after[shape.rank - 3] = behind_;
        }
        const bool unused = (shape.rank < 2 && top_ + int64_t{bottom_} > 0) ||
                            (shape.rank < 3 && front_ + int64_t{behind_} > 0);
        if (unused) {
            return Status::error(Code::kInvalidArgument,
                                 "top %d, bottom %d, front %d, behind %d ask for more dimensions than the input %s",
                                 top_, bottom_, front_, behind_, shape.str().c_str());
        }
        for (int axis = 0; axis < shape.rank; ++axis) {
            const int64_t widest = std::max(pads->before[axis], pads->after[axis]);
            if (border_ == Border::kReflect && widest >= shape[axis]) {
                return Status::error(Code::kInvalidArgument,
                                     "reflection by %lld of axis %d, expected less than the extent %d",
                                     static_cast<long long>(widest), axis, shape[axis]);
            }
        }
        const int64_t channels = shape.rank >= 3 ? shape[0] + pads->before[0] + pads->after[0] : 1;
        if (border_ == Border::kConstant && values_.size() > 1 && static_cast<int64_t>(values_.size()) != channels) {
            return Status::error(Code::kInvalidArgument, "%zu pad values for %lld output channels", values_.size(),
                                 static_cast<long long>(channels));
        }
        return {};
    }

    // The source index of each output index of an axis; -1 = the constant.
    std::vector<int> sources(int extent, int64_t before, int out_extent) const {
        std::vector<int> map(static_cast<size_t>(out_extent));
        for (int i = 0; i < out_extent; ++i) {
            int64_t source = i - before;
            if (source < 0 || source >= extent) {
                switch (border_) {
                    case Border::kConstant: source = -1; break;
                    case Border::kReplicate: source = source < 0 ? 0 : extent - 1; break;
                    case Border::kReflect: source = source < 0 ? -source : 2 * (int64_t{extent} - 1) - source; break;
                }
            }
            map[static_cast<size_t>(i)] = static_cast<int>(source);
        }
        return map;
    }

    // The pad values of each output channel as they lie in memory.
    template <class T>
    Status fill_values(const Tensor& out, std::vector<T>* fill) const {
        fill->resize(static_cast<size_t>(out.c()));
        for (size_t c = 0; c < fill->size(); ++c) {
            const float value = values_.size() > 1 ? values_[c] : values_[0];
            if (out.dtype == DType::kInt8) {
                const int8_t q = quantize(value, out.quant);
                std::memcpy(&(*fill)[c], &q, sizeof(q));
            } else if (out.dtype == DType::kFloat32) {
                std::memcpy(&(*fill)[c], &value, sizeof(T));
            } else {
                return Status::error(Code::kUnsupported, "has no %s implementation", name(out.dtype));
            }
        }
        return {};
    }

    template <class T>
    Status pad(const Tensor& in, const Tensor& out, int threads) const {
        Pads pads;
        FW_RETURN_IF_ERROR(pads_of(in.shape, &pads));
        std::vector<T> fill;
        FW_RETURN_IF_ERROR(fill_values(out, &fill));
        // The axes under their names; what the rank lacks has one element.
        const int rank = in.rank();
        const auto map_of = [&](int axis) {
            return axis < 0 ? std::vector<int>(1, 0) : sources(in.shape[axis], pads.before[axis], out.shape[axis]);
        };
        const std::vector<int> xs = map_of(rank - 1);
        const std::vector<int> ys = map_of(rank - 2);
        const std::vector<int> zs = map_of(rank == 4 ? 1 : -1);
        const std::vector<int> cs = map_of(rank >= 3 ? 0 : -1);
        const bool whole_channels =
            in.c() == out.c() && (in.c() == 1 || (in.c_stride() == 1 && out.c_stride() == 1));
        const auto rows = static_cast<int64_t>(ys.size());
        parallel_for(static_cast<int64_t>(zs.size()) * rows, threads, [&](int64_t task) {
            const int z = zs[static_cast<size_t>(task / rows)];
            const int y = ys[static_cast<size_t>(task % rows)];
            T* to = out.ptr<T>() + task / rows * out.d_stride() + task % rows * out.h_stride();
            for (size_t i = 0; i < xs.size(); ++i, to += out.w_stride()) {
                const int x = xs[i];
                const bool constant = z < 0 || y < 0 || x < 0;
                const T* from = constant ? nullptr
                                         : in.ptr<T>() + z * in.d_stride() + y * in.h_stride() + x * in.w_stride();
                if (whole_channels) {
                    std::memcpy(to, constant ? fill.data() : from, fill.size() * sizeof(T));
                    continue;
                }
                for (size_t c = 0; c < cs.size(); ++c) {
                    to[static_cast<int64_t>(c) * out.c_stride()] =
                        constant || cs[c] < 0 ? fill[c] : from[cs[c] * in.c_stride()];
                }
            }
        });
        return {};
    }

    int top_ = 0, bottom_ = 0, left_ = 0, right_ = 0, front_ = 0, behind_ = 0;
    Border border_ = Border::kConstant;
    std::vector<float> values_;  ///< one, or one a channel
};

}  // namespace

std::unique_ptr<Layer> make_Padding() { return std::make_unique<Padding>(); }

}  // namespace fw
