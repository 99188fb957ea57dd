#include "layer/support/weighted.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/cpu.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"
#include "kernel/pack.h"
#include "layer/operation.h"
#include "layer/support/int8_combine.h"
#include "layer/support/pointwise.h"

namespace fw {

namespace {

// Winograd's way in float32 is taken in place of plain products of half floats below this share of plain float32's
// time.
constexpr double kFloat16Share = 0.5;

Status count_error(const char* blob, int64_t count, int64_t expected) {
    return Status::error(Code::kInvalidArgument, "%s has %lld elements, expected %lld", blob,
                         static_cast<long long>(count), static_cast<long long>(expected));
}

// What quantizing the real weights with the scales that they have gives.
std::vector<int8_t> stored_bytes(const Weight& weights) {
    std::vector<int8_t> bytes = weights.to_int8();
    const size_t row = bytes.size() / weights.scales().size();
    auto first = bytes.begin();
    for (const float scale : weights.scales()) {
        const auto end = first + static_cast<std::ptrdiff_t>(row);
        std::transform(first, end, first,
                       [&](int8_t q) { return scale == 0.0F ? int8_t{0} : std::max<int8_t>(q, -127); });
        first = end;
    }
    return bytes;
}

void widen_plainly(const uint16_t* half, int64_t count, float* out) {
    for (int64_t i = 0; i < count; ++i) {
        out[i] = half_to_float(half[i]);
    }
}

}  // namespace

Status WeightedCore::load(const Spec& spec, Span<const Weight> weights) {
    const size_t expected = 1 + (spec.bias ? 1 : 0) + (spec.int8_scales ? 1 : 0);
    if (weights.size() < expected) {
        return Status::error(Code::kInvalidArgument, "has %d weight blobs, expected %d",
                             static_cast<int>(weights.size()), static_cast<int>(expected));
    }
    const int64_t count = spec.outputs * spec.weights_per_output();
    if (weights[0].count() != count) {
        return count_error("weight_data", weights[0].count(), count);
    }
    if (spec.bias && weights[1].count() != spec.outputs) {
        return count_error("bias_data", weights[1].count(), spec.outputs);
    }
    if (spec.int8_scales) {
        const int64_t scales = weights[expected - 1].count();
        if (scales < 1 || spec.outputs % scales != 0) {
            return count_error("weight_data_int8_scales", scales, spec.outputs);
        }
    } else if (weights[0].storage() == WeightStorage::kInt8) {
        return Status::error(Code::kInvalidArgument, "weight_data is int8, but int8_scale_term (8) is 0: no scales");
    }
    spec_ = spec;
    weights_.assign(weights.begin(), weights.begin() + expected);
    if (weights_[0].storage() == WeightStorage::kInt8) {
        const std::vector<float> stored = weights_.back().to_floats();
        std::vector<float> scales(static_cast<size_t>(spec_.outputs));
        const size_t repeat = scales.size() / stored.size();
        for (size_t i = 0; i < scales.size(); ++i) {
            scales[i] = stored[i / repeat];
        }
        weights_[0] = weights_[0].with_scales(std::move(scales));
    }
    return {};
}

std::vector<float> WeightedCore::real_bias() const {
    return spec_.bias ? weights_[1].to_floats() : std::vector<float>(static_cast<size_t>(spec_.outputs), 0.0F);
}

// [output][channel][ky][kx] to [output][ky][kx][channel]: the order of pixels in memory.
template <class T>
std::vector<T> WeightedCore::reorder(std::vector<T> values) const {
    const size_t channels = static_cast<size_t>(spec_.channels / spec_.group);
    const size_t taps = static_cast<size_t>(spec_.kernel_h) * static_cast<size_t>(spec_.kernel_w);
    if (channels == 1 || taps == 1) {
        return values;
    }
    std::vector<T> out(values.size());
    const size_t row = channels * taps;
    for (size_t n = 0; n < static_cast<size_t>(spec_.outputs); ++n) {
        for (size_t c = 0; c < channels; ++c) {
            for (size_t t = 0; t < taps; ++t) {
                out[n * row + t * channels + c] = values[n * row + c * taps + t];
            }
        }
    }
    return out;
}

Status WeightedCore::quantize(const PrepareContext& context, WeightRows* rows) {
    const QuantParams& in = context.inputs[0].quant;
    const bool to_int8 = context.outputs[0].dtype == DType::kInt8;
    if (!in.known() || (to_int8 && !context.outputs[0].quant.known())) {
        return Status::error(Code::kInvalidArgument, "int8 needs the scales of input and output");
    }
    if (!accumulator_fits(spec_.weights_per_output())) {
        return Status::error(Code::kUnsupported, "sums of %lld products do not fit int32",
                             static_cast<long long>(spec_.weights_per_output()));
    }
    const Weight& weights = weights_[0];
    const bool has_bytes = weights.known_finite();
    std::vector<float> storage;
    Span<const float> real;
    if (!has_bytes) {
        real = weights.floats(&storage);  // where they lie, if they are floats
    }
    if (!all_finite(real) || !all_finite(rows->bias)) {
        return Status::error(Code::kUnsupported, "int8 needs finite weights and biases");
    }
    std::vector<float> scales(context.weight_scales.begin(), context.weight_scales.end());
    if (has_bytes && (spec_.int8_scales || scales.empty())) {
        scales.assign(weights.scales().begin(), weights.scales().end());
    } else if (scales.empty()) {
        scales = absmax_weight_scales(real, spec_.outputs);
    }
    if (scales.size() != static_cast<size_t>(spec_.outputs)) {
        return Status::error(Code::kInvalidArgument, "%d weight scales for %d output channels",
                             static_cast<int>(scales.size()), spec_.outputs);
    }
    scales = fit_weight_scales(in, scales, rows->bias);
    std::vector<int8_t> bytes;
    if (has_bytes && std::equal(scales.begin(), scales.end(), weights.scales().begin(), weights.scales().end())) {
        bytes = stored_bytes(weights);
    } else {
        quantize_weights(has_bytes ? weights.floats(&storage) : real, scales, &bytes);
    }
    std::vector<int32_t> sums(scales.size(), 0);
    const size_t row = bytes.size() / sums.size();
    for (size_t i = 0; i < sums.size(); ++i) {
        sums[i] = std::accumulate(bytes.data() + i * row, bytes.data() + (i + 1) * row, int32_t{0});
    }
    const FusedActivation& activation = spec_.activation;
    const bool bends = dw_ != nullptr ? dw_->bends() : gemm_->bends;
    const bool bent = to_int8 && activation.function_is_exact() && bends;
    staged_ = to_int8 && !activation.is_clamp() && !bent;
    if (bent) {
        rows->requant = make_dequant(in, scales, sums, rows->bias);
        epilogue_.float_output = false;
        epilogue_.zero_point = out_quant_.zero_point;
        epilogue_.lo = static_cast<float>(quant_min(out_quant_) - out_quant_.zero_point);
        epilogue_.hi = static_cast<float>(127 - out_quant_.zero_point);
        epilogue_.bent =
            activation.type == FusedActivation::Type::kLeakyRelu ? BentFunction::kLeakyRelu : BentFunction::kHardSwish;
        epilogue_.a = activation.a;
        epilogue_.b = activation.b;
        epilogue_.scale = out_quant_.scale;
    } else if (to_int8 && !staged_) {
        rows->requant = make_requant(in, scales, sums, rows->bias, out_quant_, activation.clamp());
        epilogue_.float_output = false;
        epilogue_.zero_point = rows->requant.zero_point;
        epilogue_.lo = static_cast<float>(rows->requant.lo - rows->requant.zero_point);
        epilogue_.hi = static_cast<float>(rows->requant.hi - rows->requant.zero_point);
    } else {
        rows->requant = make_dequant(in, scales, sums, rows->bias);
    }
    rows->bytes = reorder(std::move(bytes));
    return {};
}

Status WeightedCore::prepare(const PrepareContext& context) {
    const DType in = context.inputs[0].dtype;
    const DType out = context.outputs[0].dtype;
    int8_ = in == DType::kInt8;
    const bool float_in = in == DType::kFloat32;
    const bool float_out = out == DType::kFloat32;
    if ((!float_in && !int8_) || (!float_out && !(int8_ && out == DType::kInt8))) {
        return Status::error(Code::kUnsupported, "has no %s to %s implementation", name(in), name(out));
    }
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    if (spec_.depthwise()) {
        dw_ = spec_.find_depthwise({spec_.kernel_h, spec_.kernel_w, spec_.line_stride}, int8_, isa);
    } else {
        gemm_ = nullptr;
        if (context.fp16_arithmetic && float_in) {
            gemm_ = find_half_gemm_kernel(HalfFormat::kFloat16, isa);
        }
        if (gemm_ == nullptr && context.bf16_arithmetic && float_in) {
            gemm_ = find_half_gemm_kernel(HalfFormat::kBfloat16, isa);
        }
        if (gemm_ == nullptr) {
            gemm_ = find_gemm_kernel(int8_, isa, spec_.outputs / spec_.group);
        }
    }
    out_size_ = float_out ? 4 : 1;
    table_.assign(context.table.begin(), context.table.end());
    table_kernel_ = find_table_kernel(isa);
    run_kernel_ = find_run_kernel(isa);
    function_kernel_ = find_function_kernel(isa);
    out_quant_ = context.sum != nullptr ? context.before_sum
                 : table_.empty()       ? context.outputs[0].quant
                                        : context.before_table;
    FW_RETURN_IF_ERROR(prepare_sum(context));
    widens_weights_ = context.fp16_weights && float_in && gemm_ != nullptr && gemm_->half == HalfFormat::kFloat32;
    staged_ = false;
    epilogue_ = Epilogue();
    epilogue_.lo = spec_.activation.clamp().lo;
    epilogue_.hi = spec_.activation.clamp().hi;

    const auto made = std::make_shared<WeightRows>();
    WeightRows& rows = *made;
    rows_ = kHasAccelerator && context.for_device ? made : nullptr;
    rows.bias = real_bias();
    if (int8_) {
        FW_RETURN_IF_ERROR(quantize(context, &rows));
    } else {
        rows.floats = reorder(weights_[0].to_floats());
    }
    choose_winograd(isa, rows);

    pad_value_ = spec_.pad_value;
    pad_byte_ = int8_ ? ::fw::quantize(spec_.pad_value, context.inputs[0].quant) : int8_t{0};
    const size_t elements = static_cast<size_t>(dw_ != nullptr ? spec_.channels : spec_.tap_length());
    pad_row_ = allocate_shared_bytes(elements * (int8_ ? 1 : 4), nullptr);
    if (pad_row_ == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory for a row of padding");
    }
    if (int8_) {
        std::memset(pad_row_.get(), pad_byte_, elements);
    } else {
        std::fill_n(static_cast<float*>(pad_row_.get()), elements, pad_value_);
    }
    return winograd_.chosen() ? pack_winograd(rows) : pack(rows);
}

// A table that only bounds its index becomes bounds of the sum in front of it.
Status WeightedCore::prepare_sum(const PrepareContext& context) {
    adds_ = context.sum != nullptr;
    if (!adds()) {
        return {};
    }
    if (context.outputs[0].dtype != DType::kInt8 || context.inputs.size() != 2) {
        return Status::error(Code::kInternal, "sums are of int8 outputs and one other input");
    }
    sum_ = *context.sum;
    if (!table_.empty()) {
        const int8_t lo = table_.front();
        const int8_t hi = table_.back();
        bool bounds = true;
        for (int i = 0; i < static_cast<int>(table_.size()); ++i) {
            bounds = bounds && table_[static_cast<size_t>(i)] == std::min<int>(std::max<int>(i - 128, lo), hi);
        }
        if (bounds) {
            sum_.lo = std::clamp<int32_t>(sum_.lo, lo, hi);
            sum_.hi = std::clamp<int32_t>(sum_.hi, lo, hi);
            table_.clear();
        }
    }
    return {};
}

Status WeightedCore::pack(const WeightRows& rows) {
    const int groups = dw_ != nullptr ? 1 : spec_.group;
    const int64_t outputs = spec_.outputs / groups;
    const int64_t row = spec_.weights_per_output();
    const auto part = [&](int64_t first, const void** values, const void** bias, const float** multiplier) {
        *values = int8_ ? static_cast<const void*>(rows.bytes.data() + first * row) : rows.floats.data() + first * row;
        *bias = int8_ ? static_cast<const void*>(rows.requant.bias.data() + first) : rows.bias.data() + first;
        *multiplier = int8_ ? rows.requant.multiplier.data() + first : nullptr;
    };
    GemmWeights matrix;
    matrix.n = outputs;
    matrix.taps = spec_.taps();
    matrix.k = spec_.tap_length();
    DwWeights filters;
    filters.channels = outputs;
    filters.taps = row;
    group_bytes_ =
        round_up(dw_ != nullptr ? dw_->packed_bytes(filters) : packed_gemm_bytes(*gemm_, matrix), kAlignment);
    packed_bytes_ = group_bytes_ * static_cast<size_t>(groups);
    packed_ = allocate_shared_bytes(packed_bytes_, nullptr);
    if (packed_ == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory for %lld bytes of packed weights",
                             static_cast<long long>(packed_bytes_));
    }
    for (int g = 0; g < groups; ++g) {
        char* to = static_cast<char*>(packed_.get()) + group_bytes_ * static_cast<size_t>(g);
        if (dw_ != nullptr) {
            part(g * outputs, &filters.values, &filters.bias, &filters.multiplier);
            dw_->pack(filters, to);
        } else {
            part(g * outputs, &matrix.values, &matrix.bias, &matrix.multiplier);
            pack_gemm(*gemm_, matrix, to);
        }
    }
    return widens_weights_ ? pack_float16() : Status();
}

