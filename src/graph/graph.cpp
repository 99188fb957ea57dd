#include "graph/graph.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace fw {

namespace {

const LayerSchema& schema_or_empty(const std::string& type) {
    static const LayerSchema kEmpty;  // custom layers read their ParamDict themselves
    const LayerSchema* schema = find_schema(type);
    return schema != nullptr ? *schema : kEmpty;
}

}  // namespace

Result<Graph> Graph::build(const NetDef& net, Span<const std::string> outputs) {
    Graph graph;
    graph.source_ = net.source;
    std::unordered_map<std::string, ValueId> ids;
    for (const LayerDef& layer : net.layers) {
        Node node;
        node.type = layer.type;
        node.name = layer.name;
        node.params = layer.params;
        node.weights = layer.weights;
        node.line = layer.line;
        for (const std::string& bottom : layer.bottoms) {
            const auto found = ids.find(bottom);
            if (found == ids.end()) {
                return Status::error(Code::kInvalidArgument,
                                     "%s:%d: layer '%s' reads blob '%s', which no layer before it makes",
                                     net.source.c_str(), layer.line, layer.name.c_str(), bottom.c_str());
            }
            node.inputs.push_back(found->second);
        }
        for (const std::string& top : layer.tops) {
            if (ids.count(top) != 0) {
                return Status::error(Code::kInvalidArgument, "%s:%d: layer '%s' makes blob '%s' a second time",
                                     net.source.c_str(), layer.line, layer.name.c_str(), top.c_str());
            }
            const ValueId id = graph.add_value(top);
            ids.emplace(top, id);
            node.outputs.push_back(id);
        }
        graph.add_node(std::move(node));
    }
    if (outputs.empty()) {
        std::vector<bool> read(graph.values_.size(), false);
        for (const Node& node : graph.nodes_) {
            for (const ValueId input : node.inputs) {
                read[static_cast<size_t>(input)] = true;
            }
        }
        for (size_t i = 0; i < graph.values_.size(); ++i) {
            graph.values_[i].output = !read[i];
        }
    }
    for (const std::string& name : outputs) {
        const auto found = ids.find(name);
        if (found == ids.end()) {
            return Status::error(Code::kNotFound, "%s: no blob is called '%s'", net.source.c_str(), name.c_str());
        }
        graph.value(found->second).output = true;
    }
    graph.prune();
    return graph;
}

void Graph::prune() {
    std::vector<bool> needed(nodes_.size(), false);
    std::vector<NodeId> pending;
    const auto need = [&](ValueId id) {
        const NodeId producer = value(id).producer;
        if (producer != kNone && !needed[static_cast<size_t>(producer)]) {
            needed[static_cast<size_t>(producer)] = true;
            pending.push_back(producer);
        }
    };
    for (size_t i = 0; i < values_.size(); ++i) {
        if (values_[i].output) {
            need(static_cast<ValueId>(i));
        }
    }
    while (!pending.empty()) {
        const NodeId id = pending.back();
        pending.pop_back();
        for (const ValueId input : node(id).inputs) {
            need(input);
        }
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
        if (!nodes_[i].removed && !needed[i] && nodes_[i].type != "Input") {
            remove_node(static_cast<NodeId>(i));
        }
    }
}

NetDef Graph::to_net_def() const {
    NetDef net;
    net.source = source_;
    std::unordered_set<std::string> taken;
    for (const Value& value : values_) {
        taken.insert(value.name);
    }
    std::vector<std::string> names;
    for (const Value& value : values_) {
        std::string name = value.name;
        if (name.find(' ') != std::string::npos) {
            std::replace(name.begin(), name.end(), ' ', '_');
            while (!taken.insert(name).second) {
                name += '_';
            }
        }
        names.push_back(std::move(name));
    }
    std::unordered_set<std::string> layer_names;
    for (const NodeId id : order()) {
        const Node& from = node(id);
        LayerDef layer;
        layer.type = from.type;
        layer.name = from.name;
        std::replace(layer.name.begin(), layer.name.end(), ' ', '_');
        while (!layer_names.insert(layer.name).second) {
            layer.name += '_';
        }
        layer.params = from.params;
        layer.weights = from.weights;
        layer.line = from.line;
        for (const ValueId input : from.inputs) {
            layer.bottoms.push_back(names[static_cast<size_t>(input)]);
        }
        for (const ValueId output : from.outputs) {
            layer.tops.push_back(names[static_cast<size_t>(output)]);
        }
        net.layers.push_back(std::move(layer));
    }
    return net;
}

ValueId Graph::find_value(const std::string& name) const {
    for (size_t i = 0; i < values_.size(); ++i) {
        if (values_[i].name == name) {
            return static_cast<ValueId>(i);
        }
    }
    return kNone;
}

