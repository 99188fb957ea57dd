// Padding: adds a border of a constant, of the nearest cell (replicate) or of mirrored cells (reflect).
#include <algorithm>

#include "base/half.h"
#include "layer/operation.h"
#include "layer/support/gather.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
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
        } sizes[] = {{"top", 0, &top_},     {"bottom", 1, &bottom_}, {"left", 2, &left_},
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
        GatherMaps maps;
        FW_RETURN_IF_ERROR(maps_of(in[0].shape, out[0].shape, &maps));
        if (out[0].dtype == DType::kInt8) {
            std::vector<int8_t> fill(static_cast<size_t>(out[0].c()));
            for (size_t c = 0; c < fill.size(); ++c) {
                fill[c] = quantize(value_of(c), out[0].quant);
            }
            return gather(in[0], out[0], maps, fill.data(), context.threads);
        }
        if (kHasHalfBlobs && out[0].dtype == DType::kFloat16) {
            std::vector<uint16_t> fill(static_cast<size_t>(out[0].c()));
            for (size_t c = 0; c < fill.size(); ++c) {
                fill[c] = float_to_half(value_of(c));
            }
            return gather(in[0], out[0], maps, fill.data(), context.threads);
        }
        std::vector<float> fill(static_cast<size_t>(out[0].c()));
        for (size_t c = 0; c < fill.size(); ++c) {
            fill[c] = value_of(c);
        }
        return gather(in[0], out[0], maps, fill.data(), context.threads);
    }

    Status prepare(const PrepareContext& context) override {
        const DType dtype = context.inputs[0].dtype;
        if (dtype != DType::kFloat32 && dtype != DType::kInt8 && !(kHasHalfBlobs && dtype == DType::kFloat16)) {
            return Status::error(Code::kUnsupported, "has no %s implementation", name(dtype));
        }
        return MoveLayer::prepare(context);
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        GatherOperation gather;
        FW_RETURN_IF_ERROR(maps_of(in[0].shape, out[0].shape, &gather.map));
        gather.from = in[0];
        gather.to = out[0];
        for (size_t c = 0; c < static_cast<size_t>(out[0].c()); ++c) {
            const bool bytes = out[0].dtype == DType::kInt8;
            gather.fill.push_back(bytes ? static_cast<float>(quantize(value_of(c), out[0].quant)) : value_of(c));
        }
        *operation = std::move(gather);
        return {};
    }

private:
    Status maps_of(const Shape& shape, const Shape& out, GatherMaps* maps) const {
        Pads pads;
        FW_RETURN_IF_ERROR(pads_of(shape, &pads));
        const auto map_of = [&](int axis) { return sources(shape[axis], pads.before[axis], out[axis]); };
        maps->w = map_of(shape.rank - 1);
        if (shape.rank >= 2) {
            maps->h = map_of(shape.rank - 2);
        }
        if (shape.rank >= 3) {
            maps->c = map_of(0);
        }
        if (shape.rank == 4) {
            maps->d = map_of(1);
        }
        return {};
    }

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
        const bool unused =
            (shape.rank < 2 && top_ + int64_t{bottom_} > 0) || (shape.rank < 3 && front_ + int64_t{behind_} > 0);
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

    float value_of(size_t channel) const { return values_.size() > 1 ? values_[channel] : values_[0]; }

    int top_ = 0, bottom_ = 0, left_ = 0, right_ = 0, front_ = 0, behind_ = 0;
    Border border_ = Border::kConstant;
    std::vector<float> values_;  ///< one, or one a channel
};

}  // namespace

std::unique_ptr<Layer> make_Padding() {
    return std::make_unique<Padding>();
}

}  // namespace fw
