#include "zoo/onnx_graph.h"

#include <cstring>

namespace fw::zoo {

namespace proto = fw::onnx;

proto::AttributeProto* OnnxGraph::Node::attribute(const char* name) {
    proto::AttributeProto* attribute = node_->add_attribute();
    attribute->set_name(name);
    return attribute;
}

OnnxGraph::Node& OnnxGraph::Node::set(const char* name, int64_t value) {
    proto::AttributeProto* to = attribute(name);
    to->set_type(proto::AttributeProto::INT);
    to->set_i(value);
    return *this;
}

OnnxGraph::Node& OnnxGraph::Node::set(const char* name, float value) {
    proto::AttributeProto* to = attribute(name);
    to->set_type(proto::AttributeProto::FLOAT);
    to->set_f(value);
    return *this;
}

OnnxGraph::Node& OnnxGraph::Node::set(const char* name, const char* value) {
    proto::AttributeProto* to = attribute(name);
    to->set_type(proto::AttributeProto::STRING);
    to->set_s(value);
    return *this;
}

OnnxGraph::Node& OnnxGraph::Node::set(const char* name, const Ints& values) {
    proto::AttributeProto* to = attribute(name);
    to->set_type(proto::AttributeProto::INTS);
    for (const int64_t value : values) {
        to->add_ints(value);
    }
    return *this;
}

OnnxGraph::Node OnnxGraph::node(const char* type, const Names& inputs, const Names& outputs) {
    proto::NodeProto* node = graph_->add_node();
    node->set_op_type(type);
    node->set_name(std::string(type) + "_" + outputs[0]);
    for (const std::string& input : inputs) {
        node->add_input(input);
    }
    for (const std::string& output : outputs) {
        node->add_output(output);
    }
    return Node(node);
}

std::string OnnxGraph::unique(const std::string& name) {
    return name + "/constant" + std::to_string(constants_++);
}

void OnnxGraph::named_floats(const std::string& name, const Ints& dims, const std::vector<float>& values) {
    proto::TensorProto* tensor = graph_->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(proto::TensorProto::FLOAT);
    for (const int64_t dim : dims) {
        tensor->add_dims(dim);
    }
    tensor->set_raw_data(values.data(), values.size() * sizeof(float));
}

std::string OnnxGraph::floats(const std::string& name, const Ints& dims, const std::vector<float>& values) {
    const std::string made = unique(name);
    named_floats(made, dims, values);
    return made;
}

std::string OnnxGraph::scalar(float value) {
    return floats("scalar", {}, {value});
}

std::string OnnxGraph::ints(const std::string& name, const Ints& values) {
    proto::TensorProto* tensor = graph_->add_initializer();
    tensor->set_name(unique(name));
    tensor->set_data_type(proto::TensorProto::INT64);
    tensor->add_dims(static_cast<int64_t>(values.size()));
    for (const int64_t value : values) {
        tensor->add_int64_data(value);
    }
    return tensor->name();
}

namespace {

void describe(proto::ValueInfoProto* info, const std::string& name, const Shape& shape) {
    info->set_name(name);
    proto::TypeProto::Tensor* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(proto::TensorProto::FLOAT);
    for (const int64_t dim : batched(shape)) {
        type->mutable_shape()->add_dim()->set_dim_value(dim);
    }
}

}  // namespace

void OnnxGraph::input(const std::string& name, const Shape& shape) {
    describe(graph_->add_input(), name, shape);
}

void OnnxGraph::output(const std::string& name, const Shape& shape) {
    describe(graph_->add_output(), name, shape);
}

Ints batched(const Shape& shape) {
    Ints dims = {1};
    for (int axis = 0; axis < shape.rank; ++axis) {
        dims.push_back(shape[axis]);
    }
    return dims;
}

}  // namespace fw::zoo
