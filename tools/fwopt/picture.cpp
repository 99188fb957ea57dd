#include "fwopt/picture.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <vector>

namespace fw::opt {

namespace {

struct Kind {
    const char* name;
    const char* colour;
};
// The colours of benchfw's page.
constexpr Kind kFloat = {"float", "#3b6fb5"};
constexpr Kind kHalf = {"float16 weights", "#2a8f80"};
constexpr Kind kInt8 = {"int8", "#d9740f"};
constexpr Kind kUnplanned = {"no step of its own", "#8a9096"};
constexpr const char* kConversion = "#b5357a";

struct Box {
    const LayerDef* layer = nullptr;
    const LayerPlan* step = nullptr;  ///< nullptr: views, constants and the like are no step
    Kind kind = kUnplanned;
};
struct Edge {
    size_t from, to;
    std::string blob;
};
struct Picture {
    std::vector<LayerPlan> plan;
    std::vector<Box> boxes;
    std::vector<Edge> edges;
    std::set<std::string> converted;  ///< blobs that are converted between int8 and float
    std::map<std::string, Shape> shapes;
};

Kind kind_of(const LayerDef& layer, const LayerPlan* step) {
    if (step == nullptr) {
        return kUnplanned;
    }
    if (step->input_type == DType::kInt8 || step->output_type == DType::kInt8) {
        return kInt8;
    }
    const bool half = !layer.weights.empty() && layer.weights[0].storage() == WeightStorage::kFloat16;
    return half ? kHalf : kFloat;
}

Result<Picture> picture_of(const NetDef& def, const Net& net) {
    Picture p;
    FW_ASSIGN_OR_RETURN(p.plan, net.plan());
    std::map<std::string, const LayerPlan*> steps;
    for (const LayerPlan& step : p.plan) {
        p.shapes[step.output] = step.output_shape;
        if (step.is_conversion) {
            p.converted.insert(step.name);
        } else {
            steps.emplace(step.name, &step);
        }
    }
    std::map<std::string, std::string> source;  // of a Split's outputs: its input
    std::map<std::string, size_t> writer;
    for (const LayerDef& layer : def.layers) {
        if (layer.type == "Split" && !layer.bottoms.empty()) {
            for (const std::string& top : layer.tops) {
                const auto from = source.find(layer.bottoms[0]);
                source[top] = from == source.end() ? layer.bottoms[0] : from->second;
            }
            continue;
        }
        const auto step = steps.find(layer.name);
        Box box;
        box.layer = &layer;
        box.step = step == steps.end() ? nullptr : step->second;
        box.kind = kind_of(layer, box.step);
        for (const std::string& bottom : layer.bottoms) {
            const auto from = source.find(bottom);
            const std::string& blob = from == source.end() ? bottom : from->second;
            const auto written = writer.find(blob);
            if (written != writer.end()) {
                p.edges.push_back({written->second, p.boxes.size(), blob});
            }
        }
        for (const std::string& top : layer.tops) {
            writer[top] = p.boxes.size();
        }
        p.boxes.push_back(box);
    }
    return p;
}

std::string shape_of(const Picture& p, const std::string& blob) {
    const auto shape = p.shapes.find(blob);
    return shape == p.shapes.end() ? "" : shape->second.str();
}

// Within the quotes of Graphviz.
std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return out;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

// Columns beside the boxes for the edges that jump over layers: each takes the first that is free over its length.
std::vector<int> lanes_of(const Picture& p, int* count) {
    std::vector<int> lanes(p.edges.size(), -1);
    std::vector<size_t> order;
    for (size_t i = 0; i < p.edges.size(); ++i) {
        if (p.edges[i].to > p.edges[i].from + 1) {
            order.push_back(i);
        }
    }
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p.edges[a].from < p.edges[b].from; });
    std::vector<size_t> free_at;  // the row that each lane's last edge ends in
    for (const size_t i : order) {
        size_t lane = 0;
        while (lane < free_at.size() && free_at[lane] > p.edges[i].from) {
            ++lane;
        }
        if (lane == free_at.size()) {
            free_at.push_back(0);
        }
        free_at[lane] = p.edges[i].to;
        lanes[i] = static_cast<int>(lane);
    }
    *count = static_cast<int>(free_at.size());
    return lanes;
}

std::string numbers_of(const Box& box) {
    int64_t weights = 0;
    for (const Weight& weight : box.layer->weights) {
        weights += weight.count();
    }
    const int64_t macs = box.step == nullptr ? 0 : box.step->macs;
    char text[96] = "";
    if (macs > 0 || weights > 0) {
        std::snprintf(text, sizeof text, "%.2f MMACs, %lld weights", static_cast<double>(macs) / 1e6,
                      static_cast<long long>(weights));
    }
    return text;
}

std::string details_of(const Box& box) {
    std::string text = box.layer->type + " " + box.layer->name + ": " + box.kind.name;
    if (box.step != nullptr) {
        text += box.step->kernel.empty() ? "" : ", kernel " + box.step->kernel;
        text += box.step->reason.empty() ? "" : ", " + box.step->reason;
    }
    return text;
}

constexpr int kRow = 34, kBoxHeight = 24, kBoxWidth = 430, kLane = 9;

