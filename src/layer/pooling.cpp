// Pooling: maximum or average over windows, over the whole image, or over an even division of it into out_w x out_h.
#include <algorithm>
#include <cfloat>

#include "base/cpu.h"
#include "base/half.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "kernel/unroll.h"
#include "layer/layer.h"
#include "layer/operation.h"
#include "layer/support/pool_ops.h"
#include "layer/support/shape.h"
#include "layer/support/window.h"
#include "quant/quant.h"

namespace fw {

namespace {

using pool::AverageFloat;
using pool::AverageInt8;
using pool::Cells;
using pool::Half;
using pool::kBlock;
using pool::Max;

constexpr int kKeepSize = -233;  // out_w, out_h of adaptive pooling

// The windows of one axis.
struct AxisPlan {
    std::vector<WindowRange> windows;
    int kernel = 0;
};

struct Plan {
    AxisPlan x, y;
    bool whole_kernel = false;  ///< an average divides by the kernel's area instead of by the cells inside

    int64_t divisor(const WindowRange& wx, const WindowRange& wy) const {
        return whole_kernel ? int64_t{x.kernel} * y.kernel : int64_t{wx.count()} * wy.count();
    }
};

// One window of `n` channels. Called with constant n and strides where they are known, so that the loops become
// vectors.
template <class Op>
FW_ALWAYS_INLINE void pool_window_block(const Op& op, const Cells<typename Op::Value>& cells, int n,
                                        int64_t channel_stride, typename Op::Value* out, int64_t out_stride) {
    typename Op::State state[kBlock];
    for (int i = 0; i < n; ++i) {
        state[i] = op.first;
    }
    op.add(cells, n, channel_stride, state);
    op.finish(state, n, out, out_stride);
}

// The same for channels apart: rare, compiled for size. By value, so that the caller's stay in registers.
template <class Op>
[[gnu::cold, gnu::noinline]] void pool_strided_block(Op op, Cells<typename Op::Value> cells, int n,
                                                     int64_t channel_stride, typename Op::Value* out,
                                                     int64_t out_stride) {
    pool_window_block(op, cells, n, channel_stride, out, out_stride);
}

template <class Op>
void pool_tensor(const Op& op, const Plan& plan, const Tensor& in, const Tensor& out, int threads) {
    using T = typename Op::Value;
    const int channels = in.shape[0];
    const int64_t out_channel = out.stride[0];
    const int64_t out_row = out.rank() == 1 ? 0 : out.h_stride();
    const int64_t out_col = out.rank() == 1 ? 0 : out.w_stride();
    const auto rows = static_cast<int64_t>(plan.y.windows.size());
    // A single row of windows (global pooling) is shared by channels instead.
    const int64_t blocks = (int64_t{channels} + kBlock - 1) / kBlock;
    const int64_t shares = rows == 1 ? blocks : 1;
    parallel_for(rows * shares, threads, [&](int64_t task) {
        const int64_t row = task / shares;
        const auto first_channel = static_cast<int>(shares == 1 ? 0 : task % shares * kBlock);
        const int last_channel = shares == 1 ? channels : std::min(channels, first_channel + kBlock);
        const WindowRange& wy = plan.y.windows[static_cast<size_t>(row)];
        Op local = op;
        Cells<T> cells;
        cells.rows = wy.count();
        cells.row_stride = in.h_stride();
        cells.col_stride = in.w_stride();
        for (size_t col = 0; col < plan.x.windows.size(); ++col) {
            const WindowRange& wx = plan.x.windows[col];
            cells.cols = wx.count();
            const T* corner = in.ptr<T>() + wy.begin * in.h_stride() + wx.begin * in.w_stride();
            T* to = out.ptr<T>() + row * out_row + static_cast<int64_t>(col) * out_col;
            local.begin(int64_t{wx.count()} * wy.count(), plan.divisor(wx, wy));
            if constexpr (Op::kHasKernel) {
                if (op.kernel != nullptr && in.stride[0] == 1 && out_channel == 1) {
                    constexpr auto kSize = static_cast<int64_t>(sizeof(T));
                    op.run({corner + first_channel, cells.rows, cells.cols, cells.row_stride * kSize,
                            cells.col_stride * kSize, last_channel - first_channel, to + first_channel});
                    continue;
                }
            }
            for (int c = first_channel; c < last_channel; c += kBlock) {
                const int n = std::min(kBlock, last_channel - c);
                cells.corner = corner + c * in.stride[0];
                T* target = to + c * out_channel;
                if (in.stride[0] != 1 || out_channel != 1) {
                    pool_strided_block(local, cells, n, in.stride[0], target, out_channel);
                } else if (n == kBlock) {
                    pool_window_block(local, cells, kBlock, 1, target, 1);
                } else {
                    pool_window_block(local, cells, n, 1, target, 1);
                }
            }
        }
    });
}

class Pooling final : public Layer {
public:
    Status load(const Params& params, Span<const Weight> /*weights*/) override {
        const int type = params.i(0);
        if (type != 0 && type != 1) {
            return Status::error(Code::kInvalidArgument, "pooling_type is %d, expected 0 (max) or 1 (average)", type);
        }
        average_ = type == 1;
        global_ = params.i(4) != 0;
        adaptive_ = params.i(7) != 0;
        include_pad_ = params.i(6) != 0;
        out_w_ = params.i(8);
        out_h_ = params.i(18);
        if (global_) {
            return {};
        }
        if (adaptive_) {
            for (int size : {out_w_, out_h_}) {
                if (size < 1 && size != kKeepSize) {
                    return Status::error(Code::kInvalidArgument,
                                         "adaptive output %d x %d, expected sizes from 1, or %d to keep the input's",
                                         out_w_, out_h_, kKeepSize);
                }
            }
            return {};
        }
        const int mode = params.i(5);
        if (mode < 0 || mode > 3) {
            return Status::error(Code::kInvalidArgument, "pad_mode is %d, expected 0 to 3", mode);
        }
        mode_ = static_cast<PoolPad>(mode);
        x_ = WindowSpec{params.i(1), params.i(2), 1, params.i(3), params.i(14)};
        y_ = WindowSpec{params.i(11), params.i(12), 1, params.i(13), params.i(15)};
        if (mode_ == PoolPad::kSameUpper || mode_ == PoolPad::kSameLower) {
            x_.pad_before = x_.pad_after = y_.pad_before = y_.pad_after = 0;  // not looked at
        }
        FW_RETURN_IF_ERROR(check_window("width", x_));
        return check_window("height", y_);
    }

    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override {
        const Shape& shape = in[0].shape;
        FW_RETURN_IF_ERROR(check_rank(shape, 3, 3));
        if (global_) {
            out[0].shape = Shape(shape.c());
            return {};
        }
        int64_t dims[3] = {shape.c(), shape.h(), shape.w()};
        if (adaptive_) {
            dims[1] = out_h_ == kKeepSize ? shape.h() : out_h_;
            dims[2] = out_w_ == kKeepSize ? shape.w() : out_w_;
        } else {
            WindowAxis x, y;
            FW_RETURN_IF_ERROR(pool_window("width", shape.w(), x_, mode_, &x));
            FW_RETURN_IF_ERROR(pool_window("height", shape.h(), y_, mode_, &y));
            dims[1] = y.out;
            dims[2] = x.out;
        }
        return make_shape(3, dims, &out[0].shape);
    }

