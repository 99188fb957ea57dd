#include "graph/min_cut.h"

#include <algorithm>

namespace fw {

namespace {

size_t at(int id) {
    return static_cast<size_t>(id);
}

}  // namespace

int MinCut::add_node() {
    first_.push_back(-1);
    return static_cast<int>(first_.size() - 1);
}

void MinCut::add_edge(int from, int to, int64_t capacity) {
    if (capacity <= 0) {
        return;
    }
    edges_.push_back(Edge{to, first_[at(from)], capacity});
    first_[at(from)] = static_cast<int>(edges_.size() - 1);
    edges_.push_back(Edge{from, first_[at(to)], 0});
    first_[at(to)] = static_cast<int>(edges_.size() - 1);
}

// Breadth first over the edges that have capacity left. False if the sink is out of reach.
bool MinCut::find_levels() {
    level_.assign(first_.size(), -1);
    level_[kSource] = 0;
    std::vector<int> queue = {kSource};
    for (size_t i = 0; i < queue.size(); ++i) {
        for (int e = first_[at(queue[i])]; e >= 0; e = edges_[at(e)].next) {
            const Edge& edge = edges_[at(e)];
            if (edge.capacity > 0 && level_[at(edge.to)] < 0) {
                level_[at(edge.to)] = level_[at(queue[i])] + 1;
                queue.push_back(edge.to);
            }
        }
    }
    return level_[kSink] >= 0;
}

// Fills every shortest path. Depth first without recursion: networks have up to 100,000 layers in a row.
void MinCut::block_flow() {
    std::vector<int> next = first_;
    std::vector<int> path;  // edges from the source
    int node = kSource;
    for (;;) {
        if (node == kSink) {
            int64_t flow = kForbidden;
            for (const int e : path) {
                flow = std::min(flow, edges_[at(e)].capacity);
            }
            cost_ += flow;
            size_t keep = path.size();
            for (size_t i = path.size(); i-- > 0;) {
                edges_[at(path[i])].capacity -= flow;
                edges_[at(path[i] ^ 1)].capacity += flow;
                keep = edges_[at(path[i])].capacity == 0 ? i : keep;
            }
            path.resize(keep);
            node = path.empty() ? kSource : edges_[at(path.back())].to;
            continue;
        }
        int& e = next[at(node)];
        while (e >= 0 && (edges_[at(e)].capacity == 0 || level_[at(edges_[at(e)].to)] != level_[at(node)] + 1)) {
            e = edges_[at(e)].next;
        }
        if (e >= 0) {
            path.push_back(e);
            node = edges_[at(e)].to;
        } else if (!path.empty()) {
            level_[at(node)] = -1;  // nothing leads on from here
            path.pop_back();
            node = path.empty() ? kSource : edges_[at(path.back())].to;
        } else {
            return;
        }
    }
}

std::vector<bool> MinCut::solve() {
    while (find_levels()) {
        block_flow();
    }
    std::vector<bool> source_side(first_.size());
    for (size_t i = 0; i < source_side.size(); ++i) {
        source_side[i] = level_[i] >= 0;
    }
    return source_side;
}

}  // namespace fw
