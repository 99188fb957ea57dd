// Precision::kAuto: what the planner chooses, says, and keeps.
#include <map>

#include "base/cpu.h"
#include "run_util.h"
#include "runtime/cost_model.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

// Three 3x3 convolutions with pooling between, of `channels` channels on a map of `size`; the shape may be left open.
struct Model {
    NetFiles files;
    ScaleTable table;
};

Model make_model(int channels, int size, bool open = false) {
    Model m;
    Random random(1);
    const std::string n = std::to_string(channels);
    const auto conv = [&](const std::string& name, const std::string& in, const std::string& out) {
        const size_t weights = static_cast<size_t>(channels * channels * 9);
        m.files.layer("Convolution " + name + " 1 1 " + in + " " + out + " 0=" + n +
                      " 1=3 4=1 9=1 6=" + std::to_string(weights));
        m.files.tagged(random.floats(weights, -0.1F, 0.1F));
    };
    const std::string s = std::to_string(size);
    m.files.layer("Input in 0 1 data" + (open ? std::string() : " 0=" + s + " 1=" + s + " 2=" + n));
    conv("c1", "data", "a");
    m.files.layer("Pooling p 1 1 a b 0=0 1=2 2=2");
    conv("c2", "b", "c");
    m.files.layer("Sigmoid g 1 1 c d");
    conv("c3", "d", "e");
    m.files.layer("Softmax s 1 1 e out");
    m.table.source = "made up";
    for (const char* blob : {"data", "a", "b", "c", "d", "e"}) {
        m.table.blobs[blob] = {blob[0] == 'c' || blob[0] == 'a' ? 50.0F : 100.0F, 0};
    }
    return m;
}

void load(const Model& m, Precision precision, Net* net) {
    Option option;
    option.precision = precision;
    FW_ASSERT_OK(net->set_option(option));
    FW_ASSERT_OK(net->load_table(m.table));
    FW_ASSERT_OK(m.files.load(net));
}

std::map<std::string, LayerPlan> plan_of(const Net& net) {
    const Result<std::vector<LayerPlan>> plan = net.plan();
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    std::map<std::string, LayerPlan> by_name;
    for (const LayerPlan& layer : *plan) {
        by_name[(layer.is_conversion ? "conversion of " : "") + layer.name] = layer;
    }
    return by_name;
}

bool runs_int8(const std::map<std::string, LayerPlan>& plan, const char* layer) {
    return plan.at(layer).input_type == DType::kInt8;
}

// A level for which int8 pays in convolutions, where this processor has one.
#define FW_NEEDS_FAST_INT8()                                                                                 \
    const Isa best = available_isas().back();                                                                \
    if (cost_table(best) == nullptr || cost_table(best)->in_int8[1] * 2.0 > cost_table(best)->in_float[1]) { \
        GTEST_SKIP() << name(best) << " does not double the speed of convolutions in int8";                  \
    }                                                                                                        \
    const ScopedIsa forced(best)

TEST(Planner, RunsWhatGainsInInt8AndSaysWhatItCosts) {
    FW_NEEDS_FAST_INT8();
    Net net;
    load(make_model(64, 64), Precision::kAuto, &net);
    const auto plan = plan_of(net);
    for (const char* layer : {"c1", "p", "c2", "c3"}) {
        EXPECT_TRUE(runs_int8(plan, layer)) << layer << ": " << plan.at(layer).reason;
        EXPECT_NE(plan.at(layer).reason.find(" us in int8, "), std::string::npos) << plan.at(layer).reason;
    }
    EXPECT_FALSE(runs_int8(plan, "s"));
}

TEST(Planner, KeepsANetTooSmallToGainInFloatAndSaysSo) {
    // Where floats have kernels of their own: at SSE4.1 even this one gains.
    const Isa best = available_isas().back();
    if (cost_table(best) == nullptr) {
        GTEST_SKIP() << "nobody has measured what layers cost on " << name(best);
    }
    const ScopedIsa forced(best);
    const Model m = make_model(4, 4);
    Net net;
    load(m, Precision::kAuto, &net);
    for (const auto& [name, layer] : plan_of(net)) {
        EXPECT_EQ(layer.output_type, DType::kFloat32) << name;
        EXPECT_FALSE(layer.is_conversion && layer.type != "Copy") << name;
    }
    EXPECT_NE(plan_of(net).at("c1").reason.find(" us in float"), std::string::npos) << plan_of(net).at("c1").reason;
    Net obedient;
    load(m, Precision::kInt8, &obedient);
    for (const char* layer : {"c1", "p", "c2", "c3"}) {
        EXPECT_TRUE(runs_int8(plan_of(obedient), layer)) << layer;
    }
}