    Status prepare(const PrepareContext& context) override {
        const TensorDesc& in = context.inputs[0];
        const TensorDesc& out = context.outputs[0];
        const bool half = kHasHalfBlobs && in.dtype == DType::kFloat16;
        if (in.dtype != out.dtype || (in.dtype != DType::kFloat32 && in.dtype != DType::kInt8 && !half)) {
            return Status::error(Code::kUnsupported, "cannot pool %s into %s", name(in.dtype), name(out.dtype));
        }
        if (in.dtype == DType::kInt8 && !average_ && in.quant != out.quant) {
            return Status::error(Code::kUnsupported, "a maximum in int8 keeps the scale %g, the output has %g",
                                 static_cast<double>(in.quant.scale), static_cast<double>(out.quant.scale));
        }
        if (in.dtype == DType::kInt8 && average_ && (!in.quant.known() || !out.quant.known())) {
            return Status::error(Code::kUnsupported, "an int8 blob has no scale");
        }
        in_quant_ = in.quant;
        out_quant_ = out.quant;
        FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
        kernel_ = average_ ? nullptr : find_pool_kernel(isa);
        if (half && kernel_ != nullptr && kernel_->max_f16 == nullptr) {
            kernel_ = nullptr;
        }
        return {};
    }
    HalfUse half_use(bool /*arithmetic*/) const override { return HalfUse::kSame; }

