// PriorBox: the default boxes of each cell of a feature map, as the SSD fork of Caffe makes them.
#include <algorithm>
#include <cmath>

#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/shape.h"

namespace fw {

namespace {

constexpr int kAbsent = -233;

class PriorBox final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        min_sizes_ = params.floats(0);
        max_sizes_ = params.floats(1);
        ratios_ = params.floats(2);
        for (int i = 0; i < 4; ++i) {
            variance_[i] = params.f(3 + i);
        }
        flip_ = params.i(7) != 0;
        clip_ = params.i(8) != 0;
        image_w_ = params.i(9);
        image_h_ = params.i(10);
        step_w_ = params.f(11);
        step_h_ = params.f(12);
        offset_ = params.f(13);
        round_step_ = params.i(14) != 0;
        inner_center_ = params.i(15) != 0;
        if (min_sizes_.empty()) {
            return Status::error(Code::kInvalidArgument, "min_sizes is empty, expected at least one");
        }
        if (!max_sizes_.empty() && max_sizes_.size() != min_sizes_.size()) {
            return Status::error(Code::kInvalidArgument, "max_sizes has %zu values, expected as many as min_sizes, %zu",
                                 max_sizes_.size(), min_sizes_.size());
        }
        const struct {
            const char* name;
            const std::vector<float>* values;
        } lists[] = {{"min_sizes", &min_sizes_}, {"max_sizes", &max_sizes_}, {"aspect_ratios", &ratios_}};
        for (const auto& list : lists) {
            for (float value : *list.values) {
                if (!(value > 0.0F && std::isfinite(value))) {
                    return Status::error(Code::kInvalidArgument, "%s has %g, expected numbers above 0", list.name,
                                         static_cast<double>(value));
                }
            }
        }
        for (int size : {image_w_, image_h_}) {
            if (size < 0 && size != kAbsent) {
                return Status::error(Code::kInvalidArgument,
                                     "image size is %d x %d, expected sizes from 1, or 0 or %d for the second input's",
                                     image_w_, image_h_, kAbsent);
            }
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& map = in[0].shape;
        FW_RETURN_IF_ERROR(check_rank(map, 3, 3));
        if (!of_sizes(in.size()) && in.size() < 2 && (image_w_ <= 0 || image_h_ <= 0)) {
            return Status::error(Code::kInvalidArgument,
                                 "image size is %d x %d and there is no second input to take it from", image_w_,
                                 image_h_);
        }
        const int64_t cells = int64_t{map.w()} * map.h();
        const auto priors = static_cast<int64_t>(priors_of_cell(in.size()));
        if (cells > Shape::kMaxElements || priors > Shape::kMaxElements / 8 / cells) {
            return Status::error(Code::kInvalidArgument, "%lld priors on a map %s are too many",
                                 static_cast<long long>(priors), map.str().c_str());
        }
        const int64_t dims[] = {2, cells * priors * 4};
        return of_sizes(in.size()) ? make_shape(1, dims + 1, &out[0].shape) : make_shape(2, dims, &out[0].shape);
    }

    // Only the shapes of the inputs are read, so they may be of any type.
    Status prepare(const PrepareContext& context) override {
        if (context.outputs[0].dtype != DType::kFloat32) {
            return Status::error(Code::kUnsupported, "has no %s implementation", name(context.outputs[0].dtype));
        }
        return {};
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& /*context*/) const override {
        const int w = in[0].w();
        const int h = in[0].h();
        const Tensor& to = out[0];
        const int64_t step = to.w_stride();
        if (of_sizes(in.size())) {
            sizes_and_ratios(w, h, Writer{to.ptr<float>(), step, clip_});
            return {};
        }
        const int image_w = image_w_ > 0 ? image_w_ : in[1].w();
        const int image_h = image_h_ > 0 ? image_h_ : in[1].h();
        ssd(w, h, image_w, image_h, Writer{to.ptr<float>(), step, clip_});
        float* variances = to.ptr<float>() + to.stride[0];
        for (int64_t i = 0; i < to.w(); ++i) {
            variances[i * step] = variance_[i % 4];
        }
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        ConstantOperation constant;
        constant.values.resize(static_cast<size_t>(out[0].count()));
        Tensor values = make_tensor(constant.values.data(), TensorDesc{out[0].shape, out[0].dtype, {}}, Layout::kPlain);
        FW_RETURN_IF_ERROR(forward(in, {&values, 1}, RunContext()));
        *operation = std::move(constant);
        return {};
    }

private:
    // Appends boxes to a row.
    struct Writer {
        float* to;
        int64_t step;
        bool clip;

