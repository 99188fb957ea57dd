// MultiHeadAttention as the parts that a scale table can speak of: its projections are inner products of rows.
#pragma once

#include <string>
#include <vector>

#include "fw/param_dict.h"
#include "fw/table.h"

namespace fw {

/// A layer that attention is made of. Its output is a blob of the same name, but that of the last one, which is the
/// attention's.
struct AttentionPart {
    std::string type;
    std::string name;
    ParamDict params;
};

/// Their order. kContext is a MultiHeadAttention without projections: softmax(Q K^T + mask) V of each head.
enum AttentionPartIndex : size_t { kQuery, kKey, kValue, kContext, kOut };

/// NAME/query, NAME/key, NAME/value, NAME/context and NAME/out of the attention NAME. Empty for other layers, for an
/// attention without projections, and where the parameters are not sound.
std::vector<AttentionPart> attention_parts(const std::string& type, const std::string& name, const ParamDict& params);

/// The factor of the scores, which the query's projection takes into its weights and bias.
float attention_scale(const ParamDict& params);

/// True if the table speaks of parts of the attention `name`, and keeps neither it nor all its projections float.
bool has_scales_of_parts(const ScaleTable& table, const std::string& name, const std::vector<AttentionPart>& parts);

}  // namespace fw
