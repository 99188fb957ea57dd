#include "benchfw/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "benchfw/text.h"
#include "fw/version.h"

namespace fw::bench {

namespace {

using Json = nlohmann::ordered_json;

// Digits that were not measured only make files that differ.
double rounded(double value, double unit = 1e-4) {
    return std::round(value / unit) * unit;
}

Json layer_json(const LayerTime& layer) {
    const LayerPlan& plan = layer.plan;
    Json shape = Json::array();
    for (int axis = 0; axis < plan.output_shape.rank; ++axis) {
        shape.push_back(plan.output_shape[axis]);
    }
    return {{"name", plan.name},
            {"type", plan.type},
            {"kernel", kernel_of(plan)},
            {"isa", plan.isa},
            {"device", plan.device},
            {"precision", precision_of(plan)},
            {"ms", layer.ms},
            {"percent", rounded(layer.percent)},
            {"macs", plan.macs},
            {"gmacs_per_s", rounded(layer.gmacs_per_s)},
            {"conversion", plan.is_conversion},
            {"output", plan.output},
            {"output_shape", std::move(shape)},
            {"bytes", plan.bytes},
            {"reason", plan.reason}};
}

Json net_json(const NetResult& r) {
    Json layers = Json::array();
    for (const LayerTime& layer : r.layers) {
        layers.push_back(layer_json(layer));
    }
    return {{"name", r.name},
            {"precision", r.precision},
            {"threads", r.threads},
            {"device", r.device},
            {"loops", r.loops},
            {"min_ms", r.min_ms},
            {"med_ms", r.med_ms},
            {"max_ms", r.max_ms},
            {"load_ms", r.load_ms},
            {"first_ms", r.first_ms},
            {"mem_mib", rounded(r.activations_mib)},
            {"least_mem_mib", rounded(r.least_activations_mib)},
            {"weights_mib", rounded(r.weights_mib)},
            {"device_weights_mib", rounded(r.device_weights_mib)},
            {"macs", r.macs},
            {"conversions", r.conversions},
            {"conversion_percent", rounded(r.conversion_percent)},
            {"percent_of_peak", rounded(r.percent_of_peak)},
            {"output_hash", r.output_hash},
            {"layers_ms", r.layers_ms},
            {"profiled_ms", r.profiled_ms},
            {"layers", std::move(layers)}};
}

}  // namespace

Json to_json(const Machine& machine, const std::vector<NetResult>& results) {
    Json nets = Json::array();
    for (const NetResult& result : results) {
        nets.push_back(net_json(result));
    }
    return {{"version", version()},
            {"machine",
             {{"cpu", machine.cpu},
              {"isa", machine.isa},
              {"threads", machine.threads},
              {"peak_int8_gmacs", rounded(machine.peak_int8_gmacs)},
              {"peak_fp32_gmacs", rounded(machine.peak_fp32_gmacs)},
              {"read_gb_per_s", rounded(machine.read_gb_per_s)}}},
            {"nets", std::move(nets)}};
}

}  // namespace fw::bench
