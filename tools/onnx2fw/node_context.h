// NodeContext: what the functions that convert one ONNX node work with.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "onnx2fw/value.h"

namespace fw::onnx {

/// Largest kernel, stride, pad and the like; beyond it a file is damaged.
constexpr int64_t kMaxParam = int64_t{1} << 24;

class NodeContext {
public:
    NodeContext(Conversion* conversion, const NodeProto& node) : c_(*conversion), node_(node) {}

    Conversion& conversion() { return c_; }
    const NodeProto& node() const { return node_; }
    const std::string& op() const { return node_.op_type(); }
    int64_t opset() const { return c_.opset; }

    // --- Inputs ---
    int inputs() const { return node_.input_size(); }
    bool has(int i) const { return i < node_.input_size() && !node_.input(i).empty(); }
    /// Input i; an error has been reported before a handler runs where it does not exist.
    const Value& in(int i);
    /// The values of input i if they are known, else nullptr.
    ConstantPtr constant(int i);
    /// Known values of input i as whole numbers or floats; an error that names `what` where they are not known.
    bool ints(int i, const char* what, std::vector<int64_t>* out);
    bool floats(int i, const char* what, std::vector<float>* out);
    /// A number that is an attribute in older opsets and input i in newer ones.
    bool number(int i, const char* what, double fallback, double* out);

    // --- Attributes ---
    bool has_attr(const char* name) const { return find(name) != nullptr; }
    int64_t attr(const char* name, int64_t fallback);
    double attr_f(const char* name, double fallback);
    std::string attr_s(const char* name, const char* fallback);
    std::vector<int64_t> attr_ints(const char* name);
    std::vector<float> attr_floats(const char* name);
    const AttributeProto* find(const char* name) const;

    // --- Axes ---
    /// Axis counted from 0, from a number that may be negative; -1 after an error.
    int axis(int64_t value, int rank, const char* what = "axis");
    /// Extents of our blob for a tensor of these extents: without a batch axis of 1, and without all axes of 1 where
    /// there are more than four. Fills the axes map. Empty after an error.
    Dims natural(const Dims& dims, std::vector<int>* axes);
    /// The blob of `v` with axis k of the blob = ONNX's axis order[k], kNoAxis = an extent of 1. Emits Permute and
    /// Reshape where the blob lies otherwise, MemoryData for a constant.
    BlobId arrange(const Value& v, const std::vector<int>& order);
    /// arrange() in the natural order; the view that belongs to it.
    Value arranged(const Value& v);
    /// Is the blob already in that order and shape?
    bool lies(const Value& v, const std::vector<int>& order) const;
    /// (1,C,H,W) or (1,C,W) as [C,H,W]; kNoBlob after an error. `order` has the ONNX axes of C, H, W.
    BlobId image(const Value& v, std::vector<int>* order);

    // --- Outputs ---
    LayerBuilder& add(const char* type, const std::vector<BlobId>& bottoms);
    /// A helper layer named NAME_suffix.
    LayerBuilder& add_inner(const char* type, const std::string& suffix, const std::vector<BlobId>& bottoms);
    BlobId inner(LayerBuilder* layer, const std::string& suffix);
    /// Makes the next top of `layer` output i.
    void out(int i, LayerBuilder* layer, const Dims& dims, const Dims& shape, const std::vector<int>& axes);
    /// The same, in natural order.
    void out(int i, LayerBuilder* layer, const Dims& dims);
    /// Output i is a view of a value that exists.
    void view(int i, const Value& v);
    void constant_out(int i, Constant c);
    bool wants(int i) const;
    /// The layer's name: the node's, else that of the first output that has one.
    std::string name() const;

    // --- Problems ---
    void error(const char* format, ...) FW_PRINTF(2, 3);
    void note(const char* format, ...) FW_PRINTF(2, 3);
    bool failed() const { return failed_; }
    bool in_range(const char* what, int64_t value, int64_t low, int64_t high = kMaxParam);
    /// Takes `count` elements from what the files' sizes allow; an error when that is used up.
    bool take_budget(int64_t count);
    /// Values of an initializer, read from its file if they lie in another one.
    bool load(Value* v);

private:
    BlobId constant_blob(const Constant& c, const std::vector<int>& order, const Dims& shape);
    bool external_bytes(const TensorProto& tensor, Span<const uint8_t>* out);
    void define(int i, Value v);

    Conversion& c_;
    const NodeProto& node_;
    bool failed_ = false;
    int helpers_ = 0;
};

/// The number of a permutation among all of its length in lexicographic order: Permute's order_type.
int permutation_number(const std::vector<int>& order);

struct OpHandler {
    const char* op;
    void (*convert)(NodeContext* ctx);
    int min_inputs, max_inputs;  ///< max -1 = any
    const char* becomes;         ///< for docs/onnx2fw.md
};

Span<const OpHandler> op_handlers();
const OpHandler* find_handler(const NodeProto& node);

}  // namespace fw::onnx
