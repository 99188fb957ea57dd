// The planner's cut against every possible choice, and its constraints.
#include "graph/precision_cut.h"

#include <random>

#include "graph/min_cut.h"
#include "graph_builder.h"

namespace fw {
namespace {

using test::build;
using test::conv1x1;
using test::input;
using test::layer;
using test::Names;
using test::net;

TEST(MinCut, TextbookNetwork) {
    MinCut cut;
    const int a = cut.add_node();
    const int b = cut.add_node();
    const int c = cut.add_node();
    const int d = cut.add_node();
    cut.add_edge(MinCut::kSource, a, 16);
    cut.add_edge(MinCut::kSource, b, 13);
    cut.add_edge(a, c, 12);
    cut.add_edge(b, a, 4);
    cut.add_edge(c, b, 9);
    cut.add_edge(b, d, 14);
    cut.add_edge(d, c, 7);
    cut.add_edge(c, MinCut::kSink, 20);
    cut.add_edge(d, MinCut::kSink, 4);
    const std::vector<bool> side = cut.solve();
    EXPECT_EQ(cut.cost(), 23);  // Cormen et al., Introduction to Algorithms, 26.1
    EXPECT_EQ(side, (std::vector<bool>{true, false, true, true, false, true}));
}

TEST(MinCut, EqualsTheCheapestOfAllSplits) {
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round) {
        const int nodes = 2 + static_cast<int>(random() % 7);
        MinCut cut;
        for (int i = 2; i < nodes; ++i) {
            cut.add_node();
        }
        std::vector<std::vector<int64_t>> capacity(static_cast<size_t>(nodes),
                                                   std::vector<int64_t>(static_cast<size_t>(nodes)));
        for (int e = 0; e < 3 * nodes; ++e) {
            const auto from = random() % static_cast<unsigned>(nodes);
            const auto to = random() % static_cast<unsigned>(nodes);
            if (from != to) {
                const int64_t c = random() % 20;
                cut.add_edge(static_cast<int>(from), static_cast<int>(to), c);
                capacity[from][to] += c;
            }
        }
        const auto cost = [&](unsigned source_side) {
            int64_t sum = 0;
            for (size_t i = 0; i < capacity.size(); ++i) {
                for (size_t k = 0; k < capacity.size(); ++k) {
                    sum += (source_side >> i & 1U) != 0 && (source_side >> k & 1U) == 0 ? capacity[i][k] : 0;
                }
            }
            return sum;
        };
        int64_t best = INT64_MAX;
        for (unsigned side = 1; side < 1U << nodes; side += 4) {  // the source, not the sink
            best = std::min(best, cost(side));
        }
        const std::vector<bool> side = cut.solve();
        unsigned bits = 0;
        for (size_t i = 0; i < side.size(); ++i) {
            bits |= side[i] ? 1U << i : 0U;
        }
        EXPECT_EQ(cut.cost(), best);
        EXPECT_EQ(cost(bits), best);
        EXPECT_EQ(bits & 3U, 1U);
    }
}

// A random network of layers of every rule, with all scales known.
struct Case {
    Graph graph;
    ScaleTable table;
    Int8Plan plan;
    PrecisionCosts costs;
};

Case random_case(std::mt19937* random, int layers) {
    const auto pick = [&](size_t n) { return static_cast<size_t>((*random)() % n); };
    std::vector<LayerDef> defs = {input("b0", 8, 4, 4)};
    Names blobs = {"b0"};
    Case made;
    for (int i = 0; i < layers; ++i) {
        const std::string name = "l" + std::to_string(i);
        const std::string top = "b" + std::to_string(i + 1);
        const std::string a = blobs[pick(blobs.size())];
        const std::string b = blobs[pick(blobs.size())];
        switch (pick(6)) {
            case 0:
            case 1: defs.push_back(conv1x1(name, a, top, 8, 8)); break;
            case 2: defs.push_back(layer("Pooling", name, {a}, {top}, {{0, 0}, {1, 1}})); break;
            case 3: defs.push_back(layer("Eltwise", name, {a, b}, {top}, {{0, 1}})); break;
            case 4: defs.push_back(layer("ReLU", name, {a}, {top})); break;
            default: defs.push_back(layer("Softmax", name, {a}, {top})); break;
        }
        blobs.push_back(top);
    }
    made.graph = build(net(std::move(defs)));
    for (const std::string& blob : blobs) {
        made.table.blobs[blob] = {10.0F, 0};
    }
    static const Option option;
    made.plan = start_int8_plan(made.graph, PassContext{&option, &made.table, nullptr});
    infer_scales(made.graph, made.table, &made.plan);
    if (pick(4) == 0) {
        // A blob without a scale: a layer with weights can still write it as float.
        made.plan.scale[pick(made.plan.scale.size())] = {};
    }
    find_possible(made.graph, &made.plan);
    for (size_t i = 0; i < made.graph.nodes().size(); ++i) {
        made.costs.in_float.push_back(static_cast<int64_t>(pick(100)));
        made.costs.in_int8.push_back(static_cast<int64_t>(pick(100)));
    }
    for (size_t v = 0; v < made.graph.values().size(); ++v) {
        made.costs.conversion.push_back(static_cast<int64_t>(pick(60)));
    }
    return made;
}

// Counted on the graph that the choice gives, in plain words: what each blob is written as, and whether anybody wants
// the other form.
int64_t counted(const Case& c, const std::vector<bool>& int8) {
    int64_t total = 0;
    for (size_t n = 0; n < c.graph.nodes().size(); ++n) {
        const Node& node = c.graph.nodes()[n];
        total += int8[n] ? c.costs.in_int8[n] : c.costs.in_float[n];
        const auto v = static_cast<size_t>(node.outputs[0]);
        bool wants_int8 = false;
        bool wants_float = c.graph.value(node.outputs[0]).output;
        for (size_t r = 0; r < c.graph.nodes().size(); ++r) {
            for (const ValueId in : c.graph.nodes()[r].inputs) {
                if (in == node.outputs[0]) {
                    (int8[r] ? wants_int8 : wants_float) = true;
                }
            }
        }
        bool written_int8 = int8[n];
        if (node.type == "Convolution" || node.type == "Softmax") {  // write either
            written_int8 = int8[n] && wants_int8 && c.plan.scale[v].known();
        }
        total += (written_int8 ? wants_float : wants_int8) ? c.costs.conversion[v] : 0;
    }
    return total;
}

TEST(PrecisionCut, EqualsTheCheapestOfAllChoices) {
    std::mt19937 random(2);
    int mixed = 0;
    for (int round = 0; round < 400; ++round) {
        Case c = random_case(&random, 2 + static_cast<int>(random() % 9));
        std::vector<NodeId> possible;
        std::vector<bool> wished(c.graph.nodes().size(), false);
        for (const NodeId id : c.plan.order) {
            if (c.plan.int8[static_cast<size_t>(id)]) {
                possible.push_back(id);
            }
        }
        if (possible.empty()) {
            continue;
        }
        // With a wish the choice is the cut itself, without the "does it pay at all" of the end.
        const NodeId wish = possible[random() % possible.size()];
        wished[static_cast<size_t>(wish)] = true;
        int64_t best = INT64_MAX;
        for (unsigned bits = 0; bits < 1U << possible.size(); ++bits) {
            std::vector<bool> int8(c.graph.nodes().size(), false);
            for (size_t i = 0; i < possible.size(); ++i) {
                int8[static_cast<size_t>(possible[i])] = (bits >> i & 1U) != 0;
            }
            if (int8[static_cast<size_t>(wish)]) {
                best = std::min(best, counted(c, int8));
            }
        }
        choose_by_cost(c.graph, c.costs, wished, &c.plan);
        EXPECT_EQ(counted(c, c.plan.int8), best) << "round " << round;
        EXPECT_EQ(cost_of(c.graph, c.costs, c.plan), best) << "round " << round;
        EXPECT_TRUE(c.plan.int8[static_cast<size_t>(wish)]);
        size_t chosen = 0;
        for (const NodeId id : possible) {
            chosen += c.plan.int8[static_cast<size_t>(id)] ? 1 : 0;
        }
        mixed += chosen > 0 && chosen < possible.size() ? 1 : 0;
    }
    EXPECT_GT(mixed, 100) << "the cases must leave something to choose";
}

Case chain(int64_t in_float, int64_t in_int8, int64_t conversion) {
    Case c;
    c.graph = build(net({input("b0", 8, 4, 4), conv1x1("c1", "b0", "b1", 8, 8), conv1x1("c2", "b1", "b2", 8, 8),
                         layer("Softmax", "s", {"b2"}, {"out"})}));
    for (const char* blob : {"b0", "b1", "b2"}) {
        c.table.blobs[blob] = {10.0F, 0};
    }
    static const Option option;
    c.plan = start_int8_plan(c.graph, PassContext{&option, &c.table, nullptr});
    infer_scales(c.graph, c.table, &c.plan);
    find_possible(c.graph, &c.plan);
    c.costs.in_float.assign(c.graph.nodes().size(), in_float);
    c.costs.in_int8.assign(c.graph.nodes().size(), in_int8);
    c.costs.in_int8[3] = in_float;  // the softmax, a reader
    c.costs.conversion.assign(c.graph.values().size(), conversion);
    return c;
}

TEST(PrecisionCut, FloatWhereTheConversionCostsMoreThanInt8Saves) {
    Case c = chain(10000000, 6000000, 9000000);
    choose_by_cost(c.graph, c.costs, std::vector<bool>(4, false), &c.plan);
    EXPECT_EQ(c.plan.int8, std::vector<bool>(4, false));
    EXPECT_EQ(c.plan.reason[1], "6.0 us in int8, 10.0 us in float; conversions around it would cost more");
    c = chain(10000000, 6000000, 1000000);
    choose_by_cost(c.graph, c.costs, std::vector<bool>(4, false), &c.plan);
    EXPECT_EQ(c.plan.int8, (std::vector<bool>{false, true, true, false}));
    EXPECT_EQ(c.plan.reason[1], "6.0 us in int8, 10.0 us in float");
}

TEST(PrecisionCut, FloatWhereTheGainIsWithinTheError) {
    // 40 us in float; int8 saves 1.
    Case c = chain(10000000, 9000000, 1000000);
    choose_by_cost(c.graph, c.costs, std::vector<bool>(4, false), &c.plan);
    EXPECT_EQ(c.plan.int8, std::vector<bool>(4, false));
    EXPECT_EQ(c.plan.reason[1], "int8 does not pay for this network: 39.0 us in int8, 40.0 us in float");
    c = chain(10000000, 9000000, 1000000);
    choose_by_cost(c.graph, c.costs, {false, true, false, false}, &c.plan);
    EXPECT_TRUE(c.plan.int8[1]) << "a wish of the table is no matter of gain";
    EXPECT_EQ(c.plan.reason[1], "the table wants it: 9.0 us in int8, 10.0 us in float");
}

TEST(PrecisionCut, ALongChainTakesNoTime) {
    std::vector<LayerDef> defs = {input("b0", 8, 4, 4)};
    constexpr int kLayers = 50000;
    Case c;
    std::mt19937 random(3);
    c.table.blobs["b0"] = {10.0F, 0};
    for (int i = 0; i < kLayers; ++i) {
        const std::string top = "b" + std::to_string(i + 1);
        defs.push_back(layer("Pooling", "p" + std::to_string(i), {"b" + std::to_string(i)}, {top}, {{0, 1}, {1, 1}}));
        c.table.blobs[top] = {10.0F, 0};
    }
    c.graph = build(net(std::move(defs)));
    static const Option option;
    c.plan = start_int8_plan(c.graph, PassContext{&option, &c.table, nullptr});
    infer_scales(c.graph, c.table, &c.plan);
    find_possible(c.graph, &c.plan);
    for (size_t i = 0; i < c.graph.nodes().size(); ++i) {
        c.costs.in_float.push_back(static_cast<int64_t>(random() % 100));
        c.costs.in_int8.push_back(static_cast<int64_t>(random() % 80));
        c.costs.conversion.push_back(static_cast<int64_t>(random() % 500));
    }
    c.costs.conversion.resize(c.graph.values().size(), 1);
    choose_by_cost(c.graph, c.costs, std::vector<bool>(c.graph.nodes().size(), false), &c.plan);
    EXPECT_LE(cost_of(c.graph, c.costs, c.plan), int64_t{kLayers} * 50);
}

}  // namespace
}  // namespace fw
