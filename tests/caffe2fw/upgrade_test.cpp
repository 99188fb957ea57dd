// Older generations of layers, inputs, phases, in-place layers, shared and surplus weights, preprocessing.
#include <map>

#include "caffe_test_util.h"

namespace fw::caffe {

namespace {

ConvertOptions plain() {
    ConvertOptions options;
    options.optimize = false;
    return options;
}

constexpr const char* kNewNet =
    "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }\n"
    "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 2 "
    "kernel_size: 3 pad: 1 } }\n"
    "layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }\n"
    "layer { name: 'pool' type: 'Pooling' bottom: 'conv' top: 'pool' pooling_param { pool: MAX kernel_size: 2 stride: "
    "2 } }\n"
    "layer { name: 'norm' type: 'LRN' bottom: 'pool' top: 'norm' lrn_param { local_size: 3 alpha: 0.5 } }\n"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'norm' top: 'ip' inner_product_param { num_output: 4 } }\n"
    "layer { name: 'prob' type: 'Softmax' bottom: 'ip' top: 'prob' }\n";

Weights small_weights() {
    return Weights().add("conv", {2, 3, 3, 3}).add("conv", {2}).add("ip", {4, 32}).add("ip", {4});
}

TEST(CaffeUpgrade, V1) {
    const std::string v1 =
        "input: 'data' input_dim: 10 input_dim: 3 input_dim: 8 input_dim: 8\n"
        "layers { name: 'conv' type: CONVOLUTION bottom: 'data' top: 'conv' blobs_lr: 1 weight_decay: 1 "
        "convolution_param { num_output: 2 kernel_size: 3 pad: 1 } }\n"
        "layers { name: 'relu' type: RELU bottom: 'conv' top: 'conv' }\n"
        "layers { name: 'pool' type: POOLING bottom: 'conv' top: 'pool' pooling_param { pool: MAX kernel_size: 2 "
        "stride: 2 } }\n"
        "layers { name: 'norm' type: LRN bottom: 'pool' top: 'norm' lrn_param { local_size: 3 alpha: 0.5 } }\n"
        "layers { name: 'ip' type: INNER_PRODUCT bottom: 'norm' top: 'ip' inner_product_param { num_output: 4 } }\n"
        "layers { name: 'prob' type: SOFTMAX bottom: 'ip' top: 'prob' }\n";
    const Converted a = convert_text(kNewNet, small_weights());
    ASSERT_TRUE(a.status.ok()) << a.errors();
    // Weights as V1, with legacy shapes.
    WeightFile file;
    ASSERT_TRUE(file.ParseFromString(small_weights().bytes()));
    for (const WeightLayer& layer : file.layer()) {
        V1WeightLayer* to = file.add_layers();
        to->set_name(layer.name());
        for (const BlobProto& blob : layer.blobs()) {
            BlobProto* b = to->add_blobs();
            *b->mutable_data() = blob.data();
            const std::vector<int64_t> dims(blob.shape().dim().begin(), blob.shape().dim().end());
            const auto extent = [&](size_t from_end) {
                return static_cast<int>(from_end < dims.size() ? dims[dims.size() - 1 - from_end] : 1);
            };
            b->set_num(extent(3));
            b->set_channels(extent(2));
            b->set_height(extent(1));
            b->set_width(extent(0));
        }
    }
    file.clear_layer();
    const Converted b = convert_bytes(v1, file.SerializeAsString());
    ASSERT_TRUE(b.status.ok()) << b.errors();
    EXPECT_EQ(a.lines(true), b.lines(true));
    EXPECT_EQ(a.layer("conv")->weights[0].to_floats(), b.layer("conv")->weights[0].to_floats());
}

TEST(CaffeUpgrade, V0FoldsPaddingLayers) {
    const std::string v0 =
        "input: 'data' input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n"
        "layers { layer { name: 'pad' type: 'padding' pad: 1 } bottom: 'data' top: 'pad' }\n"
        "layers { layer { name: 'conv' type: 'conv' num_output: 2 kernelsize: 3 weight_decay: 1 } bottom: 'pad' top: "
        "'conv' }\n"
        "layers { layer { name: 'relu' type: 'relu' } bottom: 'conv' top: 'conv' }\n"
        "layers { layer { name: 'pool' type: 'pool' pool: MAX kernelsize: 2 stride: 2 } bottom: 'conv' top: 'pool' }\n"
        "layers { layer { name: 'norm' type: 'lrn' local_size: 3 alpha: 0.5 } bottom: 'pool' top: 'norm' }\n"
        "layers { layer { name: 'ip' type: 'innerproduct' num_output: 4 } bottom: 'norm' top: 'ip' }\n"
        "layers { layer { name: 'prob' type: 'softmax' } bottom: 'ip' top: 'prob' }\n";
    WeightFile file;
    ASSERT_TRUE(file.ParseFromString(small_weights().bytes()));
    for (const WeightLayer& layer : file.layer()) {
        V0WeightLayer* to = file.add_layers()->mutable_layer();
        to->set_name(layer.name());
        *to->mutable_blobs() = layer.blobs();
    }
    file.clear_layer();
    const Converted a = convert_text(kNewNet, small_weights());
    const Converted b = convert_bytes(v0, file.SerializeAsString());
    ASSERT_TRUE(b.status.ok()) << b.errors();
    EXPECT_EQ(a.lines(true), b.lines(true));
    EXPECT_STREQ(convert_text("layers { layer { name: 'q' type: 'quux' } bottom: 'd' top: 'q' }").status.message(),
                 "net.prototxt:1: layer 'q' (quux): layer type is not known (V0 layer)");
}

TEST(CaffeUpgrade, InPlaceLayersAndSharedBottoms) {
    const Converted c =
        convert_text(input_text({1, 2, 4, 4}) +
                         "layer { name: 'a' type: 'AbsVal' bottom: 'data' top: 'a' }\n"
                         "layer { name: 'before' type: 'TanH' bottom: 'a' top: 'before' }\n"
                         "layer { name: 'relu' type: 'ReLU' bottom: 'a' top: 'a' }\n"
                         "layer { name: 'power' type: 'Power' bottom: 'a' top: 'a' power_param { shift: 1 } }\n"
                         "layer { name: 'sum' type: 'Eltwise' bottom: 'a' bottom: 'before' top: 'sum' }\n"
                         "layer { name: 'twice' type: 'Eltwise' bottom: 'sum' bottom: 'sum' top: 'twice' }\n",
                     {}, plain());
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.lines(),
              "AbsVal a 1 1 data a_pre_relu\n"
              "Split split_a_pre_relu 1 2 a_pre_relu a_pre_relu_split_0 a_pre_relu_split_1\n"
              "TanH before 1 1 a_pre_relu_split_0 before\n"
              "ReLU relu 1 1 a_pre_relu_split_1 a_pre_power\n"
              "Power power 1 1 a_pre_power a 2=1.0\n"
              "Eltwise sum 2 1 a before sum 0=1\n"
              "Split split_sum 1 2 sum sum_split_0 sum_split_1\n"
              "Eltwise twice 2 1 sum_split_0 sum_split_1 twice 0=1\n");
}

