// Proposal: the regions of Faster R-CNN's region proposal network (Ren et al., 2015, section 3.1), as py-faster-rcnn
// makes them in Python. Inputs: scores [2 * anchors x h x w] (background, then object), corrections of the anchors [4 *
// anchors x h x w], and height, width and scale of the image. Outputs: [regions x 4] corners in pixels, best first, and
// their scores [regions]. Where suppression leaves fewer regions the rest are zeros.
#include <algorithm>
#include <cmath>

#include "layer/layer.h"
#include "layer/support/boxes.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

class Proposal final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        stride_ = params.i(0);
        const int base = params.i(1);
        before_ = params.i(2);
        after_ = params.i(3);
        threshold_ = params.f(4);
        min_size_ = static_cast<float>(params.i(5));
        FW_RETURN_IF_ERROR(check_range("feat_stride", stride_, 1, 1 << 12));
        FW_RETURN_IF_ERROR(check_range("base_size", base, 1, 1 << 12));
        FW_RETURN_IF_ERROR(check_range("pre_nms_topN", before_, 1, static_cast<int64_t>(kMaxCandidates)));
        FW_RETURN_IF_ERROR(check_range("after_nms_topN", after_, 1, static_cast<int64_t>(kMaxCandidates)));
        const std::vector<float> ratios = params.has(6) ? params.floats(6) : std::vector<float>{0.5F, 1.0F, 2.0F};
        const std::vector<float> scales = params.has(7) ? params.floats(7) : std::vector<float>{8.0F, 16.0F, 32.0F};
        FW_RETURN_IF_ERROR(
            check_range("number of anchors", static_cast<int64_t>(ratios.size() * scales.size()), 1, 1 << 12));
        for (const std::vector<float>* list : {&ratios, &scales}) {
            for (const float value : *list) {
                if (!(value > 0.0F && value < 1e4F)) {
                    return Status::error(Code::kInvalidArgument, "a ratio or scale is %g, expected a number above 0",
                                         static_cast<double>(value));
                }
            }
        }
        // Sides are rounded to pixels before they are scaled.
        const float centre = 0.5F * static_cast<float>(base - 1);
        for (const float ratio : ratios) {
            const float width = std::nearbyint(std::sqrt(static_cast<float>(base) * static_cast<float>(base) / ratio));
            const float height = std::nearbyint(width * ratio);
            for (const float scale : scales) {
                const float dx = 0.5F * (width * scale - 1.0F);
                const float dy = 0.5F * (height * scale - 1.0F);
                anchors_.push_back({0.0F, centre - dx, centre - dy, centre + dx, centre + dy});
            }
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const auto anchors = static_cast<int64_t>(anchors_.size());
        const Shape& scores = in[0].shape;
        const Shape& boxes = in[1].shape;
        FW_RETURN_IF_ERROR(check_rank(scores, 3, 3));
        if (scores.c() != 2 * anchors || boxes.rank != 3 || boxes.c() != 4 * anchors || boxes.h() != scores.h() ||
            boxes.w() != scores.w() || in[2].shape.count() < 3) {
            return Status::error(Code::kInvalidArgument,
                                 "inputs are %s, %s and %s, expected 2 and 4 channels for each of %lld anchors, and 3 "
                                 "numbers of the image",
                                 scores.str().c_str(), boxes.str().c_str(), in[2].shape.str().c_str(),
                                 static_cast<long long>(anchors));
        }
        const int64_t dims[] = {std::min<int64_t>(after_, anchors * scores.h() * scores.w()), 4};
        FW_RETURN_IF_ERROR(make_shape(2, dims, &out[0].shape));
        return out.size() > 1 ? make_shape(1, dims, &out[1].shape) : Status();
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& /*context*/) const override {
        float image[3] = {0, 0, 0};
        for_each_element(in[2], [&](int64_t index, int64_t offset) {
            if (index < 3) {
                image[index] = in[2].ptr()[offset];
            }
        });
        std::vector<Box> boxes;
        std::vector<Box> sorted;
        for (int y = 0; y < in[0].h(); ++y) {
            for (int x = 0; x < in[0].w(); ++x) {
                for (int a = 0; a < static_cast<int>(anchors_.size()); ++a) {
                    Box box = corrected(in[1], a, y, x, image);
                    box.score = in[0].at<const float>(static_cast<int>(anchors_.size()) + a, y, x);
                    box.order = static_cast<int>(boxes.size());
                    const float least = min_size_ * image[2];
                    boxes.push_back(box);
                    if (box.xmax - box.xmin + 1.0F >= least && box.ymax - box.ymin + 1.0F >= least &&
                        box.score == box.score) {
                        // A corner is a pixel: the box reaches to that pixel's end.
                        box.xmax += 1.0F;
                        box.ymax += 1.0F;
                        sorted.push_back(box);
                    }
                }
            }
        }
        keep_best(&sorted, before_);
        suppress(&sorted, threshold_, out[0].h());
        for (int64_t i = 0; i < out[0].h(); ++i) {
            const bool is_region = i < static_cast<int64_t>(sorted.size());
            const Box box = is_region ? boxes[static_cast<size_t>(sorted[static_cast<size_t>(i)].order)] : Box();
            const float row[] = {box.xmin, box.ymin, box.xmax, box.ymax};
            for (int64_t k = 0; k < 4; ++k) {
                out[0].ptr()[i * out[0].stride[0] + k * out[0].stride[1]] = row[k];
            }
            if (out.size() > 1) {
                out[1].ptr()[i * out[1].stride[0]] = box.score;
            }
        }
        return {};
    }

private:
    // The anchor at that cell, moved and stretched, its corners within the image.
    Box corrected(const Tensor& deltas, int anchor, int y, int x, const float* image) const {
        const Box& a = anchors_[static_cast<size_t>(anchor)];
        const float width = a.xmax - a.xmin + 1.0F;
        const float height = a.ymax - a.ymin + 1.0F;
        const auto delta = [&](int k) { return deltas.at<const float>(4 * anchor + k, y, x); };
        const float cx = a.xmin + static_cast<float>(x * stride_) + 0.5F * width + delta(0) * width;
        const float cy = a.ymin + static_cast<float>(y * stride_) + 0.5F * height + delta(1) * height;
        const float half_w = 0.5F * std::exp(delta(2)) * width;
        const float half_h = 0.5F * std::exp(delta(3)) * height;
        const auto within = [](float v, float last) { return std::max(std::min(v, last), 0.0F); };
        Box box;
        box.xmin = within(cx - half_w, image[1] - 1.0F);
        box.ymin = within(cy - half_h, image[0] - 1.0F);
        box.xmax = within(cx + half_w, image[1] - 1.0F);
        box.ymax = within(cy + half_h, image[0] - 1.0F);
        return box;
    }

    int stride_ = 0, before_ = 0, after_ = 0;
    float threshold_ = 0, min_size_ = 0;
    std::vector<Box> anchors_;  ///< at the first cell; ratio by ratio, the scales of each
};

}  // namespace

std::unique_ptr<Layer> make_Proposal() {
    return std::make_unique<Proposal>();
}

}  // namespace fw
