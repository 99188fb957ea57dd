// Interp: resizes width and height, nearest, bilinear or bicubic, with OpenCV's sampling places or those that
// `coordinates` names (ONNX's coordinate_transformation_mode). Nearest and bilinear
// also in int8 (docs/int8-contract.md).
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "layer/operation.h"
#include "layer/support/expression.h"
#include "layer/support/gather.h"
#include "layer/support/move_layer.h"
#include "layer/support/shape.h"
#include "layer/support/strided_copy.h"
#include "layer/support/weights.h"
#include "quant/quant.h"

namespace fw {

namespace {

constexpr int kMaxTaps = 4;
constexpr int kWeightBits = 8;  // of a bilinear int8 weight: int8 times it is an int16

// The input cells and weights of one output index; borders repeat the outermost cell.
struct Sample {
    int index[kMaxTaps];
    float weight[kMaxTaps];
    int16_t second;  ///< bilinear: weight[1] in units of 2^-kWeightBits
};

void cubic_weights(float t, float a, float* weight) {
    const float t0 = t + 1.0F;
    const float t2 = 1.0F - t;
    weight[0] = a * t0 * t0 * t0 - 5.0F * a * t0 * t0 + 8.0F * a * t0 - 4.0F * a;
    weight[1] = (a + 2.0F) * t * t * t - (a + 3.0F) * t * t + 1.0F;
    weight[2] = (a + 2.0F) * t2 * t2 * t2 - (a + 3.0F) * t2 * t2 + 1.0F;
    weight[3] = 1.0F - weight[0] - weight[1] - weight[2];
}

enum class Coordinates : uint8_t { kDefault, kHalfPixel, kAsymmetric, kAlignCorners, kHalfPixelOrZero };
constexpr int kLastCoordinates = static_cast<int>(Coordinates::kHalfPixelOrZero);

// Where samples lie along an axis. `factor` is the scale a layer gives instead of a size, else 0: it may differ from
// the ratio of the sizes, which are whole.
struct Axis {
    int in, out;
    Coordinates coordinates;
    float factor;