TEST(CaffeUpgrade, OptimisedNetworkFoldsAndFuses) {
    const std::string text =
        input_text({1, 1, 4, 4}) +
        "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 2 "
        "kernel_size: 1 bias_term: false } }\n"
        "layer { name: 'bn' type: 'BatchNorm' bottom: 'conv' top: 'conv' batch_norm_param { eps: 0 } }\n"
        "layer { name: 'scale' type: 'Scale' bottom: 'conv' top: 'conv' scale_param { bias_term: true } }\n"
        "layer { name: 'drop' type: 'Dropout' bottom: 'conv' top: 'conv' }\n"
        "layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }\n"
        "layer { name: 'pool' type: 'Pooling' bottom: 'conv' top: 'pool' pooling_param { global_pooling: true } }\n"
        "layer { name: 'drop6' type: 'Dropout' bottom: 'pool' top: 'drop6' }\n"
        "layer { name: 'prob' type: 'Softmax' bottom: 'drop6' top: 'prob' }\n";
    const Weights w = Weights()
                          .add_values("conv", {2, 1, 1, 1}, {3, 5})
                          .add_values("bn", {2}, {1, 2})
                          .add_values("bn", {2}, {4, 16})
                          .add_values("bn", {1}, {1})
                          .add_values("scale", {2}, {2, 4})
                          .add_values("scale", {2}, {10, 20});
    const Converted c = convert_text(text, w);
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.lines(),
              "Convolution conv 1 1 data conv 0=2 1=1 5=1 6=2 9=1\n"
              "Pooling pool 1 1 conv pool 4=1\n"
              "Softmax prob 1 1 pool prob 1=1\n");
    // y = ((w x) - mean) / sqrt(var) * scale + shift
    const std::vector<float> weights = c.layer("conv")->weights[0].to_floats();
    const std::vector<float> bias = c.layer("conv")->weights[1].to_floats();
    EXPECT_FLOAT_EQ(weights[0], 3.0F);
    EXPECT_FLOAT_EQ(weights[1], 5.0F);
    EXPECT_FLOAT_EQ(bias[0], 9.0F);
    EXPECT_FLOAT_EQ(bias[1], 18.0F);
}

