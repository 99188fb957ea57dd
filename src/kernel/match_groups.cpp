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

// A group of `columns` columns from `first` on: [columns][kGroup], zeros past the ends.
void copy_group(const GemmWeights& w, int64_t length, int64_t first, int64_t columns, int64_t group, int8_t* out) {
    const int64_t begin = group * kGroup;
    const auto* rows = static_cast<const int8_t*>(w.values) + first * length + begin;
    if (first + columns <= w.n && begin + kGroup <= length) {
        for (int64_t j = 0; j < columns; ++j) {
            std::memcpy(out + j * kGroup, rows + j * length, kGroup);
        }
        return;
    }
    std::memset(out, 0, static_cast<size_t>(columns * kGroup));
    for (int64_t j = 0; j < std::min(columns, w.n - first); ++j) {
        std::copy_n(rows + j * length, std::min(kGroup, length - begin), out + j * kGroup);
    }
}

// The sums of positive and of negative weights that each 16-bit sum of a panel has of each group: [groups][width].
class PanelSums {
public:
    PanelSums(const GemmWeights& w, int64_t length, const Panel& panel, int64_t columns)
        : width_(static_cast<size_t>(4 * columns)), sums_(static_cast<size_t>(group_count(length)) * width_) {
        constexpr int kByte = 8;
        const size_t pairs = width_ / 2;
        std::vector<int16_t> group(pairs);  // two weights each
        for (int64_t g = 0; g < group_count(length); ++g) {
            copy_group(w, length, panel.column, columns, g, reinterpret_cast<int8_t*>(group.data()));
            int16_t* positive = sums_.data() + static_cast<size_t>(g) * width_;
            int16_t* negative = positive + pairs;
            for (size_t i = 0; i < pairs; ++i) {  // in 16 bits, so that vectors do it
                const auto low =
                    static_cast<int16_t>(static_cast<int16_t>(static_cast<uint16_t>(group[i]) << kByte) >> kByte);
                const auto high = static_cast<int16_t>(group[i] >> kByte);
                positive[i] = static_cast<int16_t>(std::max<int16_t>(low, 0) + std::max<int16_t>(high, 0));
                negative[i] = static_cast<int16_t>(positive[i] - low - high);
            }
        }
    }
    bool match(int64_t i, int64_t j) const {
        const int16_t* a = sums_.data() + static_cast<size_t>(i) * width_;
        const int16_t* b = sums_.data() + static_cast<size_t>(j) * width_;
        int16_t most = 0;
        for (size_t k = 0; k < width_; ++k) {
            most = std::max(most, static_cast<int16_t>(a[k] + b[k]));
        }
        return most <= kMostWeights;
    }

private:
    size_t width_;
    std::vector<int16_t> sums_;
};

// Each group with the first one behind it that fits; where none does, with itself.
std::vector<uint16_t> match_panel(const PanelSums& sums, int64_t groups) {
    std::vector<uint16_t> partner(static_cast<size_t>(groups), kUnmatched);
    std::vector<uint16_t> steps;
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
    for (int64_t i = 0; i < panels; ++i) {
        const Panel panel = panel_at(i, weights.n, kernel.lanes, kernel.vectors);
        const PanelSums sums(weights, length, panel, panel.vectors * kernel.lanes);
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
                 char* out) {
    const int64_t length = weights.taps * weights.k;
    const uint16_t* numbers = order.panels.data() + panel * group_order_size(order.steps, group_count(length));
    const int64_t used = 2 * int64_t{numbers[0]};
    const uint16_t* groups = numbers + 1;
    for (int64_t place = 0; place < 2 * order.steps; ++place, out += columns * kGroup) {
        const bool alone = place % 2 != 0 && place < used && groups[place] == groups[place - 1];
        if (place < used && !alone) {
            copy_group(weights, length, first, columns, groups[place], reinterpret_cast<int8_t*>(out));
        } else {
            std::memset(out, 0, static_cast<size_t>(columns * kGroup));
        }
    }
    return out;
}

}  // namespace fw