    double place(int i) const {
        const double scale = factor > 0.0F ? 1.0 / static_cast<double>(factor) : static_cast<double>(in) / out;
        switch (coordinates) {
            case Coordinates::kAsymmetric: return i * scale;
            case Coordinates::kAlignCorners: return out > 1 ? i * (static_cast<double>(in - 1) / (out - 1)) : 0.0;
            case Coordinates::kHalfPixelOrZero: return out > 1 ? (i + 0.5) * scale - 0.5 : 0.0;
            default: return (i + 0.5) * scale - 0.5;
        }
    }
};

std::vector<Sample> make_samples(const Axis& axis, int taps, float cubic_a) {
    const int in = axis.in;
    std::vector<Sample> samples(static_cast<size_t>(axis.out));
    for (int i = 0; i < axis.out; ++i) {
        const double place = axis.place(i);
        // No further out than the border's repetition reaches, so that the cell's index stays an int.
        const float x = std::min(std::max(static_cast<float>(place), -4.0F), static_cast<float>(in) + 4.0F);
        const float cell = std::floor(x);
        const float t = x - cell;
        Sample& sample = samples[static_cast<size_t>(i)];
        if (taps == 2) {
            sample.weight[0] = 1.0F - t;
            sample.weight[1] = t;
            sample.second = static_cast<int16_t>(round_half_even(std::ldexp(static_cast<double>(t), kWeightBits)));
        } else {
            cubic_weights(t, cubic_a, sample.weight);
        }
        const int first = static_cast<int>(cell) - (taps == 2 ? 0 : 1);
        for (int k = 0; k < taps; ++k) {
            sample.index[k] = std::min(std::max(first + k, 0), in - 1);
        }
    }
    return samples;
}

// One output pixel: rows of the image are interpolated along x first, then along y. Taps is a constant so that the
// loops over it unroll and the one over channels becomes vectors.
template <int Taps>
void sample_pixel(const float* const (&cells)[Taps][Taps], const Sample& x, const Sample& y, int channels,
                  int64_t in_stride, float* to, int64_t out_stride) {
    const float* wx = x.weight;
    const float* wy = y.weight;
    for (int c = 0; c < channels; ++c) {
        float value = 0.0F;
        for (int j = 0; j < Taps; ++j) {
            float row = cells[j][0][c * in_stride] * wx[0];
            for (int i = 1; i < Taps; ++i) {
                row += cells[j][i][c * in_stride] * wx[i];
            }
            value = j == 0 ? row * wy[0] : value + row * wy[j];
        }
        to[c * out_stride] = value;
    }
}

// Weights of int8 add up to 1 << kWeightBits: a row is an int16, zero points need no care, the result needs no clamp.
void sample_pixel(const int8_t* const (&cells)[2][2], const Sample& x, const Sample& y, int channels, int64_t in_stride,
                  int8_t* to, int64_t out_stride) {
    const auto x1 = x.second;
    const auto y1 = y.second;
    const auto x0 = static_cast<int16_t>((1 << kWeightBits) - x1);
    const auto y0 = static_cast<int16_t>((1 << kWeightBits) - y1);
    for (int c = 0; c < channels; ++c) {
        const auto top = static_cast<int16_t>(cells[0][0][c * in_stride] * x0 + cells[0][1][c * in_stride] * x1);
        const auto bottom = static_cast<int16_t>(cells[1][0][c * in_stride] * x0 + cells[1][1][c * in_stride] * x1);
        constexpr int kHalf = 1 << (2 * kWeightBits - 1);
        to[c * out_stride] = static_cast<int8_t>((top * y0 + bottom * y1 + kHalf) >> (2 * kWeightBits));
    }
}

template <int Taps, class T>
void resample(const Tensor& in, const Tensor& out, const Axis& x_axis, const Axis& y_axis, float cubic_a, int threads) {
    const std::vector<Sample> xs = make_samples(x_axis, Taps, cubic_a);
    const std::vector<Sample> ys = make_samples(y_axis, Taps, cubic_a);
    const bool adjacent = in.c_stride() == 1 && out.c_stride() == 1;
    parallel_for(out.h(), threads, [&](int64_t row) {
        const Sample& y = ys[static_cast<size_t>(row)];
        T* to = out.ptr<T>() + row * out.h_stride();
        for (size_t col = 0; col < xs.size(); ++col, to += out.w_stride()) {
            const Sample& x = xs[col];
            const T* cells[Taps][Taps];
            for (int j = 0; j < Taps; ++j) {
                for (int i = 0; i < Taps; ++i) {
                    cells[j][i] = in.ptr<T>() + y.index[j] * in.h_stride() + x.index[i] * in.w_stride();
                }
            }
            if (adjacent) {
                sample_pixel(cells, x, y, in.c(), 1, to, 1);
            } else {
                sample_pixel(cells, x, y, in.c(), in.c_stride(), to, out.c_stride());
            }
        }
    });
}

// A blob of rank 1 or 2 as one of rank 3: rank 1 is channels of one pixel, rank 2 is channels of one row.
Tensor as_channels(const Tensor& t) {
    Tensor out = t;
    out.shape = t.rank() == 1 ? Shape(t.w(), 1, 1) : Shape(t.h(), 1, t.w());
    out.stride[0] = t.stride[0];
    out.stride[1] = 0;
    out.stride[2] = t.rank() == 1 ? 0 : t.stride[1];
    return out;
}

class Interp final : public MoveLayer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        FW_RETURN_IF_ERROR(size_.parse(params.s(9), "size_expr"));
        type_ = params.i(0);
        if (type_ < 1 || type_ > 3) {
            return Status::error(Code::kInvalidArgument,
                                 "resize_type is %d, expected 1 (nearest), 2 (bilinear) or 3 (bicubic)", type_);
        }
        scale_h_ = params.f(1);
        scale_w_ = params.f(2);
        out_h_ = params.i(3);
        out_w_ = params.i(4);
        FW_RETURN_IF_ERROR(check_range("coordinates", params.i(20), 0, kLastCoordinates));
        FW_RETURN_IF_ERROR(check_range("nearest_rounding", params.i(21), 0, 3));
        coordinates_ = static_cast<Coordinates>(params.i(20));
        if (coordinates_ == Coordinates::kDefault && params.i(6) != 0 && type_ != 1) {
            coordinates_ = Coordinates::kAlignCorners;
        }
        rounding_ = params.i(21);
        cubic_a_ = params.f(22);
        if (out_h_ < 0 || out_w_ < 0) {
            return Status::error(Code::kInvalidArgument, "output size is %d x %d, expected at least 0", out_w_, out_h_);
        }
        if ((out_h_ == 0 || out_w_ == 0) && !(scale_h_ > 0 && scale_w_ > 0)) {
            return Status::error(Code::kInvalidArgument, "scales are %g x %g, expected above 0",
                                 static_cast<double>(scale_w_), static_cast<double>(scale_h_));
        }
        return {};
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& shape = in[0].shape;
        FW_RETURN_IF_ERROR(check_rank(shape, 1, 3));
        const int w = shape.rank == 1 ? 1 : shape.w();
        const int h = shape.rank == 1 ? 1 : shape.h();
        int64_t out_w = out_w_;
        int64_t out_h = out_h_;
        if (!size_.empty()) {
            std::vector<int> size;
            FW_RETURN_IF_ERROR(size_.evaluate(shapes_of(in), &size));
            if (size.empty() || size.size() > 2) {
                return Status::error(Code::kInvalidArgument, "size_expr has %zu sizes, expected width and height",
                                     size.size());
            }
            out_w = size[0];
            out_h = size.size() == 2 ? size[1] : h;
        } else if (in.size() > 1) {
            out_w = in[1].shape.w();
            out_h = in[1].shape.h();
        } else if (by_scale()) {
            out_w = scaled(w, scale_w_);
            out_h = scaled(h, scale_h_);
        }
        const int64_t whole[] = {shape.rank == 1 ? shape.w() : shape.c(), out_h, out_w};
        const int64_t rows[] = {shape.h(), out_w};
        return shape.rank == 2 ? make_shape(2, rows, &out[0].shape) : make_shape(3, whole, &out[0].shape);
    }

