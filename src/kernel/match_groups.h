// Which groups of weights go together in a step of a `matched` kernel (kernel/matched.h), and their packing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel/kernel.h"

namespace fw {

struct GemmWeights;  // kernel/pack.h

/// The order of all panels.
struct GroupOrder {
    int64_t steps = 0;  ///< the most of a panel
    std::vector<uint16_t> panels;
};

/// For weights of at most 0x8000 groups: longer sums do not fit int32 (accumulator_fits in quant/quant.h).
GroupOrder match_groups(const GemmKernel& kernel, const GemmWeights& weights);

/// Bytes of all packed weights.
size_t packed_matched_bytes(const GemmKernel& kernel, const GemmWeights& weights, const GroupOrder& order);
/// Writes the steps of a panel, the columns from `first` on; returns what lies behind them. `scratch` is memory that
/// panels share, whatever it holds.
char* pack_steps(const GemmWeights& weights, const GroupOrder& order, int64_t panel, int64_t first, int64_t columns,
                 std::vector<int8_t>* scratch, char* out);

}  // namespace fw
