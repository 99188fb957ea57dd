// PReLU: x, or slope * x below 0; one slope, or one a channel (the outermost axis).
#include "layer/operation.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

double leaky(double x, const void* slope) {
    return x < 0.0 ? x * static_cast<double>(*static_cast<const float*>(slope)) : x;
}

class Prelu final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> weights) override {
        const int count = params.i(0);
        FW_RETURN_IF_ERROR(check_range("num_slope", count, 1, Shape::kMaxElements));
        return take_floats(weights, 0, count, "slope_data", &slope_);
    }
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        out[0].shape = in[0].shape;
        return slope_.size() == 1 ? Status() : check_channels(in[0].shape, static_cast<int64_t>(slope_.size()));
    }
    Status prepare(const PrepareContext& context) override {
        const TensorDesc& in = context.inputs[0];
        const TensorDesc& out = context.outputs[0];
        tables_.clear();
        if (in.dtype == DType::kFloat32 && out.dtype == DType::kFloat32) {
            return {};
        }
        if (in.dtype != DType::kInt8 || out.dtype != DType::kInt8 || !in.quant.known() || !out.quant.known()) {
            return unsupported_types(context);
        }
        tables_.resize(slope_.size() * kTable);
        for (size_t i = 0; i < slope_.size(); ++i) {
            PointwiseTable table;
            make_pointwise_table(in.quant, out.quant, leaky, &slope_[i], table);
            std::copy(table, table + kTable, tables_.begin() + static_cast<ptrdiff_t>(i * kTable));
        }
        return {};
    }
    LayerTraits traits() const override { return {true, true, true}; }
    size_t weight_bytes() const override { return slope_.size() * sizeof(float) + tables_.size(); }

    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const int64_t by_channel[Shape::kMaxRank] = {slope_.size() == 1 ? 0 : 1, 0, 0, 0};
        const RunPlan plan(out[0].shape, {out[0].stride, in[0].stride, by_channel});
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
            if (tables_.empty()) {
                run_float(plan, in[0].ptr<const float>(), out[0].ptr<float>(), offset, n);
            } else {
                run_int8(plan, in[0].ptr<const int8_t>(), out[0].ptr<int8_t>(), offset, n);
            }
        });
        return {};
    }

    Status operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/,
                     Operation* operation) const FW_DEVICE_OVERRIDE {
        MapOperation map;
        map.kind = tables_.empty() ? MapOperation::Kind::kSlope : MapOperation::Kind::kTable;
        map.slope = slope_;
        map.table = tables_;
        *operation = map;
        return {};
    }

private:
    static constexpr size_t kTable = 256;

    void run_float(const RunPlan& plan, const float* in, float* out, const int64_t* offset, int64_t n) const {
        float buffer[RunPlan::kBlock];
        const float* x = gather_run(in + offset[1], plan.step(1), n, buffer);
        float* y = scatter_target(out + offset[0], plan.step(0), buffer);
        const float* slope = slope_.data() + offset[2];
        if (plan.step(2) == 1) {
            for (int64_t i = 0; i < n; ++i) {
                y[i] = x[i] < 0.0F ? x[i] * slope[i] : x[i];
            }
        } else {
            const float shared = *slope;
            for (int64_t i = 0; i < n; ++i) {
                y[i] = x[i] < 0.0F ? x[i] * shared : x[i];
            }
        }
        scatter_run(y, n, out + offset[0], plan.step(0));
    }
    void run_int8(const RunPlan& plan, const int8_t* in, int8_t* out, const int64_t* offset, int64_t n) const {
        const int8_t* table = tables_.data() + static_cast<size_t>(offset[2]) * kTable + 128;
        const int64_t table_step = plan.step(2) * static_cast<int64_t>(kTable);
        for (int64_t i = 0; i < n; ++i) {
            out[offset[0] + i * plan.step(0)] = table[i * table_step + in[offset[1] + i * plan.step(1)]];
        }
    }

    std::vector<float> slope_;
    std::vector<int8_t> tables_;  ///< int8: 256 entries a slope
};

}  // namespace

std::unique_ptr<Layer> make_PReLU() {
    return std::make_unique<Prelu>();
}

}  // namespace fw
