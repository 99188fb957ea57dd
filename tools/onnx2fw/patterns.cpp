#include "onnx2fw/patterns.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "onnx2fw/constant.h"

namespace fw::onnx {

namespace {

/// The nodes with who writes and who reads each name. Matching a pattern never changes what other nodes see: a node is
/// dropped only if nothing but the pattern reads it.
class Matcher {
public:
    explicit Matcher(const GraphProto& graph) : graph_(graph), dropped_(static_cast<size_t>(graph.node_size()), false) {
        for (int k = 0; k < graph.node_size(); ++k) {
            for (const std::string& output : graph.node(k).output()) {
                writer_.emplace(output, k);
            }
            for (const std::string& input : graph.node(k).input()) {
                ++readers_[input];
            }
        }
        for (const ValueInfoProto& output : graph.output()) {
            ++readers_[output.name()];
        }
        for (const TensorProto& tensor : graph.initializer()) {
            initializers_.emplace(tensor.name(), &tensor);
        }
    }

    std::vector<NodeProto> run() {
        std::map<int, NodeProto> made;
        for (int k = 0; k < graph_.node_size(); ++k) {
            NodeProto node;
            std::vector<int> parts;
            if (match(k, &node, &parts) && only_read_within(k, parts)) {
                for (const int part : parts) {
                    dropped_[static_cast<size_t>(part)] = true;
                }
                made[k] = std::move(node);
            }
        }
        std::vector<NodeProto> out;
        for (int k = 0; k < graph_.node_size(); ++k) {
            const auto it = made.find(k);
            if (it != made.end() && !dropped_[static_cast<size_t>(k)]) {
                out.push_back(it->second);
            } else if (!dropped_[static_cast<size_t>(k)]) {
                out.push_back(graph_.node(k));
            }
        }
        return out;
    }

private:
    const NodeProto& node(int k) const { return graph_.node(k); }

    // The node that writes `name`, if it is an `op` that no pattern has taken; -1 else. Only nodes before `before`, so
    // that a graph with a cycle cannot lead in circles.
    int writer(const std::string& name, const char* op, int before) const {
        const auto it = writer_.find(name);
        const bool good = it != writer_.end() && it->second < before && node(it->second).op_type() == op &&
                          !dropped_[static_cast<size_t>(it->second)];
        return good ? it->second : -1;
    }

    // One known number.
    bool scalar(const std::string& name, double* out) const {
        const TensorProto* tensor = nullptr;
        const auto it = initializers_.find(name);
        const auto w = writer_.find(name);
        if (it != initializers_.end()) {
            tensor = it->second;
        } else if (w != writer_.end() && node(w->second).op_type() == "Constant") {
            for (const AttributeProto& a : node(w->second).attribute()) {
                tensor = a.name() == "value" ? &a.t() : tensor;
                if (a.name() == "value_float") {
                    *out = static_cast<double>(a.f());
                    return true;
                }
            }
        }
        if (tensor == nullptr || tensor->data_location() == TensorProto::EXTERNAL || tensor->dims_size() > 4 ||
            dims_count({tensor->dims().begin(), tensor->dims().end()}) != 1) {
            return false;
        }
        const Result<Constant> c = decode(*tensor, {});
        if (!c.ok()) {
            return false;
        }
        *out = c->at(0);
        return true;
    }
    bool is(const std::string& name, double value) const {
        double known = 0;
        return scalar(name, &known) && std::fabs(known - value) <= 1e-4 * std::max(1.0, std::fabs(value));
    }

    // A node of two inputs, one of which is the number `value`: the other input.
    bool with_number(int k, double value, std::string* other) const {
        if (k < 0 || node(k).input_size() != 2) {
            return false;
        }
        for (int i = 0; i < 2; ++i) {
            if (is(node(k).input(1 - i), value)) {
                *other = node(k).input(i);
                return true;
            }
        }
        return false;
    }

