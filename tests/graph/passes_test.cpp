// What each pass does to the structure of a graph. That it leaves the outputs alone is
// tests/runtime/passes_run_test.cpp's.
#include <cmath>

#include "graph_builder.h"

namespace fw {
namespace {

using test::build;
using test::conv1x1;
using test::find;
using test::input;
using test::layer;
using test::net;
using test::run_pass;
using test::types;

// x -> Quantize -> Dequantize, as networks trained with quantization have it.
std::vector<LayerDef> fake_quant(const std::string& from, const std::string& to, float scale, float factor) {
    return {layer("Quantize", "q_" + to, {from}, {from + "_q"}, {}, {{scale}}),
            layer("Dequantize", "d_" + to, {from + "_q"}, {to}, {}, {{factor}})};
}

Graph fake_quant_net(float factor) {
    std::vector<LayerDef> defs = {input()};
    const auto add = [&](std::vector<LayerDef> more) { defs.insert(defs.end(), more.begin(), more.end()); };
    add(fake_quant("data", "x", 100.0F, 0.01F));
    add({conv1x1("c1", "x", "a", 3, 4)});
    add(fake_quant("a", "b", 40.0F, factor));
    add({conv1x1("c2", "b", "out", 4, 2)});
    return build(net(std::move(defs)));
}

TEST(ImportFakeQuant, PairsBecomeScalesOfTheTable) {
    Graph graph = fake_quant_net(0.025F);
    ScaleTable table;
    table.blobs["a"] = {38.0F, 0};  // the user's word
    ASSERT_TRUE(run_pass(&graph, "import_fake_quant", &table).ok());
    EXPECT_EQ(types(graph), "Input Convolution Convolution");
    EXPECT_EQ(table.blobs.at("data"), (QuantParams{100.0F, 0}));
    EXPECT_EQ(table.blobs.at("a"), (QuantParams{38.0F, 0}));
    // The plan is that of a table.
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(types(graph), "Input Quantize Convolution Convolution");
    Graph plain = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "out", 4, 2)}));
    ASSERT_TRUE(run_pass(&plain, "propagate_int8", &table).ok());
    EXPECT_EQ(types(plain), types(graph));
    for (const char* blob : {"a", "out"}) {
        EXPECT_EQ(plain.value(plain.find_value(blob)).dtype, graph.value(graph.find_value(blob)).dtype) << blob;
        EXPECT_EQ(plain.value(plain.find_value(blob)).quant, graph.value(graph.find_value(blob)).quant) << blob;
    }
}

TEST(ImportFakeQuant, WhatIsNoPairStays) {
    Graph other = fake_quant_net(0.03F);  // another scale behind than in front
    ScaleTable table;
    ASSERT_TRUE(run_pass(&other, "import_fake_quant", &table).ok());
    EXPECT_EQ(types(other), "Input Convolution Quantize Dequantize Convolution");
    EXPECT_EQ(table.blobs.count("a"), 0U);
    // int8 that somebody wants, or reads as it is.
    std::vector<LayerDef> defs = {input()};
    for (const LayerDef& l : fake_quant("data", "x", 100.0F, 0.01F)) {
        defs.push_back(l);
    }
    defs.push_back(layer("ReLU", "r", {"data_q"}, {"s"}));
    Graph read = build(net(defs));
    ScaleTable nothing;
    ASSERT_TRUE(run_pass(&read, "import_fake_quant", &nothing).ok());
    EXPECT_EQ(types(read), "Input Quantize Dequantize ReLU");
    EXPECT_TRUE(nothing.empty());
}

TEST(DropNoop, ReadersOfASplitReadItsInput) {
    Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("Split", "s", {"a"}, {"x", "y"}),
                             layer("ReLU", "r", {"x"}, {"p"}), layer("Sigmoid", "t", {"y"}, {"q"})}));
    ASSERT_TRUE(run_pass(&graph, "drop_noop").ok());
    EXPECT_EQ(types(graph), "Input Convolution ReLU Sigmoid");
    EXPECT_EQ(graph.consumers(graph.find_value("a")).size(), 2u);
}

