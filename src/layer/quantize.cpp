// Quantize, Dequantize, Requantize: between float and int8, or int8 of one scale and another.
//
// The scales are those of the blobs (TensorDesc::quant) where the graph knows them. Files of ncnn carry scales as
// weights, also one a channel (the outermost axis); a blob without a scale of its own is then a whole number, in int32
// or float.
#include "base/cpu.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "layer/operation.h"
#include "layer/support/fused_activation.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

template <class T>
void to_floats(const Tensor& in, int64_t offset, int64_t step, int64_t n, float* to) {
    const T* from = in.ptr<const T>() + offset;
    for (int64_t i = 0; i < n; ++i) {
        to[i] = static_cast<float>(from[i * step]);
    }
}

template <class T>
void from_floats(const float* from, int64_t n, const Tensor& out, int64_t offset, int64_t step) {
    T* to = out.ptr<T>() + offset;
    for (int64_t i = 0; i < n; ++i) {
        to[i * step] = static_cast<T>(from[i]);
    }
}

// What the three share: factors by channel from the weights.
class Conversion : public Layer {
public:
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        for (const std::vector<float>* factors : {&scale_, &second_, &bias_}) {
            if (factors->size() > 1) {
                FW_RETURN_IF_ERROR(check_channels(in[0].shape, static_cast<int64_t>(factors->size())));
            }
        }
        out[0].shape = in[0].shape;
        return {};
    }

protected:
    // One weight of `count` scales, none of which may be inf or nan.
    static Status load_factors(Span<const Weight> weights, size_t index, int count, const char* blob,
                               std::vector<float>* out) {
        FW_RETURN_IF_ERROR(check_range(blob, count, 1, Shape::kMaxElements));
        FW_RETURN_IF_ERROR(take_floats(weights, index, count, blob, out));
        if (!all_finite(*out)) {
            return Status::error(Code::kInvalidArgument, "weights: %s holds a value that is not finite", blob);
        }
        return {};
    }
    static float at(const std::vector<float>& factors, int64_t channel, float none) {
        return factors.empty() ? none : factors[factors.size() == 1 ? 0 : static_cast<size_t>(channel)];
    }

    // Elements of a run: the i-th, of x[i], belongs to channel `first + i * step`.
    struct Run {
        float* x;
        int64_t count;
        int64_t first, step;
        int64_t channel(int64_t i) const { return first + i * step; }
    };
    // The formula where the scales are not those of the blobs alone.
    virtual void change(const Run& run, const QuantParams& in) const = 0;

    // By pieces as floats: one loop for all types and formulas.
    void convert(const Tensor& in, const Tensor& out, int threads) const {
        const int64_t by_channel[Shape::kMaxRank] = {1, 0, 0, 0};
        const RunPlan plan(out.shape, {out.stride, in.stride, by_channel}, true);
        plan.for_each(threads, [&](const int64_t* offset, int64_t n) {
            float values[RunPlan::kBlock];
            const auto read = in.dtype == DType::kInt8    ? to_floats<int8_t>
                              : in.dtype == DType::kInt32 ? to_floats<int32_t>
                                                          : to_floats<float>;
            read(in, offset[1], plan.step(1), n, values);
            change({values, n, offset[2], plan.step(2)}, in.quant);
            const auto write = out.dtype == DType::kInt8 ? from_floats<int8_t> : from_floats<float>;
            write(values, n, out, offset[0], plan.step(0));
        });
    }

    // int8 of one known scale to int8 of another: by table. True if that is the case.
    bool prepare_rescale(const PrepareContext& context) {
        const TensorDesc& in = context.inputs[0];
        const TensorDesc& out = context.outputs[0];
        rescales_ = in.dtype == DType::kInt8 && out.dtype == DType::kInt8 && in.quant.known() && out.quant.known();
        if (rescales_) {
            make_rescale_table(in.quant, out.quant, table_);
        }
        return rescales_;
    }

    // The operation of a conversion that the blobs' scales describe.
    Status convert_operation(MapOperation::Kind kind, bool known, Operation* operation) const {
        MapOperation map;
        map.kind = rescales_ ? MapOperation::Kind::kTable : kind;
        if (!rescales_ && !known) {
            return Status::error(Code::kUnsupported, "scales are not those of the blobs");
        }
        if (rescales_) {
            map.table = table_;
        }
        *operation = map;
        return {};
    }

    // The kernel of the level in use, if it has one.
    Status choose_kernel() {
        FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
        run_ = find_run_kernel(isa);
        return {};
    }

    const RunKernel* run_ = nullptr;
    std::vector<float> scale_;
    std::vector<float> second_;  ///< Requantize: scale_out
    std::vector<float> bias_;
    bool rescales_ = false;
    PointwiseTable table_ = {};
};

