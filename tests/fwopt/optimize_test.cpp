// Networks through fwopt's passes and back: what they compute must not change.
#include "fwopt/optimize.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <tuple>

#include "fwopt/c_array.h"
#include "fwopt/describe.h"
#include "fwopt/picture.h"
#include "model/model_io.h"
#include "support/net_files.h"

namespace fw::opt {
namespace {

using test::NetFiles;
using test::Random;

NetDef def_of(const NetFiles& files) {
    const auto bytes = std::make_shared<const std::vector<uint8_t>>(files.bin());
    const std::string text = files.param();
    NetDef def = *parse_param({text.data(), text.size()}, "made.param");
    EXPECT_TRUE(read_weights(FileData{*bytes, bytes, false}, "made.bin", &def).ok());
    return def;
}

// A network as files in memory, and loaded.
struct Loaded {
    std::string text;
    std::vector<uint8_t> bytes;
    Net net;

    explicit Loaded(const NetDef& def, const ScaleTable& table = {}, Precision precision = Precision::kAuto,
                    WeightFormat format = WeightFormat::kAsStored) {
        text = *param_text(def);
        bytes = *bin_bytes(def, format);
        Option option;
        option.threads = 1;
        option.precision = precision;
        EXPECT_TRUE(net.set_option(option).ok());
        if (!table.empty()) {
            EXPECT_TRUE(net.load_table(table).ok());
        }
        const Status status = net.load_model_memory({text.data(), text.size()}, bytes);
        EXPECT_TRUE(status.ok()) << status.message();
    }
    std::vector<float> run(const Mat& input, const char* output) {
        Extractor ex = net.create_extractor();
        EXPECT_TRUE(ex.input("data", input).ok());
        Mat out;
        const Status status = ex.extract(output, &out);
        EXPECT_TRUE(status.ok()) << status.message();
        return {out.data(), out.data() + out.count()};
    }
    int int8_layers() {
        int count = 0;
        const Result<std::vector<LayerPlan>> plan = net.plan();
        EXPECT_TRUE(plan.ok());
        for (const LayerPlan& step : *plan) {
            count += !step.is_conversion && step.macs > 0 && step.input_type == DType::kInt8 ? 1 : 0;
        }
        return count;
    }
};

// conv + BatchNorm + ReLU, a branch of two by Split, a depth-wise and a grouped one, Dropout, InnerProduct.
NetFiles branches() {
    Random random(5);
    NetFiles files;
    files.layer("Input data 0 1 data 0=8 1=8 2=3");
    files.layer("Convolution conv1 1 1 data conv1 0=8 1=3 4=1 5=1 6=216").tagged(random.floats(216));
    files.raw(random.floats(8));
    files.layer("BatchNorm bn1 1 1 conv1 bn1 0=8").raw(random.floats(8, 0.5F, 2.0F)).raw(random.floats(8));
    files.raw(random.floats(8, 0.5F, 2.0F)).raw(random.floats(8));
    files.layer("ReLU relu1 1 1 bn1 relu1");
    files.layer("Split split1 1 2 relu1 left right");
    files.layer("ConvolutionDepthWise dw 1 1 left dw 0=8 1=3 4=1 5=1 6=72 7=8").tagged(random.floats(72));
    files.raw(random.floats(8));
    files.layer("ConvolutionDepthWise grouped 1 1 right grouped 0=8 1=1 6=32 7=2").tagged(random.floats(32));
    files.layer("BinaryOp sum 2 1 dw grouped sum 0=0");
    files.layer("Dropout drop 1 1 sum drop");
    files.layer("InnerProduct fc 1 1 drop fc 0=10 1=1 2=5120").tagged(random.floats(5120)).raw(random.floats(10));
    files.layer("Softmax prob 1 1 fc prob");
    return files;
}

// Input scales of all four layers; two weight scales a layer stand for groups.
ScaleTable table_of(bool weight_scales) {
    ScaleTable table;
    table.layers["conv1"].input = {127.0F, 0};
    table.layers["dw"].input = {20.0F, 0};
    table.layers["grouped"].input = {24.0F, 0};  // the other branch reads the same blob: the smaller scale counts
    table.layers["grouped"].weight_scales = {120.0F, 125.0F};
    table.layers["fc"].input = {15.0F, 0};
    if (weight_scales) {
        table.layers["conv1"].weight_scales = {60, 70, 0, 80, 90, 100, 110, 50};
        table.layers["dw"].weight_scales = {121, 122, 123, 124, 125, 126, 127, 128};
    }
    return table;
}

Mat input_of() {
    return Random(9).mat(Shape{3, 8, 8});
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, float bound) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a[i], b[i], bound) << i;
    }
}