std::string svg_of(const Picture& p) {
    int lane_count = 0;
    const std::vector<int> lanes = lanes_of(p, &lane_count);
    const int left = 20 + kLane * lane_count;
    const int height = kRow * static_cast<int>(p.boxes.size()) + 10;
    char text[512];
    std::snprintf(text, sizeof text, "<svg width=\"%d\" height=\"%d\" xmlns=\"http://www.w3.org/2000/svg\">\n",
                  left + kBoxWidth + 420, height);
    std::string out = text;
    const auto middle = [](size_t row) { return 5 + static_cast<int>(row) * kRow + kBoxHeight / 2; };
    for (size_t i = 0; i < p.edges.size(); ++i) {
        const Edge& edge = p.edges[i];
        const char* colour = p.converted.count(edge.blob) != 0 ? kConversion : "#8a9096";
        if (lanes[i] < 0) {
            std::snprintf(text, sizeof text, "<path stroke=\"%s\" d=\"M%d %dV%d\"><title>", colour, left + 20,
                          middle(edge.from) + kBoxHeight / 2, middle(edge.to) - kBoxHeight / 2);
        } else {
            std::snprintf(text, sizeof text, "<path stroke=\"%s\" d=\"M%d %dH%dV%dH%d\"><title>", colour, left,
                          middle(edge.from) + 4, left - 8 - kLane * lanes[i], middle(edge.to) - 4, left);
        }
        out += text + escaped(edge.blob + " " + shape_of(p, edge.blob)) + "</title></path>\n";
    }
    for (size_t row = 0; row < p.boxes.size(); ++row) {
        const Box& box = p.boxes[row];
        const std::string blob = box.layer->tops.empty() ? "" : box.layer->tops[0];
        std::snprintf(text, sizeof text,
                      "<g><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\" fill=\"%s\"/><text class=\"box\" "
                      "x=\"%d\" y=\"%d\">",
                      left, middle(row) - kBoxHeight / 2, kBoxWidth, kBoxHeight, box.kind.colour, left + 8,
                      middle(row) + 4);
        out += text + escaped(box.layer->type) + "  " + escaped(box.layer->name) + "</text>";
        std::snprintf(text, sizeof text, "<text x=\"%d\" y=\"%d\">", left + kBoxWidth + 10, middle(row) + 4);
        out += text + escaped(shape_of(p, blob)) + "  " + numbers_of(box) + "</text><title>" +
               escaped(details_of(box)) + "</title></g>\n";
    }
    return out + "</svg>\n";
}

constexpr const char* kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<style>
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 24px; max-width: 1320px; font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; }
.scroll { overflow-x: auto; }
.key { display: inline-block; padding: 1px 8px; border-radius: 4px; color: #fff; margin-right: 6px; }
svg path { fill: none; stroke-width: 1.6; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; white-space: pre; }
svg text.box { fill: #fff; }
</style>
)";

}  // namespace

Result<std::string> dot_text(const NetDef& def, const Net& net) {
    FW_ASSIGN_OR_RETURN(const Picture p, picture_of(def, net));
    std::string out =
        "digraph network {\n"
        "  node [shape=box style=\"rounded,filled\" fontname=\"sans-serif\" fontcolor=white color=none];\n"
        "  edge [fontname=\"sans-serif\" fontsize=10];\n";
    for (size_t i = 0; i < p.boxes.size(); ++i) {
        const Box& box = p.boxes[i];
        out += "  n" + std::to_string(i) + " [label=\"" + quoted(box.layer->type) + "\\n" + quoted(box.layer->name) +
               "\" fillcolor=\"" + box.kind.colour + "\" tooltip=\"" + quoted(details_of(box)) + "\"];\n";
    }
    for (const Edge& edge : p.edges) {
        out += "  n" + std::to_string(edge.from) + " -> n" + std::to_string(edge.to) + " [label=\"" +
               quoted(shape_of(p, edge.blob)) + "\"";
        out +=
            p.converted.count(edge.blob) != 0 ? std::string(" color=\"") + kConversion + "\" penwidth=2];\n" : "];\n";
    }
    return out + "}\n";
}

Result<std::string> html_text(const std::string& title, const NetDef& def, const Net& net) {
    FW_ASSIGN_OR_RETURN(const Picture p, picture_of(def, net));
    std::string out = kHead;
    out += "<title>" + escaped(title) + "</title>\n</head>\n<body>\n<h1>" + escaped(title) + "</h1>\n<p>";
    for (const Kind& kind : {kFloat, kHalf, kInt8, kUnplanned}) {
        const auto count = std::count_if(p.boxes.begin(), p.boxes.end(),
                                         [&](const Box& box) { return box.kind.colour == kind.colour; });
        out += std::string("<span class=\"key\" style=\"background:") + kind.colour + "\">" + kind.name + ": " +
               std::to_string(count) + "</span>";
    }
    out += std::string("<span class=\"key\" style=\"background:") + kConversion +
           "\">blobs converted between int8 and float: " + std::to_string(p.converted.size()) + "</span></p>\n";
    out +=
        "<p>From top to bottom in the order of execution; point at a layer for its kernel and why it has its "
        "precision.</p>\n<div class=\"scroll\">\n";
    return out + svg_of(p) + "</div>\n</body>\n</html>\n";
}

}  // namespace fw::opt