class Quantize final : public Conversion {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        return weights.empty() ? Status() : load_factors(weights, 0, params.i(0), "scale_data", &scale_);
    }
    Status prepare(const PrepareContext& context) override {
        const TensorDesc& out = context.outputs[0];
        if (prepare_rescale(context)) {
            return {};
        }
        by_blob_ = out.dtype == DType::kInt8 && out.quant.known();
        if (context.inputs[0].dtype != DType::kFloat32 || (out.dtype != DType::kInt8 && out.dtype != DType::kFloat32)) {
            return unsupported_types(context);
        }
        if (!by_blob_ && scale_.empty()) {
            return Status::error(Code::kUnsupported, "has no scale");
        }
        return choose_kernel();
    }
    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        return convert_operation(MapOperation::Kind::kQuantize, by_blob_, operation);
    }
    std::string kernel_name() const override { return by_blob_ && run_ != nullptr ? run_->name : ""; }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (rescales_) {
            look_up(in[0], out[0], table_, context.threads);
            return {};
        }
        if (!by_blob_) {
            convert(in[0], out[0], context.threads);
            return {};
        }
        const QuantParams quant = out[0].quant;
        const QuantizeArgs args = {quant.scale, quant.zero_point, quant_min(quant)};
        if (run_ != nullptr && is_image(in[0], out[0])) {
            const int rows = in[0].h();
            // Small images are not worth waking threads for.
            const int threads = in[0].count() < (1 << 16) ? 1 : context.threads;
            parallel_for(rows, threads, [&](int64_t y) {
                const float* line = in[0].ptr<const float>() + y * in[0].h_stride();
                const float* planes[3] = {line, line + in[0].stride[0], line + 2 * in[0].stride[0]};
                run_->quantize_planes(args, planes, in[0].w(), out[0].ptr<int8_t>() + y * out[0].h_stride());
            });
            return {};
        }
        const RunPlan plan(out[0].shape, {out[0].stride, in[0].stride});
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
            float buffer[RunPlan::kBlock];
            int8_t bytes[RunPlan::kBlock];
            int8_t* home = out[0].ptr<int8_t>() + offset[0];
            const float* x = gather_run(in[0].ptr<const float>() + offset[1], plan.step(1), n, buffer);
            int8_t* to = scatter_target(home, plan.step(0), bytes);
            if (run_ != nullptr) {
                run_->quantize(args, x, n, to);
            } else {
                quantize_run(x, n, quant, to);
            }
            scatter_run(to, n, home, plan.step(0));
        });
        return {};
    }

protected:
    void change(const Run& run, const QuantParams& /*in*/) const override {
        for (int64_t i = 0; i < run.count; ++i) {
            run.x[i] = quantize(run.x[i], QuantParams{at(scale_, run.channel(i), 1.0F), 0});
        }
    }

private:
    // Three planes, as an application hands its image over, to pixels.
    static bool is_image(const Tensor& in, const Tensor& out) {
        return in.rank() == 3 && in.c() == 3 && in.w_stride() == 1 && out.stride[0] == 1 && out.w_stride() == 3;
    }

    bool by_blob_ = false;
};

