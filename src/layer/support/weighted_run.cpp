// What a layer with weights does in a run.
#include <algorithm>

#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "kernel/strassen_kernel.h"
#include "layer/operation.h"
#include "layer/support/int8_combine.h"
#include "layer/support/pointwise.h"
#include "layer/support/weighted.h"

namespace fw {

size_t WeightedCore::scratch_bytes(int threads, int out_h, int out_w) const {
    if (winograd_.chosen()) {
        return winograd_scratch_bytes(winograd_, spec_.channels, spec_.outputs, out_h, out_w, threads);
    }
    if (strassen_.chosen()) {
        return strassen_scratch_bytes(spec_.channels, spec_.outputs, int64_t{out_h} * out_w, threads);
    }
    if (dw_ != nullptr) {
        return dw_->scratch_bytes(spec_.taps(), spec_.channels, staged_, threads);
    }
    if (gemm_ != nullptr) {
        return gemm_conv_scratch_bytes(*gemm_, spec_.taps(), spec_.tap_length(), spec_.outputs / spec_.group, staged_,
                                       threads, widens_weights_);
    }
    return 0;
}

bool WeightedCore::kernel_sums() const {
    return adds() && gemm_ != nullptr && gemm_->sums && !staged_ && epilogue_.bent == BentFunction::kIdentity &&
           !winograd_.chosen() && !strassen_.chosen();
}

SumEpilogue WeightedCore::sum_epilogue(const RowJob& rows) const {
    const auto product = [](int32_t a, int32_t b) { return static_cast<uint32_t>(a) * static_cast<uint32_t>(b); };
    SumEpilogue sum;
    sum.k = sum_.multiplier[0];
    sum.k_residual = sum_.multiplier[1];
    sum.start =
        static_cast<int32_t>((1U << (sum_.shift - 1)) + product(epilogue_.zero_point - sum_.zero_point[0], sum.k) -
                             product(sum_.zero_point[1], sum.k_residual));
    sum.shift = sum_.shift;
    sum.zero_point = sum_.zero_point_out;
    sum.lo = sum_.lo;
    sum.hi = sum_.hi;
    sum.residual = rows.residual - static_cast<const int8_t*>(rows.output);
    return sum;
}

// A residual that is not there is added by finish().
bool WeightedCore::finishes_rows(const RowJob& rows) const {
    const bool adds_here = adds() && !rows.added;
    return adds_here ? rows.residual != nullptr : !table_.empty();
}

RowFunction WeightedCore::row_function(const RowJob& rows) const {
    if (out_size_ > 1 && !spec_.activation.is_clamp() && epilogue_.bent == BentFunction::kIdentity) {
        return {staged_ ? narrow_row : half_out_ ? activate_half_row : activate_row, &rows, staged_};
    }
    if (staged_) {
        return {quantize_row, &rows, true};
    }
    return finishes_rows(rows) ? RowFunction{finish_row, &rows, false} : RowFunction();
}

void WeightedCore::run(const ConvGeometry& geometry, const void* input, void* output, int threads, void* scratch,
                       const int8_t* residual) const {
    const RowJob rows = {this, residual, output, kernel_sums() && residual != nullptr};
    SumEpilogue sum;
    ConvJob job;
    job.geometry = geometry;
    job.pad_row = pad_row_.get();
    job.epilogue = epilogue_;
    if (rows.added) {
        sum = sum_epilogue(rows);
        job.epilogue.sum = &sum;
    }
    job.row_function = row_function(rows);
    job.half_input = half_in_;
    job.threads = threads;
    job.scratch = scratch;
    job.out_element_size = out_size_;
    if (dw_ != nullptr) {
        job.input = input;
        job.output = output;
        job.packed = packed_.get();
        job.k = spec_.channels;
        dw_->run(job);
        return;
    }
    if (winograd_.chosen() || strassen_.chosen()) {
        job.input = input;
        job.output = output;
        job.packed = packed_.get();
        job.k = spec_.channels;
        job.n = spec_.outputs;
        winograd_.chosen() ? run_winograd(winograd_, job) : run_strassen(strassen_, job);
        return;
    }
    job.widen = widens_weights_ ? widen_ : nullptr;
    job.k = spec_.tap_length();
    job.n = spec_.outputs / spec_.group;
    const size_t in_step = static_cast<size_t>(job.k) * static_cast<size_t>(in_element_size());
    const size_t out_step = static_cast<size_t>(job.n) * static_cast<size_t>(out_size_);
    for (size_t g = 0; g < static_cast<size_t>(spec_.group); ++g) {
        job.input = static_cast<const char*>(input) + g * in_step;
        job.output = static_cast<char*>(output) + g * out_step;
        job.packed = static_cast<const char*>(packed_.get()) + g * group_bytes_;
        run_gemm_conv(*gemm_, job);
    }
}

Status WeightedCore::operation(const ConvGeometry& geometry, Operation* operation) const {
    if (rows_ == nullptr) {
        return Status::error(Code::kUnsupported, "was not prepared for a device");
    }
    ConvOperation conv;
    conv.rows = rows_.get();
    conv.geometry = geometry;
    conv.channels = spec_.channels;
    conv.outputs = spec_.outputs;
    conv.group = spec_.group;
    conv.pad_value = pad_value_;
    conv.pad_byte = pad_byte_;
    conv.activation = spec_.activation;
    conv.quant = out_quant_;
    conv.table = table_;
    *operation = conv;
    return {};
}

void WeightedCore::finish(const Tensor& residual, const Tensor& output, int threads) const {
    const int64_t channels = spec_.outputs;
    if (output.rank() < 3) {
        const RowJob rows = {this, residual.ptr<const int8_t>(), output.data, false};
        finish_row(&rows, output.data, output.data, channels);
        return;
    }
    const bool whole_rows = residual.w_stride() == channels && output.w_stride() == channels;
    const int64_t pixels = whole_rows ? 1 : output.w();
    const int64_t run = whole_rows ? output.w() * channels : channels;
    parallel_for(output.h(), threads, [&](int64_t y) {
        for (int64_t x = 0; x < pixels; ++x) {
            int8_t* to = output.ptr<int8_t>() + y * output.h_stride() + x * output.w_stride();
            const int8_t* from = residual.ptr<const int8_t>() + y * residual.h_stride() + x * residual.w_stride();
            const RowJob rows = {this, from, to, false};
            finish_row(&rows, to, to, run);
        }
    });
}

void WeightedCore::activate_row(const void* job, const void* from, void* to, int64_t count) {
    const WeightedCore* self = static_cast<const RowJob*>(job)->core;
    self->function_kernel_->apply(self->spec_.activation.function(), static_cast<const float*>(from), count,
                                  static_cast<float*>(to));
}

bool WeightedCore::activates_in_half(const uint16_t* from, uint16_t* to, int64_t count) const {
    const HalfArithKernel* half = half_runs_.arithmetic;
    return half != nullptr && half->apply(spec_.activation.function(), from, count, to);
}

void WeightedCore::activate_half_row(const void* job, const void* from, void* to, int64_t count) {
    const WeightedCore* self = static_cast<const RowJob*>(job)->core;
    if (self->activates_in_half(static_cast<const uint16_t*>(from), static_cast<uint16_t*>(to), count)) {
        return;
    }
    constexpr int64_t kChunk = 256;
    float values[kChunk];
    for (int64_t i = 0; i < count; i += kChunk) {
        const int64_t n = std::min(kChunk, count - i);
        self->half_runs_.widen(static_cast<const uint16_t*>(from) + i, n, values);
        narrow_row(job, values, static_cast<uint16_t*>(to) + i, n);
    }
}

// The activation in float, then rounded.
void WeightedCore::narrow_row(const void* job, const void* from, void* to, int64_t count) {
    const WeightedCore* self = static_cast<const RowJob*>(job)->core;
    constexpr int64_t kChunk = 256;
    float values[kChunk];
    for (int64_t i = 0; i < count; i += kChunk) {
        const int64_t n = std::min(kChunk, count - i);
        activate_row(job, static_cast<const float*>(from) + i, values, n);
        self->half_runs_.narrow(values, n, static_cast<uint16_t*>(to) + i);
    }
}

// The sum, if there is one, then the table, if there is one.
void WeightedCore::finish_row(const void* job, const void* from, void* to, int64_t count) {
    const auto& rows = *static_cast<const RowJob*>(job);
    const WeightedCore* self = rows.core;
    const auto* in = static_cast<const int8_t*>(from);
    auto* out = static_cast<int8_t*>(to);
    if (self->adds() && !rows.added) {
        const int8_t* operands[] = {in, rows.residual + (out - static_cast<const int8_t*>(rows.output))};
        sum_run(self->sum_, self->run_kernel_, operands, count, out);
        in = out;
    }
    if (self->table_.empty()) {
        return;
    }
    if (self->table_kernel_ != nullptr) {
        self->table_kernel_->look_up(in, count, self->table_.data(), out);
    } else {
        look_up_run(in, out, count, self->table_.data());
    }
}

// The activation in float, then quantized as any activation is (docs/int8-contract.md).
void WeightedCore::quantize_row(const void* job, const void* from, void* to, int64_t count) {
    const auto& rows = *static_cast<const RowJob*>(job);
    const WeightedCore* self = rows.core;
    constexpr int64_t kChunk = 256;
    float values[kChunk];
    const bool exact = self->spec_.activation.function_is_exact();
    const FunctionArgs function = self->spec_.activation.function();
    const QuantizeArgs args = {self->out_quant_.scale, self->out_quant_.zero_point, quant_min(self->out_quant_)};
    auto* out = static_cast<int8_t*>(to);
    for (int64_t i = 0; i < count; i += kChunk) {
        const int64_t n = std::min(kChunk, count - i);
        const float* x = static_cast<const float*>(from) + i;
        if (exact) {
            self->function_kernel_->apply(function, x, n, values);
        } else {
            self->spec_.activation.apply(x, values, n);
        }
        if (self->run_kernel_ != nullptr) {
            self->run_kernel_->quantize(args, values, n, out + i);
        } else {
            quantize_run(values, n, self->out_quant_, out + i);
        }
    }
    if (self->finishes_rows(rows)) {
        finish_row(job, to, to, count);
    }
}

std::string WeightedCore::kernel_name() const {
    if (winograd_.chosen()) {
        return winograd_.kernel->name;
    }
    if (strassen_.chosen()) {
        return strassen_.kernel->name;
    }
    return dw_ != nullptr ? dw_->name() : gemm_ != nullptr ? gemm_->name : "";
}

}  // namespace fw
