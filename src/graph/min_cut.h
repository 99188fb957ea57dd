// MinCut: the cheapest way to split a directed graph between a source and a sink.
#pragma once

#include <cstdint>
#include <vector>

namespace fw {

/// Minimum s-t cut by maximum flow: Dinic's algorithm (E. A. Dinic, "Algorithm for solution of a problem of maximum
/// flow in networks with power estimation", 1970). Exact and deterministic; capacities are whole numbers.
class MinCut {
public:
    /// No sum of finite capacities may reach it.
    static constexpr int64_t kForbidden = int64_t{1} << 60;
    static constexpr int kSource = 0;
    static constexpr int kSink = 1;

    MinCut() : first_(2, -1) {}

    int add_node();
    /// Cutting costs `capacity` when `from` lies on the source's side and `to` on the sink's. Capacities of 0 are left
    /// out.
    void add_edge(int from, int to, int64_t capacity);

    /// By node, true = on the source's side. Of several cheapest cuts the one with the fewest nodes there. The edges
    /// hold what is left of their capacities afterwards: call it once.
    std::vector<bool> solve();
    int64_t cost() const { return cost_; }  ///< of the cut, after solve

private:
    struct Edge {
        int to;
        int next;  ///< of the same node, -1 = none; the reverse of edge e is e ^ 1
        int64_t capacity;
    };
    bool find_levels();
    void block_flow();

    std::vector<Edge> edges_;
    std::vector<int> first_;
    std::vector<int> level_;
    int64_t cost_ = 0;
};

}  // namespace fw
