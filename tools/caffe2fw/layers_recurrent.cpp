// RNN and LSTM. Caffe's sequences are (steps,batch,...); with a batch of 1 our rows are the steps.
#include <algorithm>
#include <utility>

#include "caffe2fw/layers.h"

namespace fw::caffe {

namespace {

// Bottom i as a blob of `shape`.
BlobId in_shape(LayerContext* ctx, int i, const Dims& shape) {
    return ctx->shape(i) == shape ? ctx->in(i)
                                  : ctx->reshape(ctx->in(i), "shape" + std::to_string(i), shape, ctx->dims(i), shape);
}

// Is bottom i of `steps` x 1 x anything?
bool is_sequence(LayerContext* ctx, int i, int64_t steps) {
    const Dims& dims = ctx->dims(i);
    if (dims.size() < 2 || dims[0] != steps || dims[1] != 1) {
        ctx->error("bottom '%s' has shape %s, expected (%lld,1,...): steps, then a batch of 1",
                   ctx->param().bottom(i).c_str(), dims_text(dims).c_str(), static_cast<long long>(steps));
        return false;
    }
    return true;
}

// Weights [outputs][columns] of both parts of the input side by side.
std::vector<float> side_by_side(const std::vector<float>& a, const std::vector<float>& b, int64_t rows) {
    std::vector<float> out;
    out.reserve(a.size() + b.size());
    for (int64_t r = 0; r < rows; ++r) {
        for (const std::vector<float>* part : {&a, &b}) {
            const auto columns = static_cast<std::ptrdiff_t>(part->size()) / rows;
            out.insert(out.end(), part->begin() + r * columns, part->begin() + (r + 1) * columns);
        }
    }
    return out;
}

}  // namespace

void convert_recurrent(LayerContext* ctx) {
    const RecurrentParameter& recurrent = ctx->param().recurrent_param();
    const bool lstm = ctx->param().type() == "LSTM";
    const int states = recurrent.expose_hidden() ? (lstm ? 2 : 1) : 0;
    const int given = ctx->bottoms() - 2 - states;  // input and cont always
    const int64_t units = recurrent.num_output();
    if (given < 0 || given > 1 || ctx->tops() != 1 + states) {
        ctx->error("has %d bottoms and %d tops, expected %d or %d and %d (expose_hidden is %s)", ctx->bottoms(),
                   ctx->tops(), 2 + states, 3 + states, 1 + states, states > 0 ? "true" : "false");
        return ctx->give_up();
    }
    const bool fixed = given == 1;  // an input that is the same at each step
    const int64_t steps = ctx->dims(0).empty() ? 0 : ctx->dims(0)[0];
    if (!ctx->in_range("num_output", units, 1) || !is_sequence(ctx, 0, steps) || !is_sequence(ctx, 1, steps)) {
        return ctx->give_up();
    }
    if (dims_count(ctx->dims(1)) != steps) {
        ctx->error("bottom '%s' has shape %s, expected one number a step", ctx->param().bottom(1).c_str(),
                   dims_text(ctx->dims(1)).c_str());
        return ctx->give_up();
    }
    const Dims x = ctx->dims(0);
    const int64_t size = dims_count({x.begin() + 2, x.end()});
    const int64_t fixed_size = fixed ? dims_count(ctx->dims(2)) : 0;
    const int64_t rows = units * (lstm ? 4 : 1);
    BlobId in = in_shape(ctx, 0, {steps, size});
    if (fixed) {
        LayerBuilder& tile = ctx->add_inner("Tile", "static", {in_shape(ctx, 2, {1, fixed_size})});
        tile.set("axis", 0).set("tiles", static_cast<double>(steps));
        const BlobId each = ctx->inner_top(&tile, "static", {1, steps, fixed_size}, {steps, fixed_size});
        LayerBuilder& both = ctx->add_inner("Concat", "input", {in, each});
        both.set("axis", 1);
        in = ctx->inner_top(&both, "input", {1, steps, size + fixed_size}, {steps, size + fixed_size});
    }
    std::vector<BlobId> inputs = {in};
    for (int i = 0; i < states; ++i) {
        const int bottom = 2 + given + i;
        if (dims_count(ctx->dims(bottom)) != units) {
            ctx->error("bottom '%s' has shape %s, expected a state of %lld", ctx->param().bottom(bottom).c_str(),
                       dims_text(ctx->dims(bottom)).c_str(), static_cast<long long>(units));
            return ctx->give_up();
        }
        inputs.push_back(in_shape(ctx, bottom, {1, units}));
    }
    inputs.push_back(in_shape(ctx, 1, {steps}));
    LayerBuilder& layer = lstm ? ctx->add("LSTM", inputs) : ctx->add_inner("RNN", "hidden", inputs);
    layer.set("num_output", static_cast<double>(units)).set("cont", 1);
    layer.set("weight_data_size", static_cast<double>(rows * (size + fixed_size)));
    const bool known = !ctx->failed();
    int slot = 0;
    std::vector<float> input;
    std::vector<float> bias;
    std::vector<float> hidden;
    std::vector<float> more;
    bool ok = ctx->weight(slot++, {rows, size}, "the weights of the input", &input) &&
              ctx->weight(slot++, {rows}, "the bias", &bias);
    ok = ok && (!fixed || ctx->weight(slot++, {rows, fixed_size}, "the weights of the static input", &more));
    ok = ok && ctx->weight(slot++, {rows, units}, "the weights of the hidden state", &hidden);
    if (ok) {
        layer.weight(fixed ? side_by_side(input, more, rows) : std::move(input));
        layer.weight(std::move(bias)).weight(std::move(hidden));
    }
    const Dims out = {steps, 1, units};
    if (lstm) {
        ctx->top_despite_weights(&layer, known, out, {steps, units});
    } else {
        // Caffe's RNN has an output of its own behind the hidden state: another tanh of an inner product.
        const BlobId state = ctx->inner_top(&layer, "hidden", {1, steps, units}, {steps, units});
        LayerBuilder& product = ctx->add_inner("InnerProduct", "output", {state});
        product.set("num_output", static_cast<double>(units)).set("bias_term", 1);
        product.set("weight_data_size", static_cast<double>(units * units));
        std::vector<float> weights;
        std::vector<float> output_bias;
        if (ok && ctx->weight(slot++, {units, units}, "the weights of the output", &weights) &&
            ctx->weight(slot++, {units}, "the bias of the output", &output_bias)) {
            product.weight(std::move(weights)).weight(std::move(output_bias));
        }
        LayerBuilder& tanh = ctx->add("TanH", {ctx->inner_top(&product, "output", {1, steps, units}, {steps, units})});
        ctx->top_despite_weights(&tanh, known, out, {steps, units});
    }
    for (int i = 0; i < states; ++i) {
        ctx->top(&layer, 1 + i, {1, 1, units});
    }
    ctx->ignore_weights_from(slot);
}

}  // namespace fw::caffe
