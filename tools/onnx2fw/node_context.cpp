#include "onnx2fw/node_context.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include "tensor/tensor.h"

namespace fw::onnx {

int permutation_number(const std::vector<int>& order) {
    int number = 0;
    const int n = static_cast<int>(order.size());
    for (int i = 0; i < n; ++i) {
        int smaller = 0;
        for (int k = i + 1; k < n; ++k) {
            smaller += order[static_cast<size_t>(k)] < order[static_cast<size_t>(i)] ? 1 : 0;
        }
        number = number * (n - i) + smaller;
    }
    return number;
}

const Value& NodeContext::in(int i) {
    return c_.values[node_.input(i)];
}

ConstantPtr NodeContext::constant(int i) {
    if (!has(i)) {
        return nullptr;
    }
    Value& v = c_.values[node_.input(i)];
    return load(&v) ? v.constant : nullptr;
}

bool NodeContext::ints(int i, const char* what, std::vector<int64_t>* out) {
    const ConstantPtr c = constant(i);
    if (c == nullptr && has(i) && !in(i).known) {
        return false;  // why it cannot be read has been said
    }
    if (c == nullptr || c->real()) {
        error("%s (input %d) is %s, expected whole numbers that are known when the network is converted", what, i,
              c == nullptr ? "computed from the network's input" : "float");
        return false;
    }
    *out = c->i;
    return true;
}

bool NodeContext::floats(int i, const char* what, std::vector<float>* out) {
    const ConstantPtr c = constant(i);
    if (c == nullptr && has(i) && !in(i).known) {
        return false;
    }
    if (c == nullptr) {
        error("%s (input %d) is computed from the network's input, expected an initializer", what, i);
        return false;
    }
    if (!take_budget(static_cast<int64_t>(c->count()))) {
        return false;
    }
    *out = c->floats();
    return true;
}

bool NodeContext::number(int i, const char* what, double fallback, double* out) {
    *out = attr_f(what, fallback);
    if (!has(i)) {
        return true;
    }
    const ConstantPtr c = constant(i);
    if (c == nullptr || c->count() != 1) {
        error("%s (input %d) is not one known number", what, i);
        return false;
    }
    *out = c->at(0);
    return true;
}

const AttributeProto* NodeContext::find(const char* name) const {
    for (const AttributeProto& a : node_.attribute()) {
        if (a.name() == name) {
            return &a;
        }
    }
    return nullptr;
}

int64_t NodeContext::attr(const char* name, int64_t fallback) {
    const AttributeProto* a = find(name);
    return a == nullptr ? fallback : a->i();
}

double NodeContext::attr_f(const char* name, double fallback) {
    const AttributeProto* a = find(name);
    return a == nullptr ? fallback : static_cast<double>(a->f());
}

std::string NodeContext::attr_s(const char* name, const char* fallback) {
    const AttributeProto* a = find(name);
    return a == nullptr ? fallback : a->s();
}

std::vector<int64_t> NodeContext::attr_ints(const char* name) {
    const AttributeProto* a = find(name);
    return a == nullptr ? std::vector<int64_t>() : std::vector<int64_t>(a->ints().begin(), a->ints().end());
}

std::vector<float> NodeContext::attr_floats(const char* name) {
    const AttributeProto* a = find(name);
    return a == nullptr ? std::vector<float>() : std::vector<float>(a->floats().begin(), a->floats().end());
}

int NodeContext::axis(int64_t value, int rank, const char* what) {
    if (value < -rank || value >= rank) {
        error("%s is %lld, expected %d to %d", what, static_cast<long long>(value), -rank, rank - 1);
        return -1;
    }
    return static_cast<int>(value < 0 ? value + rank : value);
}

Dims NodeContext::natural(const Dims& dims, std::vector<int>* axes) {
    const int rank = static_cast<int>(dims.size());
    const bool batch = rank >= 2 && dims[0] == 1;
    const bool drop_all = rank - (batch ? 1 : 0) > Shape::kMaxRank;
    Dims shape;
    axes->assign(dims.size(), kNoAxis);
    for (int k = 0; k < rank; ++k) {
        const int64_t extent = dims[static_cast<size_t>(k)];
        if ((k == 0 && batch) || (drop_all && extent == 1)) {
            continue;
        }
        (*axes)[static_cast<size_t>(k)] = static_cast<int>(shape.size());
        shape.push_back(extent);
    }
    if (shape.size() > Shape::kMaxRank) {
        error("%s has %zu axes that are not 1, expected at most %d", dims_text(dims).c_str(), shape.size(),
              Shape::kMaxRank);
        return {};
    }
    if (shape.empty()) {
        shape.push_back(1);
    }
    return shape;
}

bool NodeContext::lies(const Value& v, const std::vector<int>& order) const {
    if (v.blob == kNoBlob || v.shape.size() != order.size()) {
        return false;
    }
    for (size_t k = 0; k < order.size(); ++k) {
        const int64_t extent = order[k] == kNoAxis ? 1 : v.dims[static_cast<size_t>(order[k])];
        if (extent != v.shape[k]) {
            return false;
        }
        if (extent != 1 && v.axes[static_cast<size_t>(order[k])] != static_cast<int>(k)) {
            return false;
        }
    }
    return true;
}

BlobId NodeContext::constant_blob(const Constant& c, const std::vector<int>& order, const Dims& shape) {
    if (!take_budget(static_cast<int64_t>(c.count()))) {
        return kNoBlob;
    }
    if (c.count() == 0) {
        error("a constant has no elements (%s)", dims_text(c.dims).c_str());
        return kNoBlob;
    }
    std::vector<int> whole;
    for (const int axis : order) {
        if (axis != kNoAxis) {
            whole.push_back(axis);
        }
    }
    for (int axis = 0; axis < static_cast<int>(c.dims.size()); ++axis) {
        if (std::find(whole.begin(), whole.end(), axis) == whole.end()) {
            whole.push_back(axis);  // of extent 1
        }
    }
    LayerBuilder& layer = add_inner("MemoryData", "const" + std::to_string(helpers_++), {});
    import::set_extents(&layer, shape);
    layer.set("load_type", 0).weight(transposed(c, whole).floats());
    return inner(&layer, "const");
}

BlobId NodeContext::arrange(const Value& v, const std::vector<int>& order) {
    Dims shape;
    std::vector<int> wanted;  // blob axes of the extents above 1, in the wanted order
    for (const int axis : order) {
        shape.push_back(axis == kNoAxis ? 1 : v.dims[static_cast<size_t>(axis)]);
    }
    for (size_t k = 0; k < v.dims.size(); ++k) {
        if (v.dims[k] != 1 && std::find(order.begin(), order.end(), static_cast<int>(k)) == order.end()) {
            error("a tensor of shape %s: axis %zu is %lld, expected 1", dims_text(v.dims).c_str(), k,
                  static_cast<long long>(v.dims[k]));
            return kNoBlob;
        }
    }
    if (shape.empty()) {
        shape.push_back(1);
    }
    if (v.blob == kNoBlob) {
        Value copy = v;
        if (!load(&copy) || copy.constant == nullptr) {
            return kNoBlob;
        }
        return constant_blob(*copy.constant, order, shape);
    }
    for (const int axis : order) {
        if (axis != kNoAxis && v.dims[static_cast<size_t>(axis)] != 1) {
            wanted.push_back(v.axes[static_cast<size_t>(axis)]);
        }
    }
    std::vector<int64_t> key(wanted.begin(), wanted.end());
    key.push_back(-1);
    key.insert(key.end(), shape.begin(), shape.end());
    const auto known = c_.arranged.find({v.blob, key});
    if (known != c_.arranged.end()) {
        return known->second;
    }
    BlobId blob = v.blob;
    Dims now = v.shape;
    if (!std::is_sorted(wanted.begin(), wanted.end())) {
        // Axes of 1 go where they make the permuted shape the wanted one, if they can; else to the end.
        std::vector<int> permutation;
        std::vector<int> ones;
        for (int k = 0; k < static_cast<int>(v.shape.size()); ++k) {
            if (v.shape[static_cast<size_t>(k)] == 1) {
                ones.push_back(k);
            }
        }
        size_t next = 0;
        size_t one = 0;
        for (const int64_t extent : shape) {
            if (extent != 1) {
                permutation.push_back(wanted[next++]);
            } else if (one < ones.size()) {
                permutation.push_back(ones[one++]);
            }
        }
        permutation.insert(permutation.end(), ones.begin() + static_cast<std::ptrdiff_t>(one), ones.end());
        now.clear();
        for (const int axis : permutation) {
            now.push_back(v.shape[static_cast<size_t>(axis)]);
        }
        LayerBuilder& layer = add_inner("Permute", "permute" + std::to_string(helpers_++), {blob});
        layer.set("order_type", permutation_number(permutation));
        blob = inner(&layer, "permute");
    }
    if (now != shape) {
        LayerBuilder& layer = add_inner("Reshape", "reshape" + std::to_string(helpers_++), {blob});
        import::set_extents(&layer, shape);
        const BlobId from = blob;
        blob = inner(&layer, "reshape");
        c_.reshaped[blob] = {from, now};
    }
    c_.arranged[{v.blob, key}] = blob;
    return blob;
}

Value NodeContext::arranged(const Value& v) {
    Value out = v;
    out.shape = natural(v.dims, &out.axes);
    std::vector<int> order(out.shape.size(), kNoAxis);
    for (size_t k = 0; k < out.axes.size(); ++k) {
        if (out.axes[k] != kNoAxis) {
            order[static_cast<size_t>(out.axes[k])] = static_cast<int>(k);
        }
    }
    out.blob = out.shape.empty() ? kNoBlob : arrange(v, order);
    out.constant = nullptr;
    return out;
}

BlobId NodeContext::image(const Value& v, std::vector<int>* order) {
    if (v.rank() != 4 && v.rank() != 3) {
        error("input is %s, expected batch, channels, height, width (or channels and length)",
              dims_text(v.dims).c_str());
        return kNoBlob;
    }
    if (v.dims[0] != 1) {
        error("input is %s: a batch of %lld, expected 1 (--input-shape gives the network's input another)",
              dims_text(v.dims).c_str(), static_cast<long long>(v.dims[0]));
        return kNoBlob;
    }
    *order = v.rank() == 4 ? std::vector<int>{1, 2, 3} : std::vector<int>{1, kNoAxis, 2};
    return arrange(v, *order);
}

std::string NodeContext::name() const {
    const auto written = std::find_if(node_.output().begin(), node_.output().end(),
                                      [](const std::string& output) { return !output.empty(); });
    return !node_.name().empty() || written == node_.output().end() ? node_.name() : *written;
}

LayerBuilder& NodeContext::add(const char* type, const std::vector<BlobId>& bottoms) {
    return c_.builder.add(type, name(), bottoms);
}

LayerBuilder& NodeContext::add_inner(const char* type, const std::string& suffix, const std::vector<BlobId>& bottoms) {
    return c_.builder.add(type, name() + "_" + suffix, bottoms);
}

BlobId NodeContext::inner(LayerBuilder* layer, const std::string& suffix) {
    return layer->inner_top(name() + "_" + suffix);
}

void NodeContext::define(int i, Value v) {
    if (i < node_.output_size() && !node_.output(i).empty()) {
        c_.values[node_.output(i)] = std::move(v);
    }
}

void NodeContext::out(int i, LayerBuilder* layer, const Dims& dims, const Dims& shape, const std::vector<int>& axes) {
    Value v;
    v.dims = dims;
    v.shape = shape;
    v.axes = axes;
    if (dims_count(dims) < 1) {
        error("output would be %s: not a size that a blob can have", dims_text(dims).c_str());
        return;
    }
    v.blob = wants(i) ? layer->top(node_.output(i)) : layer->inner_top(name() + "_unused");
    define(i, std::move(v));
}

void NodeContext::out(int i, LayerBuilder* layer, const Dims& dims) {
    std::vector<int> axes;
    const Dims shape = natural(dims, &axes);
    if (!shape.empty()) {
        out(i, layer, dims, shape, axes);
    }
}

void NodeContext::view(int i, const Value& v) {
    define(i, v);
}

void NodeContext::constant_out(int i, Constant c) {
    Value v;
    v.type = c.type;
    v.dims = c.dims;
    v.constant = std::make_shared<const Constant>(std::move(c));
    define(i, std::move(v));
}

bool NodeContext::wants(int i) const {
    return i < node_.output_size() && !node_.output(i).empty();
}

void NodeContext::error(const char* format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c_.report->layer_error(c_.file, name(), op(), "%s", text);
    failed_ = true;
}

void NodeContext::note(const char* format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c_.report->note(c_.file, "node '%s' (%s): %s", name().c_str(), op().c_str(), text);
}

bool NodeContext::in_range(const char* what, int64_t value, int64_t low, int64_t high) {
    if (value >= low && value <= high) {
        return true;
    }
    error("%s is %lld, expected %lld to %lld", what, static_cast<long long>(value), static_cast<long long>(low),
          static_cast<long long>(high));
    return false;
}

bool NodeContext::take_budget(int64_t count) {
    c_.budget -= count;
    if (c_.budget < 0) {
        error("the network's constants grow beyond what a file of this size may ask for");
        return false;
    }
    return true;
}

}  // namespace fw::onnx
