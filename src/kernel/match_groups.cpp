#include "kernel/match_groups.h"

#include <algorithm>
#include <cstring>

#include "kernel/matched.h"
#include "kernel/pack.h"
#include "kernel/panel.h"

namespace fw {

namespace {

// Groups that are tried for one before it stays alone.
constexpr int kTries = 16;
constexpr uint16_t kUnmatched = 0xffff;

// Groups of `columns` columns from `first` on: [group][column][kGroup], zeros past the ends.
void gather_groups(const GemmWeights& w, int64_t first, int64_t columns, std::vector<int8_t>* out) {
    const int64_t length = w.taps * w.k;
    const int64_t whole = length / kGroup;
    const int64_t pitch = columns * kGroup;
    out->resize(static_cast<size_t>(group_count(length) * pitch));
    if (first + columns > w.n || whole * kGroup < length) {
        std::fill(out->begin(), out->end(), int8_t{0});
    }
    const int8_t* row = static_cast<const int8_t*>(w.values) + first * length;
    for (int64_t j = 0; j < std::min(columns, w.n - first); ++j, row += length) {
        constexpr int64_t kAtOnce = 4;
        int8_t* const to = out->data() + j * kGroup;
        int64_t g = 0;
        for (; g + kAtOnce <= whole; g += kAtOnce) {
            for (int64_t i = g; i < g + kAtOnce; ++i) {
                std::memcpy(to + i * pitch, row + i * kGroup, kGroup);
            }
        }
        for (; g < whole; ++g) {
            std::memcpy(to + g * pitch, row + g * kGroup, kGroup);
        }
        if (whole * kGroup < length) {
            std::copy(row + whole * kGroup, row + length, to + whole * pitch);
        }
    }
}

// The sums of positive and of negative weights that each 16-bit sum of a panel has of each group, both [group][pair].
class PanelSums {
public:
    void take(const GemmWeights& w, const Panel& panel, int64_t columns) {
        constexpr int kByte = 8;
        gather_groups(w, panel.column, columns, &groups_);
        pairs_ = static_cast<size_t>(2 * columns);
        const size_t count = groups_.size() / 2;
        positive_.resize(count);
        negative_.resize(count);
        for (size_t i = 0; i < count; ++i) {  // in 16 bits, so that vectors do it
            int16_t pair;
            std::memcpy(&pair, &groups_[2 * i], sizeof(pair));
            const auto low = static_cast<int16_t>(static_cast<int16_t>(static_cast<uint16_t>(pair) << kByte) >> kByte);
            const auto high = static_cast<int16_t>(pair >> kByte);
            positive_[i] = static_cast<int16_t>(std::max<int16_t>(low, 0) + std::max<int16_t>(high, 0));
            negative_[i] = static_cast<int16_t>(positive_[i] - low - high);
        }
    }
    bool match(int64_t i, int64_t j) const {
        const size_t a = static_cast<size_t>(i) * pairs_;
        const size_t b = static_cast<size_t>(j) * pairs_;
        int16_t most = 0;
        for (size_t k = 0; k < pairs_; ++k) {
            most = std::max(most, static_cast<int16_t>(positive_[a + k] + positive_[b + k]));
            most = std::max(most, static_cast<int16_t>(negative_[a + k] + negative_[b + k]));
        }
        return most <= kMostWeights;
    }

private:
    size_t pairs_ = 0;
    std::vector<int8_t> groups_;
    std::vector<int16_t> positive_;
    std::vector<int16_t> negative_;
};

// Each group with the first one behind it that fits; where none does, with itself.
std::vector<uint16_t> match_panel(const PanelSums& sums, int64_t groups) {
    std::vector<uint16_t> partner(static_cast<size_t>(groups), kUnmatched);
    std::vector<uint16_t> steps;
    steps.reserve(2 * partner.size());
    for (int64_t i = 0; i < groups; ++i) {
        if (partner[static_cast<size_t>(i)] != kUnmatched) {
            continue;
        }
        int64_t found = i;
        int tries = 0;
        for (int64_t j = i + 1; j < groups && tries < kTries && found == i; ++j) {
            if (partner[static_cast<size_t>(j)] == kUnmatched) {
                ++tries;
                found = sums.match(i, j) ? j : i;
            }
        }
        partner[static_cast<size_t>(i)] = static_cast<uint16_t>(found);
        partner[static_cast<size_t>(found)] = static_cast<uint16_t>(i);
        steps.push_back(static_cast<uint16_t>(i));
        steps.push_back(static_cast<uint16_t>(found));
    }
    return steps;
}

}  // namespace

GroupOrder match_groups(const GemmKernel& kernel, const GemmWeights& weights) {
    const int64_t length = weights.taps * weights.k;
    const int64_t groups = group_count(length);
    const int64_t panels = panel_count(weights.n, kernel.lanes, kernel.vectors);
    std::vector<std::vector<uint16_t>> matches;
    GroupOrder order;
    PanelSums sums;
    for (int64_t i = 0; i < panels; ++i) {
        const Panel panel = panel_at(i, weights.n, kernel.lanes, kernel.vectors);
        sums.take(weights, panel, panel.vectors * kernel.lanes);
        matches.push_back(match_panel(sums, groups));
        order.steps = std::max(order.steps, static_cast<int64_t>(matches.back().size()) / 2);
    }
    const auto size = static_cast<size_t>(group_order_size(order.steps, groups));
    order.panels.assign(size * matches.size(), 0);
    uint16_t* to = order.panels.data();
    for (const std::vector<uint16_t>& steps : matches) {
        to[0] = static_cast<uint16_t>(steps.size() / 2);
        std::copy(steps.begin(), steps.end(), to + 1);
        uint16_t* place = to + 1 + 2 * order.steps;
        for (size_t i = steps.size(); i-- > 0;) {  // the first of the same two is the one with weights
            place[steps[i]] = static_cast<uint16_t>(i);
        }
        to += size;
    }
    return order;
}

size_t packed_matched_bytes(const GemmKernel& kernel, const GemmWeights& weights, const GroupOrder& order) {
    const int64_t columns = div_up(weights.n, kernel.lanes) * kernel.lanes;
    return sizeof(MatchedHeader) + static_cast<size_t>(columns * (8 + 2 * kGroup * order.steps)) +
           order.panels.size() * sizeof(uint16_t);
}

char* pack_steps(const GemmWeights& weights, const GroupOrder& order, int64_t panel, int64_t first, int64_t columns,
                 std::vector<int8_t>* scratch, char* out) {
    const int64_t length = weights.taps * weights.k;
    const uint16_t* numbers = order.panels.data() + panel * group_order_size(order.steps, group_count(length));
    const int64_t used = 2 * int64_t{numbers[0]};
    const uint16_t* groups = numbers + 1;
    const auto bytes = static_cast<size_t>(columns * kGroup);
    gather_groups(weights, first, columns, scratch);
    for (int64_t place = 0; place < 2 * order.steps; ++place, out += bytes) {
        const bool alone = place % 2 != 0 && place < used && groups[place] == groups[place - 1];
        if (place < used && !alone) {
            std::memcpy(out, scratch->data() + size_t{groups[place]} * bytes, bytes);
        } else {
            std::memset(out, 0, bytes);
        }
    }
    return out;
}

}  // namespace fw
