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

/// Assigns offsets (multiples of kAlignment) so that buffers alive at the same time do not overlap: largest first, each
/// into the smallest gap that holds it (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
/// 2020, greedy by size). Returns the size of the arena.
uint64_t lay_out_arena(std::vector<Lifetime>* buffers);

}  // namespace fw