TEST(CaffeUpgrade, TrainingNetworkLosesItsTrainingLayers) {
    const std::string text =
        "layer { name: 'data' type: 'Data' top: 'data' top: 'label' include { phase: TRAIN } transform_param { "
        "crop_size: 20 } }\n"
        "layer { name: 'data' type: 'ImageData' top: 'data' top: 'label' include { phase: TEST } transform_param { "
        "crop_size: 8 "
        "mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.5 } image_data_param { source: 'x' batch_size: 10 } }\n"
        "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 2 "
        "kernel_size: 3 pad: 1 } }\n"
        "layer { name: 'aug' type: 'Python' bottom: 'conv' top: 'conv' include { phase: TRAIN } }\n"
        "layer { name: 'ip' type: 'InnerProduct' bottom: 'conv' top: 'ip' inner_product_param { num_output: 4 } }\n"
        "layer { name: 'accuracy' type: 'Accuracy' bottom: 'ip' bottom: 'label' top: 'accuracy' }\n"
        "layer { name: 'off' type: 'AbsVal' bottom: 'ip' top: 'off' exclude { phase: TEST } }\n"
        "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'label' top: 'loss' }\n";
    const Converted c = convert_text(
        text, Weights().add("conv", {2, 3, 3, 3}).add("conv", {2}).add("ip", {4, 128}).add("ip", {4}), plain());
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.lines(),
              "Convolution conv 1 1 data conv 0=2 1=3 4=1 5=1 6=54\n"
              "InnerProduct ip 1 1 conv ip 0=4 1=1 2=512\n"
              "Softmax loss 1 1 ip prob 1=1\n");
    const Preprocess p = c.net.preprocess();
    EXPECT_EQ(p.pixel, Pixel::kBgr);
    EXPECT_EQ(p.width, 8);
    EXPECT_EQ(p.mean, (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(p.norm, (std::vector<float>{0.5F}));
    bool said = false;
    for (const std::string& note : c.report.notes()) {
        said = said || note == "net.prototxt:8: layer 'loss' (SoftmaxWithLoss): becomes Softmax, its blob is 'prob'";
    }
    EXPECT_TRUE(said);
}

TEST(CaffeUpgrade, RulesOfStagesAndLevels) {
    const std::string text = "state { stage: 'deploy' level: 2 }\n" + input_text({1, 2, 4, 4}) +
                             layer_text("AbsVal", "include { stage: 'deploy' min_level: 1 }") +
                             "layer { name: 'y' type: 'TanH' bottom: 'x' top: 'y' include { not_stage: 'deploy' } }\n"
                             "layer { name: 'z' type: 'BNLL' bottom: 'x' top: 'z' exclude { max_level: 1 } }\n";
    EXPECT_EQ(convert_text(text, {}, plain()).lines(), "AbsVal x 1 1 data x\nBNLL z 1 1 x z\n");
}

TEST(CaffeUpgrade, StagesGivenBesideTheFile) {
    const std::string text = input_text({1, 2, 4, 4}) + layer_text("AbsVal", "include { stage: 'deploy' }") +
                             "layer { name: 'y' type: 'TanH' bottom: 'data' top: 'y' exclude { stage: 'deploy' } }\n";
    EXPECT_EQ(convert_text(text).lines(), "TanH y 1 1 data y\n");
    Converted c;
    const Result<NetDef> net = convert({{text.data(), text.size()}, "net.prototxt"}, {}, {}, &c.report, 1, {"deploy"});
    ASSERT_TRUE(net.ok()) << net.status().message();
    c.net = *net;
    EXPECT_EQ(c.lines(), "AbsVal x 1 1 data x\n");
}

TEST(CaffeUpgrade, SilenceHidesABranch) {
    const std::string text = input_text({1, 2, 4, 4}) +
                             "layer { name: 'a' type: 'AbsVal' bottom: 'data' top: 'a' }\n"
                             "layer { name: 'b' type: 'TanH' bottom: 'data' top: 'b' }\n"
                             "layer { name: 's' type: 'Silence' bottom: 'b' }\n";
    EXPECT_EQ(convert_text(text).lines(), "AbsVal a 1 1 data a\n");
}

TEST(CaffeUpgrade, SharedAndSurplusWeights) {
    const std::string conv =
        " convolution_param { num_output: 2 kernel_size: 1 } param { name: 'w' } param { name: 'b' } }\n";
    const std::string text = input_text({1, 2, 4, 4}) +
                             "layer { name: 'a' type: 'Convolution' bottom: 'data' top: 'a'" + conv +
                             "layer { name: 'b' type: 'Convolution' bottom: 'a' top: 'b'" + conv;
    const Converted c = convert_text(text, Weights().add("a", {2, 2, 1, 1}).add("a", {2}).add("gone", {7}), plain());
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.layer("b")->weights[0].to_floats(), (std::vector<float>{1, 2, 3, 4}));
    ASSERT_EQ(c.report.notes().size(), 1U);
    EXPECT_EQ(c.report.notes()[0], "net.caffemodel: layer 'gone' is not in net.prototxt: its weights are ignored");
}