TEST(Fwopt, FloatNetworkComputesTheSameWithFewerLayers) {
    const NetDef before = def_of(branches());
    NetDef after = before;
    ASSERT_TRUE(optimize({}, &after).ok());
    std::map<std::string, int> types;
    std::map<std::string, int> readers;
    for (const LayerDef& layer : after.layers) {
        ++types[layer.type];
        for (const std::string& bottom : layer.bottoms) {
            EXPECT_EQ(++readers[bottom], 1) << bottom << " is read twice, which ncnn cannot";
        }
    }
    EXPECT_EQ(types.count("BatchNorm") + types.count("ReLU") + types.count("Dropout"), 0U);
    EXPECT_EQ(types["Split"], 1);
    EXPECT_EQ(after.layers.back().tops, std::vector<std::string>{"prob"});
    expect_near(Loaded(before).run(input_of(), "prob"), Loaded(after).run(input_of(), "prob"), 1e-6F);
}

TEST(Fwopt, SecondRunChangesNothing) {
    for (const ScaleTable& table : {ScaleTable(), table_of(true)}) {
        NetDef once = def_of(branches());
        ASSERT_TRUE(optimize(table, &once).ok());
        NetDef twice = once;
        ASSERT_TRUE(optimize({}, &twice).ok());
        EXPECT_EQ(*param_text(once), *param_text(twice));
        EXPECT_EQ(*bin_bytes(once), *bin_bytes(twice));
    }
}

TEST(Fwopt, Float16HalvesTheWeights) {
    NetDef net = def_of(branches());
    ASSERT_TRUE(optimize({}, &net).ok());
    Loaded wide(net);
    Loaded narrow(net, {}, Precision::kAuto, WeightFormat::kFloat16);
    // 5440 weights become halves; 26 biases and the tags stay.
    EXPECT_EQ(wide.bytes.size() - narrow.bytes.size(), 2U * 5440U);
    expect_near(wide.run(input_of(), "fc"), narrow.run(input_of(), "fc"), 0.05F);
}

class FwoptInt8 : public testing::TestWithParam<std::tuple<bool, Precision>> {};

TEST_P(FwoptInt8, BakedScalesGiveTheBytesOfTheTable) {
    const auto& [weight_scales, precision] = GetParam();
    const ScaleTable table = table_of(weight_scales);
    const NetDef before = def_of(branches());
    NetDef after = before;
    const Result<BakeResult> baked = optimize(table, &after);
    ASSERT_TRUE(baked.ok());
    EXPECT_EQ(baked->layers, 4);
    EXPECT_TRUE(baked->notes.empty()) << baked->notes[0];
    Loaded with_table(before, table, precision);
    Loaded with_scales(after, {}, precision);
    EXPECT_LT(with_scales.bytes.size(), with_table.bytes.size() / 3);
    EXPECT_EQ(with_table.run(input_of(), "fc"), with_scales.run(input_of(), "fc"));
    EXPECT_EQ(with_table.int8_layers(), with_scales.int8_layers());
    if (precision == Precision::kInt8) {
        EXPECT_EQ(with_scales.int8_layers(), 4);
    }
    EXPECT_NE(with_table.run(input_of(), "fc"), Loaded(before).run(input_of(), "fc"));
}

INSTANTIATE_TEST_SUITE_P(Tables, FwoptInt8,
                         testing::Combine(testing::Bool(), testing::Values(Precision::kInt8, Precision::kAuto)));

