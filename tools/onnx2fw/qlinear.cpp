#include "onnx2fw/qlinear.h"

#include <string>

namespace fw::onnx {

namespace {

class Expansion {
public:
    explicit Expansion(const NodeProto& node) : node_(node) {}

    // The name of input `i` in floats; its scale and zero point are the inputs after it, or `scale` and none.
    std::string floats(int i, int axis, const std::string& scale = "") {
        NodeProto* dq = add("DequantizeLinear", "_float" + std::to_string(i));
        dq->add_input(node_.input(i));
        dq->add_input(scale.empty() ? node_.input(i + 1) : scale);
        if (scale.empty()) {
            dq->add_input(node_.input(i + 2));
        }
        AttributeProto* a = dq->add_attribute();
        a->set_name("axis");
        a->set_i(axis);
        return dq->output(0);
    }
    // The scale of a bias: those of input and weights multiplied.
    std::string product(int i, int k) {
        NodeProto* mul = add("Mul", "_bias_scale");
        mul->add_input(node_.input(i));
        mul->add_input(node_.input(k));
        return mul->output(0);
    }
    // The operator itself, then the result quantized by inputs `scale` and the one after it.
    std::vector<NodeProto> finish(const char* op, const std::vector<std::string>& inputs, int scale) {
        NodeProto* main = add(op, "_real");
        main->set_name(node_.name());
        for (const std::string& input : inputs) {
            main->add_input(input);
        }
        *main->mutable_attribute() = node_.attribute();
        const std::string real = main->output(0);
        NodeProto* q = add("QuantizeLinear", "");
        q->add_input(real);
        q->add_input(node_.input(scale));
        if (scale + 1 < node_.input_size()) {
            q->add_input(node_.input(scale + 1));
        }
        return nodes_;
    }

private:
    NodeProto* add(const char* op, const std::string& suffix) {
        nodes_.emplace_back();
        nodes_.back().set_op_type(op);
        nodes_.back().add_output(node_.output(0) + suffix);
        return &nodes_.back();
    }

    const NodeProto& node_;
    std::vector<NodeProto> nodes_;
};

}  // namespace

std::vector<NodeProto> without_qlinear(const NodeProto& node) {
    const std::string& op = node.op_type();
    Expansion e(node);
    if (node.output_size() != 1) {
        return {node};
    }
    if (op == "QLinearConv" && node.input_size() >= 8 && node.domain().empty()) {
        std::vector<std::string> inputs = {e.floats(0, 0), e.floats(3, 0)};
        if (node.input_size() > 8 && !node.input(8).empty()) {
            inputs.push_back(e.floats(8, 0, e.product(1, 4)));
        }
        return e.finish("Conv", inputs, 6);
    }
    if (op == "QLinearMatMul" && node.input_size() == 8 && node.domain().empty()) {
        return e.finish("MatMul", {e.floats(0, 0), e.floats(3, 1)}, 6);
    }
    if (op == "QLinearAdd" && node.input_size() >= 7 && node.domain() == "com.microsoft") {
        return e.finish("Add", {e.floats(0, 0), e.floats(3, 0)}, 6);
    }
    return {node};
}

}  // namespace fw::onnx
