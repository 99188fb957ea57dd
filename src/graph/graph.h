// Graph: the network between file and executable plan. Passes rewrite it; nothing here knows a kernel or a Layer.
#pragma once

#include <string>
#include <vector>

#include "fw/param_dict.h"
#include "fw/status.h"
#include "fw/table.h"
#include "model/net_def.h"
#include "model/schema.h"
#include "tensor/tensor.h"

namespace fw {

using ValueId = int;
using NodeId = int;
constexpr int kNone = -1;

/// A blob. Names are those of the model file; values that a pass adds get a name that no file can hold (it has a
/// space).
struct Value {
    std::string name;
    DType dtype = DType::kFloat32;
    QuantParams quant;
    std::vector<float> factors;  ///< one a channel where the value is the blob times these (equalize_channels)
    NodeId producer = kNone;
    bool output = false;  ///< wanted by the caller: no pass may remove or rename it
};

/// A layer. Removed nodes stay in the vector with `removed` set, so that ids are stable.
struct Node {
    std::string type;
    std::string name;
    ParamDict params;
    std::vector<Weight> weights;
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;
    std::vector<float> weight_scales;  ///< set by propagate_int8 on nodes that run int8
    /// Upper bound of each output channel where equalize_channels took different ones out of the fused activation;
    /// limit_channels sees to it that they hold.
    std::vector<float> channel_limits;
    /// A global pooling, removed, that this node applies to its int8 input (fuse_pooling); kNone = none. The blob in
    /// between is the removed node's output.
    NodeId pooling = kNone;
    /// A sum of two blobs, removed, that this node makes of its int8 outputs and the last of its inputs (fuse_sum);
    /// kNone = none.
    NodeId sum = kNone;
    size_t sum_slot = 0;     ///< which operand of the sum this node's outputs are
    QuantParams before_sum;  ///< their scale
    /// A point-wise layer, removed, that this one applies to its int8 outputs by table (fuse_table); kNone = none.
    NodeId table = kNone;
    QuantParams before_table;      ///< scale of what the table is looked up with
    bool fp16_weights = false;     ///< set by choose_fp16
    bool fp16_arithmetic = false;  ///< likewise: multiplies in float16 where the processor can
    std::string reason;            ///< why this precision, for Net::plan()
    bool is_conversion = false;    ///< inserted by a pass to cross between int8 and float
    bool removed = false;
    int line = 0;
};

class Graph {
public:
    /// Builds from a NetDef. `outputs` are the wanted blobs; empty = every blob that no layer reads. Nodes that no
    /// wanted blob depends on are left out (Input layers stay).
    static Result<Graph> build(const NetDef& net, Span<const std::string> outputs = {});
    /// Back to the file form (fwopt, tests). Order is topological. Values that a pass added get a name that a file can
    /// hold.
    NetDef to_net_def() const;

    std::vector<Node>& nodes() { return nodes_; }
    const std::vector<Node>& nodes() const { return nodes_; }
    std::vector<Value>& values() { return values_; }
    const std::vector<Value>& values() const { return values_; }
    Node& node(NodeId id) { return nodes_[static_cast<size_t>(id)]; }
    const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
    Value& value(ValueId id) { return values_[static_cast<size_t>(id)]; }
    const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
    const std::string& source() const { return source_; }
    ValueId find_value(const std::string& name) const;

    /// Nodes that are not removed, producers before consumers.
    std::vector<NodeId> order() const;
    /// Nodes that read `value`, each once, in no particular order.
    std::vector<NodeId> consumers(ValueId value) const;
    /// The single reader of `value` if it has exactly one and is not an output; else kNone.
    NodeId sole_consumer(ValueId value) const;

    ValueId add_value(std::string name);
    /// Lets a node read another value. Inputs of nodes in the graph change through this only: it keeps track of
    /// readers.
    void set_input(NodeId id, size_t slot, ValueId value);
    void add_input(NodeId id, ValueId value);
    NodeId add_node(Node node);  ///< its outputs' producers are set
    /// Makes every reader of `from` read `to`. If `from` is an output, `to` takes over its name and output flag.
    void replace_value(ValueId from, ValueId to);
    /// Removes a node whose outputs nobody reads any more.
    void remove_node(NodeId id);
    /// Removes every node that no output depends on; Input nodes stay.
    void prune();
    /// Parameters through the schema of the node's type.
    Params params(NodeId id) const;
    /// Structural soundness: producers, topological order exists, names unique. For tests and debug builds.
    Status check() const;

private:
    std::vector<Node> nodes_;
    std::vector<Value> values_;
    /// By value: every node that has ever read it, so that consumers() need not look at all nodes.
    std::vector<std::vector<NodeId>> readers_;
    std::string source_;
};

}  // namespace fw
