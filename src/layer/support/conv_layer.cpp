#include "layer/support/conv_layer.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/memory.h"
#include "base/parallel.h"

namespace fw {

namespace {

// Inputs with fewer channels than this have whole filter rows as taps: a tap of 3 channels would leave most of a vector
// empty, and a short one costs more for its address than for its products. It takes a copy of the image with its
// padding, a quarter of the size in int8.
constexpr int kRowTapChannelsFloat = 16;
constexpr int kRowTapChannelsInt8 = 64;
// Bytes of padded rows that are made at once: the copy stays in a first or second-level cache, and the workspace stays
// small beside the image.
constexpr int64_t kBandBytes = 64 * 1024;

}  // namespace

Status ConvLayer::load(const Params& params, Span<const Weight> weights) {
    WeightedCore::Spec spec;
    spec.outputs = params.i(0);
    spec.kernel_w = params.i(1);
    spec.kernel_h = params.i(11);
    spec.bias = params.i(5) != 0;
    spec.group = kind_.grouped ? params.i(7) : 1;
    spec.find_depthwise = kind_.find_depthwise;
    dynamic_ = params.i(kind_.transposed ? 28 : 19) != 0;
    if (dynamic_ && kind_.transposed) {
        return Status::error(Code::kUnsupported,
                             "dynamic_weight (28) is %d: weights as inputs of a deconvolution are not supported",
                             params.i(28));
    }
    if (kind_.transposed) {
        output_pad_right_ = params.i(18);
        output_pad_bottom_ = params.i(19);
        output_w_ = params.i(20);
        output_h_ = params.i(21);
        if (output_pad_right_ < 0 || output_pad_bottom_ < 0 || output_w_ < 0 || output_h_ < 0) {
            return Status::error(
                Code::kInvalidArgument,
                "output_pad_right, output_pad_bottom (18, 19) are %d and %d, output_w, output_h (20, 21) "
                "%d and %d, expected numbers from 0",
                output_pad_right_, output_pad_bottom_, output_w_, output_h_);
        }
    } else {
        spec.pad_value = params.f(18);
        spec.int8_scales = params.i(8) != 0;
    }
    horizontal_ = {spec.kernel_w, params.i(3), params.i(2), params.i(4), params.i(15)};
    vertical_ = {spec.kernel_h, params.i(13), params.i(12), params.i(14), params.i(16)};
    FW_RETURN_IF_ERROR(check_window("width", horizontal_));
    FW_RETURN_IF_ERROR(check_window("height", vertical_));
    if (spec.outputs < 1) {
        return Status::error(Code::kInvalidArgument, "num_output (0) is %d, expected at least 1", spec.outputs);
    }
    if (spec.group < 1 || spec.outputs % spec.group != 0) {
        return Status::error(Code::kInvalidArgument, "group (7) is %d, expected a divisor of num_output (0) %d",
                             spec.group, spec.outputs);
    }
    spec.line_stride = !kind_.transposed && horizontal_.dilation == 1 ? horizontal_.stride : 0;
    FW_RETURN_IF_ERROR(load_fused_activation(params, &spec.activation));
    if (dynamic_) {
        core_.load(spec);
        return {};
    }
    return load_fixed(params, spec, weights);
}

Status ConvLayer::load_fixed(const Params& params, WeightedCore::Spec spec, Span<const Weight> weights) {
    const int64_t count = params.i(6);
    const int64_t filters = int64_t{spec.outputs} * spec.kernel_h;
    if (count < 1 || filters > count || count % (filters * spec.kernel_w) != 0) {
        return Status::error(Code::kInvalidArgument,
                             "weight_data_size (6) is %lld, expected a multiple of num_output x kernel: %d x %d x %d",
                             static_cast<long long>(count), spec.outputs, spec.kernel_h, spec.kernel_w);
    }
    const int64_t channels = count / (filters * spec.kernel_w) * spec.group;
    if (channels > Shape::kMaxElements) {
        return Status::error(Code::kInvalidArgument, "group (7) is %d: %lld input channels", spec.group,
                             static_cast<long long>(channels));
    }
    spec.channels = static_cast<int>(channels);
    return core_.load(spec, weights);
}

bool ConvLayer::is_dense(int size) const {
    const WeightedCore::Spec& spec = core_.spec();
    return !kind_.transposed && !dynamic_ && spec.group == 1 && spec.kernel_h == size && spec.kernel_w == size &&
           horizontal_.stride == 1 && vertical_.stride == 1 && horizontal_.dilation == 1 && vertical_.dilation == 1;
}

Status ConvLayer::prepare(const PrepareContext& context) {
    if (dynamic_) {
        return Layer::prepare(context);
    }
    const WeightedCore::Spec& spec = core_.spec();
    const int few = context.inputs[0].dtype == DType::kInt8 ? kRowTapChannelsInt8 : kRowTapChannelsFloat;
    core_.use_row_taps(!kind_.transposed && spec.group == 1 && spec.kernel_w > 1 && horizontal_.dilation == 1 &&
                       spec.channels < few);
    ConvGeometry geometry;
    WindowAxis vertical;
    WindowAxis horizontal;
    const bool known = resolve(context.inputs[0].shape, &geometry, &vertical, &horizontal).ok();
    core_.use_matched(!known || geometry.pixels() > 1);
    if (context.winograd && known) {
        if (is_dense(3)) {
            core_.use_winograd(geometry.out_h, geometry.out_w);
        } else if (kHasStrassen && is_dense(1) && geometry.in_h == geometry.out_h && geometry.in_w == geometry.out_w) {
            core_.use_strassen(geometry.pixels());
        }
    }
    return core_.prepare(context);
}

Status ConvLayer::check_dynamic(Span<const TensorDesc> in) const {
    const WeightedCore::Spec& spec = core_.spec();
    const int channels = is_line(in[0].shape) ? in[0].shape.w() : in[0].shape.c();
    const Shape expected(spec.outputs, channels / spec.group, spec.kernel_h, spec.kernel_w);
    const size_t inputs = spec.bias ? 3 : 2;
    if (in.size() != inputs) {
        return Status::error(Code::kInvalidArgument, "has %d inputs, expected %d with dynamic_weight (19)",
                             static_cast<int>(in.size()), static_cast<int>(inputs));
    }
    if (channels % spec.group != 0 || in[1].shape != expected) {
        return Status::error(Code::kInvalidArgument, "weight is %s, expected %s for an input of %s in %d groups",
                             in[1].shape.str().c_str(), expected.str().c_str(), in[0].shape.str().c_str(), spec.group);
    }
    if (spec.bias && in[2].shape.count() != spec.outputs) {
        return Status::error(Code::kInvalidArgument, "bias is %s, expected %d elements", in[2].shape.str().c_str(),
                             spec.outputs);
    }
    return {};
}

// A layer of the same kind with the weights of this run.
Status ConvLayer::forward_dynamic(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    std::vector<Weight> weights;
    for (size_t i = 1; i < in.size(); ++i) {
        std::vector<float> values(static_cast<size_t>(in[i].count()));
        copy_tensor(in[i], make_tensor(values.data(), in[i].desc(), Layout::kPlain));
        weights.push_back(Weight::from_floats(std::move(values)));
    }
    ConvLayer fixed(*this);
    fixed.dynamic_ = false;
    WeightedCore::Spec spec = core_.spec();
    spec.channels = is_line(in[0].shape) ? in[0].w() : in[0].c();
    FW_RETURN_IF_ERROR(fixed.core_.load(spec, weights));
    const TensorDesc in_desc = in[0].desc();
    const TensorDesc out_desc = out[0].desc();
    const TensorDesc open = {Shape(), in_desc.dtype, in_desc.quant};  // no packing that pays for a known shape only
    FW_RETURN_IF_ERROR(fixed.prepare({{&open, 1}, {&out_desc, 1}, {}}));
    const std::shared_ptr<void> workspace =
        allocate_shared_bytes(fixed.workspace_bytes({&in_desc, 1}, {&out_desc, 1}, context.threads), nullptr);
    if (workspace == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory for a convolution with weights as inputs");
    }
    return fixed.forward(in.subspan(0, 1), out, RunContext{context.threads, workspace.get()});
}

LayerTraits ConvLayer::traits() const {
    LayerTraits traits;
    traits.any_stride_input = false;
    traits.adjacent_channels_input = !dynamic_;  // weights that are inputs have to be dense
    return traits;
}

double ConvLayer::time_share(bool int8, Span<const TensorDesc> /*in*/, Span<const TensorDesc> out) const {
    const Result<Isa> isa = current_isa();
    if (!kHasWinograd || !is_dense(3) || out[0].shape.rank != 3 || !isa.ok()) {
        return 1.0;
    }
    return choose_winograd(int8, *isa, core_.spec().channels, core_.spec().outputs, out[0].shape.h(), out[0].shape.w())
        .share;
}

// Output rows that are computed at once with row taps: as many as read kBandBytes of padded input rows.
int ConvLayer::band_rows(const ConvGeometry& geometry, int64_t row_bytes) const {
    const int64_t span = int64_t{geometry.kernel_h - 1} * geometry.dilation_h + 1;
    const int64_t fit = kBandBytes / std::max<int64_t>(1, row_bytes);
    const int64_t rows = fit < span ? 1 : (fit - span) / geometry.stride_h + 1;
    return static_cast<int>(std::min<int64_t>(rows, geometry.out_h));
}

int64_t ConvLayer::padded_row_bytes(const ConvGeometry& geometry, const WindowAxis& horizontal) const {
    return (int64_t{geometry.in_w} + horizontal.pad_before + horizontal.pad_after) * core_.spec().channels *
           core_.in_element_size();
}

// With row taps, the rows of a band with their padding on both sides, so that every filter row lies together.
size_t ConvLayer::padded_rows_bytes(const Shape& in) const {
    ConvGeometry geometry;
    WindowAxis vertical;
    WindowAxis horizontal;
    if (!core_.spec().row_taps || !resolve(in, &geometry, &vertical, &horizontal).ok()) {
        return 0;
    }
    const int64_t row_bytes = padded_row_bytes(geometry, horizontal);
    const int64_t read = int64_t{band_rows(geometry, row_bytes) - 1} * geometry.stride_h +
                         int64_t{geometry.kernel_h - 1} * geometry.dilation_h + 1;
    return round_up(static_cast<size_t>(row_bytes * std::min<int64_t>(read, geometry.in_h)) + kOverread, kAlignment);
}

size_t ConvLayer::workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const {
    const bool line = is_line(out[0].shape);
    return padded_rows_bytes(in[0].shape) +
           core_.scratch_bytes(threads, line ? 1 : out[0].shape.h(), line ? 1 : out[0].shape.w());
}

const void* ConvLayer::pad_rows(const void* input, const WindowAxis& horizontal, void* workspace, int threads,
                                ConvGeometry* geometry) const {
    const int channels = core_.spec().channels;
    const int64_t width = int64_t{geometry->in_w} + horizontal.pad_before + horizontal.pad_after;
    const void* rows = input;
    if (horizontal.pad_before + horizontal.pad_after > 0 || geometry->in_w_stride != channels) {
        const auto size = static_cast<size_t>(core_.in_element_size());
        const size_t row_bytes = static_cast<size_t>(width * channels) * size;
        const size_t left = static_cast<size_t>(horizontal.pad_before) * static_cast<size_t>(channels);
        const size_t right = static_cast<size_t>(horizontal.pad_after) * static_cast<size_t>(channels);
        parallel_for(geometry->in_h, threads, [&](int64_t y) {
            char* to = static_cast<char*>(workspace) + static_cast<size_t>(y) * row_bytes;
            char* end = to + row_bytes - right * size;
            core_.fill_padding(to, left);
            core_.fill_padding(end, right);
            const char* from = static_cast<const char*>(input) + y * geometry->in_h_stride * static_cast<int64_t>(size);
            const size_t pixel = static_cast<size_t>(channels) * size;
            if (geometry->in_w_stride == channels) {
                std::memcpy(to + left * size, from, pixel * static_cast<size_t>(geometry->in_w));
                return;
            }
            for (int x = 0; x < geometry->in_w; ++x) {
                std::memcpy(to + left * size + static_cast<size_t>(x) * pixel,
                            from + x * geometry->in_w_stride * static_cast<int64_t>(size), pixel);
            }
        });
        rows = workspace;
        geometry->in_h_stride = width * channels;
        geometry->in_w_stride = channels;
    }
    geometry->in_w = static_cast<int>(width) - geometry->kernel_w + 1;
    geometry->kernel_w = 1;
    geometry->pad_left = 0;
    return rows;
}

void ConvLayer::run_bands(const ConvGeometry& whole, const WindowAxis& horizontal, const void* input, void* output,
                          int threads, void* workspace, void* scratch, const int8_t* residual) const {
    const int64_t in_step = whole.in_h_stride * core_.in_element_size();
    const int64_t out_step = whole.out_h_stride * core_.out_element_size();
    const int rows = band_rows(whole, padded_row_bytes(whole, horizontal));
    for (int y = 0; y < whole.out_h; y += rows) {
        ConvGeometry band = whole;
        band.out_h = std::min(rows, whole.out_h - y);
        const int64_t top = int64_t{y} * whole.stride_h - whole.pad_top;
        const int64_t bottom =
            top + int64_t{band.out_h - 1} * whole.stride_h + int64_t{whole.kernel_h - 1} * whole.dilation_h + 1;
        const int64_t first = std::clamp<int64_t>(top, 0, whole.in_h);
        band.in_h = static_cast<int>(std::clamp<int64_t>(bottom, first, whole.in_h) - first);
        band.pad_top = static_cast<int>(first - top);
        const void* from =
            pad_rows(static_cast<const char*>(input) + first * in_step, horizontal, workspace, threads, &band);
        core_.run(band, from, static_cast<char*>(output) + y * out_step, threads, scratch,
                  residual == nullptr ? nullptr : residual + y * out_step);
    }
}

Status ConvLayer::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    if (dynamic_) {
        return forward_dynamic(in, out, context);
    }
    ConvGeometry geometry;
    WindowAxis vertical;
    WindowAxis horizontal;
    FW_RETURN_IF_ERROR(resolve(in[0].shape, &geometry, &vertical, &horizontal));
    geometry.in_h_stride = is_line(in[0].shape) ? 0 : in[0].h_stride();
    geometry.in_w_stride = is_line(in[0].shape) ? 0 : in[0].w_stride();
    char* workspace = static_cast<char*>(context.workspace);
    char* scratch = workspace + padded_rows_bytes(in[0].shape);

