// YoloDetectionOutput (v2) and Yolov3DetectionOutput: boxes of YOLO heads, decoded, ranked and suppressed over all
// classes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "layer/layer.h"
#include "layer/support/boxes.h"
#include "layer/support/shape.h"

namespace fw {

namespace {

float sigmoid(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

// What both versions share: channels are num_box times (x, y, w, h, objectness, a score for each class).
class YoloLayer : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        num_class_ = params.i(0);
        num_box_ = params.i(1);
        confidence_ = params.f(2);
        nms_threshold_ = params.f(3);
        anchors_ = params.floats(4);
        if (num_class_ < 1 || num_box_ < 1) {
            return Status::error(Code::kInvalidArgument, "num_class is %d, num_box %d, expected at least 1", num_class_,
                                 num_box_);
        }
        return load_anchors(params);
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        FW_RETURN_IF_ERROR(check_inputs(in.size()));
        int64_t cells = 0;
        for (const TensorDesc& desc : in) {
            FW_RETURN_IF_ERROR(check_rank(desc.shape, 3, 3));
            const int64_t channels = num_box_ * (5 + int64_t{num_class_});
            if (desc.shape.c() != channels) {
                return Status::error(Code::kInvalidArgument,
                                     "input is %s, expected num_box x (5 + num_class) = %lld channels",
                                     desc.shape.str().c_str(), static_cast<long long>(channels));
            }
            cells += int64_t{desc.shape.w()} * desc.shape.h();  // times num_box, no more than the input's elements
        }
        const int64_t dims[] = {cells * num_box_, 6};
        return make_shape(2, dims, &out[0].shape);
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& /*context*/) const override {
        std::vector<Box> boxes;
        for (size_t k = 0; k < in.size(); ++k) {
            for (int box = 0; box < num_box_; ++box) {
                collect(in[k], box, anchor_of(in[k], k, box), &boxes);
            }
        }
        keep_best(&boxes, -1);
        suppress(&boxes, nms_threshold_, -1);
        write_boxes(boxes, &out[0]);
        return {};
    }

protected:
    /// Size of an anchor relative to the image.
    struct Anchor {
        float w = 0;
        float h = 0;
    };

    virtual Status load_anchors(const Params& params) = 0;
    virtual Status check_inputs(size_t count) const = 0;
    virtual Anchor anchor_of(const Tensor& in, size_t input, int box) const = 0;
    /// Confidence from objectness and the scores of the classes (`stride` apart, `best` the largest).
    virtual float confidence(float objectness, const float* scores, int64_t stride, float best) const = 0;