TEST(CaffeUpgrade, RandomWeightsNeedNoCaffemodel) {
    const std::string text =
        input_text({1, 2, 4, 4}) +
        "layer { name: 'a' type: 'Convolution' bottom: 'data' top: 'a' convolution_param { num_output: 3 kernel_size: "
        "3 } }\n"
        "layer { name: 'n' type: 'BatchNorm' bottom: 'a' top: 'a' }\n"
        "layer { name: 'k' type: 'DummyData' top: 'k' dummy_data_param { shape { dim: 1 dim: 3 dim: 2 dim: 2 } "
        "data_filler { value: 7 } } }\n"
        "layer { name: 'sum' type: 'Eltwise' bottom: 'a' bottom: 'k' top: 'sum' }\n";
    const auto made = [&](uint64_t seed) {
        import::Report report;
        Result<NetDef> net = convert({{text.data(), text.size()}, "net.prototxt"}, {}, plain(), &report, seed);
        EXPECT_TRUE(net.ok()) << net.status().message();
        std::map<std::string, std::vector<float>> first;
        for (const LayerDef& layer : net->layers) {
            first[layer.name] = layer.weights.empty() ? std::vector<float>() : layer.weights[0].to_floats();
        }
        return first;
    };
    const auto one = made(1);
    EXPECT_EQ(one.at("a").size(), 54U);
    EXPECT_NE(one.at("a")[0], one.at("a")[1]);
    EXPECT_EQ(one.at("k"), std::vector<float>(12, 7.0F));
    EXPECT_EQ(one, made(1));
    EXPECT_NE(one.at("a"), made(2).at("a"));
    import::Report report;
    const std::string large =
        input_text({1, 65536}) + layer_text("InnerProduct", "inner_product_param { num_output: 65536 }");
    const Result<NetDef> net = convert({{large.data(), large.size()}, "net.prototxt"}, {}, plain(), &report, 1);
    EXPECT_FALSE(net.ok());
}

