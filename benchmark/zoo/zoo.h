// The zoo: published network architectures, each built by a short function, with made-up weights. For measuring speed
// and exactness, where what a network computes does not matter but its shapes do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/net.h"
#include "fw/span.h"
#include "fw/status.h"
#include "model/net_def.h"

namespace fw::zoo {

class Blocks;

struct Network {
    const char* name;
    const char* source;             ///< the publication
    int64_t macs;                   ///< multiply-accumulates as published, for the size of input built here
    int64_t params;                 ///< weights as published
    void (*describe)(Blocks* net);  ///< the architecture
};

/// All of them, in alphabetical order.
Span<const Network> networks();
/// nullptr where there is none of that name.
const Network* find(const std::string& name);

/// The network with weights drawn from `seed`: batch normalisation folded and ReLU and ReLU6 fused, as a converter for
/// inference leaves it. Its one input is "data" and declares its shape; weights are bit-identical everywhere for the
/// same seed. With `largest_side` no side of the input is longer, for tests that have not the time for the published
/// size; 0 keeps it. Fails for a description that contradicts itself, which is a bug of the zoo.
Result<NetDef> build(const Network& network, uint64_t seed, int largest_side = 0);

/// Loads `def` into `net`, as from its .param and .bin files. The files' bytes are kept in `files`, which must outlive
/// the Net.
struct ModelFiles {
    std::string param;
    std::vector<uint8_t> bin;
};
Status load(const NetDef& def, Net* net, ModelFiles* files);

}  // namespace fw::zoo