TEST(Planner, TheTableHasTheLastWord) {
    FW_NEEDS_FAST_INT8();
    Model m = make_model(64, 64);
    m.table.layers["c2"].precision = ScaleTable::LayerPrecision::kFloat;
    Net net;
    load(m, Precision::kAuto, &net);
    EXPECT_FALSE(runs_int8(plan_of(net), "c2"));
    EXPECT_EQ(plan_of(net).at("c2").reason, "the table keeps it float");
    EXPECT_TRUE(runs_int8(plan_of(net), "c1"));
    m = make_model(4, 4);
    m.table.layers["c3"].precision = ScaleTable::LayerPrecision::kInt8;
    Net small;
    load(m, Precision::kAuto, &small);
    EXPECT_TRUE(runs_int8(plan_of(small), "c3"));
    EXPECT_NE(plan_of(small).at("c3").reason.find("the table wants it"), std::string::npos);
}

TEST(Planner, ABlobAskedForHasTheBytesOfTheWholeNetwork) {
    for (const int size : {4, 64}) {
        const Model m = make_model(size == 4 ? 4 : 32, size);
        Net net;
        load(m, Precision::kAuto, &net);
        Random random(2);
        std::map<std::string, std::vector<float>> seen;
        Extractor extractor = net.create_extractor();
        FW_ASSERT_OK(extractor.input("data", random.mat(net.input_shape("data"))));
        extractor.set_observer([&seen](const std::string& blob, const Mat& value) -> Status {
            seen[blob] = test::values(value);
            return {};
        });
        Mat out;
        FW_ASSERT_OK(extractor.extract("out", &out));
        extractor.set_observer(nullptr);
        for (const auto& [blob, values] : seen) {
            if (blob != "data") {
                FW_ASSERT_OK(extractor.extract(blob.c_str(), &out));
                EXPECT_EQ(test::values(out), values) << blob;
            }
        }
    }
}

TEST(Planner, OtherShapesKeepThePrecisionOfTheDeclaredOne) {
    // Declared at a size where int8 pays, run at one where it would not: the same layers, and the same bytes as a
    // network that obeys.
    FW_NEEDS_FAST_INT8();
    const Model m = make_model(64, 64);
    Net net;
    Net obedient;
    load(m, Precision::kAuto, &net);
    load(m, Precision::kInt8, &obedient);
    Random random(3);
    const auto types = [&] {
        std::string text;
        for (const auto& [name, layer] : plan_of(net)) {
            text += name + " " + fw::name(layer.input_type) + " " + fw::name(layer.output_type) + "\n";
        }
        return text;
    };
    const std::string declared = types();
    bool same_choice = true;
    for (const char* layer : {"c1", "p", "c2", "c3"}) {
        same_choice = same_choice && runs_int8(plan_of(net), layer) == runs_int8(plan_of(obedient), layer);
    }
    for (const int size : {64, 6, 17, 6}) {
        const Mat data = random.mat(Shape(64, size, size + 1));
        const Mat out = test::run(net, {{"data", data}}, "out");
        EXPECT_EQ(out.shape(), test::run(obedient, {{"data", data}}, "out").shape()) << size;
        EXPECT_EQ(types(), declared) << size;
        if (same_choice) {
            EXPECT_EQ(test::values(out), test::values(test::run(obedient, {{"data", data}}, "out"))) << size;
        }
        EXPECT_EQ(test::values(out), test::values(test::run(net, {{"data", data}}, "out"))) << "from the cached plan";
    }
}

TEST(Planner, OpenShapesFollowTheRuleOfChannels) {
    for (const int channels : {4, 16}) {
        const Model m = make_model(channels, 8, true);
        Net net;
        load(m, Precision::kAuto, &net);
        const Mat out = test::run(net, {{"data", Random(4).mat(Shape(channels, 8, 8))}}, "out");
        EXPECT_EQ(out.shape(), Shape(channels, 4, 4));
        const bool obeys = cost_table(*current_isa()) == nullptr || channels >= 16;
        EXPECT_EQ(runs_int8(plan_of(net), "c2"), obeys) << channels << ": " << plan_of(net).at("c2").reason;
    }
}

}  // namespace
}  // namespace fw
