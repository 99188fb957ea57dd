// Short ways to write a NetDef and to look at a Graph.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/pass.h"

namespace fw::test {

using Names = std::vector<std::string>;

inline LayerDef layer(const std::string& type, const std::string& name, Names bottoms, Names tops,
                      std::vector<std::pair<int, ParamDict::Value>> params = {},
                      const std::vector<std::vector<float>>& weights = {}) {
    LayerDef def;
    def.type = type;
    def.name = name;
    def.bottoms = std::move(bottoms);
    def.tops = std::move(tops);
    for (auto& [id, value] : params) {
        def.params.set(id, std::move(value));
    }
    for (const std::vector<float>& values : weights) {
        def.weights.push_back(Weight::from_floats(values));
    }
    return def;
}

/// A 1x1 convolution of `in` to `out` channels with all weights w and a bias of 0.
inline LayerDef conv1x1(const std::string& name, const std::string& bottom, const std::string& top, int in, int out,
                        float w = 0.5F) {
    return layer(
        "Convolution", name, {bottom}, {top}, {{0, out}, {1, 1}, {5, 1}, {6, in * out}},
        {std::vector<float>(static_cast<size_t>(in * out), w), std::vector<float>(static_cast<size_t>(out), 0.0F)});
}

inline LayerDef input(const std::string& top = "data", int c = 3, int h = 8, int w = 8) {
    return layer("Input", "input_" + top, {}, {top}, {{0, w}, {1, h}, {2, c}});
}

inline NetDef net(std::vector<LayerDef> layers) {
    NetDef def;
    def.source = "test.param";
    int line = 3;
    for (LayerDef& l : layers) {
        l.line = line++;
    }
    def.layers = std::move(layers);
    return def;
}

inline Graph build(const NetDef& def, const Names& outputs = {}) {
    Result<Graph> graph = Graph::build(def, outputs);
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_TRUE(graph->check().ok()) << graph->check().message();
    return std::move(*graph);
}

/// Types in the order of execution, as "Input Convolution ReLU".
inline std::string types(const Graph& graph) {
    std::string text;
    for (const NodeId id : graph.order()) {
        text += (text.empty() ? "" : " ") + graph.node(id).type;
    }
    return text;
}

inline const Node& find(const Graph& graph, const std::string& name) {
    for (const NodeId id : graph.order()) {
        if (graph.node(id).name == name) {
            return graph.node(id);
        }
    }
    static const Node none;
    ADD_FAILURE() << "no node " << name;
    return none;
}

/// Runs one pass by name.
inline Status run_pass(Graph* graph, const std::string& name, ScaleTable* table = nullptr) {
    static const Option option;
    for (const Pass& pass : all_passes()) {
        if (name == pass.name) {
            const Status status = pass.run(graph, PassContext{&option, table, nullptr});
            EXPECT_TRUE(graph->check().ok()) << graph->check().message();
            return status;
        }
    }
    return Status::error(Code::kNotFound, "no pass %s", name.c_str());
}

}  // namespace fw::test