    bool only_read_within(int last, const std::vector<int>& parts) const {
        std::map<std::string, int> inside;
        for (const int part : parts) {
            for (const std::string& input : node(part).input()) {
                ++inside[input];
            }
        }
        for (const std::string& input : node(last).input()) {
            ++inside[input];
        }
        for (const int part : parts) {
            for (const std::string& output : node(part).output()) {
                const auto read = readers_.find(output);
                if (read != readers_.end() && read->second != inside[output]) {
                    return false;
                }
            }
        }
        return true;
    }

    void make(int k, const char* op, const std::string& input, NodeProto* out) const {
        out->set_name(node(k).name());
        out->set_op_type(op);
        out->add_input(input);
        *out->mutable_output() = node(k).output();
    }

    bool match(int k, NodeProto* out, std::vector<int>* parts) const {
        const std::string& op = node(k).op_type();
        if (node(k).output_size() != 1 || !node(k).domain().empty()) {
            return false;
        }
        if (op == "Mul") {
            return swish(k, out, parts) || mish(k, out, parts) || gelu(k, out, parts) || hard_swish(k, out, parts);
        }
        if (op == "Div") {
            return hard_swish(k, out, parts);
        }
        return op == "Add" && layer_norm(k, out, parts);
    }

    // x * Sigmoid(x); x * HardSigmoid(x) with HardSwish's slope.
    bool swish(int k, NodeProto* out, std::vector<int>* parts) const {
        for (int i = 0; i < 2 && node(k).input_size() == 2; ++i) {
            const std::string& x = node(k).input(i);
            const int gate = writer(node(k).input(1 - i), "Sigmoid", k);
            if (gate >= 0 && node(gate).input_size() == 1 && node(gate).input(0) == x) {
                make(k, "Swish", x, out);
                *parts = {gate};
                return true;
            }
            const int hard = writer(node(k).input(1 - i), "HardSigmoid", k);
            if (hard >= 0 && node(hard).input_size() == 1 && node(hard).input(0) == x) {
                double alpha = 0.2;
                double beta = 0.5;
                for (const AttributeProto& a : node(hard).attribute()) {
                    alpha = a.name() == "alpha" ? static_cast<double>(a.f()) : alpha;
                    beta = a.name() == "beta" ? static_cast<double>(a.f()) : beta;
                }
                if (std::fabs(alpha - 1.0 / 6.0) < 1e-6 && beta == 0.5) {
                    make(k, "HardSwish", x, out);
                    *parts = {hard};
                    return true;
                }
            }
        }
        return false;
    }

    // x * Tanh(Softplus(x)).
    bool mish(int k, NodeProto* out, std::vector<int>* parts) const {
        for (int i = 0; i < 2 && node(k).input_size() == 2; ++i) {
            const std::string& x = node(k).input(i);
            const int tanh = writer(node(k).input(1 - i), "Tanh", k);
            const int soft =
                tanh < 0 || node(tanh).input_size() != 1 ? -1 : writer(node(tanh).input(0), "Softplus", tanh);
            if (soft >= 0 && node(soft).input_size() == 1 && node(soft).input(0) == x) {
                make(k, "Mish", x, out);
                *parts = {tanh, soft};
                return true;
            }
        }
        return false;
    }

