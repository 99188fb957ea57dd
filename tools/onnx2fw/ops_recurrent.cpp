// RNN, GRU, LSTM. ONNX's sequences are (steps,batch,...); with a batch of 1 our rows are the steps.
#include <algorithm>
#include <utility>

#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

/// What is the same for every cell but the gates: ours, in the order of the layer, as blocks of ONNX's.
struct Cell {
    const char* op;
    std::vector<int> gates;
    const char* activations;  ///< of a direction, as far as they are ONNX's default
};

const Cell& cell_of(const std::string& op) {
    static const Cell kCells[] = {
        {"RNN", {0}, "Tanh"}, {"GRU", {1, 0, 2}, "Sigmoid Tanh"}, {"LSTM", {0, 2, 1, 3}, "Sigmoid Tanh Tanh"}};
    return *std::find_if(std::begin(kCells), std::end(kCells), [&](const Cell& cell) { return op == cell.op; });
}

/// Sizes of a node, and where its axes are: X is (steps,batch,...), or (batch,steps,...) with layout 1.
struct Sizes {
    int64_t steps = 0, input = 0, units = 0, directions = 1;
    bool batch_first = false;
};

bool expect_dims(NodeContext* ctx, int i, const char* what, const Dims& expected) {
    if (!ctx->has(i) || ctx->in(i).dims == expected) {
        return true;
    }
    ctx->error("%s (input %d) is %s, expected %s", what, i, dims_text(ctx->in(i).dims).c_str(),
               dims_text(expected).c_str());
    return false;
}

bool read_sizes(NodeContext* ctx, const Cell& cell, Sizes* s) {
    const Dims& x = ctx->in(0).dims;
    const Dims& r = ctx->in(2).dims;
    if (x.size() != 3 || r.size() != 3) {
        ctx->error("X and R are %s and %s, expected three axes", dims_text(x).c_str(), dims_text(r).c_str());
        return false;
    }
    s->batch_first = ctx->attr("layout", 0) != 0;
    s->directions = ctx->attr_s("direction", "forward") == "bidirectional" ? 2 : 1;
    s->steps = x[s->batch_first ? 1 : 0];
    s->input = x[2];
    s->units = r[2];
    const int64_t batch = x[s->batch_first ? 0 : 1];
    if (batch != 1) {
        ctx->error("X is %s: a batch of %lld, expected 1", dims_text(x).c_str(), static_cast<long long>(batch));
        return false;
    }
    if (!ctx->in_range("hidden_size", ctx->attr("hidden_size", s->units), s->units, s->units) ||
        !ctx->in_range("hidden_size", s->units, 1, int64_t{1} << 20)) {
        return false;
    }
    const auto gates = static_cast<int64_t>(cell.gates.size());
    const Dims state = s->batch_first ? Dims{1, s->directions, s->units} : Dims{s->directions, 1, s->units};
    return expect_dims(ctx, 1, "W", {s->directions, gates * s->units, s->input}) &&
           expect_dims(ctx, 2, "R", {s->directions, gates * s->units, s->units}) &&
           expect_dims(ctx, 3, "B", {s->directions, 2 * gates * s->units}) &&
           expect_dims(ctx, 4, "sequence_lens", {1}) && expect_dims(ctx, 5, "initial_h", state) &&
           expect_dims(ctx, 6, "initial_c", state);
}

/// Is input i absent or known to be zero?
bool is_zero(NodeContext* ctx, int i) {
    const ConstantPtr c = ctx->constant(i);
    for (size_t k = 0; c != nullptr && k < c->count(); ++k) {
        if (c->at(k) != 0.0) {
            return false;
        }
    }
    return c != nullptr || !ctx->has(i);
}

/// The forms that the layers do not have: an error for each.
bool plain(NodeContext* ctx, const Cell& cell, const Sizes& s) {
    const std::string direction = ctx->attr_s("direction", "forward");
    if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
        ctx->error("direction is '%s', expected forward, reverse or bidirectional", direction.c_str());
    }
    if (const AttributeProto* names = ctx->find("activations")) {
        std::string given;
        std::string expected;
        for (const std::string& name : names->strings()) {
            given += (given.empty() ? "" : " ") + name;
        }
        for (int64_t d = 0; d < s.directions; ++d) {
            expected += (d == 0 ? "" : " ") + std::string(cell.activations);
        }
        if (given != expected) {
            ctx->error("activations are '%s', expected '%s'", given.c_str(), expected.c_str());
        }
    }
    if (ctx->op() == "GRU" && ctx->attr("linear_before_reset", 0) == 0) {
        ctx->error("linear_before_reset is 0, expected 1, as PyTorch and Keras (reset_after) have it");
    }
    if (ctx->has_attr("clip") || ctx->attr("input_forget", 0) != 0) {
        ctx->error("has clip or input_forget, expected neither");
    }
    if (!is_zero(ctx, 7)) {
        ctx->error("P (input 7) has peepholes, expected none");
    }
    const ConstantPtr length = ctx->constant(4);
    if (ctx->has(4) && (length == nullptr || length->count() != 1 || length->at(0) != static_cast<double>(s.steps))) {
        ctx->error("sequence_lens (input 4) is not known to be %lld, the length of X", static_cast<long long>(s.steps));
    }
    return !ctx->failed();
}

