#include "graph_builder.h"

namespace fw {
namespace {

using test::build;
using test::conv1x1;
using test::input;
using test::layer;
using test::net;
using test::types;

TEST(Graph, OutputsAreTheBlobsThatNobodyReads) {
    const Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("ReLU", "r", {"a"}, {"b"}),
                                   layer("Sigmoid", "s", {"a"}, {"t"})}));
    EXPECT_FALSE(graph.value(graph.find_value("a")).output);
    EXPECT_TRUE(graph.value(graph.find_value("b")).output);
    EXPECT_TRUE(graph.value(graph.find_value("t")).output);
    EXPECT_EQ(graph.consumers(graph.find_value("a")).size(), 2u);
    EXPECT_EQ(graph.sole_consumer(graph.find_value("a")), kNone);
    EXPECT_EQ(graph.node(graph.sole_consumer(graph.find_value("data"))).name, "c");
    EXPECT_EQ(graph.sole_consumer(graph.find_value("b")), kNone);
}

TEST(Graph, KeepsOnlyWhatTheWantedBlobsNeed) {
    const NetDef def = net({input(), conv1x1("c", "data", "a", 3, 2), layer("ReLU", "r", {"a"}, {"b"}),
                            layer("Sigmoid", "s", {"b"}, {"t"})});
    EXPECT_EQ(types(build(def, {"a"})), "Input Convolution");
    EXPECT_EQ(types(build(def, {"b"})), "Input Convolution ReLU");
    EXPECT_EQ(Graph::build(def, std::vector<std::string>{"nothing"}).status().code(), Code::kNotFound);
}

TEST(Graph, RejectsBlobsWithoutOrWithTwoProducers) {
    const Status missing = Graph::build(net({input(), layer("ReLU", "r", {"no"}, {"b"})})).status();
    EXPECT_NE(std::string(missing.message()).find("test.param:4: layer 'r' reads blob 'no'"), std::string::npos)
        << missing.message();
    const Status twice =
        Graph::build(net({input(), layer("ReLU", "r", {"data"}, {"b"}), layer("ReLU", "q", {"data"}, {"b"})})).status();
    EXPECT_EQ(twice.code(), Code::kInvalidArgument);
}

TEST(Graph, NodesThatAPassAddsComeBeforeTheirReaders) {
    Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("ReLU", "r", {"a"}, {"b"})}));
    const ValueId added = graph.add_value("a int8");
    Node node;
    node.type = "Quantize";
    node.name = "a int8";
    node.inputs = {graph.find_value("a")};
    node.outputs = {added};
    graph.add_node(node);
    graph.set_input(2, 0, added);
    ASSERT_TRUE(graph.check().ok());
    EXPECT_EQ(types(graph), "Input Convolution Quantize ReLU");

    const NetDef back = graph.to_net_def();
    ASSERT_EQ(back.layers.size(), 4u);
    EXPECT_EQ(back.layers[2].name, "a_int8");
    EXPECT_EQ(back.layers[2].tops[0], "a_int8");
    EXPECT_EQ(back.layers[3].bottoms[0], "a_int8");
}

TEST(Graph, ReplacedOutputsKeepTheirName) {
    Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("Noop", "n", {"a"}, {"b"})}));
    graph.replace_value(graph.find_value("b"), graph.find_value("a"));
    graph.remove_node(2);
    EXPECT_TRUE(graph.check().ok());
    EXPECT_TRUE(graph.value(graph.find_value("b")).output);
    EXPECT_EQ(graph.value(graph.find_value("b")).producer, 1);
}

TEST(Graph, CheckFindsCyclesAndMissingProducers) {
    Graph graph = build(net({input(), layer("ReLU", "r", {"data"}, {"a"}), layer("ReLU", "q", {"a"}, {"b"})}));
    graph.set_input(1, 0, graph.find_value("b"));
    EXPECT_FALSE(graph.check().ok());
    graph.set_input(1, 0, graph.add_value("orphan"));
    EXPECT_FALSE(graph.check().ok());
}

TEST(Graph, PassesStayFastOnAbsurdlyLongNets) {
    std::vector<LayerDef> layers = {input()};
    std::string blob = "data";
    for (int i = 0; i < 30000; ++i) {
        const std::string next = "b" + std::to_string(i);
        layers.push_back(layer(i % 2 == 0 ? "Split" : "ReLU", "l" + std::to_string(i), {blob}, {next}));
        blob = next;
    }
    Graph graph = build(net(std::move(layers)));
    Option option;
    ScaleTable table;
    table.blobs["data"].scale = 1.0F;
    ASSERT_TRUE(run_passes(&graph, PassContext{&option, &table, nullptr}).ok());
    EXPECT_EQ(graph.order().size(), 15001u);
}

TEST(Graph, RoundTripsThroughNetDef) {
    const NetDef def = net({input(), conv1x1("c", "data", "a", 3, 2), layer("Split", "s", {"a"}, {"x", "y"}),
                            layer("Concat", "k", {"x", "y"}, {"out"})});
    const NetDef back = build(def).to_net_def();
    ASSERT_EQ(back.layers.size(), def.layers.size());
    for (size_t i = 0; i < def.layers.size(); ++i) {
        EXPECT_EQ(back.layers[i].type, def.layers[i].type);
        EXPECT_EQ(back.layers[i].bottoms, def.layers[i].bottoms);
        EXPECT_EQ(back.layers[i].tops, def.layers[i].tops);
        EXPECT_EQ(back.layers[i].params, def.layers[i].params);
        EXPECT_EQ(back.layers[i].weights.size(), def.layers[i].weights.size());
    }
}

}  // namespace
}  // namespace fw
