// Quantized networks in all spellings: their scales become a table.
#include <limits>

#include "onnx_test_util.h"

namespace fw::onnx {

namespace {

TEST(OnnxOperators, QdqBecomesATable) {
    ModelBuilder m({1, 1, 1, 2});
    m.floats("s", {}, {0.5F}).bytes("z", {}, {128}, TensorProto::UINT8);
    m.floats("ws", {1}, {0.25F})
        .bytes("wz", {1}, {0}, TensorProto::INT8)
        .bytes("wq", {1, 1, 1, 1}, {8}, TensorProto::INT8);
    m.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
    m.node("DequantizeLinear", {"xq", "s", "z"}, {"xd"});
    set(m.node("DequantizeLinear", {"wq", "ws", "wz"}, {"w"}), "axis", int64_t{0});
    m.node("Conv", {"xd", "w"}, {"y"});
    m.output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    ASSERT_EQ(o.out.table.blobs.count("x"), 1U);
    EXPECT_EQ(o.out.table.blobs.at("x").scale, 2.0F);
    EXPECT_EQ(o.out.table.blobs.at("x").zero_point, 0);
    ASSERT_EQ(o.out.table.layers.count("n4"), 1U);
    EXPECT_EQ(o.out.table.layers.at("n4").weight_scales, Floats{4.0F});
    EXPECT_EQ(run(o.out.net, {1, 3}, "y"), (Floats{2, 6}));
}

// The multipliers of a convolution are those of engines that run the source file, to the bit: where no scale of the
// weights gives one, the scale between two convolutions moves by a few units in the last place.
TEST(OnnxOperators, MultipliersAreThoseOfTheSourceFile) {
    int moved = 0;
    for (int k = 0; k < 64; ++k) {
        const float steps[] = {0.0071F, 0.003F * (1.0F + 0.01F * static_cast<float>(k)),
                               0.11F / (1.0F + 0.03F * static_cast<float>(k))};
        ModelBuilder m({1, 1, 1, 2});
        m.bytes("z", {}, {0}, TensorProto::INT8).bytes("wq", {1, 1, 1, 1}, {8}, TensorProto::INT8);
        m.floats("s", {}, {steps[0]}).floats("ws", {}, {steps[1]}).floats("t", {}, {steps[2]});
        m.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
        m.node("DequantizeLinear", {"xq", "s", "z"}, {"xd"});
        m.node("DequantizeLinear", {"wq", "ws", "z"}, {"w"});
        m.node("Conv", {"xd", "w"}, {"c"});
        m.node("QuantizeLinear", {"c", "t", "z"}, {"cq"});
        m.node("DequantizeLinear", {"cq", "t", "z"}, {"cd"});
        m.node("Conv", {"cd", "w"}, {"y"});
        m.output("y");
        OnnxOptions options;
        options.common.optimize = false;
        const Outcome o = convert_bytes(m.serialized(), options);
        ASSERT_TRUE(o.status.ok()) << o.errors();
        const ScaleTable& table = o.out.table;
        ASSERT_EQ(table.blobs.count("c"), 1U);
        const float between = table.blobs.at("c").scale;
        const double in = static_cast<double>(table.blobs.at("x").scale);
        const double weights = static_cast<double>(table.layers.at("n4").weight_scales[0]);
        EXPECT_EQ(static_cast<float>(static_cast<double>(between) / (in * weights)), steps[0] * steps[1] / steps[2])
            << k;
        EXPECT_NEAR(between * steps[2], 1.0F, 1e-6F) << k;
        moved += between == static_cast<float>(1.0 / static_cast<double>(steps[2])) ? 0 : 1;
    }
    EXPECT_GT(moved, 0);
}

TEST(OnnxOperators, QLinearConvIsAConvAndScales) {
    ModelBuilder m({1, 1, 1, 2});
    m.floats("s", {}, {0.5F}).bytes("z", {}, {128}, TensorProto::UINT8);
    m.floats("ys", {}, {2.0F}).bytes("yz", {}, {0}, TensorProto::UINT8);
    m.floats("ws", {1}, {0.25F}).bytes("wz", {1}, {0}, TensorProto::INT8);
    m.bytes("wq", {1, 1, 1, 1}, {8}, TensorProto::INT8).bytes("b", {1}, {80}, TensorProto::INT32);
    m.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
    m.node("QLinearConv", {"xq", "s", "z", "wq", "ws", "wz", "ys", "yz", "b"}, {"yq"});
    m.node("DequantizeLinear", {"yq", "ys", "yz"}, {"y"});
    m.output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    EXPECT_EQ(o.out.table.blobs.at("y").scale, 0.5F);
    EXPECT_EQ(o.out.table.blobs.at("y").zero_point, -128);
    EXPECT_EQ(o.out.table.layers.at("n2").weight_scales, Floats{4.0F});
    EXPECT_EQ(run(o.out.net, {1, 3}, "y"), (Floats{12, 16}));  // 2 x + 80 * 0.5 * 0.25
}

// Quantizers drop the ReLU6 before levels that begin at 0 and end at 6; in float it has to come back.
TEST(OnnxOperators, LevelsFromZeroOnAreAClipInFloat) {
    for (const int zero : {0, 128}) {
        ModelBuilder m({1, 1, 1, 4});
        m.floats("s", {}, {6.0F / 255.0F}).bytes("z", {}, {zero}, TensorProto::UINT8).floats("w", {1, 1, 1, 1}, {2});
        m.node("Conv", {"x", "w"}, {"c"});
        m.node("QuantizeLinear", {"c", "s", "z"}, {"q"});
        m.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
        m.node("Neg", {"d"}, {"y"});
        m.output("y");
        const Outcome o = convert_bytes(m.serialized());
        ASSERT_TRUE(o.status.ok()) << o.errors();
        EXPECT_EQ(o.types(), "Input Convolution UnaryOp");
        EXPECT_EQ(o.out.table.blobs.count("c"), 1U);
        const Floats got = run(o.out.net, {-1, 0.5F, 2, 4}, "y");
        EXPECT_EQ(got, zero == 0 ? (Floats{0, -1, -4, -6}) : (Floats{2, -1, -4, -8}));
    }
}

// One quantized network in four spellings: zero points of uint8 and int8, FakeQuantize with its ends, QLinearConv.
enum class Spelling { kUint8, kInt8, kFakeQuantize, kQLinear };

ModelBuilder quantized_model(Spelling spelling) {
    ModelBuilder m({1, 2, 1, 2});
    // x: step 0.5, zero at level 28 of 256; y: step 2, zero at level 3.
    const bool wide = spelling == Spelling::kInt8;
    const int type = wide ? TensorProto::INT8 : TensorProto::UINT8;
    m.floats("xs", {}, {0.5F}).bytes("xz", {}, {wide ? -100 : 28}, type);
    m.floats("ys", {}, {2.0F}).bytes("yz", {}, {wide ? -125 : 3}, type);
    m.floats("ws", {2}, {0.25F, 0.125F}).bytes("wz", {2}, {0, 0}, TensorProto::INT8);
    m.bytes("wq", {2, 2, 1, 1}, {8, -4, 127, 16}, TensorProto::INT8);
    if (spelling == Spelling::kFakeQuantize) {
        m.floats("xl", {}, {-14}).floats("xh", {}, {113.5F}).floats("yl", {}, {-6}).floats("yh", {}, {504});
        m.floats("wl", {2, 1, 1, 1}, {-31.75F, -15.875F}).floats("wh", {2, 1, 1, 1}, {31.75F, 15.875F});
        m.floats("w", {2, 2, 1, 1}, {2.1F, -0.9F, 99.0F, 2.0F});  // on no level
        const auto fake = [&](const std::vector<std::string>& in, const std::string& out, int64_t levels) {
            NodeProto* node = m.node("FakeQuantize", in, {out});
            node->set_domain("org.openvinotoolkit");
            set(node, "levels", levels);
        };
        fake({"x", "xl", "xh", "xl", "xh"}, "xd", 256);
        fake({"w", "wl", "wh", "wl", "wh"}, "wd", 255);
        m.node("Conv", {"xd", "wd"}, {"c"})->set_name("conv");
        fake({"c", "yl", "yh", "yl", "yh"}, "y", 256);
    } else if (spelling == Spelling::kQLinear) {
        m.node("QuantizeLinear", {"x", "xs", "xz"}, {"xq"});
        m.node("QLinearConv", {"xq", "xs", "xz", "wq", "ws", "wz", "ys", "yz"}, {"yq"})->set_name("conv");
        m.node("DequantizeLinear", {"yq", "ys", "yz"}, {"y"});
    } else {
        m.node("QuantizeLinear", {"x", "xs", "xz"}, {"xq"});
        m.node("DequantizeLinear", {"xq", "xs", "xz"}, {"xd"});
        set(m.node("DequantizeLinear", {"wq", "ws", "wz"}, {"wd"}), "axis", int64_t{0});
        m.node("Conv", {"xd", "wd"}, {"c"})->set_name("conv");
        m.node("QuantizeLinear", {"c", "ys", "yz"}, {"yq"});
        m.node("DequantizeLinear", {"yq", "ys", "yz"}, {"y"});
    }
    m.output("y");
    return m;
}

TEST(OnnxOperators, EverySpellingOfAQuantizedNetworkGivesOneTable) {
    for (const Spelling spelling : {Spelling::kUint8, Spelling::kInt8, Spelling::kFakeQuantize, Spelling::kQLinear}) {
        SCOPED_TRACE(static_cast<int>(spelling));
        const Outcome o = convert_bytes(quantized_model(spelling).serialized());
        ASSERT_TRUE(o.status.ok()) << o.errors();
        const ScaleTable& table = o.out.table;
        ASSERT_EQ(table.blobs.size(), 2U);
        EXPECT_EQ(table.blobs.at("x"), (QuantParams{2.0F, -100}));
        for (const auto& [blob, quant] : table.blobs) {
            if (blob != "x") {
                EXPECT_EQ(quant, (QuantParams{0.5F, -125})) << blob;
            }
        }
        ASSERT_EQ(table.layers.size(), 1U);
        EXPECT_EQ(table.layers.begin()->second.weight_scales, (Floats{4.0F, 8.0F}));
        // 2 x0 - x1 and 15.875 x0 + 2 x1.
        EXPECT_EQ(run(o.out.net, {1, 3, 2, 0}, "y"), (Floats{0, 6, 19.875F, 47.625F}));
    }
}

TEST(OnnxErrors, FakeQuantizeRangesThatInt8CannotHold) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const auto outcome = [](float lo, float hi, float out_hi, int64_t levels) {
        ModelBuilder m({1, 2});
        m.floats("l", {}, {lo}).floats("h", {}, {hi}).floats("oh", {}, {out_hi});
        NodeProto* node = m.node("FakeQuantize", {"x", "l", "h", "l", "oh"}, {"y"});
        set(node, "levels", levels);
        m.output("y");
        return convert_bytes(m.serialized());
    };
    EXPECT_TRUE(outcome(-1, 1, 1, 256).status.ok());
    EXPECT_NE(outcome(-1, 1, 1, 16).errors().find("levels is 16"), std::string::npos);
    EXPECT_NE(outcome(-1, 1, 2, 256).errors().find("ranges differ"), std::string::npos);
    EXPECT_NE(outcome(1, 2, 2, 256).errors().find("holds 0"), std::string::npos);
    EXPECT_NE(outcome(0, 0, 0, 256).errors().find("holds 0"), std::string::npos);
    EXPECT_NE(outcome(0, kInfinity, kInfinity, 256).errors().find("holds 0"), std::string::npos);
}

TEST(OnnxErrors, QuantizedValuesAreReadByDequantizeLinearOnly) {
    ModelBuilder m({1, 2});
    m.floats("s", {}, {0.5F}).bytes("z", {}, {128}, TensorProto::UINT8);
    m.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
    m.node("Relu", {"q"}, {"y"});
    m.output("q").output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_EQ(o.report.errors().size(), 2U) << o.errors();
    EXPECT_NE(o.errors().find("input 'q' is quantized"), std::string::npos);
    EXPECT_NE(o.errors().find("output 'q' is quantized"), std::string::npos);
}

}  // namespace

}  // namespace fw::onnx
