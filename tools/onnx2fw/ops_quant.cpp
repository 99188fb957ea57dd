// QuantizeLinear, DequantizeLinear and FakeQuantize. The float network stays as it is; the scales become the table.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

struct Steps {
    std::vector<float> scales;
    std::vector<int64_t> zeros;
    int type = TensorProto::UINT8;
};

bool read_steps(NodeContext* ctx, Steps* out) {
    if (!ctx->floats(1, "scale", &out->scales)) {
        return false;
    }
    out->zeros.assign(out->scales.size(), 0);
    if (ctx->has(2)) {
        if (!ctx->ints(2, "zero_point", &out->zeros)) {
            return false;
        }
        out->type = ctx->in(2).type;
    }
    if (out->zeros.size() != out->scales.size() || out->scales.empty()) {
        ctx->error("%zu scales and %zu zero points, expected as many", out->scales.size(), out->zeros.size());
        return false;
    }
    for (const float scale : out->scales) {
        if (!(scale > 0.0F) || !std::isfinite(scale) || !std::isfinite(1.0F / scale)) {
            ctx->error("scale is %g, expected a number above 0", static_cast<double>(scale));
            return false;
        }
    }
    return true;
}

// A blob's scale in our terms: int8 with a zero point of -128 to 127.
void keep_blob(NodeContext* ctx, const Value& x, const Steps& steps) {
    const bool wide = steps.type != TensorProto::UINT8 && steps.type != TensorProto::INT8;
    if (steps.scales.size() != 1 || wide || x.blob == kNoBlob) {
        ctx->note("scales of this type are left out of the table: the blob stays float");
        return;
    }
    const int64_t zero = steps.zeros[0] - (steps.type == TensorProto::UINT8 ? 128 : 0);
    if (zero < -128 || zero > 127) {
        ctx->error("zero_point is %lld, expected a number of the type's range", static_cast<long long>(steps.zeros[0]));
        return;
    }
    ctx->conversion().blob_quant[x.blob] = {static_cast<double>(steps.scales[0]), static_cast<int>(zero)};
}

// Quantizers drop a ReLU or ReLU6 whose result begins at the lowest level: rounding to levels does its work. Layers
// that run in float need it back. Only what can be negative is clamped: a ReLU that is still there, or a pooling of its
// result, would get a second one.
void restore_clip(NodeContext* ctx, Value* x) {
    static const char* const kSigned[] = {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization",
                                          "Add",  "Sub",           "Mul"};
    Conversion& c = ctx->conversion();
    const std::string& name = ctx->node().input(0);
    const auto writer = c.writers.find(name);
    const bool is_signed = writer != c.writers.end() &&
                           std::find(std::begin(kSigned), std::end(kSigned), writer->second) != std::end(kSigned);
    const auto quant = c.blob_quant.find(x->blob);
    if (!is_signed || quant == c.blob_quant.end() || quant->second.zero_point != -128) {
        return;
    }
    const QuantInfo range = quant->second;
    LayerBuilder& layer = ctx->add_inner("Clip", "range", {x->blob});
    layer.set("min", 0.0).set("max", 255.0 * range.scale);
    // Others may read the value before it is rounded; where none does, its name is that of the clamped one.
    x->blob = c.readers[name] == 1 && c.builder.find(name) == x->blob ? layer.top(name) : ctx->inner(&layer, "range");
    c.blob_quant[x->blob] = range;
}

}  // namespace

void convert_quantize(NodeContext* ctx) {
    Steps steps;
    if (!read_steps(ctx, &steps)) {
        return;
    }
    Value x = ctx->in(0);
    keep_blob(ctx, x, steps);
    restore_clip(ctx, &x);
    x.type = steps.type;  // only DequantizeLinear may read it
    if (!ctx->failed()) {
        ctx->view(0, x);
    }
}

void convert_dequantize(NodeContext* ctx) {
    Steps steps;
    if (!read_steps(ctx, &steps)) {
        return;
    }
    const ConstantPtr q = ctx->constant(0);
    if (q == nullptr) {
        Value x = ctx->in(0);
        if (is_real(x.type)) {
            ctx->error("input 0 is computed and not quantized, expected the output of QuantizeLinear");
            return;
        }
        keep_blob(ctx, x, steps);
        x.type = TensorProto::FLOAT;
        if (!ctx->failed()) {
            ctx->view(0, x);
        }
        return;
    }
    const int rank = static_cast<int>(q->dims.size());
    const int axis = steps.scales.size() == 1 ? 0 : ctx->axis(ctx->attr("axis", 1), rank);
    if (axis < 0 || !ctx->take_budget(static_cast<int64_t>(q->count()))) {
        return;
    }
    if (steps.scales.size() != 1 && static_cast<int64_t>(steps.scales.size()) != q->dims[static_cast<size_t>(axis)]) {
        ctx->error("%zu scales along axis %d of %s", steps.scales.size(), axis, dims_text(q->dims).c_str());
        return;
    }
    Constant out;
    out.dims = q->dims;
    out.f.resize(q->count());
    int64_t inner = 1;
    for (int k = axis + 1; k < rank; ++k) {
        inner *= q->dims[static_cast<size_t>(k)];
    }
    bool symmetric = q->type == TensorProto::INT8;
    for (size_t k = 0; k < out.f.size(); ++k) {
        const size_t slice = (k / static_cast<size_t>(inner)) % steps.scales.size();
        out.f[k] = static_cast<float>((q->at(k) - static_cast<double>(steps.zeros[slice])) *
                                      static_cast<double>(steps.scales[slice]));
    }
    for (const int64_t zero : steps.zeros) {
        symmetric = symmetric && zero == 0;
    }
    if (symmetric) {
        for (const float scale : steps.scales) {
            out.quant_steps.push_back(static_cast<double>(scale));
        }
        out.quant_axis = axis;
    }
    ctx->constant_out(0, std::move(out));
}

