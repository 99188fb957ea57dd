// Weights as the kernels want them.
#include <algorithm>

#include "base/memory.h"
#include "kernel/dispatch.h"
#include "kernel/match_groups.h"
#include "kernel/matched.h"
#include "kernel/pack.h"
#include "kernel/panel.h"
#include "layer/operation.h"
#include "layer/support/float_runs.h"
#include "layer/support/weighted.h"

namespace fw {

namespace {

// The offset of a matched kernel (kernel/matched.h) at which most activations are within its dense part; 1 where there
// is none.
int find_offset(const PrepareContext& context) {
    constexpr int kLowest = -128;
    constexpr int kHighestZeroPoint = -104;  // with the lowest offset the dense part goes 104 beyond it
    const int zero_point = context.inputs[0].quant.zero_point;
    if (context.rectified == Rectified::kNo) {
        return 1;
    }
    return zero_point <= kHighestZeroPoint ? kLowest : context.rectified == Rectified::kWholly ? zero_point : 1;
}

// What a matched kernel has to do for each element of a row, and for each output of one, eats up its gain on short ones
// (docs/performance-x86.md, Products of bytes).
bool gains_by_matching(const GemmKernel& kernel, int64_t length, int64_t outputs) {
    return kernel.element_cost * length + kernel.output_cost * outputs < length * outputs;
}

}  // namespace

template <class Weights>
void WeightedCore::set_values(const WeightRows& rows, int64_t first, Weights* weights) const {
    const int64_t at = first * spec_.weights_per_output();
    weights->values = int8_ ? static_cast<const void*>(rows.bytes.data() + at) : rows.floats.data() + at;
    weights->bias = int8_ ? static_cast<const void*>(rows.requant.bias.data() + first) : rows.bias.data() + first;
    weights->multiplier = int8_ ? rows.requant.multiplier.data() + first : nullptr;
}

GemmWeights WeightedCore::group_weights(const WeightRows& rows, int group) const {
    GemmWeights matrix;
    matrix.n = spec_.outputs / spec_.group;
    matrix.taps = spec_.taps();
    matrix.k = spec_.tap_length();
    matrix.offset = offset_;
    set_values(rows, group * matrix.n, &matrix);
    return matrix;
}

Status WeightedCore::pack(const WeightRows& rows, const std::vector<GroupOrder>& orders, PagePool* pool) {
    if (dw_ != nullptr) {
        DwWeights filters;
        filters.channels = spec_.outputs;
        filters.taps = spec_.weights_per_output();
        set_values(rows, 0, &filters);
        packed_bytes_ = round_up(dw_->packed_bytes(filters), kAlignment);
        FW_RETURN_IF_ERROR(allocate_packed(pool));
        dw_->pack(filters, packed_.get());
        return {};
    }
    const auto weights_of = [&](int group) {
        GemmWeights matrix = group_weights(rows, group);
        matrix.order = orders.empty() ? nullptr : &orders[static_cast<size_t>(group)];
        return matrix;
    };
    group_bytes_ = 0;
    for (int g = 0; g < (orders.empty() ? 1 : spec_.group); ++g) {  // those of other kernels are all alike
        group_bytes_ = std::max(group_bytes_, round_up(packed_gemm_bytes(*gemm_, weights_of(g)), kAlignment));
    }
    packed_bytes_ = group_bytes_ * static_cast<size_t>(spec_.group);
    FW_RETURN_IF_ERROR(allocate_packed(pool));
    for (int g = 0; g < spec_.group; ++g) {
        pack_gemm(*gemm_, weights_of(g), static_cast<char*>(packed_.get()) + group_bytes_ * static_cast<size_t>(g));
    }
    return widens_weights_ ? pack_float16() : Status();
}

void WeightedCore::choose_matched(const PrepareContext& context, Isa isa, const WeightRows& rows,
                                  std::vector<GroupOrder>* orders) {
    const GemmKernel* kernel = kHasMatched && matches_ && int8_ ? find_matched_gemm_kernel(isa) : nullptr;
    const int64_t length = spec_.weights_per_output();
    offset_ = find_offset(context);
    if (kernel == nullptr || dw_ != nullptr || winograd_.chosen() || offset_ > 0 ||
        !gains_by_matching(*kernel, length, spec_.outputs / spec_.group)) {
        return;
    }
    for (int g = 0; g < spec_.group; ++g) {
        orders->push_back(match_groups(*kernel, group_weights(rows, g)));
        // With half of the groups alone nothing is gained, and a panel has half as many bytes more.
        if (4 * orders->back().steps > 3 * group_count(length)) {
            orders->clear();
            return;
        }
    }
    gemm_ = kernel;
}

// All groups together, tap by tap.
GemmWeights WeightedCore::dense_weights(const WeightRows& rows) const {
    GemmWeights matrix;
    matrix.n = spec_.outputs;
    matrix.taps = int64_t{spec_.kernel_h} * spec_.kernel_w;
    matrix.k = spec_.channels;
    set_values(rows, 0, &matrix);
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
