// Concats that copy nothing: which values can be written straight into their slices of a Concat's output.
#pragma once

#include <vector>

#include "runtime/program.h"

namespace fw {

/// What is known of a program's values before they have memory.
struct ValueFlow {
    std::vector<TensorDesc> descs;          ///< by value
    std::vector<std::vector<int>> readers;  ///< program steps by value
    std::vector<int> producer;              ///< program step by value; kNone = an input
};

/// Where a value is written into a slice of a Concat's output.
struct Placement {
    ValueId target = kNone;  ///< the Concat's output; kNone = nowhere, the value has memory of its own
    int64_t offset = 0;      ///< bytes from the target's first element
    Tensor tensor;           ///< shape and strides
};

/// An address for tensors that have no memory yet, so that Layer::view can do its arithmetic on it.
inline char* const kFakeBase = reinterpret_cast<char*>(uintptr_t{1} << 20);

/// By value. A Concat that has to rescale an input copies all of them, and its inputs have no placement.
std::vector<Placement> place_in_concats(const Program& program, const ValueFlow& flow);

}  // namespace fw