    int num_class_ = 0, num_box_ = 0;
    float confidence_ = 0, nms_threshold_ = 0;
    std::vector<float> anchors_;  ///< width, height

private:
    void collect(const Tensor& in, int box, const Anchor& anchor, std::vector<Box>* boxes) const {
        const int64_t c = in.c_stride();
        const auto width = static_cast<float>(in.w());
        const auto height = static_cast<float>(in.h());
        for (int y = 0; y < in.h(); ++y) {
            for (int x = 0; x < in.w(); ++x) {
                const float* p = &in.at(box * (5 + num_class_), y, x);
                int label = 0;
                float best = -std::numeric_limits<float>::max();
                for (int q = 0; q < num_class_; ++q) {
                    const float score = p[(5 + q) * c];
                    if (score > best) {
                        label = q;
                        best = score;
                    }
                }
                const float score = confidence(p[4 * c], p + 5 * c, c, best);
                if (!(score >= confidence_)) {  // NaN goes
                    continue;
                }
                const float cx = (static_cast<float>(x) + sigmoid(p[0])) / width;
                const float cy = (static_cast<float>(y) + sigmoid(p[c])) / height;
                const float w = std::exp(p[2 * c]) * anchor.w;
                const float h = std::exp(p[3 * c]) * anchor.h;
                Box b;
                b.score = score;
                b.label = label + 1;  // 0 is the background
                b.order = static_cast<int>(boxes->size());
                b.xmin = cx - w * 0.5F;
                b.ymin = cy - h * 0.5F;
                b.xmax = cx + w * 0.5F;
                b.ymax = cy + h * 0.5F;
                boxes->push_back(b);
            }
        }
    }
};

class YoloDetectionOutput final : public YoloLayer {
protected:
    Status load_anchors(const Params& /*params*/) override {
        if (anchors_.size() / 2 < static_cast<size_t>(num_box_)) {
            return Status::error(Code::kInvalidArgument, "biases has %zu values, expected 2 for each of %d boxes",
                                 anchors_.size(), num_box_);
        }
        return {};
    }
    Status check_inputs(size_t count) const override {
        if (count != 1) {
            return Status::error(Code::kInvalidArgument, "has %zu inputs, expected 1", count);
        }
        return {};
    }
    // Anchors are in cells.
    Anchor anchor_of(const Tensor& in, size_t /*input*/, int box) const override {
        const auto k = static_cast<size_t>(box) * 2;
        return {anchors_[k] / static_cast<float>(in.w()), anchors_[k + 1] / static_cast<float>(in.h())};
    }
    // The share of the best class in a softmax.
    float confidence(float objectness, const float* scores, int64_t stride, float best) const override {
        float sum = 0.0F;
        for (int q = 0; q < num_class_; ++q) {
            sum += std::exp(scores[q * stride] - best);
        }
        return sigmoid(objectness) / sum;
    }
};

class Yolov3DetectionOutput final : public YoloLayer {
protected:
    Status load_anchors(const Params& params) override {
        scales_ = params.floats(6);
        for (int value : params.ints(5)) {
            const int index = from_float_bits(value);
            if (index < 0 || static_cast<size_t>(index) >= anchors_.size() / 2) {
                return Status::error(Code::kInvalidArgument, "mask has %d, expected indices of the %zu anchors", value,
                                     anchors_.size() / 2);
            }
            mask_.push_back(static_cast<size_t>(index));
        }
        for (float scale : scales_) {
            if (!(scale > 0.0F && scale < 1e6F)) {
                return Status::error(Code::kInvalidArgument, "anchors_scale has %g, expected numbers above 0",
                                     static_cast<double>(scale));
            }
        }
        return {};
    }
    Status check_inputs(size_t count) const override {
        if (scales_.size() < count || mask_.size() / static_cast<size_t>(num_box_) < count) {
            return Status::error(Code::kInvalidArgument,
                                 "anchors_scale has %zu values, mask %zu, expected 1 and %d for each of %zu inputs",
                                 scales_.size(), mask_.size(), num_box_, count);
        }
        return {};
    }
    // Anchors are in pixels of the image, whose size is the map's times its stride.
    Anchor anchor_of(const Tensor& in, size_t input, int box) const override {
        const size_t k = mask_[input * static_cast<size_t>(num_box_) + static_cast<size_t>(box)] * 2;
        const float net_w = std::max(std::floor(scales_[input] * static_cast<float>(in.w())), 1.0F);
        const float net_h = std::max(std::floor(scales_[input] * static_cast<float>(in.h())), 1.0F);
        return {anchors_[k] / net_w, anchors_[k + 1] / net_h};
    }
    // The product of both sigmoids, as Darknet has it.
    float confidence(float objectness, const float* /*scores*/, int64_t /*stride*/, float best) const override {
        return 1.0F / ((1.0F + std::exp(-objectness)) * (1.0F + std::exp(-best)));
    }

private:
    // Converters write the mask, an array of floats, by its bits as integers: 1077936128 is 3.0.
    static int from_float_bits(int value) {
        constexpr int kOne = 0x3f800000;
        float number = 0.0F;
        std::memcpy(&number, &value, sizeof(number));
        return value >= kOne && number < 1e6F ? static_cast<int>(number) : value;
    }

    std::vector<size_t> mask_;
    std::vector<float> scales_;
};

}  // namespace

std::unique_ptr<Layer> make_YoloDetectionOutput() {
    return std::make_unique<YoloDetectionOutput>();
}
std::unique_ptr<Layer> make_Yolov3DetectionOutput() {
    return std::make_unique<Yolov3DetectionOutput>();
}

}  // namespace fw
