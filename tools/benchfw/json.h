// Results as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "benchfw/measure.h"

namespace fw::bench {

/// {machine, nets}: keys as docs name them; times in ms, memory in MiB, shares 0-100.
nlohmann::ordered_json to_json(const Machine& machine, const std::vector<NetResult>& results);

}  // namespace fw::bench