/// Blocks of `block` values, `gates` a direction in ONNX's order from `first` on, in the layer's order.
void append_gates(const std::vector<float>& from, size_t first, const Cell& cell, size_t block,
                  std::vector<float>* out) {
    for (const int gate : cell.gates) {
        const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first + static_cast<size_t>(gate) * block);
        out->insert(out->end(), begin, begin + static_cast<std::ptrdiff_t>(block));
    }
}

std::vector<float> reordered(const std::vector<float>& from, const Cell& cell, int64_t directions) {
    const size_t direction = from.size() / static_cast<size_t>(directions);
    std::vector<float> out;
    out.reserve(from.size());
    for (size_t first = 0; first < from.size(); first += direction) {
        append_gates(from, first, cell, direction / cell.gates.size(), &out);
    }
    return out;
}

/// Wb and Rb of each direction are one bias, but for GRU's new state, whose Rb the reset gate scales.
std::vector<float> biases(const std::vector<float>& from, const Cell& cell, const Sizes& s) {
    const auto units = static_cast<size_t>(s.units);
    const size_t count = cell.gates.size() * units;
    const size_t apart = cell.gates.size() == 3 ? units : 0;
    std::vector<float> out;
    for (size_t first = 0; first < from.size(); first += 2 * count) {
        std::vector<float> input;
        std::vector<float> hidden;
        append_gates(from, first, cell, units, &input);
        append_gates(from, first + count, cell, units, &hidden);
        for (size_t k = 0; k < count - apart; ++k) {
            input[k] += hidden[k];
        }
        out.insert(out.end(), input.begin(), input.end());
        out.insert(out.end(), hidden.end() - static_cast<std::ptrdiff_t>(apart), hidden.end());
    }
    return out;
}

/// The states to begin with as blobs [directions x units]: zeros where only the other one is given.
bool states(NodeContext* ctx, const Sizes& s, int count, std::vector<BlobId>* bottoms) {
    if (is_zero(ctx, 5) && is_zero(ctx, 6)) {
        return true;
    }
    const Dims dims = s.batch_first ? Dims{1, s.directions, s.units} : Dims{s.directions, 1, s.units};
    for (int i = 5; i < 5 + count; ++i) {
        Value v;
        if (ctx->has(i)) {
            v = ctx->in(i);
        } else {
            v.dims = dims;
            v.constant = std::make_shared<const Constant>(
                Constant::reals(dims, std::vector<float>(static_cast<size_t>(s.directions * s.units))));
        }
        bottoms->push_back(ctx->arrange(v, {s.batch_first ? 1 : 0, 2}));
    }
    return !ctx->failed();
}

}  // namespace

void convert_recurrent(NodeContext* ctx) {
    const Cell& cell = cell_of(ctx->op());
    const bool lstm = ctx->op() == "LSTM";
    const int state_count = lstm ? 2 : 1;
    Sizes s;
    if (!read_sizes(ctx, cell, &s) || !plain(ctx, cell, s)) {
        return;
    }
    std::vector<BlobId> bottoms = {ctx->arrange(ctx->in(0), {s.batch_first ? 1 : 0, 2})};
    std::vector<float> input;
    std::vector<float> hidden;
    std::vector<float> bias(static_cast<size_t>(2 * s.directions * s.units) * cell.gates.size());
    if (ctx->failed() || !states(ctx, s, state_count, &bottoms) || !ctx->floats(1, "W", &input) ||
        !ctx->floats(2, "R", &hidden) || (ctx->has(3) && !ctx->floats(3, "B", &bias))) {
        return;
    }
    LayerBuilder& layer = ctx->add(cell.op, bottoms);
    const std::string direction = ctx->attr_s("direction", "forward");
    layer.set("num_output", static_cast<double>(s.units));
    layer.set("weight_data_size", static_cast<double>(input.size()));
    layer.set("direction", s.directions == 2 ? 2 : direction == "reverse" ? 1 : 0);
    layer.weight(reordered(input, cell, s.directions)).weight(biases(bias, cell, s));
    layer.weight(reordered(hidden, cell, s.directions));

    const Dims whole =
        s.batch_first ? Dims{1, s.steps, s.directions, s.units} : Dims{s.steps, s.directions, 1, s.units};
    const std::vector<int> axes =
        s.batch_first ? std::vector<int>{kNoAxis, 0, 1, 2} : std::vector<int>{0, 1, kNoAxis, 2};
    const bool both = s.directions == 2;
    BlobId rows = kNoBlob;
    if (both) {
        rows = ctx->inner(&layer, "rows");
    } else {
        std::vector<int> flat = axes;
        flat[s.batch_first ? 2 : 1] = kNoAxis;
        flat[3] = 1;
        ctx->out(0, &layer, whole, {s.steps, s.units}, flat);
    }
    const int outputs = std::min(ctx->node().output_size(), 1 + state_count);
    for (int i = 1; i < outputs; ++i) {
        const Dims state = s.batch_first ? Dims{1, s.directions, s.units} : Dims{s.directions, 1, s.units};
        ctx->out(i, &layer, state, {s.directions, s.units},
                 s.batch_first ? std::vector<int>{kNoAxis, 0, 1} : std::vector<int>{0, kNoAxis, 1});
    }
    if (both) {
        const Dims shape = {s.steps, 2, s.units};
        LayerBuilder& reshape = ctx->add_inner("Reshape", "directions", {rows});
        import::set_extents(&reshape, shape);
        ctx->out(0, &reshape, whole, shape, axes);
    }
}

}  // namespace fw::onnx