// The projections of attention become InnerProducts, which hold int8 weights.
TEST(Fwopt, AttentionIsStoredInItsPartsWhereTheTableHasThem) {
    Random random(6);
    NetFiles files;
    files.layer("Input data 0 1 data 0=12 1=5")
        .layer("InnerProduct first 1 1 data first 0=24 1=1 2=288")
        .tagged(random.floats(288))
        .raw(random.floats(24))
        .layer("MultiHeadAttention m 1 1 first m 0=16 1=2 2=384 3=24 4=24");
    for (int i = 0; i < 4; ++i) {
        files.tagged(random.floats(384)).raw(random.floats(i < 3 ? 16 : 24));
    }
    files.layer("InnerProduct last 1 1 m last 0=6 2=144").tagged(random.floats(144));
    const NetDef before = def_of(files);
    const Mat input = random.mat(Shape(5, 12));
    ScaleTable table;
    for (const char* blob : {"data", "first", "m/context", "m"}) {
        table.blobs[blob] = {20.0F, 0};
    }
    NetDef after = before;
    const Result<BakeResult> baked = optimize(table, &after);
    ASSERT_TRUE(baked.ok()) << baked.status().message();
    EXPECT_EQ(baked->layers, 6);
    ASSERT_EQ(baked->notes.size(), 1U);
    EXPECT_EQ(baked->notes[0],
              "attention in parts, so that its projections are int8 (1 layers, the first 'm/context'): ncnn does not "
              "read it");
    Loaded with_table(before, table, Precision::kInt8);
    Loaded with_scales(after, {}, Precision::kInt8);
    EXPECT_EQ(with_table.int8_layers(), 6);
    EXPECT_EQ(with_scales.int8_layers(), 6);
    EXPECT_LT(with_scales.bytes.size(), with_table.bytes.size() / 2);
    EXPECT_EQ(with_table.run(input, "last"), with_scales.run(input, "last"));
    NetDef again = after;
    ASSERT_TRUE(optimize({}, &again).ok());
    EXPECT_EQ(with_scales.text, *param_text(again));

    table.blobs.erase("m/context");
    NetDef whole = before;
    const Result<BakeResult> old = optimize(table, &whole);
    ASSERT_TRUE(old.ok());
    EXPECT_EQ(old->layers, 2);
    EXPECT_TRUE(old->notes.empty()) << old->notes[0];
}

TEST(Fwopt, WritesTheFormOfNcnn) {
    NetDef net = def_of(branches());
    ASSERT_TRUE(optimize(table_of(true), &net).ok());
    std::map<std::string, const LayerDef*> layers;
    for (const LayerDef& layer : net.layers) {
        layers[layer.name] = &layer;
    }
    const auto term = [&](const char* name) { return layers.at(name)->params.get(8, 0); };
    EXPECT_EQ(term("conv1"), 2);
    EXPECT_EQ(term("dw"), 1);
    EXPECT_EQ(term("grouped"), 1);
    EXPECT_EQ(term("fc"), 2);
    const std::vector<Weight>& conv = layers.at("conv1")->weights;
    ASSERT_EQ(conv.size(), 4U);
    EXPECT_EQ(conv[0].storage(), WeightStorage::kInt8);
    EXPECT_EQ(conv[2].to_floats(), (std::vector<float>{60, 70, 0, 80, 90, 100, 110, 50}));
    EXPECT_EQ(conv[3].to_floats(), (std::vector<float>{127}));
    const std::vector<Weight>& grouped = layers.at("grouped")->weights;
    ASSERT_EQ(grouped.size(), 3U);
    EXPECT_EQ(grouped[1].to_floats(), (std::vector<float>{120, 125}));
    EXPECT_EQ(grouped[2].to_floats(), (std::vector<float>{20}));
}

TEST(Fwopt, GroupsTakeTheSmallestScaleOfTheirChannels) {
    ScaleTable table = table_of(true);
    table.layers["grouped"].weight_scales = {120, 110, 0, 130, 90, 91, 92, 93};
    NetDef net = def_of(branches());
    const Result<BakeResult> baked = optimize(table, &net);
    ASSERT_TRUE(baked.ok());
    ASSERT_EQ(baked->notes.size(), 1U);
    for (const LayerDef& layer : net.layers) {
        if (layer.name == "grouped") {
            EXPECT_EQ(layer.weights[1].to_floats(), (std::vector<float>{110, 90}));
            const std::vector<int8_t> bytes = layer.weights[0].to_int8();
            for (size_t i = 8; i < 12; ++i) {
                EXPECT_EQ(bytes[i], 0) << "channel 2 is dead";
            }
        }
    }
}

