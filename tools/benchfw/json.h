// Results as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "benchfw/measure.h"

namespace fw::bench {

/// {version, machine: {cpu, isa, threads, peak_int8_gmacs, peak_fp32_gmacs, read_gb_per_s}, nets: [{name, precision,
/// threads, device, loops, min_ms, med_ms, max_ms, load_ms, first_ms, mem_mib (activations), weights_mib,
/// device_weights_mib, macs, conversions, conversion_percent, percent_of_peak, output_hash, layers_ms, profiled_ms,
/// layers: [{name, type, kernel, isa, device, precision, ms, percent, macs, gmacs_per_s, conversion, output,
/// output_shape, bytes, reason}]}]}. Layers of the type Output, at the end, are the copies of outputs into the caller's
/// Mats. Percentages are 0-100; keys keep their names, new ones may come.
nlohmann::ordered_json to_json(const Machine& machine, const std::vector<NetResult>& results);

}  // namespace fw::bench