TEST(DropNoop, TheNameOfAnOutputMovesToTheBlobBefore) {
    Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("Dropout", "d", {"a"}, {"prob"})}));
    ASSERT_TRUE(run_pass(&graph, "drop_noop").ok());
    EXPECT_EQ(types(graph), "Input Convolution");
    EXPECT_TRUE(graph.value(graph.node(1).outputs[0]).output);
    EXPECT_EQ(graph.value(graph.node(1).outputs[0]).name, "prob");
}

TEST(DropNoop, KeepsWhatWouldLoseAName) {
    // Two outputs of one value, a renamed input, a Dropout that scales.
    Graph both = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("Split", "s", {"a"}, {"x", "y"})}));
    ASSERT_TRUE(run_pass(&both, "drop_noop").ok());
    EXPECT_EQ(types(both), "Input Convolution Split");
    EXPECT_NE(both.find_value("x"), kNone);
    EXPECT_NE(both.find_value("y"), kNone);

    Graph renamed = build(net({input(), layer("Noop", "n", {"data"}, {"out"})}));
    ASSERT_TRUE(run_pass(&renamed, "drop_noop").ok());
    EXPECT_EQ(types(renamed), "Input Noop");

    Graph scaled =
        build(net({input(), layer("Dropout", "d", {"data"}, {"a"}, {{0, 0.5F}}), layer("ReLU", "r", {"a"}, {"b"})}));
    ASSERT_TRUE(run_pass(&scaled, "drop_noop").ok());
    EXPECT_EQ(types(scaled), "Input Dropout ReLU");
}

TEST(FoldBatchNorm, FoldsTheWholeChain) {
    // y = ((w x + b - mean) / sqrt(var + eps) * slope + bias) * scale + shift, by hand: w = 0.5, b = 0.
    Graph graph = build(net({input("data", 1), conv1x1("c", "data", "a", 1, 2),
                             layer("BatchNorm", "bn", {"a"}, {"b"}, {{0, 2}, {1, 0.0F}},
                                   {{2.0F, 1.0F}, {1.0F, 0.0F}, {4.0F, 1.0F}, {0.5F, 0.0F}}),
                             layer("Scale", "sc", {"b"}, {"s"}, {{0, 2}, {1, 1}}, {{3.0F, 1.0F}, {1.0F, -1.0F}}),
                             layer("Bias", "bi", {"s"}, {"out"}, {{0, 2}}, {{0.25F, 0.0F}})}));
    ASSERT_TRUE(run_pass(&graph, "fold_batchnorm").ok());
    EXPECT_EQ(types(graph), "Input Convolution");
    const Node& conv = find(graph, "c");
    EXPECT_EQ(graph.value(conv.outputs[0]).name, "out");
    // Channel 0: factor 2 / 2 * 3 = 3; offset (0 - 1) * 1 + 0.5 = -0.5, * 3 + 1 + 0.25 = -0.25.
    EXPECT_EQ(conv.weights[0].to_floats(), (std::vector<float>{1.5F, 0.5F}));
    EXPECT_EQ(conv.weights[1].to_floats(), (std::vector<float>{-0.25F, -1.0F}));
}

TEST(FoldBatchNorm, AddsABiasWhereThereWasNone) {
    Graph graph =
        build(net({input("data", 4, 1, 1), layer("Flatten", "f", {"data"}, {"flat"}),
                   layer("InnerProduct", "ip", {"flat"}, {"a"}, {{0, 2}, {2, 8}}, {std::vector<float>(8, 1.0F)}),
                   layer("Bias", "b", {"a"}, {"out"}, {{0, 2}}, {{1.0F, 2.0F}})}));
    ASSERT_TRUE(run_pass(&graph, "fold_batchnorm").ok());
    const Node& node = find(graph, "ip");
    EXPECT_EQ(node.params.get(1, 0), 1);
    ASSERT_EQ(node.weights.size(), 2u);
    EXPECT_EQ(node.weights[1].to_floats(), (std::vector<float>{1.0F, 2.0F}));
}

