// Weights as the kernels want them.
#include "base/memory.h"
#include "kernel/dispatch.h"
#include "kernel/pack.h"
#include "layer/operation.h"
#include "layer/support/float_runs.h"
#include "layer/support/weighted.h"

namespace fw {

Status WeightedCore::pack(const WeightRows& rows, PagePool* pool) {
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
    FW_RETURN_IF_ERROR(allocate_packed(pool));
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
    if (!kHasWinograd || winograd_h_ == 0 || widens_weights_ || bends) {
        return;
    }
    winograd_ = ::fw::choose_winograd(int8_, isa, spec_.channels, spec_.outputs, winograd_h_, winograd_w_, float16);
    if (winograd_.chosen() && ((int8_ && !winograd_fits(dense_weights(rows))) ||
                               (winograd_.kernel->half && !winograd_fits_half(dense_weights(rows))))) {
        winograd_ = Winograd();
    }
    spec_.row_taps = spec_.row_taps && !winograd_.chosen();
}

void WeightedCore::choose_strassen(Isa isa, const WeightRows& rows) {
    strassen_ = Strassen();
    // It has no function of finished rows.
    if (!kHasStrassen || strassen_pixels_ == 0 || !half_in_ || !half_out_ || staged_ || dw_ != nullptr ||
        !spec_.activation.is_clamp()) {
        return;
    }
    strassen_ = ::fw::choose_strassen(isa, spec_.channels, spec_.outputs, strassen_pixels_);
    if (strassen_.chosen() && !strassen_fits(dense_weights(rows))) {
        strassen_ = Strassen();
    }
}

Status WeightedCore::pack_strassen(const WeightRows& rows, PagePool* pool) {
    const GemmWeights matrix = dense_weights(rows);
    packed_bytes_ = packed_strassen_bytes(strassen_, matrix);
    FW_RETURN_IF_ERROR(allocate_packed(pool));
    ::fw::pack_strassen(strassen_, matrix, packed_.get());
    return {};
}

Status WeightedCore::pack_winograd(const WeightRows& rows, PagePool* pool) {
    const GemmWeights filters = dense_weights(rows);
    packed_bytes_ = packed_winograd_bytes(winograd_, filters);
    FW_RETURN_IF_ERROR(allocate_packed(pool));
    const bool taps_last = int8_ && rows_ == nullptr;
    if (!::fw::pack_winograd(winograd_, filters, packed_.get(), taps_last)) {
        return Status::error(Code::kOutOfMemory, "no memory to transform weights");
    }
    return {};
}

// Memory of packed_bytes_, all of which is about to be written.
Status WeightedCore::allocate_packed(PagePool* pool) {
    const bool kept = pool != nullptr && !widens_weights_;
    packed_ = kept ? pool->allocate(packed_bytes_) : allocate_populated(packed_bytes_);
    if (packed_ == nullptr) {
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
    widen_ = half_runs(gemm_->level).widen;
    return {};
}

}  // namespace fw