namespace {

// The ends of a FakeQuantize: all four inputs known, one value each, or for weights one a slice of axis 0.
struct Ends {
    std::vector<float> lo, hi;
    int64_t levels = 0;

    // Real value of a step.
    double step(size_t i) const {
        return (static_cast<double>(hi[i]) - static_cast<double>(lo[i])) / static_cast<double>(levels - 1);
    }
};

bool read_ends(NodeContext* ctx, Ends* out) {
    std::vector<float> out_lo;
    std::vector<float> out_hi;
    if (!ctx->floats(1, "input_low", &out->lo) || !ctx->floats(2, "input_high", &out->hi) ||
        !ctx->floats(3, "output_low", &out_lo) || !ctx->floats(4, "output_high", &out_hi)) {
        return false;
    }
    out->levels = ctx->attr("levels", 256);
    if (out->levels != 256 && out->levels != 255) {
        ctx->error("levels is %lld, expected 256 or 255", static_cast<long long>(out->levels));
        return false;
    }
    if (out->lo != out_lo || out->hi != out_hi || out->lo.size() != out->hi.size() || out->lo.empty()) {
        ctx->error("input and output ranges differ, expected the same");
        return false;
    }
    for (size_t i = 0; i < out->lo.size(); ++i) {
        const double step = out->step(i);
        if (!(out->lo[i] <= 0.0F && out->hi[i] >= 0.0F) || !(step > 0.0) || !std::isnormal(static_cast<float>(step)) ||
            !std::isnormal(static_cast<float>(1.0 / step))) {
            ctx->error("range is %g to %g, expected one that holds 0", static_cast<double>(out->lo[i]),
                       static_cast<double>(out->hi[i]));
            return false;
        }
    }
    return true;
}

// Weights become what the levels stand for. Where 0 is in the middle of the levels, their scales are the range's.
void fake_quantize_weights(NodeContext* ctx, const Ends& ends, const Constant& in) {
    const size_t slices = ends.lo.size();
    if (slices != 1 && (in.dims.empty() || static_cast<int64_t>(slices) != in.dims[0])) {
        ctx->error("%zu ranges for weights of %s", slices, dims_text(in.dims).c_str());
        return;
    }
    if (!ctx->take_budget(static_cast<int64_t>(in.count()))) {
        return;
    }
    Constant out;
    out.dims = in.dims;
    out.f.resize(in.count());
    const size_t slice = std::max<size_t>(1, in.count() / slices);
    bool symmetric = true;
    for (size_t i = 0; i < slices; ++i) {
        const auto lo = static_cast<double>(ends.lo[i]);
        const double step = ends.step(i);
        const double zero = -lo / step;  // the level that stands for 0
        symmetric = symmetric && std::fabs(zero - (ends.levels == 256 ? 128 : 127)) < 1e-3;
        for (size_t k = i * slice; k < std::min((i + 1) * slice, in.count()); ++k) {
            const double clamped = std::min(std::max(in.at(k), lo), static_cast<double>(ends.hi[i]));
            out.f[k] = static_cast<float>(lo + std::nearbyint((clamped - lo) / step) * step);
        }
    }
    for (size_t i = 0; i < slices && symmetric; ++i) {
        out.quant_steps.push_back(ends.step(i));
    }
    out.quant_axis = 0;
    ctx->constant_out(0, std::move(out));
}

}  // namespace

void convert_fake_quantize(NodeContext* ctx) {
    Ends ends;
    if (!read_ends(ctx, &ends)) {
        return;
    }
    const ConstantPtr constant = ctx->constant(0);
    if (constant != nullptr) {
        fake_quantize_weights(ctx, ends, *constant);
        return;
    }
    Value x = ctx->in(0);
    if (ends.lo.size() != 1 || x.blob == kNoBlob) {
        ctx->note("ranges by channel are left out of the table: the blob stays float");
    } else {
        // 255 levels are -127 to 127; the level that stands for 0 is the nearest whole one.
        const double zero = std::nearbyint(-static_cast<double>(ends.lo[0]) / ends.step(0));
        const int first = ends.levels == 256 ? -128 : -127;
        ctx->conversion().blob_quant[x.blob] = {ends.step(0), first + static_cast<int>(zero)};
    }
    ctx->view(0, x);
}

}  // namespace fw::onnx
