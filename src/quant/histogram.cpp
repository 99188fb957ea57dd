#include "quant/histogram.h"

#include <algorithm>
#include <cmath>

namespace fw {

namespace {

constexpr int kLogBins = 13;
static_assert(1 << kLogBins == AbsHistogram::kBins, "");

// Smallest exponent for which kBins bins of width 2^exponent hold x: x < kBins * 2^exponent.
int exponent_for(float x) {
    int exponent = 0;
    std::frexp(x, &exponent);  // x = m * 2^exponent, 0.5 <= m < 1, hence x < 2^exponent
    return exponent - kLogBins;
}

}  // namespace

bool AbsHistogram::add(Span<const float> values) {
    float largest = 0.0F;
    for (const float value : values) {
        if (!std::isfinite(value)) {
            return false;
        }
        largest = std::max(largest, std::abs(value));
        has_negative_ = has_negative_ || value < 0.0F;
    }
    if (largest > 0.0F) {
        grow_to(exponent_for(largest));
        absmax_ = std::max(absmax_, largest);
    }
    // Dividing by a power of two is exact, so the bin of a value does not depend on the path to this width.
    const double inverse_width = std::ldexp(1.0, -exponent_);
    uint64_t zeros = 0;
    for (const float value : values) {
        if (value == 0.0F) {
            ++zeros;
        } else {
            ++counts_[static_cast<size_t>(static_cast<double>(std::abs(value)) * inverse_width)];
        }
    }
    zeros_ += zeros;
    count_ += values.size() - zeros;
    return true;
}

void AbsHistogram::grow_to(int exponent) {
    if (counts_.empty()) {
        counts_.assign(kBins, 0);
        exponent_ = exponent;
        return;
    }
    if (exponent <= exponent_) {
        return;
    }
    const int shift = std::min(exponent - exponent_, kLogBins);
    for (int i = 0; i < kBins; ++i) {
        const uint64_t count = counts_[static_cast<size_t>(i)];
        counts_[static_cast<size_t>(i)] = 0;
        counts_[static_cast<size_t>(i >> shift)] += count;
    }
    exponent_ = exponent;
}

void AbsHistogram::merge(const AbsHistogram& other) {
    zeros_ += other.zeros_;
    count_ += other.count_;
    absmax_ = std::max(absmax_, other.absmax_);
    has_negative_ = has_negative_ || other.has_negative_;
    if (other.counts_.empty()) {
        return;
    }
    grow_to(other.exponent_);
    const int shift = std::min(exponent_ - other.exponent_, kLogBins);
    for (int i = 0; i < kBins; ++i) {
        counts_[static_cast<size_t>(i >> shift)] += other.counts_[static_cast<size_t>(i)];
    }
}

std::vector<uint64_t> AbsHistogram::rebin(int bins) const {
    std::vector<uint64_t> out;
    if (absmax_ == 0.0F) {
        return out;
    }
    out.assign(static_cast<size_t>(bins), 0);
    const double width = std::ldexp(1.0, exponent_);
    for (int i = 0; i < kBins; ++i) {
        if (counts_[static_cast<size_t>(i)] != 0) {
            const auto bin = static_cast<int64_t>((i + 0.5) * width / static_cast<double>(absmax_) * bins);
            out[static_cast<size_t>(std::min<int64_t>(bin, bins - 1))] += counts_[static_cast<size_t>(i)];
        }
    }
    return out;
}

}  // namespace fw
