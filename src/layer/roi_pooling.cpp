// ROIPooling and PSROIPooling: a fixed grid of cells out of regions of a feature map, as Fast R-CNN (Girshick, 2015,
// section 2.1) and R-FCN (Dai et al., 2016, section 2.2) pool them. Input 1 has the regions in pixels of the image: x1,
// y1, x2, y2 each, or Caffe's rows with the image's index before them.
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "layer/layer.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

// The rows or columns [begin, end) of one cell.
struct Cells {
    float start = 0.0F;
    float step = 0.0F;

    void of(int cell, int extent, int* begin, int* end) const {
        // Boxes may be anything: they are cut to the map before they become whole numbers. nan counts as 0.
        const auto cut = [&](float at) {
            return at > 0.0F ? static_cast<int>(std::min(at, static_cast<float>(extent))) : 0;
        };
        *begin = cut(std::floor(start + static_cast<float>(cell) * step));
        *end = cut(std::ceil(start + static_cast<float>(cell + 1) * step));
    }
};

class RoiLayer final : public Layer {
public:
    explicit RoiLayer(bool position_sensitive) : position_sensitive_(position_sensitive) {}

    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        pooled_w_ = params.i(0);
        pooled_h_ = params.i(1);
        scale_ = params.f(2);
        FW_RETURN_IF_ERROR(check_range("pooled_width", pooled_w_, 1, 1 << 12));
        FW_RETURN_IF_ERROR(check_range("pooled_height", pooled_h_, 1, 1 << 12));
        if (!(scale_ > 0.0F && scale_ < 1e6F)) {
            return Status::error(Code::kInvalidArgument, "spatial_scale is %g, expected a number above 0",
                                 static_cast<double>(scale_));
        }
        if (position_sensitive_) {
            output_dim_ = params.i(3);
            return check_range("output_dim", output_dim_, 1, 1 << 20);
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        FW_RETURN_IF_ERROR(check_rank(in[0].shape, 3, 3));
        FW_RETURN_IF_ERROR(check_rank(in[1].shape, 1, 2));
        const int columns = in[1].shape.w();
        if (columns != 4 && columns != 5) {
            return Status::error(Code::kInvalidArgument, "the regions are %s, expected rows of 4 or 5 numbers",
                                 in[1].shape.str().c_str());
        }
        const int64_t maps = int64_t{pooled_w_} * pooled_h_ * output_dim_;
        if (position_sensitive_ && in[0].shape.c() != maps) {
            return Status::error(Code::kInvalidArgument,
                                 "input is %s, expected %lld channels, a map for every cell of %d",
                                 in[0].shape.str().c_str(), static_cast<long long>(maps), output_dim_);
        }
        const int channels = position_sensitive_ ? output_dim_ : in[0].shape.c();
        const int64_t dims[] = {regions(in[1].shape), channels, pooled_h_, pooled_w_};
        return dims[0] == 1 ? make_shape(3, dims + 1, &out[0].shape) : make_shape(4, dims, &out[0].shape);
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const Tensor& to = out[0];
        const int shift = to.rank() - 3;
        const int columns = in[1].w();
        for (int64_t r = 0; r < regions(in[1].shape); ++r) {
            const float* row = in[1].ptr<const float>() + r * in[1].h_stride() + (columns - 4) * in[1].w_stride();
            float box[4];
            for (int k = 0; k < 4; ++k) {
                box[k] = row[k * in[1].w_stride()];
            }
            const Cells x = cells_of(box[0], box[2], pooled_w_);
            const Cells y = cells_of(box[1], box[3], pooled_h_);
            float* base = to.ptr<float>() + (shift == 1 ? r * to.stride[0] : 0);
            parallel_for(to.shape[shift], context.threads, [&](int64_t c) {
                for (int py = 0; py < pooled_h_; ++py) {
                    for (int px = 0; px < pooled_w_; ++px) {
                        base[c * to.stride[shift] + py * to.stride[shift + 1] + px * to.stride[shift + 2]] =
                            pooled(in[0], static_cast<int>(c), x, y, px, py);
                    }
                }
            });
        }
        return {};
    }

private:
    static int64_t regions(const Shape& shape) { return shape.rank == 2 ? shape.h() : 1; }

    // Both papers' programs round differently: whole pixels of the map there, whole pixels of the image here.
    Cells cells_of(float low, float high, int count) const {
        Cells cells;
        if (position_sensitive_) {
            cells.start = std::round(low) * scale_;
            cells.step = std::max(std::round(high + 1.0F) * scale_ - cells.start, 0.1F) / static_cast<float>(count);
        } else {
            cells.start = std::round(low * scale_);
            cells.step = std::max(std::round(high * scale_) - cells.start + 1.0F, 1.0F) / static_cast<float>(count);
        }
        return cells;
    }

    // Largest value of a cell, or the mean of its own map; 0 where nothing of it lies on the map.
    float pooled(const Tensor& in, int c, const Cells& x, const Cells& y, int px, int py) const {
        int left = 0;
        int right = 0;
        int top = 0;
        int bottom = 0;
        x.of(px, in.w(), &left, &right);
        y.of(py, in.h(), &top, &bottom);
        if (left >= right || top >= bottom) {
            return 0.0F;
        }
        const int channel = position_sensitive_ ? (c * pooled_h_ + py) * pooled_w_ + px : c;
        float best = in.at<const float>(channel, top, left);
        float sum = 0.0F;
        for (int row = top; row < bottom; ++row) {
            for (int column = left; column < right; ++column) {
                const float value = in.at<const float>(channel, row, column);
                best = std::max(best, value);
                sum += value;
            }
        }
        return position_sensitive_ ? sum / static_cast<float>((right - left) * (bottom - top)) : best;
    }

    bool position_sensitive_;
    int pooled_w_ = 0, pooled_h_ = 0, output_dim_ = 0;
    float scale_ = 0.0F;
};

}  // namespace

std::unique_ptr<Layer> make_ROIPooling() {
    return std::make_unique<RoiLayer>(false);
}
std::unique_ptr<Layer> make_PSROIPooling() {
    return std::make_unique<RoiLayer>(true);
}

}  // namespace fw
