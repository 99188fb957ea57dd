// Vision transformer: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.1, in the tiny size of
// Touvron et al., "Training data-efficient image transformers" (2020), table 1.
#include "zoo/networks.h"
#include "zoo/weights.h"

namespace fw::zoo {

namespace {

constexpr int kWidth = 192;
constexpr int kHeads = 3;
constexpr int kBlocks = 12;

Draws draws(Blocks* net, const std::string& name) {
    return {net->seed(), name};
}

// Rows of numbers that training found: the class token, the positions.
Value learned(Blocks* net, const std::string& name, int rows) {
    import::LayerBuilder& to = net->layer("MemoryData", name, {});
    to.set("w", kWidth).set("h", rows);
    to.weight(draws(net, name).normal(static_cast<size_t>(rows) * kWidth, 0.5));
    return {to.top(name), 1, rows, kWidth, 0, 0.25};
}

Value layer_norm(Blocks* net, const std::string& name, const Value& x) {
    import::LayerBuilder& to = net->layer("LayerNorm", name, {x});
    to.set("affine_size", kWidth).set("eps", 1e-6);
    std::vector<float> gamma = draws(net, name).normal(kWidth, 0.1);
    for (float& factor : gamma) {
        factor += 1.0F;
    }
    to.weight(std::move(gamma)).weight(draws(net, name + "/beta").normal(kWidth, 0.1));
    return {to.top(name), 1, x.h, kWidth};
}

// x of unit variance, row by row. 1/sqrt(fan-in) as a division of whole numbers: 14 is near the root of 192, 28 of 768.
Value linear(Blocks* net, const std::string& name, const Value& x, int out, double gain) {
    import::LayerBuilder& to = net->layer("InnerProduct", name, {x});
    to.set("num_output", out).set("bias_term", 1).set("weight_data_size", out * x.w);
    Draws draw = draws(net, name);
    to.weight(draw.normal(static_cast<size_t>(out) * static_cast<size_t>(x.w), gain / (x.w == kWidth ? 14 : 28)));
    to.weight(draw.normal(static_cast<size_t>(out), 0.1));
    return {to.top(name), 1, x.h, out, 0, gain * gain};
}

Value attention(Blocks* net, const std::string& name, const Value& x) {
    import::LayerBuilder& to = net->layer("MultiHeadAttention", name, {x});
    to.set("embed_dim", kWidth).set("num_heads", kHeads).set("weight_data_size", kWidth * kWidth);
    Draws draw = draws(net, name);
    for (int matrix = 0; matrix < 4; ++matrix) {
        to.weight(draw.normal(size_t{kWidth} * kWidth, 1.0 / 14)).weight(draw.normal(kWidth, 0.1));
    }
    return {to.top(name), 1, x.h, kWidth, 0, 0.25};
}

}  // namespace

void vision_transformer_tiny(Blocks* net) {
    Conv patch{kWidth, 16, 16, Act::kNone};
    patch.pad = 0;
    Value x = net->conv("patches", net->input(3, 224, 224), patch);
    x = net->reshape("tokens_by_channel", x, 1, kWidth, x.h * x.w);
    x.id = net->layer("Permute", "tokens", {x}).set("order_type", 1).top("tokens");
    x.h = x.w;
    x.w = kWidth;
    const int tokens = x.h + 1;
    x.id = net->layer("Concat", "with_class", {learned(net, "class_token", 1), x}).top("with_class");
    x.h = tokens;
    x = net->add("embedding", x, learned(net, "positions", tokens));
    for (int i = 1; i <= kBlocks; ++i) {
        const std::string name = "block" + std::to_string(i);
        x = net->add(name + "/add1", x, attention(net, name + "/attention", layer_norm(net, name + "/norm1", x)));
        Value y = linear(net, name + "/mlp1", layer_norm(net, name + "/norm2", x), kWidth * 4, 1.4);
        y = linear(net, name + "/mlp2", net->act(name + "/gelu", y, Act::kGelu), kWidth, 0.5);
        x = net->add(name + "/add2", x, y);
    }
    x = layer_norm(net, "norm", x);
    import::LayerBuilder& crop = net->layer("Crop", "class", {x});
    x.id = crop.set("outw", kWidth).set("outh", 1).top("class");
    x.h = 1;
    x = net->reshape("class_row", x, kWidth, 1, 1);
    net->softmax("prob", net->fc("head", x, 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
