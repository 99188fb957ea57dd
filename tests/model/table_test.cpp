// .table files of both formats.
#include "fw/table.h"

#include "model_test_util.h"

namespace fw::test {

namespace {

Result<ScaleTable> table(const std::string& text) {
    return ScaleTable::parse({text.data(), text.size()}, "net.table");
}

TEST(Table, ReadsLegacy) {
    const Result<ScaleTable> t = table(
        "conv1/3x3.a_param_0 0.0 1.5 1e+30 \r\n"
        "fc_param_0 12\n"
        "conv1/3x3.a 127.5\n"
        "other 3e-2\n"
        "\n"
        "other 0.03\n");
    ASSERT_TRUE(t.ok()) << t.status().message();
    ASSERT_EQ(t->layers.size(), 3U);
    const ScaleTable::LayerEntry& conv = t->layers.at("conv1/3x3.a");
    EXPECT_EQ(conv.weight_scales, (std::vector<float>{0, 1.5F, 1e30F}));
    EXPECT_EQ(conv.input, (QuantParams{127.5F, 0}));
    EXPECT_EQ(conv.precision, ScaleTable::LayerPrecision::kUnset);
    EXPECT_EQ(conv.line, 1);
    EXPECT_FALSE(t->layers.at("fc").input.known());
    EXPECT_TRUE(t->layers.at("other").weight_scales.empty());
    EXPECT_EQ(t->layers.at("other").line, 4);
    EXPECT_EQ(t->source, "net.table");
    EXPECT_TRUE(t->blobs.empty());
}

TEST(Table, ReadsFormat2) {
    const Result<ScaleTable> t = table(
        "fwtable 2\n"
        "# a comment\n"
        "model sha256:0123abcd\n"
        "preprocess pixel=RGB size=300x200 mean=127.5 norm=0.1,0.2,0.3\n"
        "blob data 1.5 -128\n"
        "blob a/b.c 2.5 0\n"
        "weights conv1 0 1 2\n"
        "layer conv1 int8\n"
        "layer fc float\n"
        "input fc 4.5 3\n");
    ASSERT_TRUE(t.ok()) << t.status().message();
    EXPECT_EQ(t->model_hash, "sha256:0123abcd");
    EXPECT_EQ(t->preprocess.pixel, Pixel::kRgb);
    EXPECT_EQ(t->preprocess.width, 300);
    EXPECT_EQ(t->preprocess.height, 200);
    EXPECT_EQ(t->preprocess.mean, std::vector<float>{127.5F});
    EXPECT_EQ(t->preprocess.norm, (std::vector<float>{0.1F, 0.2F, 0.3F}));
    EXPECT_EQ(t->blobs.at("data"), (QuantParams{1.5F, -128}));
    EXPECT_EQ(t->blobs.at("a/b.c"), (QuantParams{2.5F, 0}));
    EXPECT_EQ(t->layers.at("conv1").weight_scales, (std::vector<float>{0, 1, 2}));
    EXPECT_EQ(t->layers.at("conv1").precision, ScaleTable::LayerPrecision::kInt8);
    EXPECT_EQ(t->layers.at("fc").precision, ScaleTable::LayerPrecision::kFloat);
    EXPECT_EQ(t->layers.at("fc").input, (QuantParams{4.5F, 3}));
    EXPECT_EQ(t->layers.at("fc").line, 9);

    const std::string text = t->to_text();
    const Result<ScaleTable> again = table(text);
    ASSERT_TRUE(again.ok()) << again.status().message() << "\n" << text;
    EXPECT_EQ(again->to_text(), text);
    EXPECT_EQ(again->blobs, t->blobs);
    EXPECT_EQ(again->model_hash, t->model_hash);
    EXPECT_EQ(again->preprocess.norm, t->preprocess.norm);
    ASSERT_EQ(again->layers.size(), t->layers.size());
    for (const auto& [name, e] : t->layers) {
        EXPECT_EQ(again->layers.at(name).weight_scales, e.weight_scales);
        EXPECT_EQ(again->layers.at(name).input, e.input);
        EXPECT_EQ(again->layers.at(name).precision, e.precision);
    }
}

TEST(Table, LegacyRoundTrips) {
    const std::string text = "a_param_0 0.0 1.5\nb_param_0 12.25\na 127.5\nc 0.03\n";
    const Result<ScaleTable> t = table(text);
    ASSERT_TRUE(t.ok());
    EXPECT_EQ(t->to_legacy_text(), text);
    const Result<ScaleTable> as_own = table(t->to_text());
    ASSERT_TRUE(as_own.ok()) << as_own.status().message();
    EXPECT_EQ(as_own->to_legacy_text(), text) << "format 2 holds all that the legacy format does";
}

TEST(Table, RefusesWithLineAndValue) {
    const struct {
        const char* text;
        const char* message;
    } cases[] = {
        {"", "net.table: the table has no entries"},
        {"\n\n", "net.table: the table has no entries"},
        {"conv1 1\nconv2 inf\n", "net.table:2: layer 'conv2': scale 'inf' is not a finite number"},
        {"conv1 nan\n", "net.table:1: layer 'conv1': scale 'nan' is not a finite number"},
        {"conv1 -nan\n", "scale '-nan' is not a finite number"},
        {"conv1 1e39\n", "scale '1e39' is beyond the range of float"},
        {"conv1 -1.5\n", "net.table:1: layer 'conv1': scale '-1.5' is negative"},
        {"conv1 0\n", "net.table:1: layer 'conv1': activation scale '0' is zero"},
        {"conv1 0.0\n", "activation scale '0.0' is zero"},
        {"conv1 1e-60\n", "activation scale '1e-60' is zero"},
        {"conv1 1e-39\n", "activation scale '1e-39' is too small"},
        {"conv1_param_0 1 1e-39\n", "layer 'conv1': weight scale '1e-39' is too small"},
        {"conv1\n", "net.table:1: layer 'conv1' has no scale"},
        {"conv1 abc\n", "scale 'abc' is not a finite number"},
        {"conv1 1 2\n", "net.table:1: layer 'conv1' has more than one activation scale ('2')"},
        {"conv1_param_0\n", "net.table:1: layer 'conv1' has no weight scales"},
        {"conv1_param_0 1 x 2\n", "net.table:1: layer 'conv1': scale 'x' is not a finite number"},
        {"conv1_param_0 1 -2\n", "layer 'conv1': scale '-2' is negative"},
        {"conv1_param_0 inf\n", "layer 'conv1': scale 'inf' is not a finite number"},
        {"a 1\nb 1\na 2\n", "net.table:3: the input scale of layer 'a' differs from that given before (line 1 on)"},
        {"a_param_0 1\na_param_0 1 2\n",
         "net.table:2: weight scales of layer 'a' differ from those given before (line 1 on)"},
        {"a \x01\n", "net.table:1: not a text file (it has a byte 0x01)"},
        {"fwtable 3\n", "net.table:1: fwtable version '3', this build reads 2"},
        {"fwtable\n", "net.table:1: fwtable version ''"},
        {"fwtable 2\nfoo bar\n", "net.table:2: unknown keyword 'foo'"},
        {"fwtable 2\nblob\n", "net.table:2: expected a blob's name, found ''"},
        {"fwtable 2\nblob a\n", "blob 'a': scale '' is not a finite number"},
        {"fwtable 2\nblob a 0 0\n", "blob 'a': activation scale '0' is zero"},
        {"fwtable 2\nblob a 1\n", "blob 'a': zero point '' is not a whole number from -128 to 127"},
        {"fwtable 2\nblob a 1 128\n", "zero point '128' is not a whole number from -128 to 127"},
        {"fwtable 2\nblob a 1 0 x\n", "blob 'a': unexpected 'x'"},
        {"fwtable 2\nblob a 1 0\nblob a 2 0\n", "net.table:3: blob 'a' differs from line 2"},
        {"fwtable 2\nweights a\n", "layer 'a' has no weight scales"},
        {"fwtable 2\nlayer a int4\n", "layer 'a': precision is 'int4', expected int8 or float"},
        {"fwtable 2\nlayer a int8\nlayer a float\n", "net.table:3: layer 'a' is both int8 and float"},
        {"fwtable 2\nlayer a int8 x\n", "unexpected 'x'"},
        {"fwtable 2\nmodel\n", "expected a model's name, found ''"},
        {"fwtable 2\npreprocess size=1x1\n", "preprocess lacks pixel=RGB, BGR or GRAY"},
        {"fwtable 2\npreprocess pixel=XYZ\n", "pixel is 'XYZ', expected RGB, BGR or GRAY"},
        {"fwtable 2\npreprocess pixel=RGB size=0x5\n", "size is '0x5', expected WIDTHxHEIGHT"},
        {"fwtable 2\npreprocess pixel=RGB mean=1,2\n", "preprocess has 2 means or norms, expected 1 or 3"},
        {"fwtable 2\npreprocess pixel=RGB mean=1,x,2\n", "'x' is not a number"},
        {"fwtable 2\npreprocess pixel=RGB gamma=1\n", "preprocess has an unknown part 'gamma=1'"},
    };
    for (const auto& c : cases) {
        const Result<ScaleTable> t = table(c.text);
        ASSERT_FALSE(t.ok()) << c.text;
        expect_contains(t.status().message(), c.message);
    }
    EXPECT_TRUE(table("fwtable 2\n").ok()) << "a network without scales runs in float";
    EXPECT_EQ(ScaleTable::load("/no/such/file.table").status().code(), Code::kNotFound);
}

TEST(Table, FactorsAndBiasCorrections) {
    const Result<ScaleTable> t = table(
        "fwtable 2\n"
        "equalize conv1 1.5 0.25\n"
        "bias conv1 -0.5 1e-3\n"
        "bias conv1 -0.5 1e-3\n");
    ASSERT_TRUE(t.ok()) << t.status().message();
    EXPECT_EQ(t->layers.at("conv1").equalize, (std::vector<float>{1.5F, 0.25F}));
    EXPECT_EQ(t->layers.at("conv1").bias_delta, (std::vector<float>{-0.5F, 1e-3F}));
    const Result<ScaleTable> again = table(t->to_text());
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(again->layers.at("conv1").equalize, t->layers.at("conv1").equalize);
    EXPECT_EQ(again->layers.at("conv1").bias_delta, t->layers.at("conv1").bias_delta);
    for (const char* line : {"equalize conv1", "equalize conv1 0", "equalize conv1 -1", "equalize conv1 inf",
                             "equalize conv1 1e20", "equalize conv1 1e-20", "equalize conv1 x", "bias conv1",
                             "bias conv1 nan", "bias conv1 1e99", "bias", "equalize conv1 1\nequalize conv1 2"}) {
        EXPECT_FALSE(table(std::string("fwtable 2\n") + line + "\n").ok()) << line;
    }
}

TEST(Table, RoundingOfWeights) {
    const Result<ScaleTable> t = table("fwtable 2\nweights conv1 2\nround conv1 a1\n");
    ASSERT_TRUE(t.ok()) << t.status().message();
    EXPECT_EQ(t->layers.at("conv1").round_up, (std::vector<bool>{true, false, true, false, false, false, false, true}));
    const Result<ScaleTable> again = table(t->to_text());
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(again->layers.at("conv1").round_up, t->layers.at("conv1").round_up);
    for (const char* line : {"round", "round conv1", "round conv1 0g", "round conv1 A0", "round conv1 a1 a1",
                             "round conv1 a1\nround conv1 a2"}) {
        EXPECT_FALSE(table(std::string("fwtable 2\n") + line + "\n").ok()) << line;
    }
}

}  // namespace

}  // namespace fw::test
