// ShuffleChannel, PixelShuffle, Reorg: channels and pixels exchanged by fixed rules, each one copy with more
// dimensions.
#include "layer/operation.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"

namespace fw {

namespace {

Status check_divides(const char* what, int extent, const char* by, int divisor) {
    if (extent % divisor != 0) {
        return Status::error(Code::kInvalidArgument, "%s of the input is %d, expected a multiple of %s %d", what,
                             extent, by, divisor);
    }
    return {};
}

// A layer that is one strided copy.
class CopyLayer : public MoveLayer {
public:
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const std::vector<CopyDim> dims = loops(in[0], out[0]);
        strided_copy(in[0].data, out[0].data, element_size(in[0].dtype), dims.data(), static_cast<int>(dims.size()),
                     context.threads);
        return {};
    }
    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        CopyOperation copy;
        copy.parts.push_back({in[0].data, out[0].data, loops(in[0], out[0]), {}});
        *operation = std::move(copy);
        return {};
    }

protected:
    virtual std::vector<CopyDim> loops(const Tensor& from, const Tensor& to) const = 0;
};

class ShuffleChannel final : public CopyLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        group_ = params.i(0);
        reverse_ = params.i(1) != 0;
        if (group_ < 1) {
            return Status::error(Code::kInvalidArgument, "group is %d, expected at least 1", group_);
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        FW_RETURN_IF_ERROR(check_divides("axis 0", in[0].shape[0], "group", group_));
        out[0].shape = in[0].shape;
        return {};
    }

private:
    // Channel g * (c / group) + i goes to i * group + g.
    std::vector<CopyDim> loops(const Tensor& from, const Tensor& to) const override {
        const int64_t groups = reverse_ ? from.shape[0] / group_ : group_;
        const int64_t each = from.shape[0] / groups;
        std::vector<CopyDim> dims = {{groups, each * from.stride[0], to.stride[0]},
                                     {each, from.stride[0], groups * to.stride[0]}};
        for (int axis = 1; axis < from.rank(); ++axis) {
            dims.push_back({from.shape[axis], from.stride[axis], to.stride[axis]});
        }
        return dims;
    }

    int group_ = 1;
    bool reverse_ = false;
};

// Blocks of factor x factor pixels on one side are channels on the other. Mode 0: channel (c * factor + dy) * factor +
// dx, mode 1: (dy * factor + dx) * channels + c.
class BlockLayer : public CopyLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        factor_ = params.i(0);
        const int mode = params.i(1);
        if (factor_ < 1 || factor_ > 32767) {
            return Status::error(Code::kInvalidArgument, "factor is %d, expected 1 to 32767", factor_);
        }
        if (mode != 0 && mode != 1) {
            return Status::error(Code::kInvalidArgument, "mode is %d, expected 0 or 1", mode);
        }
        pixel_first_ = mode == 1;
        return {};
    }

protected:
    // The loops between the fine side (more pixels) and the coarse one (more channels).
    std::vector<CopyDim> block_loops(const Tensor& fine, const Tensor& coarse, bool to_fine) const {
        const int64_t f = factor_;
        const int64_t channels = fine.c();
        const int64_t block = coarse.c_stride() * (pixel_first_ ? channels : 1);  // coarse steps of dx, and of c
        const int64_t channel = coarse.c_stride() * (pixel_first_ ? 1 : f * f);
        std::vector<CopyDim> dims = {{channels, fine.c_stride(), channel},
                                     {coarse.h(), f * fine.h_stride(), coarse.h_stride()},
                                     {f, fine.h_stride(), f * block},
                                     {coarse.w(), f * fine.w_stride(), coarse.w_stride()},
                                     {f, fine.w_stride(), block}};
        if (to_fine) {
            for (CopyDim& dim : dims) {
                dim = CopyDim{dim.extent, dim.to, dim.from};
            }
        }
        return dims;
    }

    int factor_ = 1;
    bool pixel_first_ = false;
};

class PixelShuffle final : public BlockLayer {
public:
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& shape = in[0].shape;
        FW_RETURN_IF_ERROR(check_rank(shape, 3, 3));
        FW_RETURN_IF_ERROR(check_divides("the channel count", shape.c(), "upscale_factor squared", factor_ * factor_));
        const int64_t dims[] = {shape.c() / (factor_ * factor_), int64_t{shape.h()} * factor_,
                                int64_t{shape.w()} * factor_};
        return make_shape(3, dims, &out[0].shape);
    }

protected:
    std::vector<CopyDim> loops(const Tensor& in, const Tensor& out) const override {
        return block_loops(out, in, true);
    }
};

class Reorg final : public BlockLayer {
public:
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& shape = in[0].shape;
        FW_RETURN_IF_ERROR(check_rank(shape, 3, 3));
        FW_RETURN_IF_ERROR(check_divides("the height", shape.h(), "stride", factor_));
        FW_RETURN_IF_ERROR(check_divides("the width", shape.w(), "stride", factor_));
        const int64_t dims[] = {int64_t{shape.c()} * factor_ * factor_, shape.h() / factor_, shape.w() / factor_};
        return make_shape(3, dims, &out[0].shape);
    }

protected:
    std::vector<CopyDim> loops(const Tensor& in, const Tensor& out) const override {
        return block_loops(in, out, false);
    }
};

}  // namespace

std::unique_ptr<Layer> make_ShuffleChannel() {
    return std::make_unique<ShuffleChannel>();
}
std::unique_ptr<Layer> make_PixelShuffle() {
    return std::make_unique<PixelShuffle>();
}
std::unique_ptr<Layer> make_Reorg() {
    return std::make_unique<Reorg>();
}

}  // namespace fw