TEST(Fwopt, ZeroPointsBecomeTheSymmetricScaleOfTheSameRange) {
    ScaleTable table = table_of(true);
    table.layers["fc"].input = {30.0F, -128};  // 0 to 255 / 30
    NetDef net = def_of(branches());
    const Result<BakeResult> baked = optimize(table, &net);
    ASSERT_TRUE(baked.ok());
    EXPECT_EQ(baked->layers, 4);
    ASSERT_EQ(baked->notes.size(), 1U);
    EXPECT_NE(baked->notes[0].find("same range: 1"), std::string::npos) << baked->notes[0];
    for (const LayerDef& layer : net.layers) {
        if (layer.name == "fc") {
            EXPECT_FLOAT_EQ(layer.weights[3].to_floats()[0], 127.0F * 30.0F / 255.0F);
        }
    }
}

TEST(Fwopt, LayersThatTheTableKeepsFloatStayFloat) {
    ScaleTable table = table_of(true);
    table.layers["dw"].precision = ScaleTable::LayerPrecision::kFloat;
    table.layers.erase("fc");
    const NetDef before = def_of(branches());
    NetDef after = before;
    const Result<BakeResult> baked = optimize(table, &after);
    ASSERT_TRUE(baked.ok());
    EXPECT_EQ(baked->layers, 2);
    EXPECT_EQ(Loaded(before, table, Precision::kInt8).run(input_of(), "fc"),
              Loaded(after, {}, Precision::kInt8).run(input_of(), "fc"));
}

// Both come with a table of format 2: the weights take them up, the file needs no table.
TEST(Fwopt, FactorsOfChannelsAndBiasCorrectionsGoIntoTheWeights) {
    Random random(8);
    for (const bool clip : {false, true}) {
        NetFiles files;
        files.layer("Input data 0 1 data 0=6 1=6 2=3");
        files.layer("Convolution a 1 1 data a 0=4 1=1 5=1 6=12" + std::string(clip ? " 9=3 -23310=2,0.0,0.4" : " 9=1"));
        files.tagged(random.floats(12)).raw(random.floats(4));
        files.layer("Convolution b 1 1 a b 0=5 1=1 6=20").tagged(random.floats(20));
        ScaleTable table;
        table.blobs["data"] = {127.0F, 0};
        table.blobs["a"] = {clip ? 320.0F : 40.0F, 0};
        table.layers["a"].equalize = {1.0F, 2.0F, 1.5F, 1.25F};
        table.layers["a"].bias_delta = {0.01F, 0.0F, -0.02F, 0.0F};
        const NetDef before = def_of(files);
        NetDef after = before;
        const Result<BakeResult> baked = optimize(table, &after);
        ASSERT_TRUE(baked.ok()) << baked.status().message();
        EXPECT_EQ(baked->layers, 2);
        EXPECT_EQ(after.layers.size(), clip ? 5U : 3U);
        Loaded expected(before, table, Precision::kInt8);
        Loaded got(after, {}, Precision::kInt8);
        const Mat input = random.mat(Shape{3, 6, 6});
        // One step of the blob between them where a byte rounds the other way, times the weights of a row.
        expect_near(expected.run(input, "b"), got.run(input, "b"), clip ? 4.0F / 320.0F : 0.0F);
        EXPECT_EQ(got.int8_layers(), 2);
    }
}

TEST(Fwopt, ScaleOfTheOutputStaysWhereTheModelHasIt) {
    Random random(3);
    NetFiles files;
    files.layer("Input data 0 1 data 0=4 1=4 2=2");
    files.layer("Convolution a 1 1 data a 0=4 1=1 6=8 8=102").tagged_int8({1, -2, 3, -4, 5, -6, 7, -127});
    files.raw({60, 70, 80, 90}).raw({100}).raw({33});
    files.layer("Convolution b 1 1 a b 0=2 1=1 6=8 8=2").tagged_int8({9, -8, 7, -6, 5, -4, 3, 127});
    files.raw({50, 40}).raw({33});
    const NetDef before = def_of(files);
    NetDef after = before;
    ASSERT_TRUE(optimize({}, &after).ok());
    EXPECT_EQ(*param_text(before), *param_text(after));
    EXPECT_EQ(*bin_bytes(before), *bin_bytes(after));
}