    // Div(x, sqrt 2) -> Erf -> Add 1 -> times x and 0.5, in either order of the last two.
    bool gelu(int k, NodeProto* out, std::vector<int>* parts) const {
        if (node(k).input_size() != 2) {
            return false;
        }
        for (int i = 0; i < 2; ++i) {
            // (x * (erf + 1)) * 0.5
            std::string product;
            if (with_number(k, 0.5, &product)) {
                const int mul = writer(product, "Mul", k);
                if (mul >= 0 && node(mul).input_size() == 2 &&
                    gelu_gate(node(mul).input(1 - i), node(mul).input(i), mul, parts)) {
                    parts->push_back(mul);
                    make(k, "Gelu", node(mul).input(i), out);
                    return true;
                }
            }
            // (x * 0.5) * (erf + 1), or x * ((erf + 1) * 0.5)
            std::string x;
            const int half = writer(node(k).input(i), "Mul", k);
            if (half >= 0 && with_number(half, 0.5, &x) && gelu_gate(node(k).input(1 - i), x, k, parts)) {
                parts->push_back(half);
                make(k, "Gelu", x, out);
                return true;
            }
            if (half >= 0 && with_number(half, 0.5, &x) && gelu_gate(x, node(k).input(1 - i), half, parts)) {
                parts->push_back(half);
                make(k, "Gelu", node(k).input(1 - i), out);
                return true;
            }
        }
        return false;
    }

    // Is `name` 1 + Erf(x / sqrt 2)?
    bool gelu_gate(const std::string& name, const std::string& x, int before, std::vector<int>* parts) const {
        parts->clear();
        const int add = writer(name, "Add", before);
        std::string inner;
        if (!with_number(add, 1.0, &inner)) {
            return false;
        }
        const int erf = writer(inner, "Erf", add);
        if (erf < 0 || node(erf).input_size() != 1) {
            return false;
        }
        const int div = writer(node(erf).input(0), "Div", erf);
        const int mul = writer(node(erf).input(0), "Mul", erf);
        std::string scaled;
        const bool divided = div >= 0 && node(div).input_size() == 2 && node(div).input(0) == x &&
                             is(node(div).input(1), std::sqrt(2.0));
        const bool multiplied = with_number(mul, std::sqrt(0.5), &scaled) && scaled == x;
        if (!divided && !multiplied) {
            return false;
        }
        *parts = {add, erf, divided ? div : mul};
        return true;
    }

    // Is node k its input / 6?
    bool sixth(int k, std::string* input) const {
        if (k < 0 || node(k).input_size() != 2) {
            return false;
        }
        if (node(k).op_type() == "Mul") {
            return with_number(k, 1.0 / 6.0, input);
        }
        *input = node(k).input(0);
        return node(k).op_type() == "Div" && is(node(k).input(1), 6.0);
    }

    // Is `name` Clip(x + 3, 0, 6)?
    bool hard_gate(const std::string& name, const std::string& x, int before, std::vector<int>* parts) const {
        const int clip = writer(name, "Clip", before);
        std::string shifted;
        const int add = clip < 0 || !clips(clip, 0.0, 6.0) ? -1 : writer(node(clip).input(0), "Add", clip);
        if (!with_number(add, 3.0, &shifted) || shifted != x) {
            return false;
        }
        *parts = {clip, add};
        return true;
    }

    // x * Clip(x + 3, 0, 6) / 6, in either order.
    bool hard_swish(int k, NodeProto* out, std::vector<int>* parts) const {
        std::string product;
        const int mul = sixth(k, &product) ? writer(product, "Mul", k) : -1;
        for (int i = 0; i < 2 && node(k).input_size() == 2; ++i) {
            if (mul >= 0 && node(mul).input_size() == 2 &&
                hard_gate(node(mul).input(1 - i), node(mul).input(i), mul, parts)) {
                parts->push_back(mul);
                make(k, "HardSwish", node(mul).input(i), out);
                return true;
            }
            std::string gate;
            for (const char* op : {"Div", "Mul"}) {
                const int part = node(k).op_type() == "Mul" ? writer(node(k).input(1 - i), op, k) : -1;
                if (sixth(part, &gate) && hard_gate(gate, node(k).input(i), part, parts)) {
                    parts->push_back(part);
                    make(k, "HardSwish", node(k).input(i), out);
                    return true;
                }
            }
        }
        return false;
    }