    Status prepare(const PrepareContext& context) override {
        const bool bilinear_int8 = type_ == 2 && context.inputs[0].dtype == DType::kInt8;
        if (type_ == 1 || bilinear_int8) {
            return MoveLayer::prepare(context);
        }
        for (const TensorDesc* desc : {&context.inputs[0], &context.outputs[0]}) {
            if (desc->dtype != DType::kFloat32) {
                return Status::error(Code::kUnsupported, "resize_type %d has no %s implementation", type_,
                                     name(desc->dtype));
            }
        }
        return {};
    }

    HalfUse half_use(bool /*arithmetic*/) const override { return type_ == 1 ? HalfUse::kSame : HalfUse::kNone; }
    bool view(Span<const Tensor> in, Span<Tensor> out) const override {
        const bool same = in[0].rank() >= 2 && in[0].shape == out[0].shape;
        if (same) {
            out[0] = in[0];
        }
        return same;
    }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (in[0].rank() >= 2 && in[0].shape == out[0].shape) {
            copy_elements(in[0], out[0], context.threads);
            return {};
        }
        const Tensor from = in[0].rank() == 3 ? in[0] : as_channels(in[0]);
        const Tensor to = out[0].rank() == 3 ? out[0] : as_channels(out[0]);
        const bool sized = in.size() > 1 || !size_.empty() || !by_scale();
        const float factor_w = sized ? 0.0F : scale_w_;
        const float factor_h = sized ? 0.0F : scale_h_;
        const Axis x_axis = {from.w(), to.w(), coordinates_, factor_w};
        const Axis y_axis = {from.h(), to.h(), coordinates_, factor_h};
        if (type_ == 1 || in[0].rank() == 1) {
            return gather(from, to, nearest_maps(from, x_axis, y_axis), nullptr, context.threads);
        }
        if (from.dtype == DType::kInt8) {
            resample<2, int8_t>(from, to, x_axis, y_axis, cubic_a_, context.threads);
        } else if (type_ == 2) {
            resample<2, float>(from, to, x_axis, y_axis, cubic_a_, context.threads);
        } else {
            resample<4, float>(from, to, x_axis, y_axis, cubic_a_, context.threads);
        }
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE {
        if (in[0].rank() >= 2 && in[0].shape == out[0].shape) {
            CopyOperation copy;
            copy.parts.push_back({in[0].data, out[0].data, copy_dims(in[0], out[0]), {}});
            *operation = std::move(copy);
            return {};
        }
        const Tensor from = in[0].rank() == 3 ? in[0] : as_channels(in[0]);
        const Tensor to = out[0].rank() == 3 ? out[0] : as_channels(out[0]);
        const bool sized = in.size() > 1 || !size_.empty() || !by_scale();
        const Axis x_axis = {from.w(), to.w(), coordinates_, sized ? 0.0F : scale_w_};
        const Axis y_axis = {from.h(), to.h(), coordinates_, sized ? 0.0F : scale_h_};
        if (type_ == 1 || in[0].rank() == 1) {
            GatherOperation gather;
            gather.from = from;
            gather.to = to;
            gather.map = nearest_maps(from, x_axis, y_axis);
            *operation = std::move(gather);
            return {};
        }
        ResizeOperation resize;
        resize.from = from;
        resize.to = to;
        resize.taps = type_ == 2 ? 2 : kMaxTaps;
        resize.x = resize_samples(x_axis, resize.taps);
        resize.y = resize_samples(y_axis, resize.taps);
        *operation = std::move(resize);
        return {};
    }

private:
    std::vector<ResizeOperation::Sample> resize_samples(const Axis& axis, int taps) const {
        std::vector<ResizeOperation::Sample> samples;
        for (const Sample& sample : make_samples(axis, taps, cubic_a_)) {
            ResizeOperation::Sample made = {};
            std::copy_n(sample.index, taps, made.index.begin());
            std::copy_n(sample.weight, taps, made.weight.begin());
            made.second256 = taps == 2 ? sample.second : 0;
            samples.push_back(made);
        }
        return samples;
    }

