// Pointwise: the base of layers that are one function of one number (QuantRule::kPointwise and kClamp).
#pragma once

#include <memory>

#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "quant/quant.h"

namespace fw {

/// Float: the function on every element. int8: a table of it, or a clamp where the function is one and the scale is
/// kept.
class Pointwise : public Layer {
public:
    Status prepare(const PrepareContext& context) override;
    HalfUse half_use(bool /*arithmetic*/) const override { return HalfUse::kSame; }
    LayerTraits traits() const override { return {true, true, true}; }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    Status operation(Span<const Tensor> in, Span<const Tensor> out, Operation* operation) const FW_DEVICE_OVERRIDE;

protected:
    /// The function on adjacent values; `in` and `out` may be the same.
    virtual void apply(const float* in, float* out, int64_t count) const = 0;
    /// The same on float16; false, with nothing written, where the kernel has it not, whatever `count` is.
    virtual bool apply_in_half(const HalfArithKernel& /*kernel*/, const uint16_t* /*in*/, uint16_t* /*out*/,
                               int64_t /*count*/) const {
        return false;
    }
    /// The function in double precision, by quant/math.h.
    virtual double exact(double x) const = 0;
    /// True for a function that only limits its argument; int8 then clamps instead of looking up.
    virtual bool as_clamp(RealClamp* /*clamp*/) const { return false; }
    /// The function for another processor, where no clamp is one.
    FW_DEVICE_VIRTUAL MapOperation as_map() const { return {}; }

private:
    enum class Mode : uint8_t { kFloat, kTable, kClamp };
    Mode mode_ = Mode::kFloat;
    QuantBounds bounds_;
    PointwiseTable table_ = {};
};

/// A Pointwise layer of a function object F with `Status load(const Params&)`, `template <class T> T operator()(T x)
/// const` and, for other processors, `Elementary elementary() const`.
template <class F>
class PointwiseOf : public Pointwise {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override { return f_.load(params); }

protected:
    void apply(const float* in, float* out, int64_t count) const override {
        const F f = f_;
        for (int64_t i = 0; i < count; ++i) {
            out[i] = f(in[i]);
        }
    }
    double exact(double x) const override { return f_(x); }
    MapOperation as_map() const FW_DEVICE_OVERRIDE {
        MapOperation map;
        map.kind = MapOperation::Kind::kElementary;
        map.elementary = f_.elementary();
        return map;
    }

    F f_;
};

/// A Pointwise layer whose float function is a kernel's: F has `FunctionArgs kernel() const`, and its operator() is for
/// double.
template <class F>
class KernelPointwise : public Pointwise {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override { return f_.load(params); }
    Status prepare(const PrepareContext& context) override {
        FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
        kernel_ = find_function_kernel(isa);
        return Pointwise::prepare(context);
    }

protected:
    void apply(const float* in, float* out, int64_t count) const override {
        kernel_->apply(f_.kernel(), in, count, out);
    }
    bool apply_in_half(const HalfArithKernel& kernel, const uint16_t* in, uint16_t* out, int64_t count) const override {
        return kernel.apply(f_.kernel(), in, count, out);
    }
    double exact(double x) const override { return f_(x); }
    MapOperation as_map() const FW_DEVICE_OVERRIDE {
        MapOperation map;
        map.kind = MapOperation::Kind::kFunction;
        map.function = f_.kernel();
        return map;
    }

private:
    F f_;
    const FunctionKernel* kernel_ = nullptr;
};

/// out[i] = table[in[i] + 128] over tensors of one shape and any strides.
void look_up(const Tensor& in, const Tensor& out, const PointwiseTable& table, int threads);
/// Passes on adjacent bytes.
void look_up_run(const int8_t* in, int8_t* out, int64_t count, const int8_t* table);

/// True if every blob is of this type.
bool all_of_type(Span<const TensorDesc> blobs, DType type);
/// True if every blob is float32, or every one float16, where there are such: FloatRuns reads and writes them.
bool all_float(const PrepareContext& context);
/// The error of a prepare() that meets types it cannot do.
Status unsupported_types(const PrepareContext& context);

}  // namespace fw
