#include "fwopt/describe.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

namespace fw::opt {

namespace {

struct Stored {
    int64_t count = 0;
    size_t bytes = 0;
    const char* as = "";
};

const char* name_of(const Weight& weight) {
    switch (weight.storage()) {
        case WeightStorage::kFloat16: return "fp16";
        case WeightStorage::kInt8:
        case WeightStorage::kScaledInt8: return "int8";
        case WeightStorage::kFloat32: break;
    }
    return weight.is_codebook() ? "codebook" : "fp32";
}

Stored stored(const LayerDef& layer) {
    Stored out;
    for (const Weight& weight : layer.weights) {
        out.count += weight.count();
        out.bytes += weight.bytes();
    }
    out.as = layer.weights.empty() ? "" : name_of(layer.weights[0]);
    return out;
}

std::string line(const std::string& type, const std::string& name, const std::string& shape, int64_t macs,
                 const Stored& weights) {
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, " %12.3f %12lld %10.3f  %s", static_cast<double>(macs) / 1e6,
                  static_cast<long long>(weights.count), static_cast<double>(weights.bytes) / 1e6, weights.as);
    const auto padded = [](std::string text, size_t width) {
        text.resize(std::max(text.size(), width), ' ');
        return text + " ";
    };
    std::string out = padded(type, 22) + padded(name, 30) + padded(shape, 18) + numbers;
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
}

}  // namespace

Result<std::string> describe(const NetDef& def, const Net& net) {
    FW_ASSIGN_OR_RETURN(const std::vector<LayerPlan> plan, net.plan());
    std::map<std::string, Stored> weights;
    for (const LayerDef& layer : def.layers) {
        weights[layer.name] = stored(layer);
    }
    char header[160];
    std::snprintf(header, sizeof header, "%-22s %-30s %-18s  %12s %12s %10s\n", "type", "layer", "output", "MMACs",
                  "weights", "MB");
    std::string text = header;
    int64_t macs = 0;
    Stored sum;
    for (const LayerPlan& step : plan) {
        const auto found = weights.find(step.name);
        if (step.is_conversion || step.type == "Copy" || found == weights.end()) {
            continue;  // not a layer of the file
        }
        text += line(step.type, step.name, step.output_shape.str(), step.macs, found->second);
        macs += step.macs;
        sum.count += found->second.count;
        sum.bytes += found->second.bytes;
    }
    return text + line("total", "", "", macs, sum);
}

std::string layer_types_of(const NetDef& def) {
    std::set<std::string> types = {"Dequantize", "Quantize"};
    for (const LayerDef& layer : def.layers) {
        types.insert(layer.type);
    }
    std::string out;
    for (const std::string& type : types) {
        out += (out.empty() ? "" : ";") + type;
    }
    return out;
}

}  // namespace fw::opt
