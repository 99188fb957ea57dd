// Which layers run int8, in which scales, and where conversions lie.
#include <cmath>
#include <limits>

#include "graph/int8_plan.h"
#include "graph/table_check.h"
#include "graph_builder.h"
#include "model/model_hash.h"

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

// A table as the old tools write it: scales of the inputs of layers with weights.
ScaleTable legacy(const std::vector<std::pair<std::string, float>>& inputs) {
    ScaleTable table;
    table.source = "test.table";
    for (const auto& [name, scale] : inputs) {
        table.layers[name].input.scale = scale;
    }
    return table;
}

const Value& value(const Graph& graph, const std::string& name) {
    const ValueId id = graph.find_value(name);
    EXPECT_NE(id, kNone) << name;
    return graph.value(id);
}

int conversions(const Graph& graph) {
    int count = 0;
    for (const NodeId id : graph.order()) {
        count += graph.node(id).is_conversion ? 1 : 0;
    }
    return count;
}

TEST(PropagateInt8, WithoutATableEverythingStaysFloat) {
    Graph graph = build(net({input(), conv1x1("c", "data", "a", 3, 2)}));
    ASSERT_TRUE(run_pass(&graph, "propagate_int8").ok());
    EXPECT_EQ(types(graph), "Input Convolution");
    EXPECT_EQ(value(graph, "a").dtype, DType::kFloat32);
}

TEST(PropagateInt8, ScalesFlowBackThroughPoolAndReluToTheProducer) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), layer("ReLU", "r", {"a"}, {"b"}),
                             layer("Pooling", "p", {"b"}, {"c"}, {{0, 0}, {1, 2}, {2, 2}}),
                             conv1x1("c2", "c", "d", 4, 2), layer("Softmax", "s", {"d"}, {"prob"})}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 20.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(types(graph), "Input Quantize Convolution ReLU Pooling Convolution Softmax");
    EXPECT_EQ(value(graph, "data int8").quant.scale, 10.0F);
    for (const char* name : {"a", "b", "c"}) {
        EXPECT_EQ(value(graph, name).dtype, DType::kInt8) << name;
        EXPECT_EQ(value(graph, name).quant.scale, 20.0F) << name;
    }
    // Nobody reads the last convolution as int8: it writes float itself.
    EXPECT_EQ(value(graph, "d").dtype, DType::kFloat32);
    EXPECT_EQ(find(graph, "c1").weight_scales, std::vector<float>(4, 127.0F / 0.5F));
    EXPECT_EQ(find(graph, "c2").reason, "the table has its scales");
    EXPECT_FALSE(find(graph, "s").reason.empty());
}

// Means of clipped values are not clipped means: a Clip's scale does not pass a bilinear Interp, a wider one does.
TEST(PropagateInt8, AScaleThatNarrowsStopsAtABilinearInterp) {
    for (const bool bilinear : {false, true}) {
        Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4),
                                 layer("Interp", "up", {"a"}, {"b"}, {{0, bilinear ? 2 : 1}, {3, 8}, {4, 8}}),
                                 layer("Clip", "r", {"b"}, {"c"}), conv1x1("c2", "c", "d", 4, 2)}));
        for (const float clipped : {80.0F, 15.0F}) {
            Graph copy = graph;
            ScaleTable table = legacy({{"c1", 10.0F}, {"c2", clipped}});
            table.blobs = {{"a", {20.0F, 0}}, {"b", {20.0F, 0}}, {"c", {clipped, 0}}};
            ASSERT_TRUE(run_pass(&copy, "propagate_int8", &table).ok());
            for (const char* name : {"a", "b", "c"}) {
                EXPECT_EQ(value(copy, name).dtype, DType::kInt8) << name;
                EXPECT_EQ(value(copy, name).quant.scale, bilinear && clipped > 20.0F ? 20.0F : clipped) << name;
            }
        }
    }
}

TEST(PropagateInt8, OneConversionServesAllReaders) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "data", "b", 3, 4),
                             layer("Softmax", "s", {"data"}, {"soft"})}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 10.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    EXPECT_EQ(find(graph, "c1").inputs, find(graph, "c2").inputs);
    EXPECT_EQ(find(graph, "s").inputs[0], graph.find_value("data"));
}