// The rows of a 2-d input are no channels of the weights: only where the layers before rule one out is there a fold.
TEST(FoldBatchNorm, FoldsIntoAnInnerProductThatCannotHaveRows) {
    const auto folds = [](const std::vector<LayerDef>& before, const std::string& bottom) {
        std::vector<LayerDef> layers = {input("data", 4, 1, 1)};
        layers.insert(layers.end(), before.begin(), before.end());
        layers.push_back(
            layer("InnerProduct", "ip", {bottom}, {"ip"}, {{0, 2}, {2, 8}}, {std::vector<float>(8, 1.0F)}));
        layers.push_back(layer("Bias", "bias", {"ip"}, {"out"}, {{0, 2}}, {{1.0F, 2.0F}}));
        Graph graph = build(net(layers));
        EXPECT_TRUE(run_pass(&graph, "fold_batchnorm").ok());
        return types(graph).find("Bias") == std::string::npos;
    };
    const LayerDef pool = layer("Pooling", "p", {"data"}, {"p"}, {{4, 1}});
    EXPECT_TRUE(folds({pool}, "p"));
    EXPECT_TRUE(folds({pool, layer("ReLU", "r", {"p"}, {"r"}), layer("Dropout", "d", {"r"}, {"d"})}, "d"));
    EXPECT_TRUE(folds({conv1x1("c", "data", "c", 4, 4)}, "c"));
    EXPECT_TRUE(folds(
        {pool, layer("InnerProduct", "q", {"p"}, {"q"}, {{0, 4}, {2, 16}}, {std::vector<float>(16, 1.0F)})}, "q"));
    EXPECT_TRUE(folds({layer("Reshape", "x", {"data"}, {"x"}, {{0, 4}})}, "x"));
    EXPECT_TRUE(folds({layer("Reshape", "x", {"data"}, {"x"}, {{0, 1}, {1, 1}, {2, 4}})}, "x"));
    EXPECT_FALSE(folds({layer("Reshape", "x", {"data"}, {"x"}, {{0, 4}, {1, -1}})}, "x"));
    EXPECT_FALSE(folds({layer("Squeeze", "x", {"data"}, {"x"}, {{0, 1}})}, "x"));
    EXPECT_FALSE(folds({layer("ReLU", "r", {"data"}, {"r"})}, "r"));
    EXPECT_FALSE(folds({}, "data"));
}

TEST(FoldBatchNorm, LeavesOtherReadersOutputsAndActivationsAlone) {
    const LayerDef scale = layer("Scale", "sc", {"a"}, {"s"}, {{0, 2}}, {{3.0F, 1.0F}});
    Graph shared = build(net({input(), conv1x1("c", "data", "a", 3, 2), scale, layer("ReLU", "r", {"a"}, {"b"})}));
    ASSERT_TRUE(run_pass(&shared, "fold_batchnorm").ok());
    EXPECT_EQ(types(shared), "Input Convolution Scale ReLU");

    Graph wanted = build(net({input(), conv1x1("c", "data", "a", 3, 2), scale}), {"a", "s"});
    ASSERT_TRUE(run_pass(&wanted, "fold_batchnorm").ok());
    EXPECT_EQ(types(wanted), "Input Convolution Scale");

    LayerDef active = conv1x1("c", "data", "a", 3, 2);
    active.params.set(9, 1);
    Graph relu = build(net({input(), active, scale}));
    ASSERT_TRUE(run_pass(&relu, "fold_batchnorm").ok());
    EXPECT_EQ(types(relu), "Input Convolution Scale");

    // A Scale with as many values as the output has not: the layer itself will report it.
    Graph odd = build(net({input(), conv1x1("c", "data", "a", 3, 4), scale}));
    ASSERT_TRUE(run_pass(&odd, "fold_batchnorm").ok());
    EXPECT_EQ(types(odd), "Input Convolution Scale");
}

TEST(FuseActivation, TakesTheActivationWithItsParameters) {
    const struct {
        const char* type;
        std::vector<std::pair<int, ParamDict::Value>> params;
        int activation;
        std::vector<float> values;
    } cases[] = {
        {"ReLU", {}, 1, {}},
        {"ReLU", {{0, 0.1F}}, 2, {0.1F}},
        {"Clip", {{0, 0.0F}, {1, 6.0F}}, 3, {0.0F, 6.0F}},
        {"Sigmoid", {}, 4, {}},
        {"Mish", {}, 5, {}},
        {"HardSwish", {{0, 0.25F}, {1, 0.5F}}, 6, {0.25F, 0.5F}},
    };
    for (const auto& c : cases) {
        Graph graph =
            build(net({input(), conv1x1("c", "data", "a", 3, 2), layer(c.type, "r", {"a"}, {"b"}, c.params)}));
        ASSERT_TRUE(run_pass(&graph, "fuse_activation").ok());
        EXPECT_EQ(types(graph), "Input Convolution") << c.type;
        EXPECT_EQ(find(graph, "c").params.get(9, 0), c.activation);
        EXPECT_EQ(find(graph, "c").params.get_floats(10), c.values);
        EXPECT_EQ(graph.value(find(graph, "c").outputs[0]).name, "b");
    }
}

