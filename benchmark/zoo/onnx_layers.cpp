#include "zoo/onnx_layers.h"

#include <algorithm>
#include <cmath>

#include "model/schema.h"

namespace fw::zoo {

namespace {

/// What an exporting function sees of a layer.
struct Context {
    const LayerDef& def;
    Params params;
    const std::map<std::string, Shape>& shapes;
    OnnxGraph& graph;

    const std::string& bottom(size_t i = 0) const { return def.bottoms[i]; }
    const std::string& top() const { return def.tops[0]; }
    Shape in(size_t i = 0) const { return shapes.at(def.bottoms[i]); }
    Shape out() const { return shapes.at(def.tops[0]); }
    /// A name for a value inside the layer.
    std::string inner(const char* part) const { return top() + "/" + part; }
    std::vector<float> weight(size_t i) const { return def.weights[i].to_floats(); }
};

using Export = Status (*)(const Context& c);

Status unsupported(const char* what) {
    return Status::error(Code::kUnsupported, "%s: not exported", what);
}

// Where an activation is fused, the layer writes to the name this gives and finish_activation adds the node.
std::string before_activation(const Context& c) {
    return c.params.i(9) == 0 ? c.top() : c.inner("linear");
}

Status finish_activation(const Context& c) {
    switch (c.params.i(9)) {
        case 0: return {};
        case 1: c.graph.node("Relu", {c.inner("linear")}, {c.top()}); return {};
        case 3: {
            const std::vector<float> range = c.params.floats(10);
            c.graph.node("Clip", {c.inner("linear"), c.graph.scalar(range[0]), c.graph.scalar(range[1])}, {c.top()});
            return {};
        }
        default: return unsupported("fused activation");
    }
}

Status convolution(const Context& c) {
    const int64_t kernel_w = c.params.i(1);
    const int64_t kernel_h = c.params.i(11);
    const int64_t group = c.def.type == "Convolution" ? 1 : c.params.i(7);
    Ints pads = {c.params.i(14), c.params.i(4), c.params.i(16), c.params.i(15)};
    if (pads[1] == -233) {
        const auto total = [](int64_t in, int64_t out, int64_t kernel, int64_t stride) {
            return std::max<int64_t>(0, (out - 1) * stride + kernel - in);
        };
        const int64_t rows = total(c.in().h(), c.out().h(), (kernel_h - 1) * c.params.i(12) + 1, c.params.i(13));
        const int64_t columns = total(c.in().w(), c.out().w(), (kernel_w - 1) * c.params.i(2) + 1, c.params.i(3));
        pads = {rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
    }
    const Ints dims = {c.out().c(), c.in().c() / group, kernel_h, kernel_w};
    const std::string weight = c.graph.floats(c.def.name, dims, c.weight(0));
    const std::string bias = c.graph.floats(c.def.name, {c.out().c()}, c.weight(1));
    c.graph.node("Conv", {c.bottom(), weight, bias}, {before_activation(c)})
        .set("kernel_shape", Ints{kernel_h, kernel_w})
        .set("strides", Ints{c.params.i(13), c.params.i(3)})
        .set("dilations", Ints{c.params.i(12), c.params.i(2)})
        .set("pads", pads)
        .set("group", group);
    return finish_activation(c);
}

Status relu(const Context& c) {
    const float slope = c.params.f(0);
    if (slope == 0.0F) {
        c.graph.node("Relu", {c.bottom()}, {c.top()});
    } else {
        c.graph.node("LeakyRelu", {c.bottom()}, {c.top()}).set("alpha", slope);
    }
    return {};
}

Status prelu(const Context& c) {
    const Shape shape = c.in();
    c.graph.node("PRelu", {c.bottom(), c.graph.floats(c.def.name, {shape.c(), 1, 1}, c.weight(0))}, {c.top()});
    return {};
}

Status sigmoid(const Context& c) {
    c.graph.node("Sigmoid", {c.bottom()}, {c.top()});
    return {};
}

Status hard_sigmoid(const Context& c) {
    c.graph.node("HardSigmoid", {c.bottom()}, {c.top()}).set("alpha", c.params.f(0)).set("beta", c.params.f(1));
    return {};
}

Status hard_swish(const Context& c) {
    c.graph.node("HardSigmoid", {c.bottom()}, {c.inner("gate")}).set("alpha", c.params.f(0)).set("beta", c.params.f(1));
    c.graph.node("Mul", {c.bottom(), c.inner("gate")}, {c.top()});
    return {};
}

Status swish(const Context& c) {
    c.graph.node("Sigmoid", {c.bottom()}, {c.inner("gate")});
    c.graph.node("Mul", {c.bottom(), c.inner("gate")}, {c.top()});
    return {};
}

Status eltwise(const Context& c) {
    if (c.params.i(0) != 1 || !c.params.floats(1).empty()) {
        return unsupported("operation other than a plain sum");
    }
    c.graph.node("Sum", c.def.bottoms, {c.top()});
    return {};
}

// A factor a channel becomes [1 x c x 1 x 1].
Status binary_op(const Context& c) {
    const int type = c.params.i(0);
    if ((type != 0 && type != 2) || c.def.bottoms.size() != 2) {
        return unsupported("operation");
    }
    std::string second = c.bottom(1);
    if (c.in(1).rank == 1 && c.in(0).rank == 3) {
        second = c.inner("factors");
        c.graph.node("Reshape", {c.bottom(1), c.graph.ints(c.def.name, {1, c.in(1).w(), 1, 1})}, {second});
    } else if (c.in(1).rank != c.in(0).rank) {
        return unsupported("ranks");
    }
    c.graph.node(type == 0 ? "Add" : "Mul", {c.bottom(0), second}, {c.top()});
    return {};
}

Status concat(const Context& c) {
    c.graph.node("Concat", c.def.bottoms, {c.top()}).set("axis", int64_t{c.params.i(0)} + 1);
    return {};
}

Status softmax(const Context& c) {
    c.graph.node("Softmax", {c.bottom()}, {c.top()}).set("axis", int64_t{c.params.i(0)} + 1);
    return {};
}

Status pooling(const Context& c) {
    if (c.params.i(4) != 0) {
        if (c.params.i(0) != 1) {
            return unsupported("global maximum");
        }
        c.graph.node("GlobalAveragePool", {c.bottom()}, {c.inner("pooled")});
        c.graph.node("Flatten", {c.inner("pooled")}, {c.top()}).set("axis", int64_t{1});
        return {};
    }
    if (c.params.i(0) != 0 || c.params.i(5) > 1 || c.params.i(7) != 0) {
        return unsupported("kind of pooling");
    }
    c.graph.node("MaxPool", {c.bottom()}, {c.top()})
        .set("kernel_shape", Ints{c.params.i(11), c.params.i(1)})
        .set("strides", Ints{c.params.i(12), c.params.i(2)})
        .set("pads", Ints{c.params.i(13), c.params.i(3), c.params.i(15), c.params.i(14)})
        .set("ceil_mode", int64_t{c.params.i(5) == 0 ? 1 : 0});
    return {};
}

Status padding(const Context& c) {
    if (c.in().rank != 3 || c.params.i(4) != 0 || c.params.i(6) != 0) {
        return unsupported("kind of padding");
    }
    const Ints pads = {0, c.params.i(7), c.params.i(0), c.params.i(2), 0, c.params.i(8), c.params.i(1), c.params.i(3)};
    c.graph.node("Pad", {c.bottom(), c.graph.ints(c.def.name, pads), c.graph.scalar(c.params.f(5))}, {c.top()});
    return {};
}

Status crop(const Context& c) {
    const Shape out = c.out();
    if (c.def.bottoms.size() != 1 || !c.params.ints(9).empty()) {
        return unsupported("kind of crop");
    }
    Ints starts;
    Ints ends;
    Ints axes;
    static constexpr int kOffsets[] = {0, 1, 2};  // w, h, c
    for (int axis = 0; axis < out.rank; ++axis) {
        starts.push_back(c.params.i(kOffsets[out.rank - 1 - axis]));
        ends.push_back(starts.back() + out[axis]);
        axes.push_back(axis + 1);
    }
    OnnxGraph& graph = c.graph;
    const std::string& name = c.def.name;
    graph.node("Slice", {c.bottom(), graph.ints(name, starts), graph.ints(name, ends), graph.ints(name, axes)},
               {c.top()});
    return {};
}

Status slice(const Context& c) {
    Ints sizes;
    const int axis = c.params.i(1);
    for (const std::string& top : c.def.tops) {
        sizes.push_back(c.shapes.at(top)[axis]);
    }
    c.graph.node("Split", {c.bottom(), c.graph.ints(c.def.name, sizes)}, c.def.tops).set("axis", int64_t{axis} + 1);
    return {};
}

Status interp(const Context& c) {
    const int type = c.params.i(0);
    if ((type != 1 && type != 2) || c.def.bottoms.size() != 1) {
        return unsupported("kind of resizing");
    }
    auto node = c.graph.node("Resize", {c.bottom(), "", "", c.graph.ints(c.def.name, batched(c.out()))}, {c.top()});
    if (type == 1) {
        node.set("mode", "nearest").set("coordinate_transformation_mode", "asymmetric").set("nearest_mode", "floor");
    } else {
        node.set("mode", "linear");
        node.set("coordinate_transformation_mode", c.params.i(6) != 0 ? "align_corners" : "half_pixel");
    }
    return {};
}

Status reshape(const Context& c) {
    c.graph.node("Reshape", {c.bottom(), c.graph.ints(c.def.name, batched(c.out()))}, {c.top()});
    return {};
}

Status permute(const Context& c) {
    const int order = c.params.i(0);
    auto node = c.graph.node("Transpose", {c.bottom()}, {c.top()});
    if (c.in().rank == 3 && order == 3) {
        node.set("perm", Ints{0, 2, 3, 1});
    } else if (c.in().rank == 2 && order == 1) {
        node.set("perm", Ints{0, 2, 1});
    } else {
        return unsupported("order");
    }
    return {};
}

Status shuffle_channel(const Context& c) {
    const Shape shape = c.in();
    const int64_t group = c.params.i(0);
    const Ints split = {1, group, shape.c() / group, shape.h(), shape.w()};
    c.graph.node("Reshape", {c.bottom(), c.graph.ints(c.def.name, split)}, {c.inner("split")});
    c.graph.node("Transpose", {c.inner("split")}, {c.inner("turned")}).set("perm", Ints{0, 2, 1, 3, 4});
    c.graph.node("Reshape", {c.inner("turned"), c.graph.ints(c.def.name, batched(shape))}, {c.top()});
    return {};
}

Status lrn(const Context& c) {
    if (c.params.i(0) != 0) {
        return unsupported("region");
    }
    c.graph.node("LRN", {c.bottom()}, {c.top()})
        .set("size", int64_t{c.params.i(1)})
        .set("alpha", c.params.f(2))
        .set("beta", c.params.f(3))
        .set("bias", c.params.f(4));
    return {};
}

Status memory_data(const Context& c) {
    c.graph.named_floats(c.top(), batched(c.out()), c.weight(0));
    return {};
}

// x * (1 + erf(x / sqrt 2)) / 2
Status gelu(const Context& c) {
    if (c.params.i(0) != 0) {
        return unsupported("approximation");
    }
    OnnxGraph& graph = c.graph;
    graph.node("Mul", {c.bottom(), graph.scalar(0.70710678118654752F)}, {c.inner("scaled")});
    graph.node("Erf", {c.inner("scaled")}, {c.inner("erf")});
    graph.node("Add", {c.inner("erf"), graph.scalar(1.0F)}, {c.inner("plus1")});
    graph.node("Mul", {c.bottom(), c.inner("plus1")}, {c.inner("product")});
    graph.node("Mul", {c.inner("product"), graph.scalar(0.5F)}, {c.top()});
    return {};
}

// Opset 13 has no such operator: centred rows over their deviation.
Status layer_norm(const Context& c) {
    if (c.params.i(0) != c.in().w() || c.params.i(2) == 0) {
        return unsupported("normalisation over other than rows");
    }
    OnnxGraph& graph = c.graph;
    graph.node("ReduceMean", {c.bottom()}, {c.inner("mean")}).set("axes", Ints{-1});
    graph.node("Sub", {c.bottom(), c.inner("mean")}, {c.inner("centred")});
    graph.node("Mul", {c.inner("centred"), c.inner("centred")}, {c.inner("squares")});
    graph.node("ReduceMean", {c.inner("squares")}, {c.inner("variance")}).set("axes", Ints{-1});
    graph.node("Add", {c.inner("variance"), graph.scalar(c.params.f(1))}, {c.inner("plus_eps")});
    graph.node("Sqrt", {c.inner("plus_eps")}, {c.inner("deviation")});
    graph.node("Div", {c.inner("centred"), c.inner("deviation")}, {c.inner("normal")});
    graph.node("Mul", {c.inner("normal"), graph.floats(c.def.name, {c.in().w()}, c.weight(0))}, {c.inner("factor")});
    graph.node("Add", {c.inner("factor"), graph.floats(c.def.name, {c.in().w()}, c.weight(1))}, {c.top()});
    return {};
}

/// rows W^T + b for weights [out][in].
struct Linear {
    int out, in;
    size_t weight;  ///< blob; the bias is the next one
};

void linear(const Context& c, const std::string& x, const Linear& linear, const std::string& to) {
    const std::vector<float> weight = c.weight(linear.weight);
    std::vector<float> turned(weight.size());
    for (int o = 0; o < linear.out; ++o) {
        for (int i = 0; i < linear.in; ++i) {
            turned[static_cast<size_t>(i * linear.out + o)] = weight[static_cast<size_t>(o * linear.in + i)];
        }
    }
    OnnxGraph& graph = c.graph;
    graph.node("MatMul", {x, graph.floats(c.def.name, {linear.in, linear.out}, turned)}, {to + "/product"});
    graph.node("Add", {to + "/product", graph.floats(c.def.name, {linear.out}, c.weight(linear.weight + 1))}, {to});
}

Status inner_product(const Context& c) {
    std::string x = c.bottom();
    if (c.out().rank == 2) {
        linear(c, x, {c.out().w(), c.in().w(), 0}, before_activation(c));
        return finish_activation(c);
    }
    if (c.in().rank != 1) {
        x = c.inner("flat");
        c.graph.node("Flatten", {c.bottom()}, {x}).set("axis", int64_t{1});
    }
    const std::string weight = c.graph.floats(c.def.name, {c.out().w(), c.in().count()}, c.weight(0));
    const std::string bias = c.graph.floats(c.def.name, {c.out().w()}, c.weight(1));
    c.graph.node("Gemm", {x, weight, bias}, {before_activation(c)}).set("transB", int64_t{1});
    return finish_activation(c);
}

// Of one input with itself.
Status multi_head_attention(const Context& c) {
    const int embed = c.params.i(0);
    const int heads = c.params.i(1);
    if (c.def.bottoms.size() != 1 || c.params.has(6)) {
        return unsupported("attention other than of one input");
    }
    OnnxGraph& graph = c.graph;
    const Ints split = {1, c.in().h(), heads, embed / heads};
    size_t weight = 0;
    for (const char* part : {"q", "k", "v"}) {
        const std::string name = c.inner(part);
        linear(c, c.bottom(), {embed, c.in().w(), weight}, name);
        graph.node("Reshape", {name, graph.ints(c.def.name, split)}, {name + "/split"});
        // Keys lie [head x channel x token] for the product.
        const Ints perm = weight == 2 ? Ints{0, 2, 3, 1} : Ints{0, 2, 1, 3};
        graph.node("Transpose", {name + "/split"}, {name + "/heads"}).set("perm", perm);
        weight += 2;
    }
    graph.node("MatMul", {c.inner("q/heads"), c.inner("k/heads")}, {c.inner("scores")});
    const float scale = 1.0F / std::sqrt(static_cast<float>(embed / heads));
    graph.node("Mul", {c.inner("scores"), graph.scalar(scale)}, {c.inner("scaled")});
    graph.node("Softmax", {c.inner("scaled")}, {c.inner("weights")}).set("axis", int64_t{-1});
    graph.node("MatMul", {c.inner("weights"), c.inner("v/heads")}, {c.inner("values")});
    graph.node("Transpose", {c.inner("values")}, {c.inner("turned")}).set("perm", Ints{0, 2, 1, 3});
    graph.node("Reshape", {c.inner("turned"), graph.ints(c.def.name, {1, c.in().h(), embed})}, {c.inner("joined")});
    linear(c, c.inner("joined"), {c.out().w(), embed, weight}, c.top());
    return {};
}

Status input(const Context& c) {
    c.graph.input(c.top(), c.out());
    return {};
}

constexpr struct {
    const char* type;
    Export function;
} kExports[] = {{"BinaryOp", binary_op},
                {"Concat", concat},
                {"Convolution", convolution},
                {"ConvolutionDepthWise", convolution},
                {"Crop", crop},
                {"Eltwise", eltwise},
                {"Flatten", reshape},
                {"GELU", gelu},
                {"HardSigmoid", hard_sigmoid},
                {"HardSwish", hard_swish},
                {"InnerProduct", inner_product},
                {"Input", input},
                {"Interp", interp},
                {"LRN", lrn},
                {"LayerNorm", layer_norm},
                {"MemoryData", memory_data},
                {"MultiHeadAttention", multi_head_attention},
                {"PReLU", prelu},
                {"Padding", padding},
                {"Permute", permute},
                {"Pooling", pooling},
                {"ReLU", relu},
                {"Reshape", reshape},
                {"ShuffleChannel", shuffle_channel},
                {"Sigmoid", sigmoid},
                {"Slice", slice},
                {"Softmax", softmax},
                {"Swish", swish}};

}  // namespace

Status export_layer(const LayerDef& layer, const std::map<std::string, Shape>& shapes, OnnxGraph* graph) {
    for (const auto& entry : kExports) {
        if (layer.type == entry.type) {
            return entry.function({layer, Params(*find_schema(layer.type), layer.params), shapes, *graph});
        }
    }
    return unsupported("type");
}

}  // namespace fw::zoo
