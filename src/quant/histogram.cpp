#include "quant/histogram.h"

#include <algorithm>
#include <cmath>
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

}  // namespace

bool Histogram::add(Span<const float> values) {
    float least = 0.0F;
    float most = 0.0F;
    float sum = 0.0F;  // of 0 * value: 0, or nan where one is not finite
    for (const float value : values) {
        least = value < least ? value : least;
        most = value > most ? value : most;
        sum += value * 0.0F;
    }
    if (std::isnan(sum)) {
        return false;
    }
    const bool below = least < 0.0F;
    const float largest = std::max(most, -least);
    if (largest > 0.0F) {
        grow_to(exponent_for(largest));
        min_ = std::min(min_, least);
        max_ = std::max(max_, most);
    }
    if (most > 0.0F && positive_.empty()) {
        positive_.assign(kBins, 0);
    }
    if (below && negative_.empty()) {
        negative_.assign(kBins, 0);
    }
    // Dividing by a power of two is exact, so the bin of a value does not depend on the path to this width. A product
    // that underflows rounds to 0 or up to a subnormal: both lie in bin 0.
    const double inverse_width = std::ldexp(1.0, -exponent_);
    uint64_t zeros = 0;
    for (const float value : values) {
        if (value == 0.0F) {
            ++zeros;
        } else if (value > 0.0F) {
            ++positive_[static_cast<size_t>(static_cast<double>(value) * inverse_width)];
        } else {
            ++negative_[static_cast<size_t>(static_cast<double>(-value) * inverse_width)];
        }
    }
    zeros_ += zeros;
    count_ += values.size() - zeros;
    return true;
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