// All groups together, tap by tap.
GemmWeights WeightedCore::dense_weights(const WeightRows& rows) const {
    GemmWeights matrix;
    matrix.n = spec_.outputs;
    matrix.taps = int64_t{spec_.kernel_h} * spec_.kernel_w;
    matrix.k = spec_.channels;
    matrix.values = int8_ ? static_cast<const void*>(rows.bytes.data()) : rows.floats.data();
    matrix.bias = int8_ ? static_cast<const void*>(rows.requant.bias.data()) : rows.bias.data();
    matrix.multiplier = int8_ ? rows.requant.multiplier.data() : nullptr;
    return matrix;
}

void WeightedCore::choose_winograd(Isa isa, const WeightRows& rows) {
    winograd_ = Winograd();
    const bool float16 = gemm_ != nullptr && gemm_->half == HalfFormat::kFloat16;
    const bool bends = staged_ || epilogue_.bent != BentFunction::kIdentity;
    if (!kHasWinograd || winograd_h_ == 0 || widens_weights_ || bends ||
        (int8_ && !winograd_fits(dense_weights(rows)))) {
        return;
    }
    winograd_ = ::fw::choose_winograd(int8_, isa, spec_.channels, spec_.outputs, winograd_h_, winograd_w_);
    if (float16 && winograd_.share > kFloat16Share) {
        winograd_ = Winograd();
    }
    spec_.row_taps = spec_.row_taps && !winograd_.chosen();
}