TEST(FuseActivation, ALayerThatIsToRunInt8TakesClamps) {
    ScaleTable table;
    table.layers["c"].input.scale = 10.0F;
    table.blobs["a"].scale = 10.0F;
    for (const char* type : {"Sigmoid", "Mish", "HardSwish"}) {
        Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer(type, "r", {"a"}, {"b"})}));
        ASSERT_TRUE(run_pass(&graph, "fuse_activation", &table).ok());
        EXPECT_EQ(types(graph), std::string("Input Convolution ") + type);
    }
    Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("ReLU", "r", {"a"}, {"b"})}));
    ASSERT_TRUE(run_pass(&graph, "fuse_activation", &table).ok());
    EXPECT_EQ(types(graph), "Input Convolution");
}

TEST(FuseActivation, ALayerThatIsToRunInt8TakesWhatWouldBeFloat) {
    ScaleTable table;
    table.layers["c"].input.scale = 10.0F;
    const struct {
        const char* type;
        std::vector<std::pair<int, ParamDict::Value>> params;
        bool fused;
    } cases[] = {{"ReLU", {{0, 0.1F}}, true}, {"HardSwish", {}, true}, {"Sigmoid", {}, false}, {"Mish", {}, false}};
    for (const auto& c : cases) {
        Graph graph =
            build(net({input(), conv1x1("c", "data", "a", 3, 2), layer(c.type, "r", {"a"}, {"b"}, c.params)}));
        ASSERT_TRUE(run_pass(&graph, "fuse_activation", &table).ok());
        EXPECT_EQ(types(graph), "Input Convolution" + (c.fused ? std::string() : std::string(" ") + c.type));
    }
    // Not where Winograd's way would be lost.
    LayerDef wide = conv1x1("c", "data", "a", 3, 2 * 9);
    wide.params.set(1, 3);
    Graph graph = build(net({input(), wide, layer("ReLU", "r", {"a"}, {"b"}, {{0, 0.1F}})}));
    ASSERT_TRUE(run_pass(&graph, "fuse_activation", &table).ok());
    EXPECT_EQ(types(graph), "Input Convolution ReLU");
}

TEST(FuseActivation, NotOverABlobThatIsReadTwiceOrWanted) {
    const NetDef def = net({input(), conv1x1("c", "data", "a", 3, 2), layer("ReLU", "r", {"a"}, {"b"}),
                            layer("Eltwise", "e", {"a", "b"}, {"out"}, {{0, 1}})});
    Graph graph = build(def);
    ASSERT_TRUE(run_pass(&graph, "fuse_activation").ok());
    EXPECT_EQ(types(graph), "Input Convolution ReLU Eltwise");
    Graph wanted = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer("ReLU", "r", {"a"}, {"b"})}), {"a", "b"});
    ASSERT_TRUE(run_pass(&wanted, "fuse_activation").ok());
    EXPECT_EQ(types(wanted), "Input Convolution ReLU");
}