    bool clips(int k, double low, double high) const {
        const NodeProto& clip = node(k);
        if (clip.input_size() == 3) {
            return is(clip.input(1), low) && is(clip.input(2), high);
        }
        bool good = clip.input_size() == 1;
        int found = 0;
        for (const AttributeProto& a : clip.attribute()) {
            good = good && static_cast<double>(a.f()) == (a.name() == "min" ? low : high);
            ++found;
        }
        return good && found == 2;
    }

    // mean = ReduceMean(x); d = x - mean; d / Sqrt(ReduceMean(d^2) + eps) * scale + bias, over the last axis.
    bool layer_norm(int k, NodeProto* out, std::vector<int>* parts) const {
        for (int i = 0; i < 2 && node(k).input_size() == 2; ++i) {
            const int mul = writer(node(k).input(i), "Mul", k);
            for (int j = 0; j < 2 && mul >= 0 && node(mul).input_size() == 2; ++j) {
                const int div = writer(node(mul).input(j), "Div", mul);
                if (div >= 0 && normalised(div, out, parts)) {
                    const std::string& scale = node(mul).input(1 - j);
                    const std::string& bias = node(k).input(1 - i);
                    if (!is_vector(scale) || !is_vector(bias)) {
                        return false;
                    }
                    parts->push_back(div);
                    parts->push_back(mul);
                    out->set_name(node(k).name());
                    out->set_op_type("LayerNormalization");
                    out->add_input(scale);
                    out->add_input(bias);
                    *out->mutable_output() = node(k).output();
                    return true;
                }
            }
        }
        return false;
    }

    bool is_vector(const std::string& name) const {
        const auto it = initializers_.find(name);
        return it != initializers_.end() && it->second->dims_size() == 1;
    }

    // A ReduceMean over the last axis that keeps it: its input.
    bool last_mean(int k, std::string* input) const {
        if (k < 0 || node(k).input_size() < 1) {
            return false;
        }
        bool last = node(k).input_size() == 2 && is(node(k).input(1), -1.0);
        for (const AttributeProto& a : node(k).attribute()) {
            if (a.name() == "axes") {
                last = a.ints_size() == 1 && a.ints(0) == -1;
            }
            if (a.name() == "keepdims" && a.i() == 0) {
                return false;
            }
        }
        *input = node(k).input(0);
        return last;
    }

    bool normalised(int div, NodeProto* out, std::vector<int>* parts) const {
        if (node(div).input_size() != 2) {
            return false;
        }
        const int sub = writer(node(div).input(0), "Sub", div);
        const int root = writer(node(div).input(1), "Sqrt", div);
        const int add = root < 0 || node(root).input_size() != 1 ? -1 : writer(node(root).input(0), "Add", root);
        if (sub < 0 || add < 0 || node(sub).input_size() != 2 || node(add).input_size() != 2) {
            return false;
        }
        double eps = 0;
        const int variance = writer(node(add).input(0), "ReduceMean", add);
        const int mean = writer(node(sub).input(1), "ReduceMean", sub);
        std::string squares;
        std::string x;
        if (!scalar(node(add).input(1), &eps) || !last_mean(variance, &squares) || !last_mean(mean, &x) ||
            node(sub).input(0) != x) {
            return false;
        }
        const int pow = writer(squares, "Pow", variance);
        if (pow < 0 || node(pow).input_size() != 2 || node(pow).input(0) != node(div).input(0) ||
            !is(node(pow).input(1), 2.0)) {
            return false;
        }
        *parts = {sub, root, add, variance, mean, pow};
        out->add_input(x);
        AttributeProto* epsilon = out->add_attribute();
        epsilon->set_name("epsilon");
        epsilon->set_f(static_cast<float>(eps));
        return true;
    }

    const GraphProto& graph_;
    std::vector<bool> dropped_;
    std::map<std::string, int> writer_;
    std::map<std::string, int> readers_;
    std::map<std::string, const TensorProto*> initializers_;
};

}  // namespace

std::vector<NodeProto> simplified(const GraphProto& graph) {
    return Matcher(graph).run();
}

}  // namespace fw::onnx
