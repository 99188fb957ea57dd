// ROIPooling, PSROIPooling and ROIAlign: a fixed grid of cells out of regions of a feature map, as Fast R-CNN
// (Girshick, 2015, section 2.1), R-FCN (Dai et al., 2016, section 2.2) and Mask R-CNN (He et al., 2017, section 3) pool
// them. Input 1 has the regions in pixels of the image: x1, y1, x2, y2 each, or Caffe's rows with the image's index
// before them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "layer/layer.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

struct Box {
    float x1, y1, x2, y2;
};

// What the three have in common; they differ in what a cell is.
class RoiLayer : public Layer {
public:
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
        const int64_t dims[] = {regions(in[1].shape), output_dim_ > 0 ? output_dim_ : in[0].shape.c(), pooled_h_,
                                pooled_w_};
        return dims[0] == 1 ? make_shape(3, dims + 1, &out[0].shape) : make_shape(4, dims, &out[0].shape);
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const Tensor& to = out[0];
        const int shift = to.rank() - 3;
        const int columns = in[1].w();
        for (int64_t r = 0; r < regions(in[1].shape); ++r) {
            const int64_t step = in[1].w_stride();
            const float* row = in[1].ptr<const float>() + r * in[1].h_stride() + (columns - 4) * step;
            const Box box = {row[0], row[step], row[2 * step], row[3 * step]};
            float* base = to.ptr<float>() + (shift == 1 ? r * to.stride[0] : 0);
            parallel_for(to.shape[shift], context.threads, [&](int64_t c) {
                for (int py = 0; py < pooled_h_; ++py) {
                    for (int px = 0; px < pooled_w_; ++px) {
                        base[c * to.stride[shift] + py * to.stride[shift + 1] + px * to.stride[shift + 2]] =
                            cell(in[0], static_cast<int>(c), box, px, py);
                    }
                }
            });
        }
        return {};
    }

protected:
    static int64_t regions(const Shape& shape) { return shape.rank == 2 ? shape.h() : 1; }

    /// Channel c of the output at (px, py) of the grid in that region.
    virtual float cell(const Tensor& in, int c, const Box& box, int px, int py) const = 0;

    int pooled_w_ = 0, pooled_h_ = 0;
    int output_dim_ = 0;  ///< channels of the output; 0 = those of the input
    float scale_ = 0.0F;
};

// The rows or columns [begin, end) of one cell, from the region's start and the cells' width.
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

class RoiPooling final : public RoiLayer {
public:
    explicit RoiPooling(bool position_sensitive) : position_sensitive_(position_sensitive) {}