TEST(PropagateInt8, ReadersThatDisagreeGetTheWiderRange) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "data", "b", 3, 4)}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 8.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    EXPECT_EQ(value(graph, "data int8").quant.scale, 8.0F);
}

TEST(PropagateInt8, AConcatsInputsAreWrittenInItsScale) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "data", "b", 3, 4),
                             layer("Concat", "k", {"a", "b"}, {"c"}), conv1x1("c3", "c", "d", 8, 2)}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 10.0F}, {"c3", 30.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    for (const char* name : {"a", "b", "c"}) {
        EXPECT_EQ(value(graph, name).quant.scale, 30.0F) << name;
    }
}

TEST(PropagateInt8, AConcatInputThatOthersReadKeepsItsOwnScale) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
                             layer("Concat", "k", {"a", "b"}, {"c"}), conv1x1("c3", "c", "d", 8, 2)}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 15.0F}, {"c3", 30.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(value(graph, "a").quant.scale, 15.0F);
    EXPECT_EQ(value(graph, "b").quant.scale, 30.0F);
    EXPECT_EQ(value(graph, "c").quant.scale, 30.0F);
    EXPECT_EQ(conversions(graph), 1);
}

TEST(PropagateInt8, BlobScalesRunEltwiseAndAverageInInt8) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
                             layer("Eltwise", "e", {"a", "b"}, {"s"}, {{0, 1}}),
                             layer("Pooling", "p", {"s"}, {"g"}, {{0, 1}, {4, 1}}), conv1x1("c3", "g", "d", 4, 2)}));
    ScaleTable table;
    for (const char* name : {"c1", "c2", "c3"}) {
        table.layers[name].precision = ScaleTable::LayerPrecision::kInt8;
    }
    table.blobs = {{"data", {10.0F, 0}}, {"a", {20.0F, -128}}, {"b", {25.0F, 0}}, {"s", {18.0F, 0}}, {"g", {40.0F, 0}}};
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    EXPECT_EQ(types(graph), "Input Quantize Convolution Convolution Eltwise Pooling Convolution");
    EXPECT_EQ(value(graph, "a").quant, (QuantParams{20.0F, -128}));
    EXPECT_EQ(value(graph, "s").quant, (QuantParams{18.0F, 0}));
    EXPECT_EQ(value(graph, "g").quant, (QuantParams{40.0F, 0}));
}

TEST(PropagateInt8, ALegacyTableLeavesSumsOfUnknownScaleFloat) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
                             layer("Eltwise", "e", {"a", "b"}, {"s"}, {{0, 1}}), conv1x1("c3", "s", "d", 4, 2)}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 15.0F}, {"c3", 30.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(value(graph, "b").dtype, DType::kFloat32);
    EXPECT_EQ(value(graph, "s").dtype, DType::kFloat32);
    EXPECT_EQ(find(graph, "e").reason, "the table has no scale for blob 'b'");
    EXPECT_EQ(conversions(graph), 3);  // data, a for the sum, s for c3
}

