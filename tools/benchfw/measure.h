// Measuring one network: loading, the first inference, the following ones, and the time of every step.
#pragma once

#include <string>
#include <vector>

#include "benchfw/machine.h"
#include "benchfw/source.h"
#include "fw/table.h"

namespace fw::bench {

struct MeasureOptions {
    std::vector<Precision> precisions;  ///< measured in turns, so that a disturbance meets all of them
    const ScaleTable* table = nullptr;  ///< of the user; nullptr: one is made where int8 needs it
    Shape input_shape;                  ///< of inputs that declare none
    std::string device = "cpu";         ///< Option::device
    bool device_fallback = false;       ///< Option::device_fallback
    std::string pipeline_cache;         ///< Option::pipeline_cache
    int threads = 1;
    int loops = 0;  ///< measured inferences; 0 = as many as fit in `seconds`, at least kLeastLoops
    int warmup = 1;
    double seconds = 3.0;
    bool fp16 = false;                ///< Option::fp16
    bool fp16_arithmetic = false;     ///< Option::fp16_arithmetic
    bool bf16_arithmetic = false;     ///< Option::bf16_arithmetic
    bool winograd = true;             ///< Option::winograd
    bool ignore_table_model = false;  ///< Option::ignore_table_model
    bool split_attention = false;     ///< Option::split_attention
    bool layers = false;              ///< time steps as well, in as many inferences more
};
constexpr int kLeastLoops = 5;

struct LayerTime {
    LayerPlan plan;
    bool is_copy = false;  ///< no step of the plan: an output's way into the caller's Mat
    double ms = 0.0;
    double least_ms = 0.0;  ///< in any of the inferences whose steps were timed
    double percent = 0.0;   ///< of the steps' sum
    double gmacs_per_s = 0.0;
};

struct NetResult {
    std::string name;
    std::string precision;  ///< "float", "int8" or "auto"
    std::string device = "cpu";
    int threads = 1;
    int loops = 0;
    double load_ms = 0.0;   ///< files to a Net ready to run, weights packed
    double first_ms = 0.0;  ///< first inference: plans, takes memory, meets cold caches
    double min_ms = 0.0, med_ms = 0.0, max_ms = 0.0;
    double activations_mib = 0.0;        ///< arena of one Extractor
    double least_activations_mib = 0.0;  ///< the least that any arena could have
    double weights_mib = 0.0;            ///< packed
    double device_weights_mib = 0.0;     ///< MemoryUse::device_weights
    int64_t macs = 0;
    int conversions = 0;
    double percent_of_peak = 0.0;  ///< time that the MACs need at the peaks of their precisions, of min_ms
    std::string output_hash;       ///< 64-bit FNV-1a over the bytes of all outputs as float32

    // With MeasureOptions::layers:
    std::vector<LayerTime> layers;    ///< of the fastest inference whose steps were timed
    double layers_ms = 0.0;           ///< their sum
    double profiled_ms = 0.0;         ///< that whole inference, with timers
    double conversion_percent = 0.0;  ///< share of conversions in layers_ms
};

/// One way to run a network.
struct Variant {
    Precision precision = Precision::kFloat;
    const ScaleTable* table = nullptr;  ///< for precisions other than float
};

/// One result for each of `variants`, which take turns, in their order; `options` without its precisions and table.
Result<std::vector<NetResult>> measure_variants(const Source& source, const MeasureOptions& options,
                                                const std::vector<Variant>& variants, const Machine& machine);

/// One result for each of `options.precisions`, in their order.
Result<std::vector<NetResult>> measure(const Source& source, const MeasureOptions& options, const Machine& machine);

}  // namespace fw::bench
