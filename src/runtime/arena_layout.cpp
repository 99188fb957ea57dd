#include "runtime/arena_layout.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>

#include "base/memory.h"

namespace fw {

namespace {

constexpr size_t kMaxPairs = size_t{1} << 20;
// The search behind the greedy orders: how far above the bound it begins, and how often it tries at most. A try looks
// at every pair of buffers that live at the same time, some tens of microseconds for a hundred buffers; kSearchedPairs
// bounds the looks of all tries, to some ten milliseconds.
constexpr double kNearBound = 1.05;
#ifdef FW_MINSIZE
constexpr size_t kTries = 0;
#else
constexpr size_t kTries = 256;
#endif
constexpr size_t kSearchedPairs = size_t{1} << 20;

uint64_t padded(const Lifetime& buffer) {
    return (buffer.bytes + kAlignment - 1) / kAlignment * kAlignment;
}

int64_t length(const Lifetime& buffer) {
    return int64_t{buffer.last} - buffer.first + 1;
}

using Key = double (*)(const Lifetime&);

// The buffers that take memory, smallest key first; of equal ones the one that comes first in `buffers`.
std::vector<size_t> sorted_by(Key key, const std::vector<Lifetime>& buffers) {
    std::vector<std::pair<double, size_t>> keyed;
    for (size_t i = 0; i < buffers.size(); ++i) {
        if (buffers[i].bytes > 0) {
            keyed.emplace_back(key(buffers[i]), i);
        }
    }
    std::sort(keyed.begin(), keyed.end());
    std::vector<size_t> order;
    order.reserve(keyed.size());
    for (const auto& [value, index] : keyed) {
        order.push_back(index);
    }
    return order;
}

// Visits the buffers in the order in which their lives begin, and tells which have ended by then.
template <class Begin, class End>
void replay(const std::vector<Lifetime>& buffers, Begin&& begin, End&& end) {
    const std::vector<size_t> by_first =
        sorted_by([](const Lifetime& b) { return static_cast<double>(b.first); }, buffers);
    using Ending = std::pair<int, size_t>;
    std::priority_queue<Ending, std::vector<Ending>, std::greater<>> alive;
    for (const size_t index : by_first) {
        while (!alive.empty() && alive.top().first < buffers[index].first) {
            end(alive.top().second);
            alive.pop();
        }
        begin(index);
        alive.emplace(buffers[index].last, index);
    }
}

// Free stretches below the top of an arena; neighbours are merged.
class FreeList {
public:
    /// The smallest stretch that holds `bytes`, else the top of the arena, which grows.
    uint64_t take(uint64_t bytes) {
        const auto found = by_size_.lower_bound({bytes, 0});
        if (found != by_size_.end()) {
            const auto [size, offset] = *found;
            erase(offset, size);
            if (size > bytes) {
                insert(offset + bytes, size - bytes);
            }
            return offset;
        }
        uint64_t offset = top_;
        if (!by_offset_.empty()) {
            const auto [start, size] = *by_offset_.rbegin();
            if (start + size == top_) {
                erase(start, size);
                offset = start;
            }
        }
        top_ = offset + bytes;
        return offset;
    }

    void give_back(uint64_t offset, uint64_t bytes) {
        const auto after = by_offset_.lower_bound(offset);
        if (after != by_offset_.begin()) {
            const auto [start, size] = *std::prev(after);
            if (start + size == offset) {
                erase(start, size);
                offset = start;
                bytes += size;
            }
        }
        const auto next = by_offset_.find(offset + bytes);
        if (next != by_offset_.end()) {
            const uint64_t size = next->second;
            erase(offset + bytes, size);
            bytes += size;
        }
        insert(offset, bytes);
    }

    uint64_t top() const { return top_; }

private:
    void insert(uint64_t offset, uint64_t size) {
        by_offset_.emplace(offset, size);
        by_size_.emplace(size, offset);
    }
    void erase(uint64_t offset, uint64_t size) {
        by_offset_.erase(offset);
        by_size_.erase({size, offset});
    }

