// The golden file of the zoo: what int8 inference gives for stored tables and input bytes. It is the contract for every
// backend: tests/golden/zoo/golden.json and NAME.table, written by zoo_golden (golden_tool.cpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fw/net.h"
#include "model/net_def.h"

namespace fw::zoo {

constexpr uint64_t kGoldenSeed = 1;

/// The networks that the golden file holds.
const std::vector<std::string>& golden_networks();

struct Golden {
    int conversions = 0;
    std::map<std::string, std::string> blobs;  ///< last int8 blobs: name -> "C,H,W scale zero_point hash"
};

/// Loads the network with int8 wherever the table allows it (threads and passes as in `option`), feeds made-up bytes
/// that need no rounding, and hashes (64-bit FNV-1a over the bytes in the order of the axes) every int8 blob that a
/// layer reads which writes float, and every int8 output.
/// With `like` the blobs that it names are hashed instead.
Result<Golden> run_golden(const NetDef& def, const ScaleTable& table, Option option, const Golden* like = nullptr);

}  // namespace fw::zoo
