#include "kernel/matched.h"

#include <algorithm>
#include <cstring>

#include "kernel/pack.h"
#include "kernel/panel.h"

namespace fw {

namespace {

// Groups that are tried for one before it stays alone.
constexpr int kTries = 16;
constexpr uint16_t kUnmatched = 0xffff;

// A column's four weights of a group, zeros past the ends.
void copy_group(const GemmWeights& w, int64_t length, int64_t column, int64_t group, char* out) {
    const int64_t first = group * kGroup;
    const int64_t count = column < w.n ? std::min(kGroup, length - first) : 0;
    std::memset(out, 0, kGroup);
    if (count > 0) {
        std::memcpy(out, static_cast<const int8_t*>(w.values) + column * length + first, static_cast<size_t>(count));
    }
}

// The sums of positive and of negative weights that each 16-bit sum of a panel has of each group: [groups][width].
class PanelSums {
public:
    PanelSums(const GemmWeights& w, int64_t length, const Panel& panel, int64_t columns)
        : groups_(group_count(length)),
          width_(static_cast<size_t>(4 * columns)),
          sums_(static_cast<size_t>(groups_) * width_) {
        std::vector<int8_t> row(static_cast<size_t>(groups_ * kGroup));
        const int64_t real = std::min(columns, w.n - panel.column);
        for (int64_t j = 0; j < real; ++j) {
            std::memcpy(row.data(), static_cast<const int8_t*>(w.values) + (panel.column + j) * length,
                        static_cast<size_t>(length));
            for (size_t i = 0; i < row.size(); i += kGroup) {
                int16_t* to = sums_.data() + i / kGroup * width_ + static_cast<size_t>(4 * j);
                for (size_t half = 0; half < 2; ++half) {
                    const int a = int{row[i + 2 * half]};
                    const int b = int{row[i + 2 * half + 1]};
                    const int positive = std::max(a, 0) + std::max(b, 0);
                    to[half] = static_cast<int16_t>(positive);
                    to[2 + half] = static_cast<int16_t>(positive - a - b);
                }
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
    int64_t groups_;
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
    for (int64_t place = 0; place < 2 * order.steps; ++place) {
        const bool alone = place % 2 != 0 && place < used && groups[place] == groups[place - 1];
        for (int64_t j = first; j < first + columns; ++j, out += kGroup) {
            copy_group(weights, length, j, place < used && !alone ? groups[place] : group_count(length), out);
        }
    }
    return out;
}

}  // namespace fw