// Depth first from every node in the order of the file: nodes that a pass added come right before their first reader.
std::vector<NodeId> Graph::order() const {
    std::vector<NodeId> sorted;
    std::vector<char> state(nodes_.size(), 0);  // 1 = on the stack, 2 = emitted
    std::vector<std::pair<NodeId, size_t>> stack;
    for (size_t start = 0; start < nodes_.size(); ++start) {
        if (nodes_[start].removed || state[start] != 0) {
            continue;
        }
        state[start] = 1;
        stack.emplace_back(static_cast<NodeId>(start), 0);
        while (!stack.empty()) {
            const NodeId id = stack.back().first;
            const Node& current = node(id);
            if (stack.back().second == current.inputs.size()) {
                state[static_cast<size_t>(id)] = 2;
                sorted.push_back(id);
                stack.pop_back();
                continue;
            }
            const NodeId producer = value(current.inputs[stack.back().second++]).producer;
            if (producer != kNone && !node(producer).removed && state[static_cast<size_t>(producer)] == 0) {
                state[static_cast<size_t>(producer)] = 1;
                stack.emplace_back(producer, 0);
            }
        }
    }
    return sorted;
}

std::vector<NodeId> Graph::consumers(ValueId value) const {
    std::vector<NodeId> readers;
    for (const NodeId id : readers_[static_cast<size_t>(value)]) {
        const Node& reader = node(id);
        if (!reader.removed && std::find(reader.inputs.begin(), reader.inputs.end(), value) != reader.inputs.end() &&
            std::find(readers.begin(), readers.end(), id) == readers.end()) {
            readers.push_back(id);
        }
    }
    return readers;
}

NodeId Graph::sole_consumer(ValueId id) const {
    if (value(id).output) {
        return kNone;
    }
    const std::vector<NodeId> readers = consumers(id);
    return readers.size() == 1 ? readers[0] : kNone;
}

ValueId Graph::add_value(std::string name) {
    Value value;
    value.name = std::move(name);
    values_.push_back(std::move(value));
    readers_.emplace_back();
    return static_cast<ValueId>(values_.size() - 1);
}

NodeId Graph::add_node(Node node) {
    const auto id = static_cast<NodeId>(nodes_.size());
    for (const ValueId output : node.outputs) {
        value(output).producer = id;
    }
    for (const ValueId input : node.inputs) {
        readers_[static_cast<size_t>(input)].push_back(id);
    }
    nodes_.push_back(std::move(node));
    return id;
}

void Graph::set_input(NodeId id, size_t slot, ValueId value) {
    node(id).inputs[slot] = value;
    readers_[static_cast<size_t>(value)].push_back(id);
}

void Graph::add_input(NodeId id, ValueId value) {
    node(id).inputs.push_back(value);
    readers_[static_cast<size_t>(value)].push_back(id);
}

void Graph::replace_value(ValueId from, ValueId to) {
    for (const NodeId reader : consumers(from)) {
        std::vector<ValueId>& inputs = node(reader).inputs;
        std::replace(inputs.begin(), inputs.end(), from, to);
        readers_[static_cast<size_t>(to)].push_back(reader);
    }
    Value& old = value(from);
    if (old.output) {
        std::swap(old.name, value(to).name);
        value(to).output = true;
        old.output = false;
    }
}

void Graph::remove_node(NodeId id) {
    Node& gone = node(id);
    for (const ValueId output : gone.outputs) {
        if (value(output).producer == id) {
            value(output).producer = kNone;
        }
    }
    gone.removed = true;
    gone.weights.clear();
    gone.inputs.clear();
}

Params Graph::params(NodeId id) const {
    return Params(schema_or_empty(node(id).type), node(id).params);
}

Status Graph::check() const {
    std::unordered_set<std::string> names;
    for (size_t i = 0; i < nodes_.size(); ++i) {
        const Node& node = nodes_[i];
        if (node.removed) {
            continue;
        }
        for (const ValueId input : node.inputs) {
            const NodeId producer = value(input).producer;
            if (producer == kNone || this->node(producer).removed) {
                return Status::error(Code::kInternal, "layer '%s' reads blob '%s', which nothing makes",
                                     node.name.c_str(), value(input).name.c_str());
            }
        }
        for (const ValueId output : node.outputs) {
            if (value(output).producer != static_cast<NodeId>(i)) {
                return Status::error(Code::kInternal, "blob '%s' does not know its producer '%s'",
                                     value(output).name.c_str(), node.name.c_str());
            }
            if (!names.insert(value(output).name).second) {
                return Status::error(Code::kInternal, "two blobs are called '%s'", value(output).name.c_str());
            }
        }
    }
    for (const Value& value : values_) {
        if (value.output && value.producer == kNone) {
            return Status::error(Code::kInternal, "nothing makes the output '%s'", value.name.c_str());
        }
    }
    std::vector<bool> done(nodes_.size(), false);
    for (const NodeId id : order()) {
        for (const ValueId input : node(id).inputs) {
            if (!done[static_cast<size_t>(value(input).producer)]) {
                return Status::error(Code::kInternal, "layer '%s' depends on itself", node(id).name.c_str());
            }
        }
        done[static_cast<size_t>(id)] = true;
    }
    return {};
}

}  // namespace fw
