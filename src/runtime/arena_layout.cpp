#include "runtime/arena_layout.h"

#include <algorithm>
#include <numeric>

#include "base/memory.h"

namespace fw {

namespace {

uint64_t padded(const Lifetime& buffer) {
    return (buffer.bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

uint64_t lay_out_arena(std::vector<Lifetime>* buffers) {
    std::vector<size_t> by_size(buffers->size());
    std::iota(by_size.begin(), by_size.end(), size_t{0});
    std::stable_sort(by_size.begin(), by_size.end(),
                     [&](size_t a, size_t b) { return (*buffers)[a].bytes > (*buffers)[b].bytes; });
    std::vector<size_t> placed;  // in the order of their offsets
    uint64_t total = 0;
    for (const size_t index : by_size) {
        Lifetime& buffer = (*buffers)[index];
        const uint64_t bytes = padded(buffer);
        uint64_t end = 0;  // of the buffers seen so far that are alive together with this one
        uint64_t best = 0;
        uint64_t best_gap = UINT64_MAX;
        for (const size_t other_index : placed) {
            const Lifetime& other = (*buffers)[other_index];
            if (other.last < buffer.first || buffer.last < other.first) {
                continue;
            }
            if (other.offset >= end && other.offset - end >= bytes && other.offset - end < best_gap) {
                best = end;
                best_gap = other.offset - end;
            }
            end = std::max(end, other.offset + padded(other));
        }
        buffer.offset = best_gap == UINT64_MAX ? end : best;
        total = std::max(total, buffer.offset + bytes);
        placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                       [&](size_t a, size_t b) { return (*buffers)[a].offset < (*buffers)[b].offset; }),
                      index);
    }
    return total;
}

}  // namespace fw