Status WeightedCore::pack_winograd(const WeightRows& rows) {
    const GemmWeights filters = dense_weights(rows);
    packed_bytes_ = packed_winograd_bytes(winograd_, filters);
    packed_ = allocate_shared_bytes(packed_bytes_, nullptr);
    if (packed_ == nullptr || !::fw::pack_winograd(winograd_, filters, packed_.get())) {
        return Status::error(Code::kOutOfMemory, "no memory for %zu bytes of packed weights", packed_bytes_);
    }
    return {};
}

// Puts the packed weights into half the bytes.
Status WeightedCore::pack_float16() {
    GemmWeights matrix;
    matrix.n = spec_.outputs / spec_.group;
    matrix.taps = spec_.taps();
    matrix.k = spec_.tap_length();
    const size_t bytes = round_up(packed_half_bytes(*gemm_, matrix), kAlignment);
    const auto groups = static_cast<size_t>(spec_.group);
    const std::shared_ptr<void> halves = allocate_shared_bytes(bytes * groups, nullptr);
    if (halves == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory for %zu bytes of packed weights", bytes * groups);
    }
    for (size_t g = 0; g < groups; ++g) {
        pack_half(*gemm_, matrix, static_cast<const char*>(packed_.get()) + g * group_bytes_,
                  static_cast<char*>(halves.get()) + g * bytes);
    }
    packed_ = halves;
    group_bytes_ = bytes;
    packed_bytes_ = bytes * groups;
    const RunKernel* run = find_run_kernel(gemm_->level);
    widen_ = run != nullptr && run->widen != nullptr ? run->widen : widen_plainly;
    return {};
}

