// Histogram of absolute values over a range that grows: one pass, bounded memory, exact merging.
#pragma once

#include <cstdint>
#include <vector>

#include "fw/span.h"

namespace fw {

/// Counts |x| in kBins bins of width 2^exponent. When a value falls outside, pairs of bins are merged (the width
/// doubles), which loses nothing that a histogram begun with that width would have: bin edges are multiples of a power
/// of two. So the result depends only on the values, not on their order nor on how they were split between histograms
/// that are merged later. Exact zeros are counted apart: int8 represents them without error.
class AbsHistogram {
public:
    static constexpr int kBins = 8192;

    /// Adds finite values; returns false at the first that is inf or nan (values before it are counted).
    bool add(Span<const float> values);
    void merge(const AbsHistogram& other);

    /// Largest |x| seen; 0 when every value was 0 or none was added.
    float absmax() const { return absmax_; }
    uint64_t zeros() const { return zeros_; }
    /// Values that are not 0.
    uint64_t count() const { return count_; }
    /// Whether any value was below 0.
    bool has_negative() const { return has_negative_; }

    /// Counts over `bins` equal bins of [0, absmax]; a fine bin goes whole to the bin that holds its centre. Empty when
    /// absmax is 0.
    std::vector<uint64_t> rebin(int bins) const;

private:
    void grow_to(int exponent);

    std::vector<uint64_t> counts_;
    int exponent_ = 0;  // width of a bin = 2^exponent_; valid once counts_ is allocated
    float absmax_ = 0.0F;
    uint64_t zeros_ = 0;
    uint64_t count_ = 0;
    bool has_negative_ = false;
};

}  // namespace fw
