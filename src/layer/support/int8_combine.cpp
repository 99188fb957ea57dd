#include "layer/support/int8_combine.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "layer/operation.h"
#include "layer/support/pointwise.h"

namespace fw {

namespace {

constexpr size_t kMaxFactors = 3;                        // 255^3 < 2^24: the product is exact in float
constexpr size_t kMaxOperands = 4;                       // inputs that the sum's kernel is used for
constexpr size_t kBuffer = RunPlan::kBlock + kOverread;  // kernels over-read
constexpr int64_t kRepeated = 4096;                      // bytes of a factor, one behind the other

// The loops are functions of their own, so that pointers and constants are locals and the compiler vectorises them.

void widen(const int8_t* x, int32_t zero_point, float factor, int64_t n, float* out) {
    for (int64_t i = 0; i < n; ++i) {
        out[i] = static_cast<float>(x[i] - zero_point) * factor;
    }
}

// A sum of bytes, operand by operand, of at most RunPlan::kBlock elements.
class ByteSum {
public:
    ByteSum(const SumParams& sum, int64_t n) : sum_(sum), n_(n) {
        std::fill(total_, total_ + n, int32_t{1} << (sum.shift - 1));
    }
    void add(size_t i, const int8_t* x) {
        const int32_t k = sum_.multiplier[i];
        const int32_t zero_point = sum_.zero_point[i];
        int32_t* total = total_;
        const int64_t n = n_;
        for (int64_t j = 0; j < n; ++j) {
            total[j] += (x[j] - zero_point) * k;
        }
    }
    void finish(int8_t* to) const {
        // Copies: a store of a byte may change any member.
        const int32_t zero_point_out = sum_.zero_point_out;
        const int32_t lo = sum_.lo;
        const int32_t hi = sum_.hi;
        const int shift = sum_.shift;
        const int64_t n = n_;
        for (int64_t j = 0; j < n; ++j) {
            to[j] = static_cast<int8_t>(std::min(std::max(zero_point_out + (total_[j] >> shift), lo), hi));
        }
    }

private:
    const SumParams& sum_;
    int64_t n_;
    int32_t total_[RunPlan::kBlock];
};

template <bool Max>
void keep_extreme(const float* x, int64_t n, float* value) {
    for (int64_t i = 0; i < n; ++i) {
        const bool wins = Max ? x[i] > value[i] : x[i] < value[i];
        value[i] = wins ? x[i] : value[i];
    }
}

}  // namespace

Status Int8Combine::prepare(Op op, const PrepareContext& context, Span<const float> coefficients) {
    std::vector<QuantParams> quants;
    const QuantParams out = context.outputs[0].quant;
    bool known = out.known();
    for (const TensorDesc& desc : context.inputs) {
        quants.push_back(desc.quant);
        known = known && desc.quant.known();
    }
    if (quants.size() < 2 || !known || !all_of_type(context.inputs, DType::kInt8) ||
        !all_of_type(context.outputs, DType::kInt8)) {
        return unsupported_types(context);
    }
    op_ = op;
    result_ = out;
    zero_point_.clear();
    factor_.clear();
    for (const QuantParams& quant : quants) {
        zero_point_.push_back(quant.zero_point);
        factor_.push_back(rescale_multiplier(quant, out));
    }
    switch (op) {
        case Op::kSum:
            sum_ = make_sum(quants, coefficients, out, {});
            if (sum_.shift == 0) {
                return Status::error(Code::kUnsupported,
                                     "the scales of inputs and output are too far apart for an int8 sum");
            }
            break;
        case Op::kProduct:
            if (quants.size() > kMaxFactors) {
                return Status::error(Code::kUnsupported, "an int8 product has at most %zu factors, this one %zu",
                                     kMaxFactors, quants.size());
            }
            result_.scale = product_multiplier(quants, out);
            break;
        case Op::kQuotient: result_.scale = quotient_multiplier(quants[0], quants[1], out); break;
        case Op::kMax:
        case Op::kMin: result_.scale = 1.0F; break;
    }
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    kernel_ = find_run_kernel(isa);
    arith_ = find_arith_kernel(isa);
    return {};
}

const char* Int8Combine::kernel_name() const {
    if (op_ == Op::kProduct) {
        return arith_->name;
    }
    return op_ == Op::kSum && kernel_ != nullptr ? kernel_->name : "";
}

void Int8Combine::run(Span<const Tensor> in, const Tensor& out, Span<const int64_t* const> strides, int threads) const {
    const RunPlan plan(out.shape, strides);
    for (size_t i = 0; op_ == Op::kProduct && in.size() == 2 && i < 2; ++i) {
        if (plan.repeats_within(kRepeated, i + 1)) {
            return product_of_runs(plan, in, i, out.ptr<int8_t>(), threads);
        }
    }
    const bool by_kernel = op_ == Op::kProduct || (op_ == Op::kSum && kernel_ != nullptr && in.size() <= kMaxOperands);
    const QuantizeArgs args = {result_.scale, result_.zero_point, quant_min(result_)};
    plan.for_each(threads, [&](const int64_t* offset, int64_t length) {
        float value[RunPlan::kBlock];
        int8_t bytes[RunPlan::kBlock];
        // All inputs block by block, so that the output may be the memory of any of them. Kernels need no buffers where
        // all are adjacent, which is so where a piece is longer than a block.
        const int64_t block = by_kernel ? length : RunPlan::kBlock;
        for (int64_t start = 0; start < length; start += block) {
            const Piece piece = {offset, start, std::min(block, length - start)};
            int8_t* home = out.ptr<int8_t>() + offset[0] + start * plan.step(0);
            int8_t* to = scatter_target(home, plan.step(0), bytes);
            switch (op_) {
                case Op::kSum: sum(plan, in, piece, to); break;
                case Op::kProduct: product(plan, in, piece, to); break;
                case Op::kQuotient: quotient(plan, in, piece, value); break;
                case Op::kMax:
                case Op::kMin: extreme(plan, in, piece, value); break;
            }
            const bool real = op_ != Op::kSum && op_ != Op::kProduct;
            if (real && kernel_ != nullptr) {
                kernel_->quantize(args, value, piece.n, to);
            } else if (real) {
                quantize_run(value, piece.n, result_, to);
            }
            scatter_run(to, piece.n, home, plan.step(0));
        }
    });
}

Status Int8Combine::operation(Span<const Tensor> in, Span<const int64_t* const> strides, Operation* operation) const {
    CombineOperation combine;
    FW_RETURN_IF_ERROR(combine_inputs(in, strides, &combine));
    switch (op_) {
        case Op::kSum: combine.kind = CombineOperation::Kind::kSum; break;
        case Op::kProduct: combine.kind = CombineOperation::Kind::kProduct; break;
        case Op::kQuotient: combine.kind = CombineOperation::Kind::kQuotient; break;
        case Op::kMax: combine.kind = CombineOperation::Kind::kMax; break;
        case Op::kMin: combine.kind = CombineOperation::Kind::kMin; break;
    }
    combine.sum = sum_;
    combine.result = result_;
    for (size_t i = 0; i < combine.from.size(); ++i) {
        combine.zero_point[i] = zero_point_[i];
        combine.factor[i] = factor_[i];
    }
    *operation = combine;
    return {};
}

void sum_run(const SumParams& sum, const RunKernel* kernel, const int8_t* const* in, int64_t n, int8_t* to) {
    const size_t operands = sum.multiplier.size();
    if (kernel == nullptr) {
        for (int64_t start = 0; start < n; start += RunPlan::kBlock) {
            ByteSum total(sum, std::min<int64_t>(RunPlan::kBlock, n - start));
            for (size_t i = 0; i < operands; ++i) {
                total.add(i, in[i] + start);
            }
            total.finish(to + start);
        }
        return;
    }
    SumArgs args;
    args.in = in;
    args.multiplier = sum.multiplier.data();
    args.zero_point = sum.zero_point.data();
    args.inputs = static_cast<int>(operands);
    args.shift = sum.shift;
    args.zero_point_out = sum.zero_point_out;
    args.lo = sum.lo;
    args.hi = sum.hi;
    kernel->sum(args, n, to);
}

Status combine_inputs(Span<const Tensor> in, Span<const int64_t* const> strides, CombineOperation* combine) {
    if (in.size() != combine->from.size()) {
        return Status::error(Code::kUnsupported, "%zu inputs, shaders combine %zu", in.size(), combine->from.size());
    }
    for (size_t i = 0; i < in.size(); ++i) {
        combine->from[i] = in[i];
        std::copy_n(strides[i], Shape::kMaxRank, combine->from[i].stride);
    }
    return {};
}

// Elements of input i side by side; one that is repeated fills the buffer.
const int8_t* Int8Combine::operand(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, size_t i,
                                   int8_t* buffer) const {
    const int64_t step = plan.step(i + 1);
    const int8_t* from = in[i].ptr<const int8_t>() + piece.offset[i + 1] + piece.start * step;
    if (step == 0) {
        std::memset(buffer, *from, static_cast<size_t>(piece.n));
        return buffer;
    }
    return gather_run(from, step, piece.n, buffer);
}

void Int8Combine::sum(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, int8_t* to) const {
    if (in.size() > kMaxOperands) {
        int8_t buffer[RunPlan::kBlock];
        ByteSum total(sum_, piece.n);
        for (size_t i = 0; i < in.size(); ++i) {
            total.add(i, operand(plan, in, piece, i, buffer));
        }
        total.finish(to);
        return;
    }
    int8_t buffer[kMaxOperands][kBuffer];
    const int8_t* from[kMaxOperands];
    for (size_t i = 0; i < in.size(); ++i) {
        from[i] = operand(plan, in, piece, i, buffer[i]);
    }
    sum_run(sum_, kernel_, from, piece.n, to);
}

void Int8Combine::product(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, int8_t* to) const {
    int8_t buffer[kMaxFactors][kBuffer];
    const int8_t* from[kMaxFactors];
    for (size_t i = 0; i < in.size(); ++i) {
        from[i] = operand(plan, in, piece, i, buffer[i]);
    }
    multiply(from, in.size(), piece.n, to);
}

void Int8Combine::product_of_runs(const RunPlan& plan, Span<const Tensor> in, size_t repeated, int8_t* out,
                                  int threads) const {
    int8_t factors[kRepeated + kOverread];
    const auto* run = in[repeated].ptr<const int8_t>();
    const auto* other = in[1 - repeated].ptr<const int8_t>();
    plan.for_each_repeated(run, kRepeated, factors, threads, [&](int64_t start, int64_t n) {
        const int8_t* from[2];
        from[repeated] = factors;
        from[1 - repeated] = other + start;
        multiply(from, 2, n, out + start);
    });
}

void Int8Combine::multiply(const int8_t* const* from, size_t inputs, int64_t n, int8_t* to) const {
    ProductArgs args;
    args.in = from;
    args.zero_point = zero_point_.data();
    args.inputs = static_cast<int>(inputs);
    args.multiplier = result_.scale;
    args.zero_point_out = result_.zero_point;
    args.lo = quant_min(result_);
    arith_->product(args, n, to);
}

void Int8Combine::quotient(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, float* value) const {
    float divisor[RunPlan::kBlock];
    int8_t buffer[RunPlan::kBlock];
    widen(operand(plan, in, piece, 0, buffer), zero_point_[0], 1.0F, piece.n, value);
    widen(operand(plan, in, piece, 1, buffer), zero_point_[1], 1.0F, piece.n, divisor);
    for (int64_t j = 0; j < piece.n; ++j) {
        value[j] /= divisor[j];
    }
}

void Int8Combine::extreme(const RunPlan& plan, Span<const Tensor> in, const Piece& piece, float* value) const {
    float other[RunPlan::kBlock];
    int8_t buffer[RunPlan::kBlock];
    for (size_t i = 0; i < in.size(); ++i) {
        widen(operand(plan, in, piece, i, buffer), zero_point_[i], factor_[i], piece.n, i == 0 ? value : other);
        if (i > 0 && op_ == Op::kMax) {
            keep_extreme<true>(other, piece.n, value);
        } else if (i > 0) {
            keep_extreme<false>(other, piece.n, value);
        }
    }
}

}  // namespace fw
