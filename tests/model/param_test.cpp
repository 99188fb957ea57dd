// .param files: what is read, what is refused and with which words, what is written.
#include <cmath>

#include "model_test_util.h"

namespace fw::test {

namespace {

TEST(Param, ReadsAHandTypedFile) {
    const std::string text =
        "7767517\r\n"
        "6 7\r\n"
        "Input            data             0 1 data 0=8 1=6 2=3\r\n"
        "Split            split            1 2 data a b\r\n"
        "Convolution      conv1/3x3.b      1 1 a c 0=4 1=3 4=1 5=1 6=108 9=2 -23310=1,1.000000e-01 -23330=4,3,8,6,4  "
        "\r\n"
        "Interp           up               1 1 b u 0=2 1=2 2=2.0\n"
        "Reshape          shape            1 1 u r 0=-1 6=\"0w, 1h\" 12=233\n"
        "Crop             crop             1 1 r out 9=1,2 10=3,4 19=abc 31=7\n"
        "\n  \n";
    const Result<NetDef> net = parse(text);
    ASSERT_TRUE(net.ok()) << net.status().message();
    ASSERT_EQ(net->layers.size(), 6U);
    const LayerDef& conv = net->layers[2];
    EXPECT_EQ(conv.type, "Convolution");
    EXPECT_EQ(conv.name, "conv1/3x3.b");
    EXPECT_EQ(conv.bottoms, std::vector<std::string>{"a"});
    EXPECT_EQ(conv.tops, std::vector<std::string>{"c"});
    EXPECT_EQ(conv.line, 5);
    EXPECT_EQ(conv.params.get(6, 0), 108);
    EXPECT_EQ(conv.params.get_floats(10), std::vector<float>{0.1F});
    EXPECT_EQ(conv.params.get_ints(30), (std::vector<int>{3, 8, 6, 4}));
    EXPECT_EQ(net->layers[1].tops, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(net->layers[3].params.values().at(1), ParamDict::Value(2.0F)) << "an int where a float belongs";
    EXPECT_EQ(net->layers[4].params.get(6, ""), "0w, 1h");
    EXPECT_EQ(net->layers[5].params.get_ints(9), (std::vector<int>{1, 2}));
    EXPECT_EQ(net->layers[5].params.get(19, ""), "abc");
    EXPECT_EQ(net->layers[5].params.get(31, 0), 7);
    EXPECT_EQ(net->source, "net.param");
}

/// A file with one layer besides the input; `line` may use the blob `data`.
std::string with_layer(const std::string& line, int blobs = 2) {
    return param_file(2, blobs, "Input in 0 1 data\n" + line + "\n");
}

TEST(Param, RefusesWithSourceLineAndReason) {
    const struct {
        std::string text;
        const char* message;
    } cases[] = {
        {"", "net.param: the file is empty"},
        {"\n\n", "net.param: the file is empty"},
        {"7767516\n1 1\n", "net.param:1: not a .param file (its first line must be 7767517)"},
        {"7767517 1\n1 1\n", "net.param:1: not a .param file"},
        {std::string("\x7f\x45\x02\x00", 4), "net.param:1: not a text file (it has a byte 0x02)"},
        {"7767517\n", "net.param: the file ends after its first line"},
        {"7767517\n1\n", "net.param:2: expected the numbers of layers and blobs"},
        {"7767517\n0 1\n", "net.param:2: expected the numbers of layers and blobs"},
        {"7767517\n-1 1\n", "net.param:2: expected the numbers of layers and blobs"},
        {"7767517\n1 1 1\n", "net.param:2: expected the numbers of layers and blobs"},
        {"7767517\n2147483647 1\nInput in 0 1 data\n", "net.param:2: 2147483647 layers are announced, a file of"},
        {"7767517\n99999999999 1\nInput in 0 1 data\n", "net.param:2: expected the numbers"},
        {param_file(1, 2147483647, "Input in 0 1 data\n"), "2147483647 blobs are announced, the layers produce 1"},
        {param_file(2, 1, "Input in 0 1 data\n"), "net.param: 2 layers are announced, the file has 1"},
        {param_file(1, 1, "Input in 0 1 data\nReLU r 1 1 data out\n"),
         "net.param:4: line 2 announces 1 layers, here is one more"},
        {with_layer("Foo f 1 1 data out"), "net.param:4: Foo layer 'f': unknown layer type 'Foo'"},
        {with_layer("ReLU r 1 1 nothing out"),
         "net.param:4: ReLU layer 'r': input blob 'nothing' is produced by no layer before it"},
        {with_layer("ReLU r 1 1 out out"), "input blob 'out' is produced by no layer before it"},
        {with_layer("ReLU r 1 1 data data"),
         "net.param:4: ReLU layer 'r': output blob 'data' is produced a second time"},
        {with_layer("Split s 1 2 data a a"), "output blob 'a' is produced a second time"},
        {with_layer("ReLU r 1"), "net.param:4: expected TYPE NAME N_INPUTS N_OUTPUTS, found 'ReLU r 1 '"},
        {with_layer("ReLU r x 1 data out"), "expected TYPE NAME N_INPUTS N_OUTPUTS, found 'ReLU r x 1'"},
        {with_layer("ReLU r -1 1 data out"), "expected TYPE NAME N_INPUTS N_OUTPUTS"},
        {with_layer("ReLU r 1 1 data"), "ReLU layer 'r': 1 outputs are announced, 0 follow"},
        {with_layer("ReLU r 2 1 data data out"), "ReLU layer 'r': has 2 inputs, expected 1"},
        {with_layer("ReLU r 1 2 data out x"), "ReLU layer 'r': has 2 outputs, expected 1"},
        {with_layer("Eltwise e 1 1 data out"), "Eltwise layer 'e': has 1 inputs, expected at least 2"},
        {with_layer("BinaryOp e 3 1 data data data out"), "has 3 inputs, expected 1 to 2"},
        {with_layer("Split s 1 2147483647 data out"), "2147483647 outputs are announced, 1 follow"},
        {with_layer("ReLU r 1 1 data out 0"), "ReLU layer 'r': '0' is not a parameter (ID=VALUE)"},
        {with_layer("ReLU r 1 1 data out x=1"), "'x=1' is not a parameter (ID=VALUE)"},
        {with_layer("ReLU r 1 1 data out extra 0=1"), "'extra' is not a parameter (ID=VALUE)"},
        {with_layer("ReLU r 1 1 data out 32=1"), "parameter id 32 is not in 0 to 31"},
        {with_layer("ReLU r 1 1 data out -1=1"), "parameter id -1 is not in 0 to 31"},
        {with_layer("ReLU r 1 1 data out -23299=1"), "parameter id -23299 is not in 0 to 31"},
        {with_layer("ReLU r 1 1 data out -23332=1,1"), "parameter id -23332 is not in 0 to 31"},
        {with_layer("ReLU r 1 1 data out -2147483648=1,1"), "parameter id -2147483648 is not in 0 to 31"},
        {with_layer("ReLU r 1 1 data out 0="), "parameter 0 has no value"},
        {with_layer("ReLU r 1 1 data out 0= 1"), "parameter 0 has no value"},
        {with_layer("ReLU r 1 1 data out 0=1.0 0=2.0"), "parameter 0 is given twice"},
        {with_layer("ReLU r 1 1 data out 0=nan"), "slope (0): 'nan' is not a number"},
        {with_layer("ReLU r 1 1 data out 0=-inf"), "slope (0): '-inf' is not a number"},
        {with_layer("ReLU r 1 1 data out 0=1e39"), "slope (0): '1e39' is beyond the range of float"},
        {with_layer("ReLU r 1 1 data out 0=0x1"), "slope (0): '0x1' is not a number"},
        {with_layer("ReLU r 1 1 data out 0=1,2"), "slope (0): is an array, expected a number"},
        {with_layer("ReLU r 1 1 data out 0=\"1\""), "slope (0): is a text, expected a number"},
        {with_layer("ReLU r 1 1 data out 0=\"1"), "parameter 0: the text has no closing quote"},
        {with_layer("ReLU r 1 1 data out 0=1.0" + std::string(300, '0')), "slope (0): a number of 303 characters"},
        {with_layer("Softmax s 1 1 data out 0=2147483648"), "axis (0): '2147483648' does not fit 32 bits"},
        {with_layer("Softmax s 1 1 data out 0=1.5"), "axis (0): is 1.5, expected a whole number"},
        {with_layer("Softmax s 1 1 data out 0=1e20"), "axis (0): is 1e+20, expected a whole number"},
        {with_layer("Softmax s 1 1 data out -23300=1,1"), "axis (0): is an array, expected a whole number"},
        {with_layer("Slice s 1 1 data out -23300=2,1"), "slices (0): an array of 2 numbers is announced, 1 follow"},
        {with_layer("Slice s 1 1 data out -23300=1,1,2"), "slices (0): an array of 1 numbers is announced, 2 follow"},
        {with_layer("Slice s 1 1 data out -23300=2147483647,1"),
         "an array of 2147483647 numbers is announced, 1 follow"},
        {with_layer("Slice s 1 1 data out -23300=-1"), "'-1' is not the length of an array"},
        {with_layer("Slice s 1 1 data out -23300=2,1,x"), "slices (0): 'x' is not a number"},
        {with_layer("Slice s 1 1 data out 0=1,"), "slices (0): an array that ends in a comma"},
        {with_layer("Slice s 1 1 data out 0=\"a\""), "slices (0): is a text, expected an array"},
        {with_layer("Crop s 1 1 data out -23319=1,1"), "starts_expr (19): is an array, expected a text"},
        {with_layer("Convolution c 1 1 data out 0=4 1=3 6=35"),
         "Convolution layer 'c': weight_data_size (6) is 35, not a multiple"},
        {with_layer("ReLU " + std::string(5000, 'n') + " 1 1 data out"), "a layer name of more than 4096 characters"},
        {with_layer("ReLU r 1 1 " + std::string(5000, 'b') + " out"), "a blob name of 5000 characters"},
    };
    for (const auto& c : cases) {
        const Result<NetDef> net = parse(c.text);
        ASSERT_FALSE(net.ok()) << "accepted: " << c.text.substr(0, 200) << "\nexpected: " << c.message;
        expect_contains(net.status().message(), c.message);
        EXPECT_TRUE(std::string(net.status().message()).rfind("net.param", 0) == 0) << net.status().message();
    }
}

TEST(Param, AcceptsWhatTheFormatAllows) {
    for (const char* line : {
             "ReLU in 1 1 data out",                     // a layer name given twice
             "ReLU r 1 1 data out 17=3 -23322=2,1,2.5",  // ids that the type does not have
             "ReLU r 1 1 data out 16=\"some text\" 15=word",
             "ReLU r 1 1 data out 0=0",        // an int where a float belongs
             "Softmax s 1 1 data out 0=1.0",   // a whole float where an int belongs
             "Slice s 1 1 data out -23300=0",  // an empty array
             "Slice s 1 1 data out 0=5",       // one number where an array belongs
             "Slice s 1 1 data out -23300=2,1,-233",
             "Interp i 1 1 data out 9=16",  // digits where a text belongs
         }) {
        const Result<NetDef> net = parse(with_layer(line));
        EXPECT_TRUE(net.ok()) << line << ": " << net.status().message();
    }
}

TEST(Param, CustomTypesComeFromTheCaller) {
    const CustomBlobs custom = [](const std::string& type, const ParamDict& params, std::vector<BlobSpec>* out) {
        if (type != "Mine") {
            return false;
        }
        out->push_back({"table", params.get(0, 0), false});
        return true;
    };
    const std::string text = with_layer("Mine m 1 1 data out 0=2 1=word");
    Result<NetDef> net = parse_param({text.data(), text.size()}, "net.param", custom);
    ASSERT_TRUE(net.ok()) << net.status().message();
    EXPECT_EQ(net->layers[1].params.get(1, ""), "word");
    const FileData bin = in_memory(Bytes().f32({1, 2}).data);
    ASSERT_TRUE(read_weights(bin, "net.bin", &*net, custom).ok());
    EXPECT_EQ(net->layers[1].weights.at(0).to_floats(), (std::vector<float>{1, 2}));
    const Result<std::vector<uint8_t>> again = bin_bytes(*net);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, Bytes().f32({1, 2}).data);

    const std::string bad = with_layer("Mine m 1 1 data out 0=-2");
    EXPECT_FALSE(parse_param({bad.data(), bad.size()}, "net.param", custom).ok());
    const std::string other = with_layer("Yours m 1 1 data out");
    expect_contains(parse_param({other.data(), other.size()}, "net.param", custom).status().message(),
                    "unknown layer type 'Yours'");
}

TEST(Param, WritesWhatItReads) {
    const std::string text =
        param_file(3, 4,
                   "Input                    data                     0 1 data 0=8 1=6 2=3\n"
                   "Convolution              a_layer_with_a_very_long_name_indeed 1 1 data c 0=4 1=3 11=1 4=-233 5=1 "
                   "6=36 9=2 -23310=1,0.1 -23330=4,3,8,6,4\n"
                   "Crop                     crop                     1 2 c out x -23309=2,1,2 19=\"a b\" 29=1.0\n");
    // Crop has one output by its schema; Slice may have two.
    std::string fixed = text;
    fixed.replace(fixed.find("Crop "), 5, "Slice");
    fixed.replace(fixed.find("-23309"), 6, "-23300");
    const Result<NetDef> net = parse(fixed);
    ASSERT_TRUE(net.ok()) << net.status().message();
    const Result<std::string> written = param_text(*net);
    ASSERT_TRUE(written.ok()) << written.status().message();
    const Result<NetDef> again = parse(*written);
    ASSERT_TRUE(again.ok()) << again.status().message() << "\n" << *written;
    ASSERT_EQ(again->layers.size(), net->layers.size());
    for (size_t i = 0; i < net->layers.size(); ++i) {
        EXPECT_EQ(again->layers[i].type, net->layers[i].type);
        EXPECT_EQ(again->layers[i].name, net->layers[i].name);
        EXPECT_EQ(again->layers[i].bottoms, net->layers[i].bottoms);
        EXPECT_EQ(again->layers[i].tops, net->layers[i].tops);
        EXPECT_TRUE(again->layers[i].params == net->layers[i].params) << *written;
    }
    EXPECT_EQ(*param_text(*again), *written);
}

TEST(Param, LeavesDefaultsOut) {
    const Result<NetDef> net =
        parse(with_layer("Convolution c 1 1 data out 0=4 1=3 11=3 2=1 3=1 13=1 4=1 14=1 15=1 16=1 18=0 5=0 6=36 9=0"));
    ASSERT_TRUE(net.ok()) << net.status().message();
    EXPECT_EQ(*param_text(*net),
              "7767517\n2 2\n"
              "Input                    in                       0 1 data\n"
              "Convolution              c                        1 1 data out 0=4 1=3 4=1 6=36\n");
}

TEST(Param, WriterRefusesWhatWouldNotReadBack) {
    const auto message = [](const std::function<void(NetDef*)>& spoil) {
        NetDef net;
        LayerDef layer;
        layer.type = "ReLU";
        layer.name = "r";
        layer.tops = {"out"};
        net.layers.push_back(layer);
        spoil(&net);
        return std::string(param_text(net).status().message());
    };
    EXPECT_EQ(message([](NetDef*) {}), "");
    expect_contains(message([](NetDef* n) { n->layers[0].name = "a b"; }).c_str(),
                    "the name 'a b' is empty, too long, or has blanks");
    expect_contains(message([](NetDef* n) { n->layers[0].name = ""; }).c_str(), "the name '' is empty");
    expect_contains(message([](NetDef* n) { n->layers[0].type = "x\n"; }).c_str(), "the type 'x?'");
    expect_contains(message([](NetDef* n) { n->layers[0].tops[0] = "\t"; }).c_str(), "blob '?' is empty");
    expect_contains(message([](NetDef* n) { n->layers[0].params.set(0, INFINITY); }).c_str(),
                    "parameter 0 is inf, which no file can hold");
    expect_contains(message([](NetDef* n) {
                        n->layers[0].params.set(3, std::vector<float>{1, NAN});
                    }).c_str(),
                    "parameter 3 is nan");
    expect_contains(message([](NetDef* n) { n->layers[0].params.set(3, std::string("a\"b")); }).c_str(),
                    "a text cannot hold quotes");
    expect_contains(message([](NetDef* n) { n->layers[0].params.set(32, 1); }).c_str(),
                    "parameter id 32 is not in 0 to 31");
}

TEST(Param, PreprocessingRoundTrips) {
    Result<NetDef> net = parse(with_layer("ReLU r 1 1 data out"));
    ASSERT_TRUE(net.ok());
    EXPECT_FALSE(net->preprocess().known());
    Preprocess p;
    p.pixel = Pixel::kBgr;
    p.width = 227;
    p.height = 113;
    p.mean = {104, 117, 123.5F};
    p.norm = {0.00784313772F};
    net->set_preprocess(p);
    const Result<std::string> text = param_text(*net);
    ASSERT_TRUE(text.ok());
    EXPECT_NE(text->find("0=227 1=113 2=3 24=2 -23325=3,104.0,117.0,123.5 -23326=1,0.007843138"), std::string::npos)
        << *text;
    const Result<NetDef> again = parse(*text);
    ASSERT_TRUE(again.ok()) << again.status().message();
    const Preprocess q = again->preprocess();
    EXPECT_EQ(q.pixel, p.pixel);
    EXPECT_EQ(q.width, 227);
    EXPECT_EQ(q.height, 113);
    EXPECT_EQ(q.mean, p.mean);
    EXPECT_EQ(q.norm, p.norm);
    net->set_preprocess(Preprocess());
    EXPECT_FALSE(net->preprocess().known());
    EXPECT_EQ(net->layers[0].params.get(0, 0), 227) << "the input keeps its size";
    expect_contains(parse(param_file(1, 1, "Input in 0 1 data 24=7\n")).status().message(),
                    "pixel (24) is 7, expected 0 to 3");
}

}  // namespace

}  // namespace fw::test
