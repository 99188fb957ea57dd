// Where each buffer lies in an Extractor's arena.
#pragma once

#include <cstdint>
#include <vector>

namespace fw {

/// A piece of memory that is in use from step `first` to step `last`, both included.
struct Lifetime {
    uint64_t bytes = 0;
    int first = 0;
    int last = 0;
    uint64_t offset = 0;  ///< out
};

/// Assigns offsets (multiples of kAlignment) so that buffers alive at the same time do not overlap, and returns the
/// size of the arena. Several greedy orders are tried - largest first, largest bytes x steps first, longest life first
/// (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020: each buffer into the smallest
/// gap that holds it), and a best-fit allocator that replays the run - and the smallest arena wins. Where that is far
/// from the least possible, single buffers of the best order change their place in it, as long as nothing gets larger.
/// Buffers of 0 bytes get offset 0. Where very many are alive together (more than 2^20 pairs) the replay alone decides,
/// which takes O(n log n).
uint64_t lay_out_arena(std::vector<Lifetime>* buffers);

/// The largest sum of bytes, each rounded up to kAlignment, that are alive at one step: no arena can be smaller.
uint64_t largest_live_set(const std::vector<Lifetime>& buffers);

}  // namespace fw
