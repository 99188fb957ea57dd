#include "layer/support/normalize_int8.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "layer/support/pointwise.h"
#include "layer/support/run_plan.h"

namespace fw {

namespace {

constexpr int kLanes = 64;                               // channels summed side by side: a cache line
constexpr int64_t kMaxRounds = NormKernel::kMostSummed;  // so many squares fit an int32
constexpr int64_t kAffineBytes = 16;                     // the affine kernel reads whole vectors of so many

// Adds `n` elements, one into each lane.
inline void add_lanes(const int8_t* x, int64_t step, int32_t zero_point, int n, int32_t* sum, int32_t* square_sum) {
    for (int i = 0; i < n; ++i) {
        const auto d = static_cast<int16_t>(x[i * step] - zero_point);
        sum[i] += d;
        square_sum[i] += int32_t{d} * d;
    }
}

// Sums of `n` indices of axis 0 over the other axes (`pixels`).
void sum_lanes(const int8_t* x, int64_t step, const LoopNest& pixels, int32_t zero_point, int n, LevelSums* sums) {
    int32_t sum[kLanes] = {};
    int32_t square_sum[kLanes] = {};
    int64_t rounds = 0;
    const auto flush = [&] {
        for (int i = 0; i < n; ++i) {
            sums[i].count += rounds;
            sums[i].sum += sum[i];
            sums[i].square_sum += square_sum[i];
            sum[i] = square_sum[i] = 0;
        }
        rounds = 0;
    };
    pixels.for_each_run([&](const LoopNest::Steps& offset, int64_t length, const LoopNest::Steps& pixel_step) {
        for (int64_t i = 0; i < length; ++i) {
            const int8_t* from = x + offset[0] + i * pixel_step[0];
            if (n == kLanes && step == 1) {
                add_lanes(from, 1, zero_point, kLanes, sum, square_sum);
            } else {
                add_lanes(from, step, zero_point, n, sum, square_sum);
            }
            if (++rounds == kMaxRounds) {
                flush();
            }
        }
    });
    flush();
}

// Sums of all elements of the nest; `kernel` may be nullptr.
LevelSums sum_all(const NormKernel* kernel, const int8_t* x, const LoopNest& nest, int32_t zero_point) {
    LevelSums sums;
    nest.for_each_run([&](const LoopNest::Steps& offset, int64_t length, const LoopNest::Steps& step) {
        for (int64_t start = 0; start < length; start += kMaxRounds) {
            const int64_t n = std::min(kMaxRounds, length - start);
            const int8_t* from = x + offset[0] + start * step[0];
            sums.count += n;
            if (kernel != nullptr && step[0] == 1) {
                int32_t both[2];
                kernel->sum(from, n, zero_point, both);
                sums.sum += both[0];
                sums.square_sum += both[1];
                continue;
            }
            int32_t sum = 0;
            int32_t square_sum = 0;
            const auto add = [&](int64_t apart) {
                for (int64_t i = 0; i < n; ++i) {
                    const auto d = static_cast<int16_t>(from[i * apart] - zero_point);
                    sum += d;
                    square_sum += int32_t{d} * d;
                }
            };
            if (step[0] == 1) {
                add(1);
            } else {
                add(step[0]);
            }
            sums.sum += sum;
            sums.square_sum += square_sum;
        }
    });
    return sums;
}

// q[i] = clamp(rne(float(x[i] - zp_in) * a[i] + b[i]) + zp_out), clamped first; `y` may be `x`.
void affine_run(const QuantParams& in, const QuantParams& out, const int8_t* x, int64_t n, const float* a,
                const float* b, int8_t* y) {
    constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number, half to even
    // Copies: stored bytes might be a part of `in` and `out`, as far as the compiler knows.
    const int32_t zero_point_in = in.zero_point;
    const int32_t zero_point_out = out.zero_point;
    const auto lo = static_cast<float>(quant_min(out) - out.zero_point);
    const auto hi = static_cast<float>(kQuantMax - out.zero_point);
    for (int64_t i = 0; i < n; ++i) {
        float v = static_cast<float>(x[i] - zero_point_in) * a[i];
        v += b[i];
        v = v < lo ? lo : v;
        v = (v > hi ? hi : v) + kMagic;
        int32_t bits = 0;
        std::memcpy(&bits, &v, sizeof(bits));
        y[i] = static_cast<int8_t>(bits - 0x4B400000 + zero_point_out);
    }
}

AffineArgs affine_args(const QuantParams& in, const QuantParams& out, const float* a, const float* b) {
    AffineArgs args;
    args.a = a;
    args.b = b;
    args.zero_point = in.zero_point;
    args.zero_point_out = out.zero_point;
    args.lo = quant_min(out);
    args.hi = kQuantMax;
    return args;
}

}  // namespace

Status NormalizeInt8::prepare(const PrepareContext& context, const NormRule& rule, Span<const float> gamma,
                              Span<const float> beta) {
    active_ = false;
    factors_ = {};
    if (all_of_type(context.inputs, DType::kFloat32) && all_of_type(context.outputs, DType::kFloat32)) {
        return {};
    }
    const TensorDesc& in = context.inputs[0];
    const TensorDesc& out = context.outputs[0];
    if (in.dtype != DType::kInt8 || out.dtype != DType::kInt8 || !in.quant.known() || !out.quant.known()) {
        return unsupported_types(context);
    }
    if (!all_finite(gamma) || !all_finite(beta)) {
        return Status::error(Code::kUnsupported, "a factor is inf or nan");
    }
    rule_ = rule;
    in_ = in.quant;
    out_ = out.quant;
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    kernel_ = find_norm_kernel(isa);
    if (kernel_ != nullptr) {
        arith_ = find_arith_kernel(isa);
        factors_ = make_norm_factors(gamma, beta, out_);
        factors_.gamma.resize(gamma.size() + kOverread / sizeof(double));
        factors_.shift.resize(gamma.size() + kOverread / sizeof(double));
    }
    active_ = true;
    return {};
}

std::string NormalizeInt8::kernel_name() const {
    return active_ && kernel_ != nullptr ? kernel_->name : "";
}

void NormalizeInt8::by_groups(const Tensor& in, const Tensor& out, int64_t groups, Span<const float> gamma,
                              Span<const float> beta, int threads) const {
    if (in.count() == 0) {
        return;
    }
    const int64_t channels = in.shape[0];
    const int64_t step = in.stride[0];
    LoopNest pixels;
    for (int axis = 1; axis < in.rank(); ++axis) {
        pixels.add(in.shape[axis], {in.stride[axis], 0, 0});
    }
    pixels.sort_by_input();
    std::vector<LevelSums> sums(static_cast<size_t>(channels));
    // Channels apart are read one after the other.
    const int64_t lanes = step == 1 ? kLanes : 1;
    parallel_for((channels + lanes - 1) / lanes, threads, [&](int64_t part) {
        const int64_t first = part * lanes;
        sum_lanes(in.ptr<const int8_t>() + first * step, step, pixels, in_.zero_point,
                  static_cast<int>(std::min(lanes, channels - first)), &sums[static_cast<size_t>(first)]);
    });

    const int64_t size = channels / groups;
    std::vector<float> a(static_cast<size_t>(channels));
    std::vector<float> b(a.size());
    for (int64_t first = 0; first < channels; first += size) {
        LevelSums group;
        for (int64_t c = first; c < first + size; ++c) {
            const LevelSums& one = sums[static_cast<size_t>(c)];
            group.count += one.count;
            group.sum += one.sum;
            group.square_sum += one.square_sum;
        }
        norm_affine(make_norm(group, rule_, in_, out_), gamma.empty() ? nullptr : gamma.data() + first,
                    beta.empty() ? nullptr : beta.data() + first, size, &a[static_cast<size_t>(first)],
                    &b[static_cast<size_t>(first)]);
    }
    constexpr int64_t kByChannel[Shape::kMaxRank] = {1, 0, 0, 0};
    const RunPlan plan(out.shape, {out.stride, in.stride, kByChannel});
    plan.for_each(threads, [&](const int64_t* offset, int64_t n) {
        int8_t buffer[RunPlan::kBlock];
        int8_t out_buffer[RunPlan::kBlock];
        float a_buffer[RunPlan::kBlock];
        float b_buffer[RunPlan::kBlock];
        int8_t* home = out.ptr<int8_t>() + offset[0];
        int8_t* y = scatter_target(home, plan.step(0), out_buffer);
        affine_run(in_, out_, gather_run(in.ptr<const int8_t>() + offset[1], plan.step(1), n, buffer), n,
                   gather_run(&a[static_cast<size_t>(offset[2])], plan.step(2), n, a_buffer),
                   gather_run(&b[static_cast<size_t>(offset[2])], plan.step(2), n, b_buffer), y);
        scatter_run(y, n, home, plan.step(0));
    });
}

void NormalizeInt8::by_tails(const Tensor& in, const Tensor& out, int first, Span<const float> gamma,
                             Span<const float> beta, int threads) const {
    if (in.count() == 0) {
        return;
    }
    LoopNest parts;
    LoopNest tail;
    for (int axis = 0; axis < first; ++axis) {
        parts.add(in.shape[axis], {in.stride[axis], out.stride[axis], 0});
    }
    int64_t rest = 1;
    for (int axis = first; axis < in.rank(); ++axis) {
        rest *= in.shape[axis];
    }
    for (int axis = first; axis < in.rank(); ++axis) {
        rest /= in.shape[axis];
        tail.add(in.shape[axis], {in.stride[axis], out.stride[axis], rest});
    }
    tail.sort_by_input();
    parallel_for(parts.count(), threads, [&](int64_t part) {
        const LoopNest::Steps offset = parts.at(part);
        const int8_t* from = in.ptr<const int8_t>() + offset[0];
        const LevelSums sums = sum_all(kernel_, from, tail, in_.zero_point);
        normalize_tail(make_norm(sums, rule_, in_, out_), from, tail, gamma, beta, out.ptr<int8_t>() + offset[1]);
    });
}

void NormalizeInt8::normalize_tail(const NormConstants& norm, const int8_t* from, const LoopNest& tail,
                                   Span<const float> gamma, Span<const float> beta, int8_t* to) const {
    // Kernels over-read the vectors, and write them to their end.
    int8_t x_buffer[RunPlan::kBlock + kOverread];
    int8_t y_buffer[RunPlan::kBlock];
    float gamma_buffer[RunPlan::kBlock];
    float beta_buffer[RunPlan::kBlock];
    float a[RunPlan::kBlock + kOverread];
    float b[RunPlan::kBlock + kOverread];
    const auto fill_constants = [&](int64_t p, int64_t step, int64_t n) {
        if (kernel_ != nullptr && !gamma.empty() && step == 1) {
            NormArgs args;
            args.gamma = factors_.gamma.data() + p;
            args.shift = factors_.shift.data() + p;
            args.factor = norm.factor;
            args.mean = norm.mean;
            if (kernel_->constants(args, n, a, b)) {
                return;
            }
        }
        norm_affine(norm, gamma.empty() ? nullptr : gather_run(gamma.data() + p, step, n, gamma_buffer),
                    beta.empty() ? nullptr : gather_run(beta.data() + p, step, n, beta_buffer), n, a, b);
    };
    tail.for_each_run([&](const LoopNest::Steps& run, int64_t length, const LoopNest::Steps& step) {
        for (int64_t start = 0; start < length; start += RunPlan::kBlock) {
            const int64_t n = std::min<int64_t>(RunPlan::kBlock, length - start);
            fill_constants(run[2] + start * step[2], step[2], n);
            const int8_t* x = gather_run(from + run[0] + start * step[0], step[0], n, x_buffer);
            int8_t* home = to + run[1] + start * step[1];
            int8_t* y = scatter_target(home, step[1], y_buffer);
            if (kernel_ == nullptr) {
                affine_run(in_, out_, x, n, a, b, y);
            } else {
                if (n % kAffineBytes != 0 && x != x_buffer) {
                    x = std::copy_n(x, n, x_buffer) - n;  // behind it may lie what another thread writes
                }
                arith_->affine(affine_args(in_, out_, a, b), x, n, y);
            }
            scatter_run(y, n, home, step[1]);
        }
    });
}

}  // namespace fw
