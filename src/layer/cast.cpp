// Cast: changes the element type. Blobs stay float32 unless the graph plans another type: the values are then those
// that the type can hold.
#include <cmath>
#include <cstring>

#include "base/half.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

enum class CastType : uint8_t { kAuto, kFloat32, kFloat16, kInt8, kBfloat16 };

// The nearest bfloat16 (ties to even), as a float.
float round_to_bfloat16(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    if ((bits & 0x7fffffffU) > 0x7f800000U) {
        return x;  // nan
    }
    bits += 0x7fffU + (bits >> 16 & 1U);
    bits &= 0xffff0000U;
    std::memcpy(&x, &bits, sizeof(bits));
    return x;
}

float round_to(CastType type, float x) {
    switch (type) {
        case CastType::kFloat16: return half_to_float(float_to_half(x));
        case CastType::kBfloat16: return round_to_bfloat16(x);
        case CastType::kInt8: return static_cast<float>(quantize(x, QuantParams{1.0F, 0}));
        default: return x;
    }
}

class Cast final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        FW_RETURN_IF_ERROR(check_range("type_from", params.i(0), 0, 4));
        FW_RETURN_IF_ERROR(check_range("type_to", params.i(1), 0, 4));
        type_ = static_cast<CastType>(params.i(1));
        return {};
    }
    LayerTraits traits() const override { return {true, true, true}; }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        const RunPlan plan(out[0].shape, {out[0].stride, in[0].stride});
        plan.for_each(context.threads, [&](const int64_t* offset, int64_t n) {
            const float* from = in[0].ptr<const float>() + offset[1];
            float* to = out[0].ptr<float>() + offset[0];
            for (int64_t i = 0; i < n; ++i) {
                to[i * plan.step(0)] = round_to(type_, from[i * plan.step(1)]);
            }
        });
        return {};
    }

private:
    CastType type_ = CastType::kAuto;
};

}  // namespace

std::unique_ptr<Layer> make_Cast() {
    return std::make_unique<Cast>();
}

}  // namespace fw
