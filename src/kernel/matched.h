// Weights of `matched` kernels: vpmaddubsw multiplies unsigned activations with signed weights and adds two products in
// 16 bits, where they may not fit. Here they always do, and so does the sum of two such results, which then share one
// widening to 32 bits. That takes two steps, which leave every sum exact whatever the operands are:
//
// Activations u = q - offset are taken in two parts, min(u, 127) and the rest. The first is dense; the second, within
// [0, 128], is 0 but for the few activations that are far above the offset, as behind a ReLU whose outputs reach 255
// now and then. Groups of four with such a rest get products of their own, as do those with an activation below the
// offset.
//
// Weights, which are within [-127, 127]: a step has two groups of four adjacent elements of a column, four products of
// which, two of each group, are added in 16 bits. By 127 their sum fits where neither positive nor negative weights add
// up to more than kMostWeights. So each panel matches its groups such that this holds in all of its columns: of
// adjacent ones, a tenth to a quarter do not fit each other, but nearly every group finds another. One that finds none
// is a step for itself, and so is one of rests: two products of 127 or 128 fit.
#pragma once

#include <cstdint>

namespace fw {

/// Whether this build has such kernels: what only they need is left out of others.
#if defined(__x86_64__) && !defined(FW_MINSIZE)
constexpr bool kHasMatched = true;
#else
constexpr bool kHasMatched = false;
#endif

/// Elements of a group, and what positive or negative weights of a 16-bit sum may add up to: 127 times that fits.
constexpr int64_t kGroup = 4;
constexpr int kMostWeights = 258;

/// The beginning of packed weights of a `matched` kernel. Behind it lie panels, each:
///   bias [columns], multiplier [columns], weights [steps][2 groups][columns][kGroup]
/// then the order of each panel, group_order_size() numbers:
///   how many steps it has, [steps][2] the groups of each, [groups] the place of each among `2 * steps`
/// A step of one group has it twice, the second time with weights of 0. The bias has offset * sum(weights) added.
struct MatchedHeader {
    int32_t steps = 0;   ///< memory of a panel
    int32_t offset = 0;  ///< activations from this on, up to 127 more, are dense: -128 to 0
    int32_t unused[14] = {};
};

static inline int64_t group_count(int64_t length) {
    return (length + kGroup - 1) / kGroup;
}
static inline int64_t group_order_size(int64_t steps, int64_t groups) {
    return (1 + 2 * steps + groups + 1) / 2 * 2;
}

}  // namespace fw
