#include "layer/support/weighted.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/cpu.h"
#include "base/half.h"
#include "base/memory.h"
#include "kernel/dispatch.h"
#include "kernel/match_groups.h"
#include "layer/operation.h"

namespace fw {

namespace {

Status count_error(const char* blob, int64_t count, int64_t expected) {
    return Status::error(Code::kInvalidArgument, "%s has %lld elements, expected %lld", blob,
                         static_cast<long long>(count), static_cast<long long>(expected));
}

// Whether the stored bytes are what quantizing the real weights with `scales` gives.
bool is_quantized(const Weight& weights, Span<const float> scales) {
    if (!std::equal(scales.begin(), scales.end(), weights.scales().begin(), weights.scales().end())) {
        return false;
    }
    const auto* bytes = static_cast<const int8_t*>(weights.data());
    const size_t row = static_cast<size_t>(weights.count()) / scales.size();
    uint8_t other = 0;  // as narrow as the values, so that a vector holds as many of both
    for (const float scale : scales) {
        for (size_t i = 0; i < row; ++i) {
            const bool odd = scale == 0.0F ? bytes[i] != 0 : bytes[i] == -128;
            other |= odd ? uint8_t{1} : uint8_t{0};
        }
        bytes += row;
    }
    return other == 0;
}

int32_t sum_of(const int8_t* values, size_t count) {
    constexpr size_t kPart = 256;  // whose sum fits 16 bits
    int32_t sum = 0;
    for (size_t first = 0; first < count; first += kPart) {
        int16_t part = 0;
        for (size_t i = first; i < std::min(count, first + kPart); ++i) {
            part = static_cast<int16_t>(part + values[i]);
        }
        sum += part;
    }
    return sum;
}

// [channel][tap] to [tap][channel].
template <class T>
void reorder_row(const T* from, size_t channels, size_t taps, T* to) {
    constexpr size_t kUsual = 9;  // a number that the compiler knows is twice as fast
    if (taps == kUsual) {
        for (size_t c = 0; c < channels; ++c, from += kUsual) {
            for (size_t t = 0; t < kUsual; ++t) {
                to[t * channels + c] = from[t];
            }
        }
        return;
    }
    for (size_t c = 0; c < channels; ++c, from += taps) {
        for (size_t t = 0; t < taps; ++t) {
            to[t * channels + c] = from[t];
        }
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

// [output][channel][ky][kx] to [output][ky][kx][channel], the order of pixels in memory.
template <class T>
void WeightedCore::reorder(Span<const T> values, WeightRows* rows) const {
    const size_t channels = static_cast<size_t>(spec_.channels / spec_.group);
    const size_t taps = static_cast<size_t>(spec_.kernel_h) * static_cast<size_t>(spec_.kernel_w);
    if (channels == 1 || taps == 1) {
        return;
    }
    std::vector<T> out(values.size());
    for (size_t i = 0; i < values.size(); i += channels * taps) {
        reorder_row(values.data() + i, channels, taps, out.data() + i);
    }
    rows->own(std::move(out));
}

// Bytes are in the file's order.
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
    if (has_bytes && is_quantized(weights, scales)) {
        rows->bytes = {static_cast<const int8_t*>(weights.data()), static_cast<size_t>(weights.count())};
    } else {
        std::vector<int8_t> made;
        quantize_weights(has_bytes ? weights.floats(&storage) : real, scales, &made);
        rows->own(std::move(made));
        weights.release_pages();  // before as much is packed
    }
    const Span<const int8_t> bytes = rows->bytes;
    std::vector<int32_t> sums(scales.size(), 0);
    const size_t row = bytes.size() / sums.size();
    for (size_t i = 0; i < sums.size(); ++i) {
        sums[i] = sum_of(bytes.data() + i * row, row);
    }
    const FusedActivation& activation = spec_.activation;
    const bool bent = to_int8 && kernel_bends();
    staged_ = to_int8 && !activation.is_clamp() && !bent;
    if (bent) {
        rows->requant = make_dequant(in, scales, sums, rows->bias);
        epilogue_.float_output = false;
        epilogue_.zero_point = out_quant_.zero_point;
        epilogue_.lo = static_cast<float>(quant_min(out_quant_) - out_quant_.zero_point);
        epilogue_.hi = static_cast<float>(127 - out_quant_.zero_point);
        epilogue_.scale = out_quant_.scale;
        bend_outputs();
    } else if (to_int8 && !staged_) {
        rows->requant = make_requant(in, scales, sums, rows->bias, out_quant_, activation.clamp());
        epilogue_.float_output = false;
        epilogue_.zero_point = rows->requant.zero_point;
        epilogue_.lo = static_cast<float>(rows->requant.lo - rows->requant.zero_point);
        epilogue_.hi = static_cast<float>(rows->requant.hi - rows->requant.zero_point);
        epilogue_.small = std::all_of(rows->requant.multiplier.begin(), rows->requant.multiplier.end(),
                                      [](float m) { return m < 1.0F; });
    } else {
        rows->requant = make_dequant(in, scales, sums, rows->bias);
    }
    return {};
}

// The kernel's epilogue can have the activation in it.
bool WeightedCore::kernel_bends() const {
    const FusedActivation& activation = spec_.activation;
    return activation.function_is_exact() && std::isfinite(activation.a) && std::isfinite(activation.b) &&
           (dw_ != nullptr ? dw_->bends() : gemm_->bends);
}

void WeightedCore::bend_outputs() {
    const FusedActivation& activation = spec_.activation;
    epilogue_.bent =
        activation.type == FusedActivation::Type::kLeakyRelu ? BentFunction::kLeakyRelu : BentFunction::kHardSwish;
    epilogue_.a = activation.a;
    epilogue_.b = activation.b;
}

HalfUse WeightedCore::half_use(bool arithmetic) const {
    const Result<Isa> isa = current_isa();
    if (!kHasHalfBlobs || !isa.ok() || !(std::fabs(spec_.pad_value) <= kLargestHalf)) {
        return HalfUse::kNone;
    }
    // Beside float16 blobs biases are float16, and weights of depthwise layers, which no pass has looked at.
    std::vector<float> storage;
    for (size_t i = spec_.depthwise() ? 0 : 1; i < weights_.size(); ++i) {
        for (const float w : weights_[i].floats(&storage)) {
            if (!(std::fabs(w) <= kLargestHalf)) {
                return HalfUse::kNone;
            }
        }
    }
    if (spec_.depthwise()) {
        return spec_.find_depthwise(window(), DType::kFloat16, *isa) != nullptr ? HalfUse::kSame : HalfUse::kNone;
    }
    return arithmetic && find_half_gemm_kernel(HalfFormat::kFloat16, *isa, true) != nullptr ? HalfUse::kEach
                                                                                            : HalfUse::kNone;
}

// Sets dw_ or gemm_ for the types of input and output.
Status WeightedCore::choose_kernel(const PrepareContext& context, Isa isa) {
    const DType in = context.inputs[0].dtype;
    const DType out = context.outputs[0].dtype;
    const bool float_in = in == DType::kFloat32;
    int8_ = in == DType::kInt8;
    half_in_ = kHasHalfBlobs && in == DType::kFloat16;
    half_out_ = kHasHalfBlobs && out == DType::kFloat16;
    const bool known_out = out == DType::kFloat32 || half_out_ || (int8_ && out == DType::kInt8);
    dw_ = nullptr;
    gemm_ = nullptr;
    if (half_in_ || half_out_) {
        const HalfUse use = half_use(context.fp16_arithmetic);
        if (use == HalfUse::kEach && (half_in_ || float_in) && known_out) {
            gemm_ = find_half_gemm_kernel(HalfFormat::kFloat16, isa, half_in_);
        } else if (use == HalfUse::kSame && half_in_ && half_out_) {
            dw_ = spec_.find_depthwise(window(), in, isa);
        }
    } else if ((float_in || int8_) && known_out && spec_.depthwise()) {
        dw_ = spec_.find_depthwise(window(), in, isa);
    } else if ((float_in || int8_) && known_out) {
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
    return dw_ != nullptr || gemm_ != nullptr
               ? Status()
               : Status::error(Code::kUnsupported, "has no %s to %s implementation", name(in), name(out));
}

Status WeightedCore::prepare(const PrepareContext& context) {
    FW_ASSIGN_OR_RETURN(const Isa isa, current_isa());
    FW_RETURN_IF_ERROR(choose_kernel(context, isa));
    out_size_ = static_cast<int>(element_size(context.outputs[0].dtype));
    table_.assign(context.table.begin(), context.table.end());
    table_kernel_ = find_table_kernel(isa);
    run_kernel_ = find_run_kernel(isa);
    function_kernel_ = find_function_kernel(isa);
    half_runs_ = half_runs(isa);
    out_quant_ = context.sum != nullptr ? context.before_sum
                 : table_.empty()       ? context.outputs[0].quant
                                        : context.before_table;
    FW_RETURN_IF_ERROR(prepare_sum(context));
    widens_weights_ = context.fp16_weights && !int8_ && gemm_ != nullptr && gemm_->half == HalfFormat::kFloat32;
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
        std::vector<float> storage;
        rows.floats = weights_[0].floats(&storage);
        if (!storage.empty()) {
            rows.own(std::move(storage));
        }
        reorder(rows.floats, &rows);
    }
    choose_winograd(isa, rows);
    if (int8_ && (rows_ != nullptr || !winograd_.chosen())) {
        reorder(rows.bytes, &rows);
    }
    // Functions without arithmetic in float16 take what a GEMM has in float; what else writes float16 has it so
    // already.
    staged_ = staged_ || (half_out_ && gemm_ != nullptr && !winograd_.chosen() && !spec_.activation.is_clamp() &&
                          !activates_in_half(nullptr, nullptr, 0));
    epilogue_.half_output = half_out_ && !staged_;

    choose_strassen(isa, rows);
    if (!int8_ && out_size_ == sizeof(float) && !winograd_.chosen() && kernel_bends()) {
        bend_outputs();
    }
    std::vector<GroupOrder> orders;
    choose_matched(context, isa, rows, &orders);
    rectified_ = find_rectified(context);

    pad_value_ = spec_.pad_value;
    pad_byte_ = int8_ ? ::fw::quantize(spec_.pad_value, context.inputs[0].quant) : int8_t{0};
    const size_t elements = static_cast<size_t>(dw_ != nullptr ? spec_.channels : spec_.tap_length());
    pad_row_ = allocate_shared_bytes(elements * static_cast<size_t>(in_element_size()), nullptr);
    if (pad_row_ == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory for a row of padding");
    }
    fill_padding(pad_row_.get(), elements);
    return winograd_.chosen()   ? pack_winograd(rows, context.pool)
           : strassen_.chosen() ? pack_strassen(rows, context.pool)
                                : pack(rows, orders, context.pool);
}

void WeightedCore::fill_padding(void* to, size_t count) const {
    if (int8_) {
        std::memset(to, pad_byte_, count);
    } else if (half_in_) {
        std::fill_n(static_cast<uint16_t*>(to), count, float_to_half(pad_value_));
    } else {
        std::fill_n(static_cast<float*>(to), count, pad_value_);
    }
}

Rectified WeightedCore::find_rectified(const PrepareContext& context) const {
    const int zero_point = context.outputs[0].quant.zero_point;
    if (context.outputs[0].dtype != DType::kInt8) {
        return Rectified::kNo;
    }
    if (!table_.empty()) {
        constexpr size_t kLevels = 128;  // below 0
        const bool wholly = *std::min_element(table_.begin(), table_.end()) >= zero_point;
        // Swish, hard swish, GELU and mish have f(0) = 0; sigmoid, whose outputs are anywhere, does not.
        const bool mostly = table_[kLevels + static_cast<size_t>(context.before_table.zero_point)] == zero_point;
        return !mostly ? Rectified::kNo : wholly ? Rectified::kWholly : Rectified::kMostly;
    }
    if (adds()) {
        return sum_.lo >= zero_point ? Rectified::kWholly : Rectified::kNo;
    }
    if (spec_.activation.is_clamp()) {
        return epilogue_.lo >= 0.0F ? Rectified::kWholly : Rectified::kNo;
    }
    return spec_.activation.type == FusedActivation::Type::kSigmoid ? Rectified::kNo : Rectified::kMostly;
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

}  // namespace fw
