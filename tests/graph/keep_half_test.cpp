// Which blobs keep_half makes float16, for layers that can do what this test says of their types.
#include <map>
#include <set>

#include "graph_builder.h"

namespace fw {
namespace {

using test::build;
using test::conv1x1;
using test::input;
using test::layer;
using test::net;

const std::map<std::string, HalfUse> kUse = {
    {"Convolution", HalfUse::kEach}, {"Pooling", HalfUse::kSame}, {"Concat", HalfUse::kSame},
    {"Eltwise", HalfUse::kSame},     {"Split", HalfUse::kSame},   {"Reshape", HalfUse::kSame},
};

HalfUse use_by_type(const Graph& graph, NodeId id) {
    const auto found = kUse.find(graph.node(id).type);
    return found == kUse.end() ? HalfUse::kNone : found->second;
}

// The names of what is float16 after the pass.
std::set<std::string> halves(Graph* graph, bool asked = true, bool for_file = false, bool arithmetic = true) {
    const Option option;
    PassContext context;
    context.option = &option;
    context.for_file = for_file;
    if (asked) {
        context.half_use = use_by_type;
    }
    for (Node& node : graph->nodes()) {
        node.fp16_arithmetic = arithmetic && node.type == "Convolution";
    }
    for (const Pass& pass : all_passes()) {
        if (pass.name == std::string("keep_half")) {
            EXPECT_TRUE(pass.run(graph, context).ok());
        }
    }
    EXPECT_TRUE(graph->check().ok()) << graph->check().message();
    std::set<std::string> names;
    for (const Value& value : graph->values()) {
        if (value.dtype == DType::kFloat16) {
            names.insert(value.name);
        }
    }
    return names;
}

LayerDef pool(const std::string& name, const std::string& from, const std::string& to) {
    return layer("Pooling", name, {from}, {to}, {{1, 2}, {2, 2}});
}

using Set = std::set<std::string>;

TEST(KeepHalf, BetweenLayersThatComputeInFloat16) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), pool("p", "a", "b"),
                             conv1x1("c2", "b", "c", 4, 4), layer("Softmax", "s", {"c"}, {"out"})}));
    EXPECT_EQ(halves(&graph), (Set{"a", "b"}));
}

TEST(KeepHalf, OnlyWhereTheRuntimeSaysSo) {
    const NetDef def = net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "out", 4, 4)});
    Graph not_asked = build(def);
    EXPECT_EQ(halves(&not_asked, false), Set());
    Graph file = build(def);
    EXPECT_EQ(halves(&file, true, true), Set());
    Graph floats = build(def);
    EXPECT_EQ(halves(&floats, true, false, false), Set());
    Graph graph = build(def);
    EXPECT_EQ(halves(&graph), Set{"a"});
}

TEST(KeepHalf, NotInputsAndOutputs) {
    const NetDef def =
        net({input(), pool("p", "data", "a"), conv1x1("c1", "a", "b", 3, 4), conv1x1("c2", "b", "c", 4, 4)});
    Graph graph = build(def);
    EXPECT_EQ(halves(&graph), Set{"b"});  // the pooling reads what the caller gives
    Graph wanted = build(def, {"b", "c"});
    EXPECT_EQ(halves(&wanted), Set());
}

TEST(KeepHalf, OneFloatReaderKeepsABlobFloat) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), conv1x1("c2", "a", "b", 4, 4),
                             layer("LRN", "n", {"a"}, {"l"}), conv1x1("c3", "l", "d", 4, 4),
                             layer("Eltwise", "e", {"b", "d"}, {"s"}, {{0, 1}}), conv1x1("c4", "s", "out", 4, 2)}));
    EXPECT_EQ(halves(&graph), (Set{"b", "d", "s"}));
}

// The float operand of a sum takes the other one with it, through all that lies between.
TEST(KeepHalf, LayersOfOneTypeTurnBackTogether) {
    Graph graph =
        build(net({input(), conv1x1("c1", "data", "a", 3, 4), pool("p1", "a", "b"), conv1x1("c2", "data", "x", 3, 4),
                   layer("LRN", "n", {"x"}, {"l"}), pool("p2", "l", "m"), layer("Concat", "cat", {"b", "m"}, {"j"}),
                   pool("p3", "j", "k"), conv1x1("c3", "k", "y", 8, 4), conv1x1("c4", "y", "out", 4, 2)}));
    EXPECT_EQ(halves(&graph), Set{"y"});
}

TEST(KeepHalf, AShapeAloneIsReadOfAnyType) {
    Graph graph = build(net(
        {input(), conv1x1("c1", "data", "a", 3, 4), layer("LRN", "n", {"a"}, {"l"}), conv1x1("c2", "data", "b", 3, 4),
         layer("Reshape", "r", {"b", "l"}, {"v"}, {{6, std::string("1w,1h,1c")}}), conv1x1("c3", "v", "out", 4, 2)}));
    EXPECT_EQ(halves(&graph), (Set{"b", "v"}));
}

TEST(KeepHalf, LeavesInt8Alone) {
    Graph graph = build(net({input(), conv1x1("c1", "data", "a", 3, 4), pool("p", "a", "b"),
                             conv1x1("c2", "b", "c", 4, 4), conv1x1("c3", "c", "out", 4, 2)}));
    graph.value(graph.find_value("b")).dtype = DType::kInt8;
    EXPECT_EQ(halves(&graph), Set{"c"});
    EXPECT_EQ(graph.value(graph.find_value("b")).dtype, DType::kInt8);
}

}  // namespace
}  // namespace fw
