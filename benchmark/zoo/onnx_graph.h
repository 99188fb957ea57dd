// A small writer of ONNX graphs: nodes, attributes, constants.
#pragma once

#include <string>
#include <vector>

#include "fw/mat.h"
#include "onnx.pb.h"

namespace fw::zoo {

using Names = std::vector<std::string>;
using Ints = std::vector<int64_t>;

class OnnxGraph {
public:
    explicit OnnxGraph(fw::onnx::GraphProto* graph) : graph_(graph) {}

    /// Appends a node; attributes are added to what is returned.
    class Node {
    public:
        Node& set(const char* name, int64_t value);
        Node& set(const char* name, float value);
        Node& set(const char* name, const char* value);
        Node& set(const char* name, const Ints& values);

    private:
        friend class OnnxGraph;
        explicit Node(fw::onnx::NodeProto* node) : node_(node) {}
        fw::onnx::AttributeProto* attribute(const char* name);
        fw::onnx::NodeProto* node_;
    };
    Node node(const char* type, const Names& inputs, const Names& outputs);

    /// Constants; return their name, which is made unique.
    std::string floats(const std::string& name, const Ints& dims, const std::vector<float>& values);
    std::string ints(const std::string& name, const Ints& values);
    std::string scalar(float value);
    /// A constant that other layers read by the name of its blob.
    void named_floats(const std::string& name, const Ints& dims, const std::vector<float>& values);

    void input(const std::string& name, const Shape& shape);
    void output(const std::string& name, const Shape& shape);

private:
    std::string unique(const std::string& name);
    fw::onnx::GraphProto* graph_;
    int constants_ = 0;
};

/// The shape with a batch axis of 1 in front.
Ints batched(const Shape& shape);

}  // namespace fw::zoo
