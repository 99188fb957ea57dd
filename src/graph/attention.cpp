#include "graph/attention.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdint>

namespace fw {

namespace {

// Parameters of MultiHeadAttention.
constexpr int kEmbed = 0, kHeads = 1, kWeights = 2, kKeyLength = 3, kValueLength = 4, kScale = 6, kCache = 7,
              kQuantized = 18;

AttentionPart projection(const std::string& name, int outputs, int64_t weights) {
    AttentionPart part{"InnerProduct", name, {}};
    part.params.set(0, outputs);
    part.params.set(1, 1);
    part.params.set(2, static_cast<int>(weights));
    return part;
}

bool is_float(const ScaleTable& table, const std::string& layer) {
    const auto entry = table.layers.find(layer);
    return entry != table.layers.end() && entry->second.precision == ScaleTable::LayerPrecision::kFloat;
}

}  // namespace

std::vector<AttentionPart> attention_parts(const std::string& type, const std::string& name, const ParamDict& params) {
    const int embed = params.get(kEmbed, 0);
    const int weights = params.get(kWeights, 0);
    const int heads = params.get(kHeads, 1);
    if (type != "MultiHeadAttention" || embed < 1 || weights < 1 || weights % embed != 0 || heads < 1 ||
        embed % heads != 0 || params.get(kCache, 0) != 0 || params.get(kQuantized, 0) != 0) {
        return {};
    }
    const int64_t key_weights = int64_t{embed} * params.get(kKeyLength, embed);
    const int64_t value_weights = int64_t{embed} * params.get(kValueLength, embed);
    for (const int64_t count : {key_weights, value_weights}) {
        if (count < 1 || count > INT_MAX) {
            return {};
        }
    }
    AttentionPart context{type, name + "/context", params};
    for (const int id : {kWeights, kKeyLength, kValueLength}) {
        context.params.erase(id);
    }
    context.params.set(kScale, 1.0F);
    return {projection(name + "/query", embed, weights), projection(name + "/key", embed, key_weights),
            projection(name + "/value", embed, value_weights), std::move(context),
            projection(name + "/out", weights / embed, weights)};
}

float attention_scale(const ParamDict& params) {
    const int head_dim = params.get(kEmbed, 0) / params.get(kHeads, 1);
    return params.get(kScale, 1.0F / std::sqrt(static_cast<float>(head_dim)));
}

bool has_scales_of_parts(const ScaleTable& table, const std::string& name, const std::vector<AttentionPart>& parts) {
    const auto keeps_float = [&](const AttentionPart& part) {
        return part.type != "InnerProduct" || is_float(table, part.name);
    };
    const auto is_named = [&](const AttentionPart& part) {
        return table.layers.count(part.name) != 0 || table.blobs.count(part.name) != 0;
    };
    return !is_float(table, name) && !std::all_of(parts.begin(), parts.end(), keeps_float) &&
           std::any_of(parts.begin(), parts.end(), is_named);
}

}  // namespace fw