TEST(FuseTable, TakesThePointwiseLayerBehindInt8) {
    const auto made = [](const std::vector<std::string>& outputs, const char* type, bool int8) {
        Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2), layer(type, "r", {"a"}, {"b"})}), outputs);
        graph.value(find(graph, "c").inputs[0]).dtype = DType::kInt8;
        for (const char* blob : {"a", "b"}) {
            Value& value = graph.value(graph.find_value(blob));
            value.dtype = int8 ? DType::kInt8 : DType::kFloat32;
            value.quant = {blob[0] == 'a' ? 10.0F : 20.0F, 3};
        }
        EXPECT_TRUE(run_pass(&graph, "fuse_table").ok());
        return graph;
    };
    Graph graph = made({}, "HardSwish", true);
    EXPECT_EQ(types(graph), "Input Convolution");
    const Node& c = find(graph, "c");
    ASSERT_NE(c.table, kNone);
    EXPECT_EQ(graph.node(c.table).type, "HardSwish");
    EXPECT_EQ(c.before_table, (QuantParams{10.0F, 3}));
    EXPECT_EQ(graph.value(c.outputs[0]).name, "b");
    EXPECT_EQ(types(made({}, "HardSwish", false)), "Input Convolution HardSwish");
    EXPECT_EQ(types(made({"a", "b"}, "HardSwish", true)), "Input Convolution HardSwish");
    EXPECT_EQ(types(made({}, "Softmax", true)), "Input Convolution Softmax");
}

TEST(FuseSum, TheLaterConvolutionAddsInt8) {
    const auto made = [](const std::vector<std::string>& outputs, bool int8,
                         std::vector<std::pair<int, ParamDict::Value>> params) {
        Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 3), conv1x1("d", "data", "b", 3, 3),
                                 layer("Eltwise", "e", {"b", "a"}, {"out"}, params)}),
                            outputs);
        for (Value& value : graph.values()) {
            value.dtype = int8 ? DType::kInt8 : DType::kFloat32;
            value.quant = {value.name == "b" ? 10.0F : 20.0F, 3};
        }
        EXPECT_TRUE(run_pass(&graph, "fuse_sum").ok());
        EXPECT_TRUE(graph.check().ok());
        return graph;
    };
    Graph graph = made({}, true, {{0, 1}});
    EXPECT_EQ(types(graph), "Input Convolution Convolution");
    const Node& d = find(graph, "d");
    ASSERT_NE(d.sum, kNone);
    EXPECT_EQ(graph.node(d.sum).name, "e");
    EXPECT_EQ(d.sum_slot, 0U);
    EXPECT_EQ(d.before_sum, (QuantParams{10.0F, 3}));
    EXPECT_EQ(graph.value(d.inputs.back()).name, "a");
    EXPECT_EQ(graph.value(d.outputs[0]).name, "out");
    EXPECT_EQ(find(graph, "c").sum, kNone);
    EXPECT_EQ(types(made({}, false, {{0, 1}})), "Input Convolution Convolution Eltwise");
    EXPECT_EQ(types(made({}, true, {{0, 2}})), "Input Convolution Convolution Eltwise");  // a maximum
    Graph wanted = made({"b", "out"}, true, {{0, 1}});                                    // then the other one adds
    EXPECT_EQ(types(wanted), "Input Convolution Convolution");
    EXPECT_EQ(find(wanted, "c").sum_slot, 1U);
    EXPECT_EQ(types(made({"a", "b", "out"}, true, {{0, 1}})), "Input Convolution Convolution Eltwise");
}

TEST(FuseTable, TakesTheFunctionBehindASum) {
    for (const char* type : {"ReLU", "Clip", "HardSwish"}) {
        Graph graph =
            build(net({input(), conv1x1("c", "data", "a", 3, 3), layer("Eltwise", "e", {"a", "data"}, {"s"}, {{0, 1}}),
                       layer(type, "r", {"s"}, {"b"})}));
        for (Value& value : graph.values()) {
            value.dtype = DType::kInt8;
            value.quant = {value.name == "s" ? 10.0F : 20.0F, 3};
        }
        ASSERT_TRUE(run_pass(&graph, "fuse_sum").ok());
        ASSERT_TRUE(run_pass(&graph, "fuse_table").ok());
        EXPECT_TRUE(graph.check().ok());
        EXPECT_EQ(types(graph), "Input Convolution") << type;
        EXPECT_EQ(find(graph, "c").before_table, (QuantParams{10.0F, 3}));
        EXPECT_EQ(graph.value(find(graph, "c").outputs[0]).name, "b");
    }
}