TEST(Fwopt, ConvolutionOverAPooledVectorBecomesInnerProduct) {
    Random random(4);
    NetFiles files;
    files.layer("Input data 0 1 data 0=5 1=4 2=6");
    files.layer("Pooling pool 1 1 data pool 0=1 4=1");
    files.layer("Convolution fc 1 1 pool fc 0=7 1=1 5=1 6=42 9=3 -23310=2,-0.2,0.3").tagged(random.floats(42));
    files.raw(random.floats(7));
    const Mat input = random.mat(Shape{6, 4, 5});
    ScaleTable table;
    table.layers["fc"].input = {300.0F, 0};
    const NetDef before = def_of(files);
    for (const ScaleTable& used : {ScaleTable(), table}) {
        NetDef after = before;
        ASSERT_TRUE(optimize(used, &after).ok());
        EXPECT_EQ(after.layers[2].type, "InnerProduct");
        Loaded expected(before, used, Precision::kInt8);
        Loaded got(after, {}, Precision::kInt8);
        expect_near(expected.run(input, "fc"), got.run(input, "fc"), used.empty() ? 1e-6F : 0.0F);
        EXPECT_EQ((*expected.net.plan()).back().output_shape, (*got.net.plan()).back().output_shape);
    }
}

TEST(Fwopt, InputShapes) {
    NetDef net = def_of(branches());
    for (const char* bad : {"", "3", "3,8", "3,8,8,8", "3,8,0", "-3,8,8", "3,8,8x", "3,,8", "x=3,8,8", "=x", "a,b,c",
                            "99999999999,1,1"}) {
        const Status status = set_input_shape(bad, &net);
        EXPECT_FALSE(status.ok()) << bad;
        EXPECT_EQ(net.layers[0].params.get(0, 0), 8) << bad;
    }
    ASSERT_TRUE(set_input_shape("3,10,12", &net).ok());
    EXPECT_EQ(net.layers[0].params.get(0, 0), 12);
    EXPECT_EQ(net.layers[0].params.get(1, 0), 10);
    ASSERT_TRUE(set_input_shape("data=3,8,8", &net).ok());
    Loaded loaded(net);
    EXPECT_EQ(loaded.net.input_shape("data"), (Shape{3, 8, 8}));

    NetDef two;
    two.layers.resize(2);
    for (size_t i = 0; i < 2; ++i) {
        two.layers[i].type = "Input";
        two.layers[i].tops = {i == 0 ? "left" : "right"};
    }
    const std::string both = set_input_shape("1,2,3", &two).message();
    EXPECT_NE(both.find("'left', 'right'"), std::string::npos) << both;
    ASSERT_TRUE(set_input_shape("right=1,2,3", &two).ok());
    ASSERT_TRUE(set_input_shape("left:1,4,5,6", &two).ok());
    EXPECT_EQ(two.layers[1].params.get(2, 0), 1);
}

TEST(Fwopt, DescriptionCountsWorkAndWeights) {
    NetDef net = def_of(branches());
    ASSERT_TRUE(optimize({}, &net).ok());
    Loaded loaded(net);
    const std::string text = *describe(net, loaded.net);
    // 216 * 64 + 72 * 64 + 32 * 64 + 5120 multiply-accumulates; 5440 weights and 26 biases.
    const size_t total = text.find("total");
    ASSERT_NE(total, std::string::npos);
    EXPECT_NE(text.find("0.026", total), std::string::npos) << text;
    EXPECT_NE(text.find("5466", total), std::string::npos) << text;
    EXPECT_NE(text.find("[8x8x8]"), std::string::npos) << text;
}

TEST(Fwopt, PicturesShowEveryLayerOnceAndItsPrecision) {
    NetDef net = def_of(branches());
    ASSERT_TRUE(optimize(table_of(true), &net).ok());
    Loaded loaded(net, {}, Precision::kInt8);
    const Result<std::string> dot = dot_text(net, loaded.net);
    const Result<std::string> html = html_text("a<b", net, loaded.net);
    ASSERT_TRUE(dot.ok() && html.ok());
    const auto count = [](const std::string& text, const std::string& part) {
        int found = 0;
        for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
            ++found;
        }
        return found;
    };
    // Input, conv1, two branches, their sum, fc and prob; the Split is two edges.
    EXPECT_EQ(count(*dot, "fillcolor="), 7) << *dot;
    EXPECT_EQ(count(*dot, " -> "), 7) << *dot;
    EXPECT_EQ(count(*dot, "Split"), 0);
    EXPECT_NE(dot->find("label=\"Convolution\\nconv1\" fillcolor=\"#d9740f\""), std::string::npos) << *dot;
    EXPECT_NE(dot->find("label=\"Softmax\\nprob\" fillcolor=\"#3b6fb5\""), std::string::npos) << *dot;
    EXPECT_EQ(count(*html, "<rect "), 7);
    EXPECT_EQ(count(*html, "<path "), 7);
    EXPECT_EQ(count(*html, "a&lt;b"), 2);
    EXPECT_EQ(count(*html, "a<b"), 0);
    EXPECT_NE(html->find("int8: 4<"), std::string::npos) << *html;
}

