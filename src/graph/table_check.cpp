#include "graph/table_check.h"

#include <cfloat>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "graph/attention.h"
#include "graph/weighted.h"
#include "model/model_hash.h"

namespace fw {

namespace {

// A table that a program filled in has not been through the parser.
Status check_quant(const ScaleTable& table, const char* what, const std::string& name, const QuantParams& quant) {
    if (!quant.known()) {
        return {};
    }
    if (!std::isfinite(quant.scale) || quant.scale < FLT_MIN) {
        return Status::error(Code::kInvalidArgument, "%s: %s '%s': scale is %g, expected a finite number above %g",
                             table.source.c_str(), what, name.c_str(), static_cast<double>(quant.scale),
                             static_cast<double>(FLT_MIN));
    }
    if (quant.zero_point < -128 || quant.zero_point > 127) {
        return Status::error(Code::kInvalidArgument, "%s: %s '%s': zero point is %d, expected -128 to 127",
                             table.source.c_str(), what, name.c_str(), quant.zero_point);
    }
    return {};
}

Status check_numbers(const ScaleTable& table) {
    for (const auto& [name, quant] : table.blobs) {
        FW_RETURN_IF_ERROR(check_quant(table, "blob", name, quant));
    }
    for (const auto& [name, entry] : table.layers) {
        FW_RETURN_IF_ERROR(check_quant(table, "layer", name, entry.input));
        for (const float scale : entry.weight_scales) {
            if (scale != 0.0F && !(std::isfinite(scale) && scale >= FLT_MIN)) {
                return Status::error(Code::kInvalidArgument,
                                     "%s: layer '%s': weight scale is %g, expected 0 or a finite number from 1.18e-38",
                                     table.source.c_str(), name.c_str(), static_cast<double>(scale));
            }
        }
    }
    return {};
}

// A layer that a table may speak of.
struct Described {
    std::string type;
    ParamDict params;
};

}  // namespace

Status check_table(const NetDef& net, const ScaleTable& table) {
    FW_RETURN_IF_ERROR(check_numbers(table));
    std::unordered_map<std::string, Described> layers;
    std::unordered_set<std::string> blobs;
    for (const LayerDef& layer : net.layers) {
        layers.emplace(layer.name, Described{layer.type, layer.params});
        blobs.insert(layer.tops.begin(), layer.tops.end());
    }
    for (const LayerDef& layer : net.layers) {
        const std::vector<AttentionPart> parts = attention_parts(layer.type, layer.name, layer.params);
        for (size_t i = 0; i < parts.size(); ++i) {
            layers.emplace(parts[i].name, Described{parts[i].type, parts[i].params});
            if (i != kOut) {
                blobs.insert(parts[i].name);
            }
        }
    }
    size_t known = 0;
    for (const auto& [name, entry] : table.layers) {
        const auto found = layers.find(name);
        if (found == layers.end()) {
            log(LogLevel::kWarn, "%s:%d: the network has no layer '%s'", table.source.c_str(), entry.line,
                name.c_str());
            continue;
        }
        ++known;
        if (entry.weight_scales.empty()) {
            continue;
        }
        Node node;
        node.type = found->second.type;
        node.params = found->second.params;
        if (!is_weighted(node)) {
            return Status::error(Code::kInvalidArgument,
                                 "%s:%d: weight scales for layer '%s', a %s without weights in int8",
                                 table.source.c_str(), entry.line, name.c_str(), node.type.c_str());
        }
        const bool grouped = node.type == "ConvolutionDepthWise" || node.type == "DeconvolutionDepthWise";
        const auto channels = static_cast<size_t>(num_output(node));
        const auto groups = static_cast<size_t>(grouped ? node.params.get(7, 1) : num_output(node));
        if (entry.weight_scales.size() != channels && entry.weight_scales.size() != groups) {
            return Status::error(Code::kInvalidArgument, "%s:%d: %zu weight scales for layer '%s', which has %zu %s",
                                 table.source.c_str(), entry.line, entry.weight_scales.size(), name.c_str(),
                                 grouped ? groups : channels, grouped ? "groups" : "output channels");
        }
    }
    for (const auto& [name, quant] : table.blobs) {
        if (blobs.count(name) != 0) {
            ++known;
        } else {
            log(LogLevel::kWarn, "%s: the network has no blob '%s'", table.source.c_str(), name.c_str());
        }
    }
    if (known == 0) {
        return Status::error(Code::kInvalidArgument,
                             "%s is the table of another model: %s has none of its %zu layers and %zu blobs",
                             table.source.c_str(), net.source.c_str(), table.layers.size(), table.blobs.size());
    }
    return {};
}

Status check_table_model(const NetDef& net, const ScaleTable& table) {
    if (table.model_hash.empty()) {
        return {};
    }
    FW_ASSIGN_OR_RETURN(const std::string hash, model_hash(net));
    if (hash != table.model_hash) {
        return Status::error(Code::kInvalidArgument,
                             "%s was made for the model %s, %s is the model %s: calibrate this one, or ignore the "
                             "difference (Option::ignore_table_model, --force)",
                             table.source.c_str(), table.model_hash.c_str(), net.source.c_str(), hash.c_str());
    }
    return {};
}

}  // namespace fw