TEST(FusePooling, TakesTheGlobalPoolingInFront) {
    const auto made = [](const std::vector<std::string>& outputs, bool int8, int global) {
        Graph graph = build(net({input(), layer("Pooling", "p", {"data"}, {"a"}, {{0, 1}, {1, 2}, {4, global}}),
                                 conv1x1("c", "a", "b", 3, 2)}),
                            outputs);
        for (Value& value : graph.values()) {
            value.dtype = int8 ? DType::kInt8 : DType::kFloat32;
        }
        EXPECT_TRUE(run_pass(&graph, "fuse_pooling").ok());
        EXPECT_TRUE(graph.check().ok());
        return graph;
    };
    const Graph graph = made({}, true, 1);
    EXPECT_EQ(types(graph), "Input Convolution");
    const Node& c = find(graph, "c");
    ASSERT_NE(c.pooling, kNone);
    EXPECT_EQ(graph.node(c.pooling).name, "p");
    EXPECT_EQ(graph.value(c.inputs[0]).name, "data");
    EXPECT_EQ(types(made({}, false, 1)), "Input Pooling Convolution");
    EXPECT_EQ(types(made({}, true, 0)), "Input Pooling Convolution");
    EXPECT_EQ(types(made({"a", "b"}, true, 1)), "Input Pooling Convolution");
}

TEST(FusePadding, AddsToTheConvolutionsPadding) {
    LayerDef conv = conv1x1("c", "p", "out", 3, 2);
    conv.params.set(4, 1);
    Graph graph = build(net({input(), layer("Padding", "p", {"data"}, {"p"}, {{0, 1}, {1, 2}, {2, 3}, {3, 4}}), conv}));
    ASSERT_TRUE(run_pass(&graph, "fuse_padding").ok());
    EXPECT_EQ(types(graph), "Input Convolution");
    const ParamDict& params = find(graph, "c").params;
    EXPECT_EQ(params.get(4, 0), 4);   // left
    EXPECT_EQ(params.get(15, 0), 5);  // right
    EXPECT_EQ(params.get(14, 0), 2);  // top
    EXPECT_EQ(params.get(16, 0), 3);  // bottom
}

TEST(FusePadding, OnlyConstantZeros) {
    const std::vector<std::pair<int, ParamDict::Value>> bad[] = {
        {{0, 1}, {4, 2}}, {{0, 1}, {5, 1.0F}}, {{0, -1}}, {{0, 1}, {7, 1}}};
    for (const auto& params : bad) {
        Graph graph =
            build(net({input(), layer("Padding", "p", {"data"}, {"p"}, params), conv1x1("c", "p", "out", 3, 2)}));
        ASSERT_TRUE(run_pass(&graph, "fuse_padding").ok());
        EXPECT_EQ(types(graph), "Input Padding Convolution");
    }
    for (const int same : {-233, -234}) {
        LayerDef conv = conv1x1("c", "p", "out", 3, 2);
        conv.params.set(4, same);
        Graph graph = build(net({input(), layer("Padding", "p", {"data"}, {"p"}, {{0, 1}}), conv}));
        ASSERT_TRUE(run_pass(&graph, "fuse_padding").ok());
        EXPECT_EQ(types(graph), "Input Padding Convolution");
    }
}

TEST(SimplifyReshape, TheLastShapeCounts) {
    Graph graph = build(net({input(), layer("Reshape", "r", {"data"}, {"a"}, {{0, 64}, {1, 3}}),
                             layer("Flatten", "f", {"a"}, {"b"}), layer("ReLU", "relu", {"b"}, {"out"})}));
    ASSERT_TRUE(run_pass(&graph, "simplify_reshape").ok());
    EXPECT_EQ(types(graph), "Input Flatten ReLU");
    Graph copies = build(net({input(), layer("Reshape", "r", {"data"}, {"a"}, {{0, 64}, {1, 3}}),
                              layer("Reshape", "q", {"a"}, {"b"}, {{0, 0}, {1, -1}})}));
    ASSERT_TRUE(run_pass(&copies, "simplify_reshape").ok());
    EXPECT_EQ(types(copies), "Input Reshape Reshape");
}

TEST(SimplifyReshape, DropsThePermuteThatKeepsTheOrder) {
    Graph graph =
        build(net({input(), layer("Permute", "p", {"data"}, {"a"}, {{0, 0}}), layer("ReLU", "r", {"a"}, {"out"})}));
    ASSERT_TRUE(run_pass(&graph, "simplify_reshape").ok());
    EXPECT_EQ(types(graph), "Input ReLU");
}