TEST(CaffeUpgrade, MeanOfABinaryproto) {
    BlobProto mean;
    mean.set_num(1);
    mean.set_channels(3);
    mean.set_height(1);
    mean.set_width(2);
    for (const float value : {1.0F, 3.0F, 10.0F, 20.0F, -1.0F, 0.0F}) {
        mean.add_data(value);
    }
    const auto means = [](const std::string& bytes) {
        return channel_means({{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "mean.binaryproto"});
    };
    const Result<std::vector<float>> got = means(mean.SerializeAsString());
    ASSERT_TRUE(got.ok()) << got.status().message();
    EXPECT_EQ(*got, (std::vector<float>{2, 15, -0.5F}));
    mean.set_height(2);
    EXPECT_FALSE(means(mean.SerializeAsString()).ok());
    mean.set_height(1 << 30);
    mean.set_width(1 << 30);
    EXPECT_FALSE(means(mean.SerializeAsString()).ok());
    EXPECT_FALSE(means("nonsense").ok());
    EXPECT_FALSE(means("").ok());
}

TEST(CaffeUpgrade, PreprocessingAndSize) {
    ConvertOptions options = plain();
    options.preprocess.mean = "104,117,123";
    options.preprocess.norm = "0.5";
    options.preprocess.size = "16x12";
    const std::string text = "input: 'data'\n" + layer_text("AbsVal", "");
    const Converted c = convert_text(text, {}, options);
    ASSERT_TRUE(c.status.ok()) << c.errors();
    const Preprocess p = c.net.preprocess();
    EXPECT_EQ(p.pixel, Pixel::kBgr);
    EXPECT_EQ(p.width, 16);
    EXPECT_EQ(p.height, 12);
    EXPECT_EQ(p.mean, (std::vector<float>{104, 117, 123}));
    EXPECT_EQ(p.norm, (std::vector<float>{0.5F}));
    EXPECT_EQ(c.net.layers[0].params.get(0, 0), 16);
    EXPECT_EQ(c.net.layers[0].params.get(1, 0), 12);
    EXPECT_EQ(c.net.layers[0].params.get(2, 0), 3);
    // The size alone stores no preprocessing.
    options.preprocess.mean = options.preprocess.norm = "";
    EXPECT_FALSE(convert_text(text, {}, options).net.preprocess().known());
    options.preprocess.pixel = "GRAY";
    EXPECT_STREQ(convert_text(input_text({1, 3, 4, 4}) + layer_text("AbsVal", ""), {}, options).status.message(),
                 "--pixel has 1 channels, the network's input has 3");
    EXPECT_STREQ(convert_text(text).status.message(),
                 "net.prototxt: layer 'data' (Input): top 'data' has no shape, expected one in the file or --size "
                 "WIDTHxHEIGHT");
}

TEST(CaffeUpgrade, DummyDataIsAConstantBesideAnInput) {
    const std::string text =
        input_text({1, 2, 2, 2}) +
        "layer { name: 'c' type: 'DummyData' top: 'c' dummy_data_param { shape { dim: 1 dim: 2 dim: 2 dim: 2 } "
        "data_filler { value: 3 } } }\n"
        "layer { name: 'x' type: 'Eltwise' bottom: 'data' bottom: 'c' top: 'x' }\n";
    const Converted c = convert_text(text, {}, plain());
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.lines(), "MemoryData c 0 1 c 0=2 1=2 2=2\nEltwise x 2 1 data c x 0=1\n");
    EXPECT_EQ(c.layer("c")->weights[0].to_floats(), std::vector<float>(8, 3.0F));
}

}  // namespace

}  // namespace fw::caffe
