#include "quant/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace fw {

namespace {

// Smallest exponent for which kBins bins of width 2^exponent hold x: x < kBins * 2^exponent.
int exponent_for(float x) {
    int exponent = 0;
    std::frexp(x, &exponent);  // x = m * 2^exponent, 0.5 <= m < 1, hence x < 2^exponent
    return exponent - Histogram::kLogBins;
}

void merge_pairs(std::vector<uint64_t>* counts, int shift) {
    for (size_t i = 0; i < counts->size(); ++i) {
        const uint64_t count = (*counts)[i];
        (*counts)[i] = 0;
        (*counts)[i >> shift] += count;
    }
}

void add_shifted(const std::vector<uint64_t>& from, int shift, std::vector<uint64_t>* to) {
    if (!from.empty() && to->empty()) {
        to->assign(Histogram::kBins, 0);
    }
    for (size_t i = 0; i < from.size(); ++i) {
        (*to)[i >> shift] += from[i];
    }
}

// Bits of floats of one sign are in the order of their magnitudes, those of inf and nan behind all others. Integers,
// because without a promise that nothing is nan a compiler makes no vectors of a float's maximum.
constexpr uint32_t kSign = 0x80000000U;
constexpr int32_t kNoNegative = std::numeric_limits<int32_t>::min();

int32_t bits_of(float value, uint32_t flipped) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return static_cast<int32_t>(bits ^ flipped);
}

// `most`: the greatest bits, where every negative float is smaller than 0. `least`: those with the sign flipped, where
// negative floats are above 0.
ValueRange range_of_bits(int32_t most, int32_t least) {
    ValueRange range;
    std::memcpy(&range.max, &most, sizeof(most));
    if (least > 0) {
        const uint32_t bits = static_cast<uint32_t>(least) ^ kSign;
        std::memcpy(&range.min, &bits, sizeof(bits));
    }
    return range;
}

}  // namespace

ValueRange range_of(Span<const float> values) {
    int32_t most = 0;
    int32_t least = kNoNegative;
    for (const float value : values) {
        most = std::max(most, bits_of(value, 0));
        least = std::max(least, bits_of(value, kSign));
    }
    return range_of_bits(most, least);
}

std::vector<ValueRange> column_ranges(Span<const float> values, size_t columns) {
    // Several rows side by side where they are short, so that the inner loop has what a vector needs.
    constexpr size_t kLanes = 64;
    const size_t lanes = columns * std::max<size_t>(1, kLanes / columns);
    std::vector<int32_t> most(lanes, 0);
    std::vector<int32_t> least(lanes, kNoNegative);
    for (size_t first = 0; first < values.size(); first += lanes) {
        const float* row = values.data() + first;
        const size_t count = std::min(lanes, values.size() - first);
        for (size_t i = 0; i < count; ++i) {
            most[i] = std::max(most[i], bits_of(row[i], 0));
            least[i] = std::max(least[i], bits_of(row[i], kSign));
        }
    }
    std::vector<ValueRange> ranges;
    for (size_t column = 0; column < columns; ++column) {
        for (size_t i = column + columns; i < lanes; i += columns) {
            most[column] = std::max(most[column], most[i]);
            least[column] = std::max(least[column], least[i]);
        }
        ranges.push_back(range_of_bits(most[column], least[column]));
    }
    return ranges;
}

bool Histogram::add(Span<const float> values) {
    const ValueRange range = range_of(values);
    if (!range.finite()) {
        return false;
    }
    add(values, range);
    return true;
}

void Histogram::add(Span<const float> values, const ValueRange& range) {
    const float largest = std::max(range.max, -range.min);
    if (largest > 0.0F) {
        grow_to(exponent_for(largest));
        min_ = std::min(min_, range.min);
        max_ = std::max(max_, range.max);
    }
    if (range.max > 0.0F && positive_.empty()) {
        positive_.assign(kBins, 0);
    }
    if (range.min < 0.0F && negative_.empty()) {
        negative_.assign(kBins, 0);
    }
    // Dividing by a power of two is exact, so the bin of a value does not depend on the path to this width. The power
    // is beyond floats where values are subnormal, hence two factors. A product that underflows belongs to bin 0.
    const int half_exponent = exponent_ / 2;
    const float factor = std::ldexp(1.0F, -half_exponent);
    const float other_factor = std::ldexp(1.0F, half_exponent - exponent_);
    uint64_t* const sides[2] = {positive_.data(), negative_.data()};
    constexpr size_t kBlock = 512;
    int32_t bins[kBlock];
    for (size_t first = 0; first < values.size(); first += kBlock) {
        const float* block = values.data() + first;
        const size_t count = std::min(kBlock, values.size() - first);
        for (size_t i = 0; i < count; ++i) {
            const auto bin = static_cast<int32_t>(std::fabs(block[i]) * factor * other_factor);
            const int32_t signed_bin = block[i] < 0.0F ? bin + kBins : bin;
            bins[i] = block[i] == 0.0F ? -1 : signed_bin;
        }
        // Zeros go first: a branch on them would be guessed wrong every other time.
        size_t kept = 0;
        for (size_t i = 0; i < count; ++i) {
            bins[kept] = bins[i];
            kept += bins[i] >= 0 ? 1 : 0;
        }
        if (range.min < 0.0F) {
            for (size_t i = 0; i < kept; ++i) {
                ++sides[bins[i] >> kLogBins][bins[i] & (kBins - 1)];
            }
        } else {
            for (size_t i = 0; i < kept; ++i) {
                ++sides[0][bins[i]];
            }
        }
        zeros_ += count - kept;
        count_ += kept;
    }
}