        void box(float xmin, float ymin, float xmax, float ymax) {
            for (float value : {xmin, ymin, xmax, ymax}) {
                *to = clip ? std::min(std::max(value, 0.0F), 1.0F) : value;
                to += step;
            }
        }
    };

    // Without an image, and without maximal sizes, a layer of MXNet (MultiBoxPrior): sizes are fractions of the image.
    bool of_sizes(size_t inputs) const {
        return inputs == 1 && image_w_ == kAbsent && image_h_ == kAbsent && max_sizes_.empty();
    }

    size_t priors_of_cell(size_t inputs) const {
        if (of_sizes(inputs)) {
            return min_sizes_.size() + std::max<size_t>(ratios_.size(), 1) - 1;
        }
        return min_sizes_.size() * (1 + ratios_.size() * (flip_ ? 2 : 1)) + max_sizes_.size();
    }

    // For each cell and minimal size: a square of it, one of the geometric mean with the maximal size, then one box of
    // each aspect ratio and of its inverse.
    void ssd(int w, int h, int image_w, int image_h, Writer row) const {
        const float step_w = step_of(step_w_, image_w, w);
        const float step_h = step_of(step_h_, image_h, h);
        const auto width = static_cast<float>(image_w);
        const auto height = static_cast<float>(image_h);
        const float first_x = offset_ * (inner_center_ ? step_w - 1.0F : step_w);
        const float first_y = offset_ * (inner_center_ ? step_h - 1.0F : step_h);
        for (int y = 0; y < h; ++y) {
            for (int x = 0; x < w; ++x) {
                const float cx = first_x + static_cast<float>(x) * step_w;
                const float cy = first_y + static_cast<float>(y) * step_h;
                const auto box = [&](float bw, float bh) {
                    row.box((cx - bw * 0.5F) / width, (cy - bh * 0.5F) / height, (cx + bw * 0.5F) / width,
                            (cy + bh * 0.5F) / height);
                };
                for (size_t k = 0; k < min_sizes_.size(); ++k) {
                    const float size = min_sizes_[k];
                    box(size, size);
                    if (!max_sizes_.empty()) {
                        const float mean = std::sqrt(size * max_sizes_[k]);
                        box(mean, mean);
                    }
                    for (float ratio : ratios_) {
                        const float root = std::sqrt(ratio);
                        box(size * root, size / root);
                        if (flip_) {
                            box(size / root, size * root);
                        }
                    }
                }
            }
        }
    }

    // Squares of each size, then the first size with each ratio after the first.
    void sizes_and_ratios(int w, int h, Writer row) const {
        const float step_w = step_w_ == kAbsent ? 1.0F / static_cast<float>(w) : step_w_;
        const float step_h = step_h_ == kAbsent ? 1.0F / static_cast<float>(h) : step_h_;
        const float aspect = static_cast<float>(h) / static_cast<float>(w);
        for (int y = 0; y < h; ++y) {
            for (int x = 0; x < w; ++x) {
                const float cx = offset_ * step_w + static_cast<float>(x) * step_w;
                const float cy = offset_ * step_h + static_cast<float>(y) * step_h;
                const auto box = [&](float half_w, float half_h) {
                    row.box(cx - half_w, cy - half_h, cx + half_w, cy + half_h);
                };
                for (float size : min_sizes_) {
                    box(size * aspect / 2.0F, size / 2.0F);
                }
                for (size_t k = 1; k < ratios_.size(); ++k) {
                    const float root = std::sqrt(ratios_[k]);
                    box(min_sizes_[0] * aspect * root / 2.0F, min_sizes_[0] / root / 2.0F);
                }
            }
        }
    }

    float step_of(float given, int image, int cells) const {
        if (given != kAbsent) {
            return given;
        }
        const float step = static_cast<float>(image) / static_cast<float>(cells);
        return round_step_ ? std::ceil(step) : step;
    }

    std::vector<float> min_sizes_, max_sizes_, ratios_;
    float variance_[4] = {0, 0, 0, 0};
    bool flip_ = true, clip_ = false, round_step_ = false, inner_center_ = false;
    int image_w_ = 0, image_h_ = 0;
    float step_w_ = 0, step_h_ = 0, offset_ = 0;
};

}  // namespace

std::unique_ptr<Layer> make_PriorBox() {
    return std::make_unique<PriorBox>();
}

}  // namespace fw
