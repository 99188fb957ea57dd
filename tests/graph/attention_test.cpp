// Attention in parts: when the pass takes it apart, and what a table may say of the parts. That the outputs stay is
// tests/runtime/attention_test.cpp's.
#include "graph/attention.h"

#include "graph/table_check.h"
#include "graph_builder.h"

namespace fw {
namespace {

using test::build;
using test::find;
using test::layer;
using test::Names;
using test::net;
using test::run_pass;
using test::types;
using LayerPrecision = ScaleTable::LayerPrecision;

constexpr const char* kWhole = "Input Input Input Input MultiHeadAttention";
constexpr const char* kParts =
    "Input Input Input Input InnerProduct InnerProduct InnerProduct MultiHeadAttention InnerProduct";

std::vector<float> filled(size_t count, float value) {
    return std::vector<float>(count, value);
}

// Rows of 5, 6 and 7 in, 4 between, two heads.
LayerDef attention(const Names& bottoms, std::vector<std::pair<int, ParamDict::Value>> more = {}) {
    std::vector<std::pair<int, ParamDict::Value>> params = {{0, 4}, {1, 2}, {2, 20}, {3, 6}, {4, 7}, {6, 0.25F}};
    params.insert(params.end(), more.begin(), more.end());
    return layer("MultiHeadAttention", "m", bottoms, {"out"}, params,
                 {filled(20, 1.0F), filled(4, 1.5F), filled(24, 2.0F), filled(4, 2.5F), filled(28, 3.0F),
                  filled(4, 3.5F), filled(20, 4.0F), filled(5, 4.5F)});
}

LayerDef rows(const std::string& top, int length) {
    return layer("Input", "input_" + top, {}, {top}, {{0, length}, {1, 3}});
}

NetDef network(LayerDef attention_layer) {
    return net({rows("q", 5), rows("k", 6), rows("v", 7), rows("mask", 3), std::move(attention_layer)});
}

ScaleTable naming(const std::string& layer_name) {
    ScaleTable table;
    table.layers[layer_name].input = {10.0F, 0};
    return table;
}

Names blobs_of(const Graph& graph, const std::vector<ValueId>& values) {
    Names names;
    for (const ValueId value : values) {
        names.push_back(graph.value(value).name);
    }
    return names;
}

TEST(SplitAttention, PartsHaveTheWeightsAndWhatTheyRead) {
    Graph graph = build(network(attention({"q", "k", "v", "mask"}, {{5, 1}})));
    ScaleTable table = naming("m/key");
    ASSERT_TRUE(run_pass(&graph, "split_attention", &table).ok());
    EXPECT_EQ(types(graph), kParts);
    const struct {
        const char *name, *reads, *makes;
        int outputs, weights;
        float weight, bias;
    } projections[] = {{"m/query", "q", "m/query", 4, 20, 0.25F, 0.375F},  // times the scale
                       {"m/key", "k", "m/key", 4, 24, 2.0F, 2.5F},
                       {"m/value", "v", "m/value", 4, 28, 3.0F, 3.5F},
                       {"m/out", "m/context", "out", 5, 20, 4.0F, 4.5F}};
    for (const auto& p : projections) {
        const Node& node = find(graph, p.name);
        EXPECT_EQ(node.type, "InnerProduct");
        EXPECT_EQ(blobs_of(graph, node.inputs), Names{p.reads}) << p.name;
        EXPECT_EQ(blobs_of(graph, node.outputs), Names{p.makes}) << p.name;
        EXPECT_EQ(node.params.get(0, 0), p.outputs) << p.name;
        EXPECT_EQ(node.params.get(1, 0), 1) << p.name;
        EXPECT_EQ(node.params.get(2, 0), p.weights) << p.name;
        ASSERT_EQ(node.weights.size(), 2U);
        EXPECT_EQ(node.weights[0].to_floats(), filled(static_cast<size_t>(p.weights), p.weight)) << p.name;
        EXPECT_EQ(node.weights[1].to_floats(), filled(static_cast<size_t>(p.outputs), p.bias)) << p.name;
    }
    const Node& context = find(graph, "m/context");
    EXPECT_EQ(blobs_of(graph, context.inputs), (Names{"m/query", "m/key", "m/value", "mask"}));
    EXPECT_EQ(blobs_of(graph, context.outputs), Names{"m/context"});
    EXPECT_EQ(context.params.get(0, 0), 4);
    EXPECT_EQ(context.params.get(1, 0), 2);
    EXPECT_FALSE(context.params.has(2));
    EXPECT_EQ(context.params.get(5, 0), 1);
    EXPECT_EQ(context.params.get(6, 0.0F), 1.0F);
    EXPECT_TRUE(context.weights.empty());
    // Once is enough.
    ASSERT_TRUE(run_pass(&graph, "split_attention", &table).ok());
    EXPECT_EQ(types(graph), kParts);
}

TEST(SplitAttention, WhatIsNotGivenIsTheInputBefore) {
    for (const size_t given : {1, 2}) {
        LayerDef def = attention({"q", "k"}, {{3, 5}, {4, 5}});
        def.bottoms.resize(given);
        def.params.set(2, 20);
        for (const size_t blob : {2, 4}) {
            def.weights[blob] = Weight::from_floats(filled(20, 1.0F));
        }
        Graph graph = build(net({rows("q", 5), rows("k", 5), def}));
        ScaleTable table = naming("m/out");
        ASSERT_TRUE(run_pass(&graph, "split_attention", &table).ok());
        const std::string second = given == 1 ? "q" : "k";
        EXPECT_EQ(blobs_of(graph, find(graph, "m/query").inputs), Names{"q"});
        EXPECT_EQ(blobs_of(graph, find(graph, "m/key").inputs), Names{second});
        EXPECT_EQ(blobs_of(graph, find(graph, "m/value").inputs), Names{second});
    }
}

TEST(SplitAttention, OnlyWhereTheTableSpeaksOfParts) {
    const auto types_with = [](ScaleTable table) {
        Graph graph = build(network(attention({"q", "k", "v"})));
        EXPECT_TRUE(run_pass(&graph, "split_attention", &table).ok());
        return types(graph);
    };
    EXPECT_EQ(types_with({}), kWhole);
    ScaleTable old;  // every blob of the file
    for (const char* blob : {"q", "k", "v", "out"}) {
        old.blobs[blob] = {10.0F, 0};
    }
    EXPECT_EQ(types_with(old), kWhole);
    ScaleTable blob = old;
    blob.blobs["m/context"] = {10.0F, 0};
    EXPECT_EQ(types_with(blob), kParts);
    ScaleTable kept = blob;
    kept.layers["m"].precision = LayerPrecision::kFloat;
    EXPECT_EQ(types_with(kept), kWhole);
    for (const char* projection : {"m/query", "m/key", "m/value", "m/out"}) {
        EXPECT_EQ(types_with(blob), kParts);
        blob.layers[projection].precision = LayerPrecision::kFloat;
    }
    EXPECT_EQ(types_with(blob), kWhole) << "all projections float";

    Graph graph = build(network(attention({"q", "k", "v"})));
    Option option;
    EXPECT_TRUE(run_passes(&graph, PassContext{&option, nullptr, nullptr}).ok());
    EXPECT_EQ(types(graph), kWhole);
    option.split_attention = true;
    EXPECT_TRUE(run_passes(&graph, PassContext{&option, nullptr, nullptr}).ok());
    EXPECT_EQ(types(graph), kParts);
}

TEST(SplitAttention, WhatIsNotSoundOrNamedAlreadyStaysWhole) {
    const auto stays = [](const NetDef& def) {
        Graph graph = build(def);
        ScaleTable table = naming("m/query");
        EXPECT_TRUE(run_pass(&graph, "split_attention", &table).ok());
        return types(graph).find("InnerProduct") == std::string::npos;
    };
    const std::pair<int, int> bad[] = {{0, 0}, {0, -4}, {0, 3},  {1, 0},       {1, 3},       {1, -1},
                                       {2, 0}, {2, 19}, {2, 24}, {3, 1 << 30}, {3, -1},      {3, 5},
                                       {4, 0}, {4, 8},  {7, 1},  {18, 2},      {0, 1 << 30}, {2, 1 << 30}};
    for (const auto& [id, value] : bad) {
        LayerDef def = attention({"q", "k", "v"});
        def.params.set(id, value);
        EXPECT_TRUE(stays(network(def))) << id << "=" << value;
    }
    LayerDef lacking = attention({"q", "k", "v"});
    lacking.weights.pop_back();
    EXPECT_TRUE(stays(network(lacking)));
    EXPECT_TRUE(stays(network(attention({"mask"}, {{5, 1}})))) << "a mask alone";
    NetDef taken = network(attention({"q", "k", "v"}));
    taken.layers.insert(taken.layers.begin() + 1, layer("ReLU", "r", {"q"}, {"m/context"}));
    EXPECT_TRUE(stays(taken));
}

TEST(SplitAttention, TablesAreCheckedAgainstTheParts) {
    const NetDef def = network(attention({"q", "k", "v"}));
    for (const char* part : {"m/query", "m/key", "m/value", "m/out"}) {
        EXPECT_TRUE(check_table(def, naming(part)).ok()) << part;
    }
    ScaleTable table = naming("m/out");
    table.layers["m/out"].weight_scales = filled(5, 9.0F);
    table.layers["m/query"].weight_scales = filled(4, 9.0F);
    EXPECT_TRUE(check_table(def, table).ok());
    table.layers["m/query"].weight_scales.push_back(9.0F);
    const Status count = check_table(def, table);
    EXPECT_NE(std::string(count.message()).find("5 weight scales for layer 'm/query', which has 4 output channels"),
              std::string::npos)
        << count.message();
    table = naming("m/context");
    table.layers["m/context"].weight_scales = filled(4, 9.0F);
    const Status none = check_table(def, table);
    EXPECT_NE(std::string(none.message()).find("'m/context', a MultiHeadAttention without weights in int8"),
              std::string::npos)
        << none.message();
    ScaleTable blob;
    blob.blobs["m/context"] = {10.0F, 0};
    EXPECT_TRUE(check_table(def, blob).ok());
    blob.blobs = {{"m/out", {10.0F, 0}}};
    EXPECT_FALSE(check_table(def, blob).ok()) << "its blob is the attention's";
}

TEST(SplitAttention, ProjectionsRunInt8AndTheContextIsQuantizedOnce) {
    Graph graph = build(network(attention({"q", "k", "v", "mask"}, {{5, 1}})));
    ScaleTable table;
    for (const char* blob : {"q", "k", "v", "out", "m/query", "m/key", "m/value", "m/context"}) {
        table.blobs[blob] = {10.0F, 0};
    }
    Option option;
    option.precision = Precision::kInt8;
    ASSERT_TRUE(run_passes(&graph, PassContext{&option, &table, nullptr}).ok());
    EXPECT_EQ(types(graph),
              "Input Input Input Input Quantize InnerProduct Quantize InnerProduct Quantize InnerProduct "
              "MultiHeadAttention Quantize InnerProduct");
    for (const char* blob : {"m/query", "m/key", "m/value", "m/context", "out"}) {
        EXPECT_EQ(graph.value(graph.find_value(blob)).dtype, DType::kFloat32) << blob;
    }
}

}  // namespace
}  // namespace fw