TEST(Fwopt, LayerTypesForABuild) {
    NetDef net = def_of(branches());
    ASSERT_TRUE(optimize({}, &net).ok());
    EXPECT_EQ(layer_types_of(net),
              "BinaryOp;Convolution;ConvolutionDepthWise;Dequantize;InnerProduct;Input;Quantize;Softmax;Split");
}

TEST(Fwopt, CArrayHoldsBothFiles) {
    const std::vector<uint8_t> bin = {0, 255, 7};
    const std::string text = c_array("net", "a \"b\"?\n\xc3\xa4\n", bin);
    EXPECT_NE(text.find("net_param[] =\n    \"a \\042b\\042\\077\\n\"\n    \"\\303\\244\\n\";"), std::string::npos)
        << text;
    EXPECT_NE(text.find("net_param_size = 10;"), std::string::npos) << text;
    EXPECT_NE(text.find("net_bin[] = {\n    0,255,7,\n};"), std::string::npos) << text;
    EXPECT_NE(text.find("net_bin_size = 3;"), std::string::npos) << text;
    EXPECT_NE(c_array("net", "", {}).find("net_bin[] = {0 /* no weights */\n};"), std::string::npos);
    EXPECT_EQ(c_identifier("some/folder/squeeze-net_v1.1.h"), "squeeze_net_v1");
    EXPECT_EQ(c_identifier("3d.h"), "net_3d");
    EXPECT_EQ(c_identifier(""), "net_");
}

TEST(Fwopt, PreprocessingIsStored) {
    NetDef net = def_of(branches());
    tools::PreprocessOptions options;
    options.mean = "1,2,3";
    options.norm = "0.5";
    options.pixel = "RGB";
    options.size = "10x12";
    ASSERT_TRUE(embed_preprocess(options, &net).ok());
    const Preprocess stored = net.preprocess();
    EXPECT_EQ(stored.pixel, Pixel::kRgb);
    EXPECT_EQ(stored.mean, (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(stored.width, 10);
    EXPECT_EQ(stored.height, 12);
    EXPECT_EQ(net.layers[0].params.get(0, 0), 10);
    options.pixel = "GRAY";
    EXPECT_FALSE(embed_preprocess(options, &net).ok());
    options.pixel = "RGB";
    options.size = "10";
    EXPECT_FALSE(embed_preprocess(options, &net).ok());
    NetDef open;
    EXPECT_FALSE(embed_preprocess(options, &open).ok());
}

// The other way round: a model with scales inside becomes a float model and a table that computes the same bytes.
TEST(Fwopt, BakedScalesBecomeATable) {
    NetDef baked = def_of(branches());
    ASSERT_TRUE(optimize(table_of(true), &baked).ok());
    NetDef floats = baked;
    ScaleTable table;
    ASSERT_TRUE(optimize({}, &floats, &table).ok());
    EXPECT_EQ(table.layers.count("conv1"), 1U);
    for (const LayerDef& layer : floats.layers) {
        EXPECT_EQ(layer.params.get(8, 0), layer.type == "Input" ? layer.params.get(8, 0) : 0) << layer.name;
        EXPECT_TRUE(layer.weights.empty() || layer.weights[0].storage() != WeightStorage::kInt8) << layer.name;
    }
    EXPECT_EQ(Loaded(baked, {}, Precision::kInt8).run(input_of(), "fc"),
              Loaded(floats, table, Precision::kInt8).run(input_of(), "fc"));
    ScaleTable none;
    NetDef plain = def_of(branches());
    ASSERT_TRUE(optimize({}, &plain, &none).ok());
    EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace fw::opt
