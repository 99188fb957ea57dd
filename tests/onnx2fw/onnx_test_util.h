// Small ONNX models built in memory, converted and run.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "fw/net.h"
#include "model/model_io.h"
#include "onnx.pb.h"
#include "onnx2fw/convert.h"

namespace fw::onnx {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

/// A model under construction: input "x", output "y".
class ModelBuilder {
public:
    explicit ModelBuilder(const Ints& input, int64_t opset = 13) {
        model_.add_opset_import()->set_version(opset);
        declare(graph()->add_input(), "x", input);
    }
    GraphProto* graph() { return model_.mutable_graph(); }
    ModelBuilder& floats(const std::string& name, const Ints& dims, const Floats& values) {
        TensorProto* t = tensor(name, dims, TensorProto::FLOAT);
        t->mutable_float_data()->Add(values.begin(), values.end());
        return *this;
    }
    ModelBuilder& ints(const std::string& name, const Ints& dims, const Ints& values) {
        TensorProto* t = tensor(name, dims, TensorProto::INT64);
        t->mutable_int64_data()->Add(values.begin(), values.end());
        return *this;
    }
    ModelBuilder& bytes(const std::string& name, const Ints& dims, const std::vector<int>& values, int type) {
        TensorProto* t = tensor(name, dims, type);
        t->mutable_int32_data()->Add(values.begin(), values.end());
        return *this;
    }
    NodeProto* node(const std::string& op, const std::vector<std::string>& in, const std::vector<std::string>& out) {
        NodeProto* n = graph()->add_node();
        n->set_op_type(op);
        n->set_name("n" + std::to_string(graph()->node_size()));
        for (const std::string& name : in) {
            n->add_input(name);
        }
        for (const std::string& name : out) {
            n->add_output(name);
        }
        return n;
    }
    ModelBuilder& output(const std::string& name) {
        graph()->add_output()->set_name(name);
        return *this;
    }
    std::string serialized() const { return model_.SerializeAsString(); }
    ModelProto& proto() { return model_; }

private:
    static void declare(ValueInfoProto* info, const std::string& name, const Ints& dims) {
        info->set_name(name);
        auto* type = info->mutable_type()->mutable_tensor_type();
        type->set_elem_type(TensorProto::FLOAT);
        for (const int64_t d : dims) {
            auto* dim = type->mutable_shape()->add_dim();
            d > 0 ? dim->set_dim_value(d) : dim->set_dim_param("n");
        }
    }
    TensorProto* tensor(const std::string& name, const Ints& dims, int type) {
        TensorProto* t = graph()->add_initializer();
        t->set_name(name);
        t->set_data_type(type);
        t->mutable_dims()->Add(dims.begin(), dims.end());
        return t;
    }
    ModelProto model_;
};

inline void set(NodeProto* node, const std::string& name, const Ints& values) {
    AttributeProto* a = node->add_attribute();
    a->set_name(name);
    a->set_type(AttributeProto::INTS);
    a->mutable_ints()->Add(values.begin(), values.end());
}
inline void set(NodeProto* node, const std::string& name, int64_t value) {
    AttributeProto* a = node->add_attribute();
    a->set_name(name);
    a->set_type(AttributeProto::INT);
    a->set_i(value);
}
inline void set(NodeProto* node, const std::string& name, float value) {
    AttributeProto* a = node->add_attribute();
    a->set_name(name);
    a->set_type(AttributeProto::FLOAT);
    a->set_f(value);
}
inline void set(NodeProto* node, const std::string& name, const std::string& value) {
    AttributeProto* a = node->add_attribute();
    a->set_name(name);
    a->set_type(AttributeProto::STRING);
    a->set_s(value);
}

struct Outcome {
    Status status;
    Converted out;
    import::Report report;

    std::string types() const {
        std::string text;
        for (const LayerDef& layer : out.net.layers) {
            text += (text.empty() ? "" : " ") + layer.type;
        }
        return text;
    }
    std::string errors() const {
        std::string text;
        for (const std::string& e : report.errors()) {
            text += e + "\n";
        }
        return text;
    }
};

inline Outcome convert_bytes(const std::string& bytes, const OnnxOptions& options = {}) {
    Outcome o;
    Result<Converted> out =
        convert({{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "net.onnx"}, options, &o.report);
    o.status = out.status();
    if (out.ok()) {
        o.out = std::move(*out);
    }
    return o;
}

/// Converts and runs "x" -> `output`; fails the test on any error. `*shape` gets the output's extents.
inline Floats run(const NetDef& def, const Floats& x, const std::string& output, Ints* shape = nullptr) {
    const Result<std::string> text = param_text(def);
    const Result<std::vector<uint8_t>> bin = bin_bytes(def);
    EXPECT_TRUE(text.ok() && bin.ok()) << text.status().message() << bin.status().message();
    if (!text.ok() || !bin.ok()) {
        return {};
    }
    Net net;
    const Status loaded = net.load_model_memory({text->data(), text->size()}, {bin->data(), bin->size()});
    EXPECT_TRUE(loaded.ok()) << loaded.message() << "\n" << *text;
    if (!loaded.ok()) {
        return {};
    }
    Shape in;
    const LayerDef& input = def.layers.front();
    for (const int id : {2, 11, 1, 0}) {
        if (input.params.get(id, 0) > 0) {
            in[in.rank++] = input.params.get(id, 0);
        }
    }
    Result<Mat> mat = Mat::create(in);
    EXPECT_TRUE(mat.ok());
    EXPECT_EQ(static_cast<size_t>(mat->count()), x.size());
    std::memcpy(mat->data(), x.data(), x.size() * sizeof(float));
    Extractor extractor = net.create_extractor();
    Mat got;
    const Status fed = extractor.input("x", *mat);
    const Status ran = fed.ok() ? extractor.extract(output.c_str(), &got) : fed;
    EXPECT_TRUE(ran.ok()) << ran.message() << "\n" << *text;
    if (!ran.ok()) {
        return {};
    }
    if (shape != nullptr) {
        shape->assign(got.shape().dims, got.shape().dims + got.shape().rank);
    }
    return Floats(got.data(), got.data() + got.count());
}

}  // namespace fw::onnx