// A block of MobileNetV3: expansion and depthwise with hard swish, squeeze-excite, linear projection, residual.
TEST(PropagateInt8, ASqueezeExciteBlockHasNoInnerConversion) {
    const std::vector<float> filters(8 * 9, 0.1F);
    const LayerDef depthwise =
        layer("ConvolutionDepthWise", "dw", {"e1"}, {"d"}, {{0, 8}, {1, 3}, {4, 1}, {5, 1}, {6, 72}, {7, 8}},
              {filters, std::vector<float>(8, 0.0F)});
    Graph graph = build(net(
        {input("data", 4), conv1x1("expand", "data", "e", 4, 8), layer("HardSwish", "swish1", {"e"}, {"e1"}), depthwise,
         layer("HardSwish", "swish2", {"d"}, {"d1"}), layer("Pooling", "squeeze", {"d1"}, {"s"}, {{0, 1}, {4, 1}}),
         conv1x1("reduce", "s", "r", 8, 2), layer("ReLU", "relu", {"r"}, {"r1"}), conv1x1("excite", "r1", "x", 2, 8),
         layer("HardSigmoid", "gate", {"x"}, {"g"}), layer("BinaryOp", "scale", {"d1", "g"}, {"m"}, {{0, 2}}),
         conv1x1("project", "m", "o", 8, 4), layer("BinaryOp", "residual", {"o", "data"}, {"y"}, {{0, 0}}),
         conv1x1("head", "y", "z", 4, 2)}));
    ScaleTable table;
    for (const char* name : {"expand", "dw", "reduce", "excite", "project", "head"}) {
        table.layers[name].precision = ScaleTable::LayerPrecision::kInt8;
    }
    for (const char* name : {"data", "e", "e1", "d", "d1", "s", "r", "r1", "x", "g", "m", "o", "y"}) {
        table.blobs[name] = QuantParams{20.0F, -30};
    }
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    for (const NodeId id : graph.order()) {
        EXPECT_NE(graph.node(id).type, "Dequantize");
    }
    for (const char* name : {"e1", "d1", "s", "r1", "g", "m", "o", "y"}) {
        EXPECT_EQ(value(graph, name).dtype, DType::kInt8) << name;
    }
}

TEST(PropagateInt8, AFloatTailTakesFloatFromTheLastConvolution) {
    Graph graph =
        build(net({input(), conv1x1("c1", "data", "a", 3, 4), layer("ReLU", "r", {"a"}, {"b"}),
                   layer("Pooling", "p", {"b"}, {"g"}, {{0, 1}, {4, 1}}), layer("Softmax", "s", {"g"}, {"prob"})}));
    ScaleTable table = legacy({{"c1", 10.0F}});
    table.blobs = {{"a", {20.0F, 0}}, {"b", {20.0F, 0}}, {"g", {40.0F, 0}}};
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    EXPECT_EQ(value(graph, "a").dtype, DType::kFloat32);
    EXPECT_EQ(find(graph, "p").reason, "only float layers follow");
}

TEST(PropagateInt8, ATailBehindASharedValueIsConvertedAtItsEnd) {
    // `a` is int8 for c2 anyway, so the pool runs int8; the softmax reads that and writes float, without a conversion.
    Graph graph = build(
        net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
             layer("Pooling", "p", {"a"}, {"g"}, {{0, 0}, {1, 2}, {2, 2}}), layer("Softmax", "s", {"g"}, {"prob"})}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 20.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(value(graph, "g").dtype, DType::kInt8);
    EXPECT_EQ(conversions(graph), 1);
    EXPECT_EQ(graph.value(find(graph, "s").inputs[0]).name, "g");
    EXPECT_EQ(value(graph, "prob").dtype, DType::kFloat32);

    // A layer that int8 has no form for: the conversion comes after the pool, where there is less to convert.
    Graph other =
        build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
                   layer("Pooling", "p", {"a"}, {"g"}, {{0, 0}, {1, 2}, {2, 2}}), layer("LRN", "s", {"g"}, {"prob"})}));
    ASSERT_TRUE(run_pass(&other, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(other), 2);
    EXPECT_EQ(other.value(find(other, "s").inputs[0]).name, "g float");
}

TEST(PropagateInt8, ASoftmaxWritesInt8WhereAnInt8LayerReadsItAndItsScaleIsKnown) {
    for (const bool known : {false, true}) {
        Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), layer("Softmax", "s", {"a"}, {"p"}),
                                 layer("Eltwise", "e", {"a", "p"}, {"b"}, {{0, 1}}), conv1x1("c2", "b", "out", 4, 4)}));
        ScaleTable table;
        table.blobs = {{"data", {10.0F, 0}}, {"a", {20.0F, 0}}, {"b", {30.0F, 0}}};
        if (known) {
            table.blobs["p"] = {255.0F, -128};
        }
        ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
        EXPECT_EQ(value(graph, "p").dtype, known ? DType::kInt8 : DType::kFloat32);
        if (known) {
            EXPECT_EQ(value(graph, "p").quant, (QuantParams{255.0F, -128}));
            EXPECT_EQ(conversions(graph), 1);
        }
    }
}

