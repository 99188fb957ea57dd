// Problems are all reported at once, each naming layer, type, file and what was expected.
#include <cmath>

#include "caffe_test_util.h"

namespace fw::caffe {

namespace {

TEST(CaffeErrors, AllInOneReport) {
    const std::string text =
        input_text({1, 3, 8, 8}) +
        "layer { name: 'c1' type: 'Convolution' bottom: 'data' top: 'c1' convolution_param { num_output: 2 "
        "kernel_size: 3 } }\n"
        "layer { name: 'c2' type: 'Convolution' bottom: 'c1' top: 'c2' convolution_param { num_output: 2 kernel_size: "
        "3 } }\n"
        "layer { name: 'p' type: 'Pooling' bottom: 'c2' top: 'p' pooling_param { pool: STOCHASTIC kernel_size: 2 } }\n"
        "layer { name: 'q' type: 'Quux' bottom: 'data' top: 'q' }\n"
        "layer { name: 'e' type: 'Eltwise' bottom: 'c2' bottom: 'nowhere' top: 'e' }\n"
        "layer { name: 'ip' type: 'InnerProduct' bottom: 'c2' top: 'ip' inner_product_param { num_output: 2 } }\n";
    const Converted c = convert_text(text, Weights().add("c2", {2, 3, 3, 3}).add("c2", {2}).add("ip", {2, 32}));
    EXPECT_FALSE(c.status.ok());
    EXPECT_EQ(
        c.errors(),
        "net.caffemodel: layer 'c1' (Convolution): has no weights: expected the weights of shape (2,3,3,3)\n"
        "net.caffemodel: layer 'c2' (Convolution): the weights (blob 0) has shape (2,3,3,3), expected (2,2,3,3)\n"
        "net.prototxt:4: layer 'p' (Pooling): pool is STOCHASTIC, expected MAX or AVE\n"
        "net.prototxt:5: layer 'q' (Quux): layer type is not supported (docs/caffe2fw.md lists those that are)\n"
        "net.prototxt:6: layer 'e' (Eltwise): bottom 'nowhere' is no earlier layer's top, expected one\n"
        "net.caffemodel: layer 'ip' (InnerProduct): has 1 weight blobs: expected the bias of shape (2) as blob 1\n");
}

TEST(CaffeErrors, TextThatDoesNotParse) {
    EXPECT_STREQ(convert_text("layer {\n name: 'x\n}").errors().substr(0, 17).c_str(), "net.prototxt:2:10");
    EXPECT_EQ(convert_text("").errors(),
              "net.prototxt: has no layers (expected a Caffe network in protobuf text format)\n");
    const Converted c = convert_text(input_text({1, 2, 4, 4}) + layer_text("AbsVal", "shiny_param { a: 1 b: 'c' }"));
    EXPECT_TRUE(c.status.ok()) << c.errors();
    ASSERT_EQ(c.report.warnings().size(), 1U);
    EXPECT_NE(c.report.warnings()[0].find("net.prototxt:2:"), std::string::npos);
    EXPECT_NE(c.report.warnings()[0].find("shiny_param"), std::string::npos);
}

TEST(CaffeErrors, ModelThatDoesNotParse) {
    const std::string text = input_text({1, 2, 4, 4}) + layer_text("AbsVal", "");
    EXPECT_NE(convert_bytes(text, "").errors().find("net.caffemodel: has no layers"), std::string::npos);
    EXPECT_NE(convert_bytes(text, "\xff\xff\xff\xff").errors().find("net.caffemodel: damaged near byte"),
              std::string::npos);
    std::string cut = Weights().add("x", {100}).bytes();
    cut.resize(cut.size() - 7);
    EXPECT_NE(convert_bytes(text, cut).errors().find("net.caffemodel: damaged near byte"), std::string::npos);
}

TEST(CaffeErrors, WeightsOfWrongSizeOrValue) {
    const auto conv = [](const Weights& w) {
        return convert_text(
                   input_text({1, 2, 4, 4}) +
                       layer_text("Convolution", "convolution_param { num_output: 2 kernel_size: 1 bias_term: false }"),
                   w)
            .errors();
    };
    EXPECT_EQ(conv(Weights().add("x", {2, 2, 1, 1})), "");
    EXPECT_EQ(conv(Weights().add_values("x", {2, 2, 1, 1}, {1, 2, 3})),
              "net.caffemodel: layer 'x' (Convolution): the weights (blob 0) of shape (2,2,1,1) holds 3 values\n");
    EXPECT_EQ(conv(Weights().add_values("x", {2, 2, 1, 1}, {1, 2, NAN, 4})),
              "net.caffemodel: layer 'x' (Convolution): the weights (blob 0) has 1 values that are inf or nan, "
              "expected finite numbers\n");
    EXPECT_EQ(
        conv(Weights().add("x", {4, 2, 1, 1})),
        "net.caffemodel: layer 'x' (Convolution): the weights (blob 0) has shape (4,2,1,1), expected (2,2,1,1)\n");
}

TEST(CaffeErrors, HugeNumbers) {
    const std::vector<int> d = {1, 2, 4, 4};
    const auto conv = [&](const std::string& rest) {
        return one_layer(d, "Convolution", "convolution_param { " + rest + " }",
                         Weights().add("x", {2, 2, 1, 1}).add("x", {2}));
    };
    EXPECT_NE(conv("num_output: 4294967295 kernel_size: 1").find("num_output is 4294967295, expected 1 to 16777216"),
              std::string::npos);
    EXPECT_NE(conv("num_output: 2 kernel_size: 4294967295").find("kernel_size is 4294967295"), std::string::npos);
    EXPECT_NE(conv("num_output: 2 kernel_size: 16777216 dilation: 16777216").find("its kernel covers"),
              std::string::npos);
    EXPECT_NE(conv("num_output: 2 kernel_size: 1 stride: 0").find("stride is 0"), std::string::npos);
    EXPECT_NE(conv("num_output: 2 kernel_size: 1 group: 0").find("group is 0"), std::string::npos);
    EXPECT_NE(one_layer({1, 1 << 24, 1 << 24, 1 << 24}, "AbsVal").find("its top would have shape"), std::string::npos);
    EXPECT_NE(one_layer({1, 2, 64, 64}, "Tile", "tile_param { axis: 1 tiles: 16777216 }").find("error"),
              std::string::npos);
    EXPECT_NE(one_layer(d, "Reshape", "reshape_param { shape { dim: 9223372036854775807 dim: -1 } }").find("error"),
              std::string::npos);
}

TEST(CaffeErrors, SharedWeightsDoNotFillTheMemory) {
    // A file of 1 MiB, whose 2^18 weights many layers share.
    const auto net = [](int layers) {
        std::string text = input_text({1, 512, 1, 1});
        for (int i = 0; i < layers; ++i) {
            text += "layer { name: 'c" + std::to_string(i) + "' type: 'Convolution' bottom: 'data' top: 'c" +
                    std::to_string(i) +
                    "' convolution_param { num_output: 512 kernel_size: 1 bias_term: false } param { name: 'w' } }\n";
        }
        return convert_text(text, Weights().add("c0", {512, 512, 1, 1}));
    };
    EXPECT_TRUE(net(40).status.ok());
    EXPECT_NE(net(400).errors().find("add up to far more than the files hold"), std::string::npos);
}

TEST(CaffeErrors, ManyLayersOfOneName) {
    std::string text = input_text({1, 1, 1, 1});
    for (int i = 0; i < 20000; ++i) {
        text += "layer { name: 'x' type: 'AbsVal' bottom: 'data' top: 'data' }\n";
    }
    ConvertOptions options;
    options.optimize = false;
    const Converted c = convert_text(text, {}, options);
    ASSERT_TRUE(c.status.ok()) << c.status.message();
    EXPECT_EQ(c.net.layers.back().name, "x_20000");
    EXPECT_EQ(c.net.layers.back().tops[0], "data");
}

TEST(CaffeErrors, WrongNumberOfBottoms) {
    EXPECT_EQ(one_layer({1, 2, 4, 4}, "Eltwise"),
              "error: net.prototxt:2: layer 'x' (Eltwise): has 1 bottoms, expected 2 or more");
    EXPECT_EQ(one_layer({1, 2, 4, 4}, "Crop"), "error: net.prototxt:2: layer 'x' (Crop): has 1 bottoms, expected 2");
}

TEST(CaffeErrors, NoInputOrOutput) {
    EXPECT_STREQ(convert_text("layer { name: 'l' type: 'Accuracy' }").status.message(),
                 "net.prototxt: has no input: expected an Input or data layer, or the field `input`");
}

}  // namespace

}  // namespace fw::caffe