    std::string kernel_name() const override { return kernel_ != nullptr ? kernel_->name : ""; }
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override {
        Plan plan;
        FW_RETURN_IF_ERROR(make_plan(in[0].shape, &plan));
        if (in[0].dtype == DType::kInt8) {
            if (average_) {
                AverageInt8 op;
                op.in = in_quant_;
                op.out = out_quant_;
                for (const WindowRange& wy : plan.y.windows) {
                    for (const WindowRange& wx : plan.x.windows) {
                        if (int64_t{wx.count()} * wy.count() >= kMostCells) {
                            return window_too_large(wx, wy);
                        }
                    }
                }
                pool_tensor(op, plan, in[0], out[0], context.threads);
            } else {
                pool_tensor(Max<int8_t>{static_cast<int8_t>(quant_min(in_quant_)), kernel_}, plan, in[0], out[0],
                            context.threads);
            }
        } else if (kHasHalfBlobs && in[0].dtype == DType::kFloat16) {
            if (average_) {
                pool_tensor(Half<AverageFloat>{{}, half_runs()}, plan, in[0], out[0], context.threads);
            } else {
                pool_tensor(Half<Max<float>>{{-kLargestHalf}, half_runs(), -kLargestHalf, kernel_}, plan, in[0], out[0],
                            context.threads);
            }
        } else if (average_) {
            pool_tensor(AverageFloat{}, plan, in[0], out[0], context.threads);
        } else {
            pool_tensor(Max<float>{-FLT_MAX, kernel_}, plan, in[0], out[0], context.threads);
        }
        return {};
    }

    Status operation(Span<const Tensor> in, Span<const Tensor> /*out*/, Operation* operation) const FW_DEVICE_OVERRIDE {
        Plan plan;
        FW_RETURN_IF_ERROR(make_plan(in[0].shape, &plan));
        PoolOperation pool;
        pool.average = average_;
        for (const WindowRange& wx : plan.x.windows) {
            pool.x.push_back({wx.begin, wx.end});
        }
        for (const WindowRange& wy : plan.y.windows) {
            pool.y.push_back({wy.begin, wy.end});
            for (const WindowRange& wx : plan.x.windows) {
                const int64_t divisor = plan.divisor(wx, wy);
                if (average_ && in[0].dtype == DType::kInt8 && int64_t{wx.count()} * wy.count() >= kMostCells) {
                    return window_too_large(wx, wy);
                }
                pool.factor.push_back(divisor == 0                     ? 0.0F
                                      : in[0].dtype == DType::kFloat32 ? 1.0F / static_cast<float>(divisor)
                                      : average_
                                          ? average_multiplier(in_quant_, out_quant_, static_cast<double>(divisor))
                                          : 1.0F);
            }
        }
        *operation = std::move(pool);
        return {};
    }

private:
    // Sums stay in int32 for windows of up to 2^23 cells: |q - zp| < 2^8.
    static constexpr int64_t kMostCells = 1 << 23;
    static Status window_too_large(const WindowRange& wx, const WindowRange& wy) {
        return Status::error(Code::kUnsupported, "a window of %d x %d is too large for int8", wx.count(), wy.count());
    }

    Status make_plan(const Shape& shape, Plan* plan) const {
        plan->whole_kernel =
            !global_ && !adaptive_ && (include_pad_ || mode_ == PoolPad::kSameUpper || mode_ == PoolPad::kSameLower);
        FW_RETURN_IF_ERROR(plan_axis("width", shape.w(), x_, out_w_, &plan->x));
        return plan_axis("height", shape.h(), y_, out_h_, &plan->y);
    }

    Status plan_axis(const char* axis, int in, const WindowSpec& spec, int adaptive_out, AxisPlan* plan) const {
        if (global_) {
            plan->windows.assign(1, WindowRange{0, in});
            return {};
        }
        if (adaptive_) {
            const int64_t count = adaptive_out == kKeepSize ? in : adaptive_out;
            for (int64_t i = 0; i < count; ++i) {
                plan->windows.push_back(WindowRange{static_cast<int>(i * in / count),
                                                    static_cast<int>(((i + 1) * in + count - 1) / count)});
            }
            return {};
        }
        WindowAxis resolved;
        FW_RETURN_IF_ERROR(pool_window(axis, in, spec, mode_, &resolved));
        plan->kernel = spec.kernel;
        for (int i = 0; i < resolved.out; ++i) {
            plan->windows.push_back(window_range(i, in, spec.kernel, spec.stride, resolved.pad_before));
        }
        return {};
    }

    bool average_ = false, global_ = false, adaptive_ = false, include_pad_ = false;
    PoolPad mode_ = PoolPad::kCeil;
    WindowSpec x_, y_;
    int out_w_ = 0, out_h_ = 0;
    QuantParams in_quant_, out_quant_;
    const PoolKernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Layer> make_Pooling() {
    return std::make_unique<Pooling>();
}

}  // namespace fw
