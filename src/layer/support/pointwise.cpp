#include "layer/support/pointwise.h"

#include <algorithm>

#include "layer/operation.h"
#include "layer/support/float_runs.h"
#include "layer/support/run_plan.h"

namespace fw {

void look_up_run(const int8_t* in, int8_t* out, int64_t count, const int8_t* table) {
    const int8_t* centre = table + 128;
    for (int64_t i = 0; i < count; ++i) {
        out[i] = centre[in[i]];
    }
}

namespace {

void clamp_run(const int8_t* from, int64_t count, int8_t lo, int8_t hi, int8_t* to) {
    for (int64_t i = 0; i < count; ++i) {
        const int8_t lifted = from[i] > lo ? from[i] : lo;
        to[i] = lifted < hi ? lifted : hi;
    }
}

}  // namespace

void look_up(const Tensor& in, const Tensor& out, const PointwiseTable& table, int threads) {
    const Result<Isa> isa = current_isa();
    const TableKernel* kernel = isa.ok() ? find_table_kernel(*isa) : nullptr;
    const RunPlan plan(out.shape, {out.stride, in.stride});
    plan.for_each(threads, [&](const int64_t* offset, int64_t n) {
        const int8_t* from = in.ptr<const int8_t>() + offset[1];
        int8_t* to = out.ptr<int8_t>() + offset[0];
        if (plan.step(0) == 1 && plan.step(1) == 1 && kernel != nullptr) {
            kernel->look_up(from, n, table, to);
            return;
        }
        if (plan.step(0) == 1 && plan.step(1) == 1) {
            look_up_run(from, to, n, table);
            return;
        }
        for (int64_t i = 0; i < n; ++i) {
            to[i * plan.step(0)] = table[from[i * plan.step(1)] + 128];
        }
    });
}

bool all_of_type(Span<const TensorDesc> blobs, DType type) {
    return std::all_of(blobs.begin(), blobs.end(), [&](const TensorDesc& blob) { return blob.dtype == type; });
}

bool all_float(const PrepareContext& context) {
    const DType type = context.outputs[0].dtype;
    return (type == DType::kFloat32 || (kHasHalfBlobs && type == DType::kFloat16)) &&
           all_of_type(context.inputs, type) && all_of_type(context.outputs, type);
}

Status unsupported_types(const PrepareContext& context) {
    return Status::error(Code::kUnsupported, "has no implementation from %s to %s",
                         context.inputs.empty() ? "nothing" : name(context.inputs[0].dtype),
                         context.outputs.empty() ? "nothing" : name(context.outputs[0].dtype));
}

Status Pointwise::prepare(const PrepareContext& context) {
    const TensorDesc& in = context.inputs[0];
    const TensorDesc& out = context.outputs[0];
    mode_ = Mode::kFloat;
    if (all_float(context)) {
        return {};
    }
    if (in.dtype != DType::kInt8 || out.dtype != DType::kInt8 || !in.quant.known() || !out.quant.known()) {
        return unsupported_types(context);
    }
    RealClamp clamp;
    if (in.quant == out.quant && as_clamp(&clamp)) {
        mode_ = Mode::kClamp;
        bounds_ = quant_bounds(out.quant, clamp);
        return {};
    }
    mode_ = Mode::kTable;
    make_pointwise_table(
        in.quant, out.quant, [](double x, const void* self) { return static_cast<const Pointwise*>(self)->exact(x); },
        this, table_);
    return {};
}

Status Pointwise::operation(Span<const Tensor> /*in*/, Span<const Tensor> /*out*/, Operation* operation) const {
    MapOperation map;
    if (mode_ == Mode::kTable) {
        map.kind = MapOperation::Kind::kTable;
        map.table = table_;
    } else if (mode_ == Mode::kClamp) {
        map.kind = MapOperation::Kind::kClampBytes;
        map.bounds = bounds_;
    } else if (as_clamp(&map.clamp)) {
        map.kind = MapOperation::Kind::kClamp;
    } else {
        map = as_map();
    }
    *operation = map;
    return {};
}

Status Pointwise::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    if (mode_ == Mode::kTable) {
        look_up(in[0], out[0], table_, context.threads);
        return {};
    }
    const FloatRuns runs(mode_ == Mode::kFloat ? out[0].dtype : DType::kFloat32);
    const HalfArithKernel* half = runs.half_arithmetic();
    const bool in_half = half != nullptr && apply_in_half(*half, nullptr, nullptr, 0);
    const RunPlan plan(out[0].shape, {out[0].stride, in[0].stride}, runs.in_blocks() && !in_half);
    const bool adjacent = plan.step(0) == 1 && plan.step(1) == 1;
    if (mode_ == Mode::kClamp) {
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
            int8_t buffer[RunPlan::kBlock];
            int8_t* home = out[0].ptr<int8_t>() + offset[0];
            const int8_t* from = gather_run(in[0].ptr<const int8_t>() + offset[1], plan.step(1), n, buffer);
            int8_t* to = scatter_target(home, plan.step(0), buffer);
            clamp_run(from, n, static_cast<int8_t>(bounds_.lo), static_cast<int8_t>(bounds_.hi), to);
            scatter_run(to, n, home, plan.step(0));
        });
        return {};
    }
    plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
        if (in_half && adjacent) {
            apply_in_half(*half, in[0].ptr<const uint16_t>() + offset[1], out[0].ptr<uint16_t>() + offset[0], n);
            return;
        }
        float buffer[RunPlan::kBlock];
        const float* from = runs.load(in[0], offset[1], plan.step(1), n, buffer);
        float* to = runs.target(out[0], offset[0], plan.step(0), buffer);
        apply(from, to, n);
        runs.store(to, n, out[0], offset[0], plan.step(0));
    });
    return {};
}

}  // namespace fw