TEST(ImportBakedScales, BecomesFloatWeightsAndATable) {
    LayerDef conv = layer("Convolution", "c", {"data"}, {"a"}, {{0, 2}, {1, 1}, {5, 1}, {6, 6}, {8, 102}});
    conv.weights = {Weight::from_int8({127, -64, 0, 10, 20, 30}), Weight::from_floats({1.0F, 2.0F}),
                    Weight::from_floats({100.0F, 50.0F}), Weight::from_floats({8.0F}), Weight::from_floats({4.0F})};
    ScaleTable table;
    Graph graph = build(net({input(), conv}));
    ASSERT_TRUE(run_pass(&graph, "import_baked_scales", &table).ok());
    const Node& node = find(graph, "c");
    EXPECT_FALSE(node.params.has(8));
    ASSERT_EQ(node.weights.size(), 2u);
    EXPECT_EQ(node.weights[0].to_floats(), (std::vector<float>{1.27F, -0.64F, 0.0F, 0.2F, 0.4F, 0.6F}));
    EXPECT_EQ(node.weights[1].to_floats(), (std::vector<float>{1.0F, 2.0F}));
    ASSERT_EQ(table.layers.count("c"), 1u);
    EXPECT_EQ(table.layers["c"].weight_scales, (std::vector<float>{100.0F, 50.0F}));
    EXPECT_EQ(table.layers["c"].input.scale, 8.0F);
    EXPECT_EQ(table.blobs["a"].scale, 4.0F);
}

TEST(ImportBakedScales, DepthwiseStoresOneScaleAGroupOrOneInAll) {
    for (const int term : {1, 2}) {
        LayerDef conv =
            layer("ConvolutionDepthWise", "c", {"data"}, {"a"}, {{0, 4}, {1, 1}, {6, 4}, {7, 2}, {8, term}});
        conv.weights = {Weight::from_int8({1, 2, 3, 4}),
                        Weight::from_floats(term == 1 ? std::vector<float>{2.0F, 4.0F} : std::vector<float>{2.0F}),
                        Weight::from_floats({8.0F})};
        ScaleTable table;
        Graph graph = build(net({input("data", 2), conv}));
        ASSERT_TRUE(run_pass(&graph, "import_baked_scales", &table).ok());
        EXPECT_EQ(table.layers["c"].weight_scales,
                  (term == 1 ? std::vector<float>{2, 2, 4, 4} : std::vector<float>{2, 2, 2, 2}));
    }
}

TEST(ImportBakedScales, BadScalesAreErrorsThatNameTheLayer) {
    const std::pair<float, float> bad[] = {{-1.0F, 8.0F}, {INFINITY, 8.0F}, {1.0F, 0.0F}, {1.0F, NAN}};
    for (const auto& [weight, in] : bad) {
        LayerDef conv = layer("Convolution", "c", {"data"}, {"a"}, {{0, 1}, {1, 1}, {6, 3}, {8, 2}});
        conv.weights = {Weight::from_int8({1, 2, 3}), Weight::from_floats({weight}), Weight::from_floats({in})};
        ScaleTable table;
        Graph graph = build(net({input(), conv}));
        const Status status = run_pass(&graph, "import_baked_scales", &table);
        EXPECT_EQ(status.code(), Code::kParseError);
        EXPECT_NE(std::string(status.message()).find("test.param:4: layer 'c'"), std::string::npos) << status.message();
    }
}

TEST(Passes, AnUnknownNameIsAnError) {
    Graph graph = build(net({input(), layer("ReLU", "r", {"data"}, {"b"})}));
    Option option;
    option.disabled_passes = {"no_such_pass"};
    EXPECT_EQ(run_passes(&graph, PassContext{&option, nullptr, nullptr}).code(), Code::kInvalidArgument);
    option.disabled_passes = {"propagate_int8"};
    EXPECT_EQ(run_passes(&graph, PassContext{&option, nullptr, nullptr}).code(), Code::kInvalidArgument);
    option.disabled_passes = {"fuse_activation"};
    EXPECT_TRUE(run_passes(&graph, PassContext{&option, nullptr, nullptr}).ok());
}

}  // namespace
}  // namespace fw