TEST(PropagateInt8, FloatInputsAndAFloatReaderMeanFloat) {
    // A residual block under a legacy table: the sums are float, so are the ReLU and the pool between them.
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "data", "b", 3, 4),
                             layer("Eltwise", "e", {"a", "b"}, {"s"}, {{0, 1}}), layer("ReLU", "r", {"s"}, {"t"}),
                             layer("Pooling", "p", {"t"}, {"u"}, {{0, 0}, {1, 1}}), conv1x1("c3", "u", "v", 4, 4),
                             layer("Eltwise", "f", {"u", "v"}, {"w"}, {{0, 1}})}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 10.0F}, {"c3", 30.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 2);
    EXPECT_EQ(find(graph, "r").reason, "float on both sides");
    EXPECT_EQ(value(graph, "u").dtype, DType::kFloat32);
    EXPECT_EQ(graph.value(find(graph, "c3").inputs[0]).name, "u int8");
    EXPECT_EQ(find(graph, "f").inputs[0], graph.find_value("u"));
}

TEST(PropagateInt8, LayersOutsideTheTableStayFloat) {
    Graph graph = build(
        net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4), conv1x1("c3", "b", "c", 4, 2)}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c3", 20.0F}});
    table.layers["c3"].precision = ScaleTable::LayerPrecision::kFloat;
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(find(graph, "c2").reason, "the table does not name it");
    EXPECT_EQ(find(graph, "c3").reason, "the table keeps it float");
    EXPECT_EQ(value(graph, "a").dtype, DType::kFloat32);
    EXPECT_EQ(conversions(graph), 1);
}

TEST(PropagateInt8, LongSumsAndInfiniteWeightsStayFloat) {
    Graph wide = build(net({input("data", 40000, 1, 1), conv1x1("c", "data", "a", 40000, 1)}));
    ScaleTable table = legacy({{"c", 10.0F}});
    ASSERT_TRUE(run_pass(&wide, "propagate_int8", &table).ok());
    EXPECT_EQ(find(wide, "c").reason, "a sum of 40000 products may leave int32");
    Graph infinite = build(net({input(), conv1x1("c", "data", "a", 3, 1, INFINITY)}));
    ASSERT_TRUE(run_pass(&infinite, "propagate_int8", &table).ok());
    EXPECT_EQ(find(infinite, "c").reason, "a weight or bias is inf or nan");
    EXPECT_EQ(conversions(infinite), 0);
}

TEST(PropagateInt8, TableWeightScalesMayBeOneAGroup) {
    LayerDef conv = layer("ConvolutionDepthWise", "c", {"data"}, {"a"}, {{0, 4}, {1, 1}, {6, 4}, {7, 2}},
                          {std::vector<float>(4, 0.5F)});
    Graph graph = build(net({input("data", 2), conv}));
    ScaleTable table = legacy({{"c", 10.0F}});
    table.layers["c"].weight_scales = {3.0F, 5.0F};
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(find(graph, "c").weight_scales, (std::vector<float>{3, 3, 5, 5}));
}

TEST(PropagateInt8, AShapeOnlyReaderNeedsNoConversion) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
                             layer("PriorBox", "p", {"a", "data"}, {"prior"})}));
    ScaleTable table = legacy({{"c1", 10.0F}, {"c2", 20.0F}});
    ASSERT_TRUE(run_pass(&graph, "propagate_int8", &table).ok());
    EXPECT_EQ(conversions(graph), 1);
    EXPECT_EQ(find(graph, "p").inputs[0], graph.find_value("a"));
    EXPECT_EQ(find(graph, "p").inputs[1], graph.find_value("data"));
}

TEST(PropagateInt8, CoveringHoldsBothRanges) {
    EXPECT_EQ(covering({10.0F, 0}, {5.0F, 0}), (QuantParams{5.0F, 0}));
    EXPECT_EQ(covering({}, {5.0F, -128}), (QuantParams{5.0F, -128}));
    // [0, 255/51 = 5] and [-127/127, 1]: symmetric to 5.
    const QuantParams both = covering({51.0F, -128}, {127.0F, 0});
    EXPECT_EQ(both.zero_point, 0);
    EXPECT_FLOAT_EQ(both.scale, 127.0F / 5.0F);
}