    std::map<uint64_t, uint64_t> by_offset_;
    std::set<std::pair<uint64_t, uint64_t>> by_size_;
    uint64_t top_ = 0;
};

uint64_t lay_out_by_replay(std::vector<Lifetime>* buffers) {
    FreeList list;
    replay(
        *buffers, [&](size_t i) { (*buffers)[i].offset = list.take(padded((*buffers)[i])); },
        [&](size_t i) { list.give_back((*buffers)[i].offset, padded((*buffers)[i])); });
    return list.top();
}

// For each buffer those that are alive together with it. False if there are too many.
bool find_neighbours(const std::vector<Lifetime>& buffers, std::vector<std::vector<size_t>>* neighbours) {
    neighbours->assign(buffers.size(), {});
    std::set<size_t> alive;
    size_t pairs = 0;
    bool few = true;
    replay(
        buffers,
        [&](size_t i) {
            pairs += alive.size();
            few = few && pairs <= kMaxPairs;
            if (few) {
                for (const size_t other : alive) {
                    (*neighbours)[i].push_back(other);
                    (*neighbours)[other].push_back(i);
                }
            }
            alive.insert(i);
        },
        [&](size_t i) { alive.erase(i); });
    return few;
}

// Each buffer of `order` into the smallest gap between its neighbours that have a place, else above them.
uint64_t lay_out_in_order(const std::vector<size_t>& order, const std::vector<std::vector<size_t>>& neighbours,
                          std::vector<Lifetime>* buffers) {
    std::vector<bool> placed(buffers->size(), false);
    std::vector<std::pair<uint64_t, uint64_t>> taken;  // offset, end
    uint64_t total = 0;
    for (const size_t index : order) {
        Lifetime& buffer = (*buffers)[index];
        const uint64_t bytes = padded(buffer);
        taken.clear();
        for (const size_t other : neighbours[index]) {
            if (placed[other]) {
                const Lifetime& o = (*buffers)[other];
                taken.emplace_back(o.offset, o.offset + padded(o));
            }
        }
        std::sort(taken.begin(), taken.end());
        uint64_t end = 0;
        uint64_t best = 0;
        uint64_t best_gap = UINT64_MAX;
        for (const auto& [from, to] : taken) {
            if (from >= end && from - end >= bytes && from - end < best_gap) {
                best = end;
                best_gap = from - end;
            }
            end = std::max(end, to);
        }
        buffer.offset = best_gap == UINT64_MAX ? end : best;
        total = std::max(total, buffer.offset + bytes);
        placed[index] = true;
    }
    return total;
}

}  // namespace

uint64_t largest_live_set(const std::vector<Lifetime>& buffers) {
    uint64_t now = 0;
    uint64_t most = 0;
    replay(
        buffers,
        [&](size_t i) {
            now += padded(buffers[i]);
            most = std::max(most, now);
        },
        [&](size_t i) { now -= padded(buffers[i]); });
    return most;
}

uint64_t lay_out_arena(std::vector<Lifetime>* buffers) {
    for (Lifetime& buffer : *buffers) {
        buffer.offset = 0;
    }
    uint64_t best = lay_out_by_replay(buffers);
    const uint64_t bound = largest_live_set(*buffers);
    std::vector<std::vector<size_t>> neighbours;
    if (best == bound || !find_neighbours(*buffers, &neighbours)) {
        return best;
    }
    const Key largest_first[] = {
        [](const Lifetime& b) { return -static_cast<double>(b.bytes); },
        [](const Lifetime& b) { return -static_cast<double>(b.bytes) * static_cast<double>(length(b)); },
        [](const Lifetime& b) { return -static_cast<double>(length(b)); },
    };
    std::vector<Lifetime> tried = *buffers;
    uint64_t least = UINT64_MAX;  // of the greedy orders
    std::vector<size_t> best_order;
    std::vector<size_t> at_top;  // places in it of the buffers that end at the top
    const auto keep = [&](std::vector<size_t> order) {
        const uint64_t total = lay_out_in_order(order, neighbours, &tried);
        if (total < best) {
            best = total;
            *buffers = tried;
        }
        if (total > least) {
            return;
        }
        least = total;
        best_order = std::move(order);
        at_top.clear();
        for (size_t i = 0; i < best_order.size(); ++i) {
            const Lifetime& buffer = tried[best_order[i]];
            if (buffer.offset + padded(buffer) == total) {
                at_top.push_back(i);
            }
        }
    };
    for (const Key key : largest_first) {
        keep(sorted_by(key, tried));
        if (best == bound) {
            return best;
        }
    }
    uint64_t random = 1;
    const auto draw = [&](size_t count) {
        random = random * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
        return static_cast<size_t>((random >> 33) % count);
    };
    const size_t count = best_order.size();
    size_t looks = count;  // of a try
    for (const std::vector<size_t>& others : neighbours) {
        looks += others.size();
    }
    const size_t tries = std::min(kTries, kSearchedPairs / looks);
    for (size_t i = 0; i < tries; ++i) {
        if (static_cast<double>(best) <= static_cast<double>(bound) * kNearBound) {
            break;
        }
        std::vector<size_t> order = best_order;
        const size_t moved = i % 2 == 0 ? at_top[draw(at_top.size())] : draw(count);
        const size_t buffer = order[moved];
        order.erase(order.begin() + static_cast<std::ptrdiff_t>(moved));
        order.insert(order.begin() + static_cast<std::ptrdiff_t>(draw(count)), buffer);
        keep(std::move(order));
    }
    return best;
}

}  // namespace fw