    GatherMaps nearest_maps(const Tensor& from, const Axis& x_axis, const Axis& y_axis) const {
        GatherMaps maps;
        maps.w = nearest(x_axis);
        maps.h = nearest(y_axis);
        maps.c.resize(static_cast<size_t>(from.c()));
        for (size_t c = 0; c < maps.c.size(); ++c) {
            maps.c[c] = static_cast<int>(c);
        }
        return maps;
    }

    ShapeExpression size_;

    bool by_scale() const { return out_w_ == 0 || out_h_ == 0; }

    // (int)(extent * scale), 0 (which make_shape refuses) where that is no number of an int's range.
    static int64_t scaled(int extent, float scale) {
        const float value = static_cast<float>(extent) * scale;
        return value >= 1.0F && value < 2147483648.0F ? static_cast<int64_t>(value) : 0;
    }

    // The source of each output index.
    std::vector<int> nearest(const Axis& axis) const {
        std::vector<int> map(static_cast<size_t>(axis.out));
        const auto last = static_cast<float>(axis.in - 1);
        // ncnn's places, to the bit: float32, not rounded.
        const float step =
            axis.factor > 0 ? 1.0F / axis.factor : static_cast<float>(axis.in) / static_cast<float>(axis.out);
        for (int i = 0; i < axis.out; ++i) {
            const float place =
                coordinates_ == Coordinates::kDefault ? static_cast<float>(i) * step : rounded(axis.place(i));
            map[static_cast<size_t>(i)] = static_cast<int>(std::min(std::max(place, 0.0F), last));
        }
        return map;
    }

    float rounded(double place) const {
        switch (rounding_) {
            case 0: return static_cast<float>(std::floor(place));
            case 1: return static_cast<float>(std::ceil(place));
            case 2: return static_cast<float>(std::ceil(place - 0.5));
            default: return static_cast<float>(std::floor(place + 0.5));
        }
    }

    int type_ = 0;
    float scale_h_ = 1.0F, scale_w_ = 1.0F;
    int out_h_ = 0, out_w_ = 0;
    Coordinates coordinates_ = Coordinates::kDefault;
    int rounding_ = 0;
    float cubic_a_ = -0.75F;
};

}  // namespace

std::unique_ptr<Layer> make_Interp() {
    return std::make_unique<Interp>();
}

}  // namespace fw