    Tensor target = out[0];
    std::shared_ptr<void> dense;
    if (out[0].rank() >= 3 ? !out[0].has_adjacent_channels() : out[0].stride[0] != 1) {
        // Kernels write adjacent channels. No planner asks for anything else on purpose, so this need not be fast.
        dense = allocate_shared_bytes(out[0].desc().bytes(), nullptr);
        if (dense == nullptr) {
            return Status::error(Code::kOutOfMemory, "no memory for an output of %s", out[0].shape.str().c_str());
        }
        target = make_tensor(dense.get(), out[0].desc());
    }
    geometry.out_h_stride = target.rank() >= 3 ? target.h_stride() : 0;
    geometry.out_w_stride = target.rank() >= 3 ? target.w_stride() : 0;
    const bool beside = core_.adds() && same_layout(in[1], target);
    const int8_t* residual = beside ? in[1].ptr<const int8_t>() : nullptr;
    if (core_.spec().row_taps) {
        run_bands(geometry, horizontal, in[0].data, target.data, context.threads, workspace, scratch, residual);
    } else {
        core_.run(geometry, in[0].data, target.data, context.threads, scratch, residual);
    }
    if (core_.adds() && !beside) {
        core_.finish(in[1], target, context.threads);
    }
    if (dense != nullptr) {
        copy_tensor(target, out[0]);
    }
    return {};
}

Status ConvLayer::operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const {
    if (dynamic_) {
        return Status::error(Code::kUnsupported, "weights are inputs");
    }
    ConvGeometry geometry;
    WindowAxis vertical;
    WindowAxis horizontal;
    FW_RETURN_IF_ERROR(resolve(in[0].shape, &geometry, &vertical, &horizontal));
    geometry.in_h_stride = is_line(in[0].shape) ? 0 : in[0].h_stride();
    geometry.in_w_stride = is_line(in[0].shape) ? 0 : in[0].w_stride();
    geometry.out_h_stride = out[0].rank() >= 3 ? out[0].h_stride() : 0;
    geometry.out_w_stride = out[0].rank() >= 3 ? out[0].w_stride() : 0;
    return core_.operation(geometry, operation);
}

}  // namespace fw
