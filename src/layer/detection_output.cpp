// DetectionOutput: boxes of an SSD head, decoded, suppressed by class and ranked, as the SSD fork of Caffe does it.
#include <algorithm>
#include <cmath>

#include "layer/layer.h"
#include "layer/support/boxes.h"
#include "layer/support/shape.h"

namespace fw {

namespace {

constexpr int kMultiBox =
    -233;  // num_class of MXNet's form: confidence [class, prior], priors [prior, 4], own variances

// Elements of a tensor of any rank and strides by row-major index.
std::vector<float> row_major(const Tensor& t) {
    std::vector<float> values(static_cast<size_t>(t.count()));
    for_each_element(
        t, [&](int64_t index, int64_t offset) { values[static_cast<size_t>(index)] = t.ptr<float>()[offset]; });
    return values;
}

class DetectionOutput final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        num_class_ = params.i(0);
        nms_threshold_ = params.f(1);
        nms_top_k_ = params.i(2);
        keep_top_k_ = params.i(3);
        confidence_ = params.f(4);
        for (int i = 0; i < 4; ++i) {
            variance_[i] = params.f(5 + i);
        }
        if (num_class_ < 2 && num_class_ != kMultiBox) {
            return Status::error(Code::kInvalidArgument, "num_class is %d, expected at least 2 (0 is the background)",
                                 num_class_);
        }
        if (nms_top_k_ == 0 || keep_top_k_ == 0) {
            return Status::error(Code::kInvalidArgument,
                                 "nms_top_k is %d, keep_top_k %d, expected at least 1, or -1 for all", nms_top_k_,
                                 keep_top_k_);
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        if (in.size() != 3) {
            return Status::error(Code::kUnsupported, "has %zu inputs, expected location, confidence and priors",
                                 in.size());
        }
        const Shape& confidence = in[1].shape;
        const int64_t priors = num_class_ == kMultiBox ? in[2].shape.count() / 4 : in[2].shape.w() / 4;
        const int64_t classes = num_class_ == kMultiBox ? confidence.h() : num_class_;
        const int64_t prior_values = num_class_ == kMultiBox ? priors * 4 : priors * 8;
        const bool two_rows = num_class_ == kMultiBox || in[2].shape.h() == 2;
        if (priors < 1 || classes < 2 || !two_rows || in[2].shape.count() != prior_values ||
            in[0].shape.count() != priors * 4 || confidence.count() != priors * classes) {
            return Status::error(Code::kInvalidArgument,
                                 "location %s, confidence %s and priors %s do not belong together with %lld classes",
                                 in[0].shape.str().c_str(), confidence.str().c_str(), in[2].shape.str().c_str(),
                                 static_cast<long long>(classes));
        }
        const int64_t by_class = nms_top_k_ < 0 ? priors : std::min<int64_t>(priors, nms_top_k_);
        const int64_t all = by_class * (classes - 1);
        const int64_t dims[] = {keep_top_k_ < 0 ? all : std::min<int64_t>(all, keep_top_k_), 6};
        return make_shape(2, dims, &out[0].shape);
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& /*context*/) const override {
        const bool multibox = num_class_ == kMultiBox;
        const std::vector<float> scores = row_major(in[1]);
        const std::vector<Box> boxes = decode(row_major(in[0]), row_major(in[2]));
        const size_t priors = boxes.size();
        const size_t classes = priors == 0 ? 0 : scores.size() / priors;
        std::vector<Box> all;
        std::vector<Box> of_class;
        for (size_t label = 1; label < classes; ++label) {
            of_class.clear();
            for (size_t i = 0; i < priors; ++i) {
                const float score = scores[multibox ? label * priors + i : i * classes + label];
                if (score > confidence_) {  // false for NaN
                    of_class.push_back(boxes[i]);
                    of_class.back().score = score;
                    of_class.back().label = static_cast<int>(label);
                    of_class.back().order = static_cast<int>(i);
                }
            }
            keep_best(&of_class, nms_top_k_);
            // No class can have more than keep_top_k of the best boxes, and its own best come first.
            suppress(&of_class, nms_threshold_, keep_top_k_);
            for (Box& box : of_class) {
                box.order = static_cast<int>(all.size());
                all.push_back(box);
            }
        }
        keep_best(&all, keep_top_k_);
        write_boxes(all, &out[0]);
        return {};
    }

private:
    // Centre and size of each box relative to its prior's.
    std::vector<Box> decode(const std::vector<float>& location, const std::vector<float>& prior) const {
        std::vector<Box> boxes(location.size() / 4);
        for (size_t i = 0; i < boxes.size(); ++i) {
            const float* p = prior.data() + i * 4;
            const float* l = location.data() + i * 4;
            const float* v = num_class_ == kMultiBox ? variance_ : prior.data() + location.size() + i * 4;
            const float prior_w = p[2] - p[0];
            const float prior_h = p[3] - p[1];
            const float cx = v[0] * l[0] * prior_w + (p[0] + p[2]) * 0.5F;
            const float cy = v[1] * l[1] * prior_h + (p[1] + p[3]) * 0.5F;
            const float w = std::exp(v[2] * l[2]) * prior_w;
            const float h = std::exp(v[3] * l[3]) * prior_h;
            boxes[i].xmin = cx - w * 0.5F;
            boxes[i].ymin = cy - h * 0.5F;
            boxes[i].xmax = cx + w * 0.5F;
            boxes[i].ymax = cy + h * 0.5F;
        }
        return boxes;
    }

    int num_class_ = 0, nms_top_k_ = 0, keep_top_k_ = 0;
    float nms_threshold_ = 0, confidence_ = 0;
    float variance_[4] = {0, 0, 0, 0};
};

}  // namespace

std::unique_ptr<Layer> make_DetectionOutput() {
    return std::make_unique<DetectionOutput>();
}

}  // namespace fw