TEST(CheckTable, NamesAndCounts) {
    const NetDef def = net({input(), conv1x1("c", "data", "a", 3, 4), layer("ReLU", "r", {"a"}, {"b"})});
    EXPECT_TRUE(check_table(def, legacy({{"c", 10.0F}, {"surplus", 3.0F}})).ok());
    const Status other = check_table(def, legacy({{"x", 1.0F}, {"y", 2.0F}}));
    EXPECT_EQ(other.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(other.message()).find("test.table is the table of another model"), std::string::npos);

    ScaleTable counts = legacy({{"c", 10.0F}});
    counts.layers["c"].weight_scales = {1.0F, 2.0F};
    counts.layers["c"].line = 7;
    const Status wrong = check_table(def, counts);
    EXPECT_EQ(wrong.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(wrong.message()).find("test.table:7: 2 weight scales for layer 'c', which has 4"),
              std::string::npos)
        << wrong.message();

    ScaleTable relu = legacy({{"r", 10.0F}});
    relu.layers["r"].weight_scales = {1.0F};
    EXPECT_FALSE(check_table(def, relu).ok());
}

// A program may fill in what no file could hold.
TEST(CheckTable, Numbers) {
    const NetDef def = net({input(), conv1x1("c", "data", "a", 3, 4)});
    const float inf = std::numeric_limits<float>::infinity();
    const struct {
        QuantParams quant;
        const char* message;
    } cases[] = {
        {{1.0F, 128}, "zero point is 128, expected -128 to 127"},
        {{1.0F, -2000000000}, "zero point is -2000000000, expected -128 to 127"},
        {{inf, 0}, "scale is inf, expected a finite number"},
        {{std::nanf(""), 0}, "scale is nan, expected a finite number"},
        {{-1.0F, 0}, "scale is -1, expected a finite number"},
        {{1e-39F, 0}, "expected a finite number above"},
    };
    for (const auto& c : cases) {
        ScaleTable blobs = legacy({{"c", 10.0F}});
        blobs.blobs["data"] = c.quant;
        const Status blob = check_table(def, blobs);
        EXPECT_EQ(blob.code(), Code::kInvalidArgument);
        EXPECT_NE(std::string(blob.message()).find("test.table: blob 'data': "), std::string::npos) << blob.message();
        EXPECT_NE(std::string(blob.message()).find(c.message), std::string::npos) << blob.message();
        ScaleTable inputs = legacy({{"c", 10.0F}});
        inputs.layers["c"].input = c.quant;
        EXPECT_NE(std::string(check_table(def, inputs).message()).find(c.message), std::string::npos);
    }
    for (const float scale : {-1.0F, inf, std::nanf("")}) {
        ScaleTable weights = legacy({{"c", 10.0F}});
        weights.layers["c"].weight_scales = {1.0F, 2.0F, scale, 0.0F};
        EXPECT_NE(std::string(check_table(def, weights).message()).find("layer 'c': weight scale is "),
                  std::string::npos);
    }
}

TEST(CheckTable, TheModelIsTheOneItWasMadeFor) {
    const NetDef def = net({input(), conv1x1("c", "data", "a", 3, 4)});
    ScaleTable table = legacy({{"c", 10.0F}});
    EXPECT_TRUE(check_table_model(def, table).ok()) << "a table need not say it";
    table.model_hash = *model_hash(def);
    EXPECT_TRUE(check_table_model(def, table).ok());
    table.model_hash[0] = table.model_hash[0] == '0' ? '1' : '0';
    const Status other = check_table_model(def, table);
    EXPECT_EQ(other.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(other.message())
                  .find("test.table was made for the model " + table.model_hash + ", test.param is the model " +
                        *model_hash(def)),
              std::string::npos)
        << other.message();
}

}  // namespace
}  // namespace fw