void Histogram::grow_to(int exponent) {
    if (positive_.empty() && negative_.empty()) {
        exponent_ = exponent;
        return;
    }
    if (exponent <= exponent_) {
        return;
    }
    const int shift = std::min(exponent - exponent_, kLogBins);
    merge_pairs(&negative_, shift);
    merge_pairs(&positive_, shift);
    exponent_ = exponent;
}

void Histogram::merge(const Histogram& other) {
    zeros_ += other.zeros_;
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    if (other.positive_.empty() && other.negative_.empty()) {
        return;
    }
    grow_to(other.exponent_);
    const int shift = std::min(exponent_ - other.exponent_, kLogBins);
    add_shifted(other.negative_, shift, &negative_);
    add_shifted(other.positive_, shift, &positive_);
}

template <class Fn>
void Histogram::for_each_bin(Fn&& fn) const {
    const double width = std::ldexp(1.0, exponent_);
    for (size_t i = 0; i < negative_.size(); ++i) {
        if (negative_[i] != 0) {
            fn(-(static_cast<double>(i) + 0.5) * width, negative_[i]);
        }
    }
    for (size_t i = 0; i < positive_.size(); ++i) {
        if (positive_[i] != 0) {
            fn((static_cast<double>(i) + 0.5) * width, positive_[i]);
        }
    }
}

Bins Histogram::rebin(int bins) const {
    Bins out;
    if (min_ == max_) {
        return out;
    }
    out.lo = min_;
    out.width = (static_cast<double>(max_) - min_) / bins;
    out.counts.assign(static_cast<size_t>(bins), 0);
    for_each_bin([&](double centre, uint64_t count) {
        const auto bin = static_cast<int64_t>(std::floor((centre - out.lo) / out.width));
        out.counts[static_cast<size_t>(std::clamp<int64_t>(bin, 0, bins - 1))] += count;
    });
    return out;
}

Bins Histogram::rebin_abs(int bins) const {
    Bins out;
    if (min_ == max_) {
        return out;
    }
    out.width = static_cast<double>(absmax()) / bins;
    out.counts.assign(static_cast<size_t>(bins), 0);
    for_each_bin([&](double centre, uint64_t count) {
        const auto bin = static_cast<int64_t>(std::fabs(centre) / out.width);
        out.counts[static_cast<size_t>(std::min<int64_t>(bin, bins - 1))] += count;
    });
    return out;
}

bool Histogram::restore(std::vector<uint64_t> negative, std::vector<uint64_t> positive, int exponent, float min,
                        float max, uint64_t zeros, Histogram* out) {
    for (const auto* side : {&negative, &positive}) {
        if (!side->empty() && side->size() != kBins) {
            return false;
        }
    }
    const bool finite = std::isfinite(min) && std::isfinite(max);
    if (!finite || min > 0.0F || max < 0.0F || negative.empty() == (min < 0.0F) || positive.empty() == (max > 0.0F)) {
        return false;
    }
    if (min != max && exponent != exponent_for(std::max(max, -min))) {
        return false;
    }
    out->count_ = 0;
    for (const auto* side : {&negative, &positive}) {
        for (const uint64_t count : *side) {
            if (count > std::numeric_limits<uint64_t>::max() / 4 - out->count_) {
                return false;
            }
            out->count_ += count;
        }
    }
    out->negative_ = std::move(negative);
    out->positive_ = std::move(positive);
    out->exponent_ = exponent;
    out->min_ = min;
    out->max_ = max;
    out->zeros_ = zeros;
    return true;
}

}  // namespace fw
