// Int8Plan: which nodes run int8 and which scale every value has. propagate_int8 turns it into dtypes and conversions.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/pass.h"

namespace fw {

struct Int8Plan {
    std::vector<NodeId> order;                 ///< of execution
    std::vector<std::vector<NodeId>> readers;  ///< by value
    std::vector<QuantRule> rule;               ///< by node; kFloat = cannot run int8, `reason` says why
    std::vector<std::string> reason;           ///< by node
    std::vector<QuantParams> scale;            ///< by value; unknown = no int8 form of it exists
    std::vector<bool> int8;                    ///< by node: computes on int8 inputs
};

/// Rules of every node, under the table and the limits of the arithmetic.
Int8Plan start_int8_plan(const Graph& graph, const PassContext& context);
/// Fills `scale` from the table, then backwards from readers and forwards from producers.
void infer_scales(const Graph& graph, const ScaleTable& table, Int8Plan* plan);
/// Sets `int8` where every scale that the layer needs is known.
void find_possible(const Graph& graph, Int8Plan* plan);
/// Option::precision kInt8: takes back what only feeds float layers, or lies between float ones.
void drop_needless(const Graph& graph, Int8Plan* plan);

/// True for an input of which the layer looks at the shape only: it needs no conversion.
bool reads_only_shape(const Node& node, size_t slot);
/// True if layers of this rule that run int8 take their input `slot` as int8.
bool has_int8_slot(QuantRule rule, size_t slot);
/// True for a rule whose layers, running int8, write int8 or float: those with weights, and readers as Softmax.
bool writes_either(QuantRule rule);
/// True if such a layer that runs int8 can write int8.
bool can_write_int8(const Graph& graph, const Int8Plan& plan, NodeId node);
/// True if the node takes its input `slot` as int8.
bool takes_int8(const Int8Plan& plan, NodeId node, size_t slot);
/// True if the node's outputs are int8.
bool gives_int8(const Graph& graph, const Int8Plan& plan, NodeId node);
/// The scales that a layer with weights will use, one a channel: the table's (one a channel or one a group), or from
/// the weights; lowered where a bias asks for it. `input` is the scale of its input.
std::vector<float> used_weight_scales(const Node& node, const ScaleTable& table, const QuantParams& input);
/// Scales whose range holds the ranges of both.
QuantParams covering(const QuantParams& a, const QuantParams& b);

}  // namespace fw
