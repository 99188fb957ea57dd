// Where a network comes from: the zoo, or the user's files.
#pragma once

#include <string>

#include "fw/net.h"
#include "fw/status.h"
#include "zoo/zoo.h"

namespace fw::bench {

/// A network that can be loaded more than once. Must outlive the Nets that it was loaded into.
struct Source {
    std::string name;
    std::string param_path;  ///< "" = in memory
    std::string bin_path;
    zoo::ModelFiles files;
};

/// The network with the zoo's weights.
Result<Source> source_of_zoo(const zoo::Network& network);
/// NET.param and NET.bin; `bin` may be "": random weights.
Result<Source> source_of_files(const std::string& param, const std::string& bin);

Status load(const Source& source, Net* net);

}  // namespace fw::bench