class Dequantize final : public Conversion {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        if (weights.empty()) {
            return {};
        }
        FW_RETURN_IF_ERROR(load_factors(weights, 0, params.i(0), "scale_data", &scale_));
        return params.i(1) == 0 ? Status() : load_factors(weights, 1, params.i(1), "bias_data", &bias_);
    }
    Status prepare(const PrepareContext& context) override {
        const TensorDesc& in = context.inputs[0];
        by_blob_ = in.dtype == DType::kInt8 && in.quant.known();
        if (in.dtype == DType::kFloat16 || context.outputs[0].dtype != DType::kFloat32) {
            return unsupported_types(context);
        }
        if (!by_blob_ && scale_.empty()) {
            return Status::error(Code::kUnsupported, "has no scale");
        }
        return choose_kernel();
    }
    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        return convert_operation(MapOperation::Kind::kDequantize, by_blob_ && bias_.empty(), operation);
    }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (!by_blob_ || !bias_.empty()) {
            convert(in[0], out[0], context.threads);
            return {};
        }
        const RunPlan plan(out[0].shape, {out[0].stride, in[0].stride});
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
            int8_t bytes[RunPlan::kBlock];
            float buffer[RunPlan::kBlock];
            float* home = out[0].ptr<float>() + offset[0];
            const int8_t* x = gather_run(in[0].ptr<const int8_t>() + offset[1], plan.step(1), n, bytes);
            float* to = scatter_target(home, plan.step(0), buffer);
            if (run_ != nullptr) {
                run_->dequantize(x, n, in[0].quant.zero_point, inverse_scale(in[0].quant), to);
            } else {
                dequantize_run(x, n, in[0].quant, to);
            }
            scatter_run(to, n, home, plan.step(0));
        });
        return {};
    }

protected:
    void change(const Run& run, const QuantParams& in) const override {
        const float inverse = by_blob_ ? inverse_scale(in) : 0.0F;
        for (int64_t i = 0; i < run.count; ++i) {
            const float real = by_blob_ ? (run.x[i] - static_cast<float>(in.zero_point)) * inverse
                                        : run.x[i] * at(scale_, run.channel(i), 1.0F);
            run.x[i] = real + at(bias_, run.channel(i), 0.0F);
        }
    }

private:
    bool by_blob_ = false;
};

// act(x * scale_in + bias) * scale_out for whole numbers; for int8 blobs of known scales a change of scale.
class Requantize final : public Conversion {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        FW_RETURN_IF_ERROR(load_fused_activation(params, &activation_, 3, 4));
        if (weights.empty()) {
            return {};
        }
        FW_RETURN_IF_ERROR(load_factors(weights, 0, params.i(0), "scale_in_data", &scale_));
        FW_RETURN_IF_ERROR(load_factors(weights, 1, params.i(1), "scale_out_data", &second_));
        return params.i(2) == 0 ? Status() : load_factors(weights, 2, params.i(2), "bias_data", &bias_);
    }
    Status prepare(const PrepareContext& context) override {
        const TensorDesc& out = context.outputs[0];
        if (bias_.empty() && activation_.type == FusedActivation::Type::kIdentity && prepare_rescale(context)) {
            return {};
        }
        if (context.inputs[0].dtype == DType::kFloat16 || (out.dtype != DType::kInt8 && out.dtype != DType::kFloat32)) {
            return unsupported_types(context);
        }
        return !scale_.empty() ? Status() : Status::error(Code::kUnsupported, "has no scales");
    }
    LayerTraits traits() const override { return {true, true, true}; }
    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        return convert_operation(MapOperation::Kind::kTable, false, operation);
    }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        if (rescales_) {
            look_up(in[0], out[0], table_, context.threads);
            return {};
        }
        convert(in[0], out[0], context.threads);
        return {};
    }

protected:
    void change(const Run& run, const QuantParams& /*in*/) const override {
        for (int64_t i = 0; i < run.count; ++i) {
            const float sum = run.x[i] * at(scale_, run.channel(i), 1.0F) + at(bias_, run.channel(i), 0.0F);
            run.x[i] = quantize(activation_.apply(sum), QuantParams{at(second_, run.channel(i), 1.0F), 0});
        }
    }

private:
    FusedActivation activation_;
};

}  // namespace

std::unique_ptr<Layer> make_Quantize() {
    return std::make_unique<Quantize>();
}
std::unique_ptr<Layer> make_Dequantize() {
    return std::make_unique<Dequantize>();
}
std::unique_ptr<Layer> make_Requantize() {
    return std::make_unique<Requantize>();
}

}  // namespace fw
