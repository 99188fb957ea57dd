// RNN, GRU, LSTM with one unit, whose gates come from the biases alone, so that a gate in the wrong place shows.
#include <cmath>

#include "onnx_test_util.h"

namespace fw::onnx {

namespace {

float sigmoid(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

Floats joined(Floats a, const Floats& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// A node with one unit and inputs x (3 steps), W = 0 and R = 0 for `rows` gates, and B, whose second half is Rb.
NodeProto* recurrent(ModelBuilder* m, const std::string& op, int64_t rows, const Floats& bias,
                     const std::vector<std::string>& outputs) {
    const int64_t directions = static_cast<int64_t>(bias.size()) / (2 * rows);
    const Floats zeros(static_cast<size_t>(directions * rows), 0.0F);
    m->floats("W", {directions, rows, 1}, zeros).floats("R", {directions, rows, 1}, zeros);
    m->floats("B", {directions, 2 * rows}, bias);
    return m->node(op, {"x", "W", "R", "B"}, outputs);
}

void expect_near(const Floats& got, const Floats& values) {
    ASSERT_EQ(got.size(), values.size());
    for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], values[i], 1e-6F) << i;
    }
}

TEST(OnnxRecurrent, GatesOfLstmAreInputOutputForgetCell) {
    ModelBuilder m({3, 1, 1});
    recurrent(&m, "LSTM", 4, {0.5F, -0.25F, 1.0F, 0.75F, 0.1F, 0.2F, 0.3F, 0.4F}, {"y", "", "c"});
    m.output("y").output("c");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    Floats hidden;
    float cell = 0.0F;
    for (int t = 0; t < 3; ++t) {
        cell = sigmoid(1.3F) * cell + sigmoid(0.6F) * std::tanh(1.15F);
        hidden.push_back(sigmoid(-0.05F) * std::tanh(cell));
    }
    expect_near(run(o.out.net, {1, 2, 3}, "y"), hidden);
    expect_near(run(o.out.net, {1, 2, 3}, "c"), {cell});
}

TEST(OnnxRecurrent, GatesOfGruAreUpdateResetHidden) {
    ModelBuilder m({3, 1, 1});
    const Floats bias = {0.5F, -0.25F, 1.0F, 0.1F, 0.2F, 0.3F};
    set(recurrent(&m, "GRU", 3, bias, {"y"}), "linear_before_reset", int64_t{1});
    m.output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    Floats hidden;
    float state = 0.0F;
    for (int t = 0; t < 3; ++t) {
        const float update = sigmoid(0.6F);
        state = (1.0F - update) * std::tanh(1.0F + sigmoid(-0.05F) * 0.3F) + update * state;
        hidden.push_back(state);
    }
    expect_near(run(o.out.net, {1, 2, 3}, "y"), hidden);
}

// h = tanh(x + h / 2), both ways: Y is [steps, directions, 1, units], and the states are those of each last step.
TEST(OnnxRecurrent, BothDirectionsOfRnnWithStates) {
    ModelBuilder m({2, 1, 1});
    m.floats("W", {2, 1, 1}, {1, 1}).floats("R", {2, 1, 1}, {0.5F, 0.5F}).floats("h", {2, 1, 1}, {1, -1});
    set(m.node("RNN", {"x", "W", "R", "", "", "h"}, {"y", "last"}), "direction", std::string("bidirectional"));
    m.output("y").output("last");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    const float there0 = std::tanh(0.25F + 0.5F);
    const float there1 = std::tanh(-0.5F + 0.5F * there0);
    const float back1 = std::tanh(-0.5F - 0.5F);
    const float back0 = std::tanh(0.25F + 0.5F * back1);
    Ints shape;
    expect_near(run(o.out.net, {0.25F, -0.5F}, "y", &shape), {there0, back0, there1, back1});
    EXPECT_EQ(shape, (Ints{2, 2, 1, 1}));
    expect_near(run(o.out.net, {0.25F, -0.5F}, "last"), {there1, back0});
}

TEST(OnnxRecurrent, OtherFormsAreErrors) {
    const Floats lstm = joined(Floats(4, 0.5F), Floats(4, 0.0F));
    const auto errors_of = [](const ModelBuilder& m) { return convert_bytes(m.serialized()).errors(); };
    {
        ModelBuilder m({3, 2, 1});
        recurrent(&m, "LSTM", 4, lstm, {"y"});
        EXPECT_NE(errors_of(m.output("y")).find("a batch of 2, expected 1"), std::string::npos);
    }
    {
        ModelBuilder m({3, 1, 1});
        recurrent(&m, "GRU", 3, Floats(6, 0.5F), {"y"});
        EXPECT_NE(errors_of(m.output("y")).find("linear_before_reset is 0"), std::string::npos);
    }
    {
        ModelBuilder m({3, 1, 1});
        recurrent(&m, "LSTM", 4, lstm, {"y"})->set_input(1, "x");
        EXPECT_NE(errors_of(m.output("y")).find("W (input 1) is [3,1,1], expected [1,4,1]"), std::string::npos);
    }
    {
        ModelBuilder m({3, 1, 1});
        NodeProto* node = recurrent(&m, "RNN", 1, {0.5F, 0.5F}, {"y"});
        node->add_attribute()->set_name("activations");
        node->mutable_attribute(0)->add_strings("Relu");
        EXPECT_NE(errors_of(m.output("y")).find("activations are 'Relu', expected 'Tanh'"), std::string::npos);
    }
}

}  // namespace

}  // namespace fw::onnx
