#include "graph/precision_cut.h"

#include <algorithm>
#include <cstdio>

#include "graph/min_cut.h"

namespace fw {

namespace {

size_t at(int id) {
    return static_cast<size_t>(id);
}

std::string figures(int64_t in_int8, int64_t in_float) {
    char text[96];
    std::snprintf(text, sizeof text, "%.1f us in int8, %.1f us in float", static_cast<double>(in_int8) * 1e-6,
                  static_cast<double>(in_float) * 1e-6);
    return text;
}

// The cut's graph. A node of the network that can only be float is the sink itself.
class PrecisionCut {
public:
    PrecisionCut(const Graph& graph, const PrecisionCosts& costs, const Int8Plan& plan)
        : graph_(graph), costs_(costs), plan_(plan), side_(graph.nodes().size(), MinCut::kSink) {}

    std::vector<bool> solve(const std::vector<bool>& wished) {
        for (const NodeId id : plan_.order) {
            if (plan_.int8[at(id)]) {
                side_[at(id)] = cut_.add_node();
                cut_.add_edge(MinCut::kSource, side_[at(id)],
                              wished[at(id)] ? MinCut::kForbidden : costs_.in_float[at(id)]);
                cut_.add_edge(side_[at(id)], MinCut::kSink, costs_.in_int8[at(id)]);
            }
        }
        for (const NodeId id : plan_.order) {
            for (const ValueId v : graph_.node(id).outputs) {
                add_value(v);
            }
        }
        const std::vector<bool> source_side = cut_.solve();
        std::vector<bool> int8(side_.size(), false);
        for (size_t i = 0; i < side_.size(); ++i) {
            int8[i] = source_side[at(side_[i])];
        }
        return int8;
    }

private:
    // The side on which the value as its producer writes it lies.
    int form_of(ValueId v) {
        const NodeId producer = graph_.value(v).producer;
        if (side_[at(producer)] == MinCut::kSink || !writes_either(plan_.rule[at(producer)])) {
            return side_[at(producer)];
        }
        if (!can_write_int8(graph_, plan_, producer)) {
            return MinCut::kSink;
        }
        const int form = cut_.add_node();
        cut_.add_edge(form, side_[at(producer)], MinCut::kForbidden);  // int8 out needs int8 in
        return form;
    }

    void add_value(ValueId v) {
        std::vector<int> readers;
        bool float_reader = plan_.readers[at(v)].empty() && graph_.value(v).output;  // the caller
        for (const NodeId id : plan_.readers[at(v)]) {
            const Node& reader = graph_.node(id);
            for (size_t slot = 0; slot < reader.inputs.size(); ++slot) {
                if (reader.inputs[slot] != v || reads_only_shape(reader, slot)) {
                    continue;
                }
                if (side_[at(id)] != MinCut::kSink && has_int8_slot(plan_.rule[at(id)], slot)) {
                    readers.push_back(side_[at(id)]);
                } else {
                    float_reader = true;
                }
            }
        }
        const int64_t price = costs_.conversion[at(v)];
        const int form = form_of(v);
        if (form != MinCut::kSink) {
            // int8, and some reader wants float: every reader takes int8, or Dequantize.
            if (float_reader) {
                cut_.add_edge(form, MinCut::kSink, price);
            } else if (!readers.empty()) {
                const int every = cut_.add_node();
                cut_.add_edge(form, every, price);
                for (const int reader : readers) {
                    cut_.add_edge(every, reader, MinCut::kForbidden);
                }
            }
        }
        if (!readers.empty()) {
            // Float, and some reader takes int8: Quantize.
            const int some = cut_.add_node();
            cut_.add_edge(some, form, price);
            for (const int reader : readers) {
                cut_.add_edge(reader, some, MinCut::kForbidden);
            }
        }
    }

    const Graph& graph_;
    const PrecisionCosts& costs_;
    const Int8Plan& plan_;
    MinCut cut_;
    std::vector<int> side_;  // node of the cut, by node of the network
};

}  // namespace

int64_t cost_of(const Graph& graph, const PrecisionCosts& costs, const Int8Plan& plan) {
    int64_t total = 0;
    for (const NodeId id : plan.order) {
        total += plan.int8[at(id)] ? costs.in_int8[at(id)] : costs.in_float[at(id)];
        const bool int8 = gives_int8(graph, plan, id);
        for (const ValueId v : graph.node(id).outputs) {
            bool other = int8 && plan.readers[at(v)].empty() && graph.value(v).output;
            for (const NodeId reader : plan.readers[at(v)]) {
                const Node& node = graph.node(reader);
                for (size_t slot = 0; slot < node.inputs.size(); ++slot) {
                    other = other || (node.inputs[slot] == v && !reads_only_shape(node, slot) &&
                                      takes_int8(plan, reader, slot) != int8);
                }
            }
            total += other ? costs.conversion[at(v)] : 0;
        }
    }
    return total;
}

void choose_by_cost(const Graph& graph, const PrecisionCosts& costs, const std::vector<bool>& wished, Int8Plan* plan) {
    const std::vector<bool> possible = plan->int8;
    Int8Plan in_float = *plan;
    in_float.int8.assign(possible.size(), false);
    const int64_t float_cost = cost_of(graph, costs, in_float);

    plan->int8 = PrecisionCut(graph, costs, *plan).solve(wished);
    const int64_t cut_cost = cost_of(graph, costs, *plan);
    const bool wish = std::find(wished.begin(), wished.end(), true) != wished.end();
    const bool any = std::find(plan->int8.begin(), plan->int8.end(), true) != plan->int8.end();
    const bool worth = wish || static_cast<double>(cut_cost) <= (1.0 - kLeastGain) * static_cast<double>(float_cost);
    if (any && !worth) {
        plan->int8.assign(possible.size(), false);
    }
    for (const NodeId id : plan->order) {
        if (!possible[at(id)]) {
            continue;
        }
        std::string& reason = plan->reason[at(id)];
        reason = figures(costs.in_int8[at(id)], costs.in_float[at(id)]);
        if (any && !worth) {
            reason = "int8 does not pay for this network: " + figures(cut_cost, float_cost);
        } else if (wished[at(id)]) {
            reason.insert(0, "the table wants it: ");
        } else if (plan->int8[at(id)] == (costs.in_int8[at(id)] >= costs.in_float[at(id)])) {
            reason += "; conversions around it would cost more";
        }
    }
}

}  // namespace fw
