// Shapes of convolutions: of the output for an input, and what paddings come to.
#include <algorithm>

#include "layer/support/conv_layer.h"

namespace fw {

// Full size: every input pixel stamps the kernel at i * stride. Pads cut it; without any, output_w and output_h may.
Status ConvLayer::resolve_transposed(const char* axis, int in, const WindowSpec& spec, int output_pad, int wanted,
                                     bool pads_count, WindowAxis* out) const {
    const int64_t full = int64_t{in - 1} * spec.stride + int64_t{spec.dilation} * (spec.kernel - 1) + 1 + output_pad;
    int64_t before = 0;
    int64_t after = 0;
    const bool same = spec.pad_before == kPadSameUpper || spec.pad_before == kPadSameLower;
    if (pads_count) {
        before = std::max(0, spec.pad_before);
        after = std::max(0, spec.pad_after);
    } else if (wanted > 0 && same) {
        const int64_t cut = full - wanted;
        before = spec.pad_before == kPadSameUpper ? cut / 2 : cut - cut / 2;
        after = cut - before;
    }
    const int64_t size = full - before - after;
    if (size < 1 || size > Shape::kMaxElements || before < 0 || after < 0) {
        return Status::error(
            Code::kInvalidArgument,
            "output %s would be %lld: input %d, kernel %d, stride %d, dilation %d, cut by %lld and %lld", axis,
            static_cast<long long>(size), in, spec.kernel, spec.stride, spec.dilation, static_cast<long long>(before),
            static_cast<long long>(after));
    }
    out->out = static_cast<int>(size);
    out->pad_before = static_cast<int>(before);
    out->pad_after = static_cast<int>(after);
    return {};
}

Status ConvLayer::resolve(const Shape& in, ConvGeometry* out, WindowAxis* vertical, WindowAxis* horizontal) const {
    const int channels = is_line(in) ? in.w() : in.c();
    const int height = is_line(in) ? 1 : in.h();
    const int width = is_line(in) ? 1 : in.w();
    const WeightedCore::Spec& spec = core_.spec();
    if (in.rank < 1 || in.rank > 3) {
        return Status::error(Code::kInvalidArgument, "input is %s, expected at most 3 dimensions", in.str().c_str());
    }
    if (!dynamic_ && channels != spec.channels) {
        return Status::error(Code::kInvalidArgument, "input is %s, the weights are for %d channels", in.str().c_str(),
                             spec.channels);
    }
    if (kind_.transposed) {
        const bool pads_count = vertical_.pad_before > 0 || vertical_.pad_after > 0 || horizontal_.pad_before > 0 ||
                                horizontal_.pad_after > 0;
        const int wanted_h = output_w_ > 0 ? output_h_ : 0;
        const int wanted_w = output_h_ > 0 ? output_w_ : 0;
        FW_RETURN_IF_ERROR(
            resolve_transposed("height", height, vertical_, output_pad_bottom_, wanted_h, pads_count, vertical));
        FW_RETURN_IF_ERROR(
            resolve_transposed("width", width, horizontal_, output_pad_right_, wanted_w, pads_count, horizontal));
    } else {
        FW_RETURN_IF_ERROR(conv_window("height", height, vertical_, vertical));
        FW_RETURN_IF_ERROR(conv_window("width", width, horizontal_, horizontal));
    }
    const int64_t padded_w = int64_t{width} + horizontal->pad_before + horizontal->pad_after;
    if (spec.row_taps && padded_w > Shape::kMaxElements / std::max<int64_t>(1, int64_t{height} * channels)) {
        return Status::error(Code::kInvalidArgument,
                             "padded input would have more than %lld elements: %s, pads %d and %d",
                             static_cast<long long>(Shape::kMaxElements), in.str().c_str(), horizontal->pad_before,
                             horizontal->pad_after);
    }
    out->in_h = height;
    out->in_w = width;
    out->out_h = vertical->out;
    out->out_w = horizontal->out;
    out->kernel_h = spec.kernel_h;
    out->kernel_w = spec.kernel_w;
    out->stride_h = vertical_.stride;
    out->stride_w = horizontal_.stride;
    out->dilation_h = vertical_.dilation;
    out->dilation_w = horizontal_.dilation;
    out->pad_top = vertical->pad_before;
    out->pad_left = horizontal->pad_before;
    out->transposed = kind_.transposed;
    return {};
}

Status ConvLayer::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    if (dynamic_) {
        FW_RETURN_IF_ERROR(check_dynamic(in));
    }
    ConvGeometry geometry;
    WindowAxis vertical;
    WindowAxis horizontal;
    FW_RETURN_IF_ERROR(resolve(in[0].shape, &geometry, &vertical, &horizontal));
    const WeightedCore::Spec& spec = core_.spec();
    const bool line = is_line(in[0].shape) && !kind_.grouped && !kind_.transposed && spec.kernel_h == 1 &&
                      spec.kernel_w == 1 && geometry.pixels() == 1;
    out[0].shape = line ? Shape(spec.outputs) : Shape(spec.outputs, geometry.out_h, geometry.out_w);
    if (core_.adds() && in[1].shape != out[0].shape) {
        return Status::error(Code::kInvalidArgument, "its outputs are %s, what it adds to them %s",
                             out[0].shape.str().c_str(), in[1].shape.str().c_str());
    }
    return {};
}

// Each filter is applied at every output pixel; in a deconvolution, at every input pixel.
int64_t ConvLayer::macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const {
    WeightedCore::Spec spec = core_.spec();
    if (dynamic_) {
        spec.channels = is_line(in[0].shape) ? in[0].shape.w() : in[0].shape.c();
    }
    const Shape& pixels = kind_.transposed ? in[0].shape : out[0].shape;
    const int64_t count = is_line(pixels) ? 1 : int64_t{pixels.h()} * pixels.w();
    return count * spec.outputs * spec.weights_per_output();
}

}  // namespace fw