    Status load(const Params& params, Span<const Weight> weights) override {
        FW_RETURN_IF_ERROR(RoiLayer::load(params, weights));
        if (position_sensitive_) {
            output_dim_ = params.i(3);
            return check_range("output_dim", output_dim_, 1, 1 << 20);
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const int64_t maps = int64_t{pooled_w_} * pooled_h_ * output_dim_;
        if (position_sensitive_ && in[0].shape.c() != maps) {
            return Status::error(Code::kInvalidArgument,
                                 "input is %s, expected %lld channels, a map for every cell of %d",
                                 in[0].shape.str().c_str(), static_cast<long long>(maps), output_dim_);
        }
        return RoiLayer::infer(in, out);
    }

private:
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
    float cell(const Tensor& in, int c, const Box& box, int px, int py) const override {
        int left = 0;
        int right = 0;
        int top = 0;
        int bottom = 0;
        cells_of(box.x1, box.x2, pooled_w_).of(px, in.w(), &left, &right);
        cells_of(box.y1, box.y2, pooled_h_).of(py, in.h(), &top, &bottom);
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
};

// The samples of one cell along one axis of the map, evenly spread over the cell.
struct Samples {
    float start, width;  ///< of the cell
    int64_t count;
    int extent;  ///< of the map

    float at(int64_t i) const { return start + (static_cast<float>(i) + 0.5F) * width / static_cast<float>(count); }
    bool on_map(float place) const { return place >= -1.0F && place <= static_cast<float>(extent); }

    // Of a region far larger than the map: [first, end) holds the samples on it and at most a few more.
    void range(int64_t* first, int64_t* end) const {
        *first = 0;
        *end = count;
        const double step = static_cast<double>(width) / static_cast<double>(count);
        if (step > 0.0) {
            const auto cut = [&](double i) {  // nan counts as 0
                return i > 0.0 ? static_cast<int64_t>(std::min(i, static_cast<double>(count))) : 0;
            };
            *first = cut((-1.0 - static_cast<double>(start)) / step - 2.0);
            *end = cut((extent - static_cast<double>(start)) / step + 2.0);
        }
    }

    // The two lines of the map beside a place on it, and the weight of the second.
    void neighbours(float place, int* low, int* high, float* weight) const {
        const float inside = std::max(place, 0.0F);
        *low = std::min(static_cast<int>(inside), extent - 1);
        *high = std::min(*low + 1, extent - 1);
        *weight = *high == *low ? 0.0F : inside - static_cast<float>(*low);
    }
};

class RoiAlign final : public RoiLayer {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        FW_RETURN_IF_ERROR(RoiLayer::load(params, weights));
        ratio_ = params.i(3);
        aligned_ = params.i(4) != 0;
        max_ = params.i(24) != 0;
        if (params.i(5) != 1) {
            return Status::error(Code::kUnsupported, "version is %d, expected 1, Detectron2's and ONNX's ROIAlign",
                                 params.i(5));
        }
        return check_range("sampling_ratio", ratio_, 0, 1 << 8);
    }

private:
    Samples samples(float low, float high, int cells, int cell, int extent) const {
        const float offset = aligned_ ? 0.5F : 0.0F;
        const float start = low * scale_ - offset;
        const float length = high * scale_ - offset - start;
        const float width = (aligned_ ? length : std::max(length, 1.0F)) / static_cast<float>(cells);
        const float most = std::ceil(std::min(width, 1073741824.0F));
        const int64_t count = ratio_ > 0 ? ratio_ : most > 0.0F ? static_cast<int64_t>(most) : 0;
        return {start + static_cast<float>(cell) * width, width, count, extent};
    }

    // Mean of the cell's samples, each interpolated between four points and 0 off the map. The maximum is, as ONNX
    // defines it by its reference, that of the weighted points.
    float cell(const Tensor& in, int c, const Box& box, int px, int py) const override {
        const Samples across = samples(box.x1, box.x2, pooled_w_, px, in.w());
        const Samples down = samples(box.y1, box.y2, pooled_h_, py, in.h());
        int64_t left = 0;
        int64_t right = 0;
        int64_t top = 0;
        int64_t bottom = 0;
        across.range(&left, &right);
        down.range(&top, &bottom);
        float sum = 0.0F;
        float best = -std::numeric_limits<float>::infinity();
        int64_t used = 0;
        for (int64_t i = top; i < bottom; ++i) {
            const float y = down.at(i);
            for (int64_t j = left; j < right && down.on_map(y); ++j) {
                const float x = across.at(j);
                if (!across.on_map(x)) {
                    continue;
                }
                int x0 = 0;
                int x1 = 0;
                int y0 = 0;
                int y1 = 0;
                float wx = 0.0F;
                float wy = 0.0F;
                across.neighbours(x, &x0, &x1, &wx);
                down.neighbours(y, &y0, &y1, &wy);
                const float parts[] = {(1.0F - wy) * (1.0F - wx) * in.at<const float>(c, y0, x0),
                                       (1.0F - wy) * wx * in.at<const float>(c, y0, x1),
                                       wy * (1.0F - wx) * in.at<const float>(c, y1, x0),
                                       wy * wx * in.at<const float>(c, y1, x1)};
                sum += parts[0] + parts[1] + parts[2] + parts[3];
                best = std::max(best, *std::max_element(parts, parts + 4));
                ++used;
            }
        }
        const int64_t all = across.count * down.count;
        if (max_) {
            return used == 0 ? 0.0F : used < all ? std::max(best, 0.0F) : best;
        }
        return sum / static_cast<float>(std::max<int64_t>(all, 1));
    }

    int ratio_ = 0;
    bool aligned_ = false, max_ = false;
};

}  // namespace

std::unique_ptr<Layer> make_ROIAlign() {
    return std::make_unique<RoiAlign>();
}
std::unique_ptr<Layer> make_ROIPooling() {
    return std::make_unique<RoiPooling>(false);
}
std::unique_ptr<Layer> make_PSROIPooling() {
    return std::make_unique<RoiPooling>(true);
}

}  // namespace fw