size_t WeightedCore::scratch_bytes(int threads, int out_h, int out_w) const {
    if (winograd_.chosen()) {
        return winograd_scratch_bytes(winograd_, spec_.channels, spec_.outputs, out_h, out_w, threads);
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

void WeightedCore::run(const ConvGeometry& geometry, const void* input, void* output, int threads, void* scratch,
                       const int8_t* residual) const {
    const RowJob rows = {this, residual, output};
    ConvJob job;
    job.geometry = geometry;
    job.pad_row = pad_row_.get();
    job.epilogue = epilogue_;
    if (staged_ || (out_size_ == 4 && !spec_.activation.is_clamp())) {
        job.row_function = {staged_ ? quantize_row : activate_row, &rows, staged_};
    } else if (finishes_rows() && (residual != nullptr || !adds())) {
        job.row_function = {finish_row, &rows, false};
    }
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
    if (winograd_.chosen()) {
        job.input = input;
        job.output = output;
        job.packed = packed_.get();
        job.k = spec_.channels;
        job.n = spec_.outputs;
        run_winograd(winograd_, job);
        return;
    }
    job.widen = widens_weights_ ? widen_ : nullptr;
    job.k = spec_.tap_length();
    job.n = spec_.outputs / spec_.group;
    const size_t in_step = static_cast<size_t>(job.k) * (int8_ ? 1 : 4);
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
        const RowJob rows = {this, residual.ptr<const int8_t>(), output.data};
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
            const RowJob rows = {this, from, to};
            finish_row(&rows, to, to, run);
        }
    });
}

void WeightedCore::activate_row(const void* job, const void* from, void* to, int64_t count) {
    const WeightedCore* self = static_cast<const RowJob*>(job)->core;
    self->function_kernel_->apply(self->spec_.activation.function(), static_cast<const float*>(from), count,
                                  static_cast<float*>(to));
}

// The sum, if there is one, then the table, if there is one.
void WeightedCore::finish_row(const void* job, const void* from, void* to, int64_t count) {
    const auto& rows = *static_cast<const RowJob*>(job);
    const WeightedCore* self = rows.core;
    const auto* in = static_cast<const int8_t*>(from);
    auto* out = static_cast<int8_t*>(to);
    if (self->adds()) {
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
    if (self->finishes_rows() && (rows.residual != nullptr || !self->adds())) {
        finish_row(job, to, to, count);
    }
}

std::string WeightedCore::kernel_name() const {
    if (winograd_.chosen()) {
        return winograd_.kernel->name;
    }
    return dw_ != nullptr ? dw_->name() : gemm_ != nullptr ? gemm_->name : "";
}

}  // namespace fw
