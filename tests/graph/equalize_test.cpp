// equalize_channels and limit_channels: the network stays the same, whatever the factors.
#include <cmath>

#include "graph/weighted.h"
#include "graph_builder.h"

namespace fw::test {

namespace {

NetDef chain(std::vector<std::pair<int, ParamDict::Value>> activation = {}) {
    LayerDef first = conv1x1("a", "data", "x", 3, 2, 0.5F);
    for (auto& [id, value] : activation) {
        first.params.set(id, std::move(value));
    }
    return net({input(), first, conv1x1("b", "x", "y", 2, 4, 0.25F)});
}

ScaleTable factors(std::vector<float> list) {
    ScaleTable table;
    table.source = "t.table";
    table.layers["a"].equalize = std::move(list);
    return table;
}

Status equalize(const NetDef& def, ScaleTable table, Graph* graph, const Names& outputs = {}) {
    *graph = build(def, outputs);
    return run_pass(graph, "equalize_channels", &table);
}

TEST(EqualizeChannels, ReadersTakeTheFactorsBack) {
    Graph graph;
    ASSERT_TRUE(equalize(chain(), factors({4.0F, 0.5F}), &graph).ok());
    EXPECT_EQ(find(graph, "a").weights[0].to_floats(), (std::vector<float>{2, 2, 2, 0.25F, 0.25F, 0.25F}));
    EXPECT_EQ(find(graph, "b").weights[0].to_floats(),
              (std::vector<float>{0.0625F, 0.5F, 0.0625F, 0.5F, 0.0625F, 0.5F, 0.0625F, 0.5F}));
    EXPECT_EQ(graph.value(graph.find_value("x")).factors, (std::vector<float>{4.0F, 0.5F}));
}

TEST(EqualizeChannels, ABlobThatIsWantedIsRestored) {
    Graph graph;
    ASSERT_TRUE(equalize(chain(), factors({4.0F, 0.5F}), &graph, {"x", "y"}).ok());
    const Node& scale = graph.node(graph.value(graph.find_value("x")).producer);
    EXPECT_EQ(scale.type, "Scale");
    EXPECT_EQ(scale.weights[0].to_floats(), (std::vector<float>{0.25F, 2.0F}));
    EXPECT_TRUE(graph.value(graph.find_value("x")).factors.empty());
}

TEST(EqualizeChannels, DepthwiseReadersByChannel) {
    LayerDef depthwise =
        layer("ConvolutionDepthWise", "dw", {"x"}, {"y"}, {{0, 2}, {1, 1}, {5, 1}, {6, 2}, {7, 2}}, {{3, 5}, {0, 0}});
    Graph graph;
    const NetDef def = net({input(), conv1x1("a", "data", "x", 3, 2, 0.5F), depthwise});
    ASSERT_TRUE(equalize(def, factors({2.0F, 4.0F}), &graph).ok());
    EXPECT_EQ(find(graph, "dw").weights[0].to_floats(), (std::vector<float>{1.5F, 1.25F}));
}

TEST(EqualizeChannels, BiasCorrectionsAreAdded) {
    ScaleTable table;
    table.layers["b"].bias_delta = {1, 2, 3, 4};
    Graph graph;
    ASSERT_TRUE(equalize(chain(), table, &graph).ok());
    EXPECT_EQ(bias_of(find(graph, "b")), (std::vector<float>{1, 2, 3, 4}));
}

TEST(EqualizeChannels, WeightsAreRoundedAsTheTableSays) {
    ScaleTable table;
    table.layers["a"].weight_scales = {3.0F, 0.0F};  // 0.5 * 3 lies between 1 and 2
    table.layers["a"].round_up = {true, false, true, true, true, true, false, false};
    Graph graph;
    ASSERT_TRUE(equalize(chain(), table, &graph).ok());
    EXPECT_EQ(find(graph, "a").weights[0].to_floats(),
              (std::vector<float>{2.0F / 3.0F, 1.0F / 3.0F, 2.0F / 3.0F, 0.5F, 0.5F, 0.5F}));
    table.layers["a"].round_up.resize(4);
    EXPECT_FALSE(equalize(chain(), table, &graph).ok());
    table.layers["a"].round_up.resize(8);
    table.layers["a"].weight_scales.clear();
    EXPECT_FALSE(equalize(chain(), table, &graph).ok());
}

TEST(EqualizeChannels, RefusesWhatWouldChangeTheNetwork) {
    Graph graph;
    EXPECT_FALSE(equalize(chain(), factors({1.0F, 2.0F, 3.0F}), &graph).ok());    // number of channels
    EXPECT_FALSE(equalize(chain({{9, 4}}), factors({1.0F, 2.0F}), &graph).ok());  // sigmoid
    const NetDef softmax = net({input(), conv1x1("a", "data", "x", 3, 2), layer("Softmax", "s", {"x"}, {"y"})});
    const Status status = equalize(softmax, factors({1.0F, 2.0F}), &graph);
    ASSERT_FALSE(status.ok());
    EXPECT_NE(std::string(status.message()).find("layer 'a'"), std::string::npos) << status.message();
    ScaleTable on_softmax;
    on_softmax.layers["s"].bias_delta = {1.0F};
    EXPECT_FALSE(equalize(softmax, on_softmax, &graph).ok());
}

TEST(LimitChannels, BoundsThatInt8ImpliesNeedNothing) {
    const NetDef def = chain({{9, 3}, {10, std::vector<float>{0.0F, 6.0F}}});
    ScaleTable table = factors({1.0F, 8.0F});
    Graph graph;
    ASSERT_TRUE(equalize(def, table, &graph).ok());
    EXPECT_EQ(find(graph, "a").channel_limits, (std::vector<float>{6.0F, 48.0F}));
    Value& x = graph.value(graph.find_value("x"));
    x.dtype = DType::kInt8;
    x.quant = QuantParams{255.0F / 6.0F, -128};
    ASSERT_TRUE(run_pass(&graph, "limit_channels", &table).ok());
    EXPECT_EQ(types(graph), "Input Convolution Convolution");
    x.quant = QuantParams{255.0F / 7.0F, -128};  // holds 6.5, which ReLU6 would not
    EXPECT_FALSE(run_pass(&graph, "limit_channels", &table).ok());
}

TEST(LimitChannels, FloatOutputsAreBounded) {
    const NetDef def = chain({{9, 3}, {10, std::vector<float>{0.0F, 6.0F}}});
    ScaleTable table = factors({1.0F, 8.0F});
    Graph graph;
    ASSERT_TRUE(equalize(def, table, &graph).ok());
    ASSERT_TRUE(run_pass(&graph, "limit_channels", &table).ok());
    EXPECT_EQ(types(graph), "Input Convolution MemoryData BinaryOp Convolution");
    EXPECT_EQ(find(graph, "b").inputs[0], graph.find_value("x limited"));
}

}  // namespace

}  // namespace fw::test
