// Histogram of signed values over a range that grows: one pass, bounded memory, exact merging.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "fw/span.h"

namespace fw {

/// Counts over equal bins of [lo, lo + width * counts.size()].
struct Bins {
    double lo = 0.0;
    double width = 0.0;
    std::vector<uint64_t> counts;
};

/// Smallest and largest of some values and 0. Where one of the values is inf or nan, so is one of these.
struct ValueRange {
    float min = 0.0F;
    float max = 0.0F;

    bool finite() const { return std::isfinite(min) && std::isfinite(max); }
};
ValueRange range_of(Span<const float> values);
/// The same of each column of a matrix with rows of `columns` values.
std::vector<ValueRange> column_ranges(Span<const float> values, size_t columns);

/// Counts values by sign and size in kBins bins of width 2^exponent on either side of 0. When a value falls outside,
/// pairs of bins are merged (the width doubles), which loses nothing that a histogram begun with that width would have:
/// bin edges are multiples of a power of two. So the result depends only on the values, not on their order nor on how
/// they were split between histograms that are merged later. Exact zeros are counted apart: int8 represents them
/// without error.
class Histogram {
public:
    static constexpr int kLogBins = 13;
    static constexpr int kBins = 1 << kLogBins;

    /// Adds finite values; returns false, and adds nothing, when one is inf or nan.
    bool add(Span<const float> values);
    /// The same for values whose range, range_of(values), is finite and known already.
    void add(Span<const float> values, const ValueRange& range);
    void merge(const Histogram& other);

    /// Smallest and largest value seen, 0 counting as seen.
    float min() const { return min_; }
    float max() const { return max_; }
    float absmax() const { return -min_ > max_ ? -min_ : max_; }
    uint64_t zeros() const { return zeros_; }
    /// Values that are not 0.
    uint64_t count() const { return count_; }
    bool has_negative() const { return min_ < 0.0F; }

    /// Counts of the values that are not 0 over `bins` equal bins of [min, max]; a fine bin goes whole to the bin that
    /// holds its centre. No bins when every value was 0.
    Bins rebin(int bins) const;
    /// The same of absolute values, over [0, absmax].
    Bins rebin_abs(int bins) const;

    /// For files: fine bins of one side (empty = no value there), and a histogram from what was written.
    const std::vector<uint64_t>& side(bool negative) const { return negative ? negative_ : positive_; }
    int exponent() const { return exponent_; }
    /// False where the parts contradict each other (sizes, range outside the bins, an exponent no float has).
    static bool restore(std::vector<uint64_t> negative, std::vector<uint64_t> positive, int exponent, float min,
                        float max, uint64_t zeros, Histogram* out);

private:
    void grow_to(int exponent);
    template <class Fn>
    void for_each_bin(Fn&& fn) const;  // fn(centre, count) for every bin that is not empty

    std::vector<uint64_t> negative_;  // allocated with the first value of that sign
    std::vector<uint64_t> positive_;
    int exponent_ = 0;  // width of a bin = 2^exponent_; valid once a value is not 0
    float min_ = 0.0F;
    float max_ = 0.0F;
    uint64_t zeros_ = 0;
    uint64_t count_ = 0;
};

}  // namespace fw
