// Each Caffe layer type -> the line (and weights) of the .param file that means the same.
#include "caffe_test_util.h"

namespace fw::caffe {

namespace {

std::string inputs_text(const std::vector<std::pair<std::string, std::string>>& inputs) {
    std::string out;
    for (const auto& [name, dims] : inputs) {
        out +=
            "layer { name: '" + name + "' type: 'Input' top: '" + name + "' input_param { shape { " + dims + " } } }\n";
    }
    return out;
}

TEST(CaffeLayers, Convolution) {
    const Weights w = Weights().add("x", {4, 3, 3, 3}).add("x", {4});
    EXPECT_EQ(one_layer({1, 3, 8, 8}, "Convolution",
                        "convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 }", w),
              "Convolution x 1 1 data x 0=4 1=3 3=2 4=1 5=1 6=108\n");
    EXPECT_EQ(
        one_layer(
            {1, 3, 8, 8}, "Convolution",
            "convolution_param { num_output: 4 bias_term: false kernel_h: 3 kernel_w: 3 pad_h: 1 pad_w: 2 stride_h: 2 "
            "stride_w: 1 dilation: 2 }",
            Weights().add("x", {4, 3, 3, 3})),
        "Convolution x 1 1 data x 0=4 1=3 2=2 4=2 6=108 13=2 14=1\n");
    // Repeated forms: height first.
    EXPECT_EQ(
        one_layer({1, 3, 8, 8}, "Convolution",
                  "convolution_param { num_output: 4 kernel_size: 3 kernel_size: 1 pad: 1 pad: 0 stride: 2 stride: 3 }",
                  Weights().add("x", {4, 3, 3, 1}).add("x", {4})),
        "Convolution x 1 1 data x 0=4 1=1 3=3 5=1 6=36 11=3 13=2 14=1\n");
}

TEST(CaffeLayers, GroupConvolution) {
    const Weights w = Weights().add("x", {4, 2, 1, 1}).add("x", {4});
    EXPECT_EQ(one_layer({1, 4, 8, 8}, "Convolution", "convolution_param { num_output: 4 kernel_size: 1 group: 2 }", w),
              "ConvolutionDepthWise x 1 1 data x 0=4 1=1 5=1 6=8 7=2\n");
    EXPECT_EQ(one_layer({1, 4, 8, 8}, "DepthwiseConvolution",
                        "convolution_param { num_output: 4 kernel_size: 3 bias_term: false }",
                        Weights().add("x", {4, 1, 3, 3})),
              "ConvolutionDepthWise x 1 1 data x 0=4 1=3 6=36 7=4\n");
    EXPECT_EQ(one_layer({1, 4, 8, 8}, "Convolution", "convolution_param { num_output: 4 kernel_size: 1 group: 3 }", w),
              "error: net.prototxt:2: layer 'x' (Convolution): group is 3, expected a divisor of 4 input and 4 output "
              "channels");
}

TEST(CaffeLayers, DeconvolutionTurnsItsWeights) {
    const std::string text =
        input_text({1, 2, 4, 4}) +
        layer_text("Deconvolution", "convolution_param { num_output: 3 kernel_size: 2 stride: 2 }");
    const Converted c = convert_text(text, Weights().add("x", {2, 3, 2, 2}, 0).add("x", {3}));
    ASSERT_TRUE(c.status.ok()) << c.status.message();
    EXPECT_EQ(c.lines(), "Deconvolution x 1 1 data x 0=3 1=2 3=2 5=1 6=24\n");
    const std::vector<float> w = c.layer("x")->weights[0].to_floats();
    // ours [out][in]: out 0 in 0 is Caffe's in 0 out 0 (values 0..3), out 0 in 1 is in 1 out 0 (values 12..15)
    EXPECT_EQ(std::vector<float>(w.begin(), w.begin() + 9), (std::vector<float>{0, 1, 2, 3, 12, 13, 14, 15, 4}));
    EXPECT_EQ(one_layer({1, 4, 4, 4}, "Deconvolution",
                        "convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 4 bias_term: false }",
                        Weights().add("x", {4, 1, 4, 4})),
              "DeconvolutionDepthWise x 1 1 data x 0=4 1=4 3=2 4=1 6=64 7=4\n");
}

TEST(CaffeLayers, InnerProduct) {
    const std::string ip = "inner_product_param { num_output: 2 }";
    EXPECT_EQ(one_layer({1, 3, 2, 2}, "InnerProduct", ip, Weights().add("x", {2, 12}).add("x", {2})),
              "InnerProduct x 1 1 data x 0=2 1=1 2=24\n");
    // the legacy four-axis form of blobs
    EXPECT_EQ(one_layer({1, 3, 2, 2}, "InnerProduct", ip, Weights().add("x", {1, 1, 2, 12}).add("x", {1, 1, 1, 2})),
              "InnerProduct x 1 1 data x 0=2 1=1 2=24\n");
    // rows one by one
    EXPECT_EQ(one_layer({1, 5, 4}, "InnerProduct", "inner_product_param { num_output: 2 axis: 2 bias_term: false }",
                        Weights().add("x", {2, 4})),
              "InnerProduct x 1 1 data x 0=2 2=8\n");
    const Converted c = convert_text(
        input_text({1, 3}) +
            layer_text("InnerProduct", "inner_product_param { num_output: 2 transpose: true bias_term: false }"),
        Weights().add("x", {3, 2}, 0));
    ASSERT_TRUE(c.status.ok()) << c.status.message();
    EXPECT_EQ(c.layer("x")->weights[0].to_floats(), (std::vector<float>{0, 2, 4, 1, 3, 5}));
}

TEST(CaffeLayers, Pooling) {
    EXPECT_EQ(one_layer({1, 3, 8, 8}, "Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }"),
              "Pooling x 1 1 data x 1=3 2=2\n");
    EXPECT_EQ(
        one_layer({1, 3, 8, 8}, "Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 2 round_mode: FLOOR }"),
        "Pooling x 1 1 data x 1=3 2=2 5=1\n");
    EXPECT_EQ(
        one_layer({1, 3, 8, 8}, "Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 2 ceil_mode: false }"),
        "Pooling x 1 1 data x 1=3 2=2 5=1\n");
    EXPECT_EQ(one_layer({1, 3, 8, 8}, "Pooling", "pooling_param { pool: AVE global_pooling: true }"),
              "Pooling x 1 1 data x 0=1 4=1\n");
    EXPECT_EQ(one_layer({1, 3, 8, 8}, "Pooling",
                        "pooling_param { pool: AVE kernel_h: 3 kernel_w: 5 stride: 1 pad_h: 1 pad_w: 2 }"),
              "Pooling x 1 1 data x 0=1 1=5 3=2 6=1 11=3 13=1\n");
    EXPECT_EQ(one_layer({1, 3, 8, 8}, "Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 3 }"),
              "error: net.prototxt:2: layer 'x' (Pooling): pool is STOCHASTIC, expected MAX or AVE");
}

TEST(CaffeLayers, PoolingRoundsAsCaffe) {
    // 3x3 kernel 2 stride 2 pad 1: ceil((3+2-2)/2)+1 = 3 windows at -1, 1, 3; 3 is not below 3+1... the last starts at
    // 3 < 4: kept 2x2 kernel 2 stride 2 pad 1: ceil(2/2)+1 = 2 windows at -1 and 1, both start inside: no trimming.
    EXPECT_EQ(one_layer({1, 1, 2, 2}, "Pooling", "pooling_param { pool: MAX kernel_size: 2 stride: 2 pad: 1 }"),
              "Pooling x 1 1 data x 1=2 2=2 3=1\n");
    // 4x4 kernel 3 stride 4 pad 2: ceil((8-3)/4)+1 = 3 windows at -2, 2, 6; the last starts at 6 >= 4: Caffe drops it.
    // Two are left, the second covers 2..4: one column beyond the input.
    EXPECT_EQ(one_layer({1, 1, 4, 4}, "Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 4 pad: 2 }"),
              "Pooling x 1 1 data x 1=3 2=4 3=2 5=1 14=1 15=1\n");
    // Averages with padding and an overhanging last window: 4x4 kernel 3 stride 2 pad 1: windows at -1, 1, 3 (3..5,
    // padding ends at 4): the divisor of the last is 2x2 there, so the padding becomes part of the input.
    EXPECT_EQ(one_layer({1, 1, 4, 4}, "Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"),
              "Padding x_pad 1 1 data x_pad 0=1 1=1 2=1 3=1\nPooling x 1 1 x_pad x 0=1 1=3 2=2\n");
}

TEST(CaffeLayers, PointByPoint) {
    const std::vector<int> d = {1, 2, 4, 4};
    EXPECT_EQ(one_layer(d, "ReLU"), "ReLU x 1 1 data x\n");
    EXPECT_EQ(one_layer(d, "ReLU", "relu_param { negative_slope: 0.5 }"), "ReLU x 1 1 data x 0=0.5\n");
    EXPECT_EQ(one_layer(d, "ReLU6"), "Clip x 1 1 data x 0=0.0 1=6.0\n");
    EXPECT_EQ(one_layer(d, "Clip", "clip_param { min: -1 max: 2 }"), "Clip x 1 1 data x 0=-1.0 1=2.0\n");
    EXPECT_EQ(one_layer(d, "PReLU", "", Weights().add("x", {2})), "PReLU x 1 1 data x 0=2\n");
    EXPECT_EQ(one_layer(d, "PReLU", "prelu_param { channel_shared: true }", Weights().add("x", {1})),
              "PReLU x 1 1 data x 0=1\n");
    EXPECT_EQ(one_layer(d, "ELU"), "ELU x 1 1 data x 0=1.0\n");
    for (const char* type : {"Sigmoid", "TanH", "AbsVal", "BNLL", "Mish", "Swish"}) {
        EXPECT_EQ(one_layer(d, type), std::string(type) + " x 1 1 data x\n");
    }
    EXPECT_EQ(one_layer(d, "Power", "power_param { power: 2 scale: 0.5 shift: -1 }"),
              "Power x 1 1 data x 0=2.0 1=0.5 2=-1.0\n");
    EXPECT_EQ(one_layer(d, "Exp", "exp_param { base: 2 }"), "Exp x 1 1 data x 0=2.0\n");
    EXPECT_EQ(one_layer(d, "Log", "log_param { scale: 2 shift: 1 }"), "Log x 1 1 data x 1=2.0 2=1.0\n");
    EXPECT_EQ(one_layer(d, "Threshold", "threshold_param { threshold: 0.25 }"), "Threshold x 1 1 data x 0=0.25\n");
    EXPECT_EQ(one_layer(d, "Softmax"), "Softmax x 1 1 data x 1=1\n");
    EXPECT_EQ(one_layer(d, "Softmax", "softmax_param { axis: -1 }"), "Softmax x 1 1 data x 0=2 1=1\n");
    EXPECT_EQ(one_layer(d, "Dropout"), "Dropout x 1 1 data x\n");
    EXPECT_EQ(one_layer(d, "Dropout", "dropout_param { dropout_ratio: 0.25 scale_train: false }"),
              "Dropout x 1 1 data x 0=0.75\n");
}

TEST(CaffeLayers, BatchNormDividesByItsFactor) {
    const Weights w = Weights().add_values("x", {2}, {2, 4}).add_values("x", {2}, {8, 16}).add_values("x", {1}, {2});
    ConvertOptions options;
    options.optimize = false;
    const Converted c =
        convert_text(input_text({1, 2, 4, 4}) + layer_text("BatchNorm", "batch_norm_param { eps: 0.25 }"), w, options);
    ASSERT_TRUE(c.status.ok()) << c.status.message();
    EXPECT_EQ(c.lines(), "BatchNorm x 1 1 data x 0=2 1=0.25\n");
    const LayerDef& x = *c.layer("x");
    ASSERT_EQ(x.weights.size(), 4U);
    EXPECT_EQ(x.weights[0].to_floats(), (std::vector<float>{1, 1}));
    EXPECT_EQ(x.weights[1].to_floats(), (std::vector<float>{1, 2}));
    EXPECT_EQ(x.weights[2].to_floats(), (std::vector<float>{4, 8}));
    EXPECT_EQ(x.weights[3].to_floats(), (std::vector<float>{0, 0}));
}

TEST(CaffeLayers, Normalisation) {
    const std::vector<int> d = {1, 2, 4, 4};
    EXPECT_EQ(one_layer(d, "BN", "", Weights().add("x", {1, 2, 1, 1}).add("x", {1, 2, 1, 1})),
              "Scale x 1 1 data x 0=2 1=1\n");
    EXPECT_EQ(one_layer(d, "BN", "", Weights().add("x", {2}).add("x", {2}).add("x", {2}).add("x", {2})),
              "BatchNorm x 1 1 data x 0=2 1=1e-05\n");
    EXPECT_EQ(one_layer(d, "Scale", "scale_param { bias_term: true }", Weights().add("x", {2}).add("x", {2})),
              "Scale x 1 1 data x 0=2 1=1\n");
    EXPECT_EQ(one_layer(d, "Scale", "scale_param { num_axes: 0 }", Weights().add("x", {}, 3)),
              "Power x 1 1 data x 1=3.0\n");
    EXPECT_EQ(
        one_layer(d, "Scale", "scale_param { axis: 2 }", Weights().add("x", {4})),
        "error: net.prototxt:2: layer 'x' (Scale): scales axes 2 to 2 of (1,2,4,4), expected the channels (axis 1) "
        "alone");
    EXPECT_EQ(one_layer(d, "Bias", "", Weights().add("x", {2})), "Bias x 1 1 data x 0=2\n");
    EXPECT_EQ(one_layer(d, "LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.25 k: 2 }"),
              "LRN x 1 1 data x 1=3 2=0.5 3=0.25 4=2.0\n");
    EXPECT_EQ(one_layer(d, "LRN", "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 k: 2 }"),
              "LRN x 1 1 data x 0=1 1=3\n");
    EXPECT_EQ(one_layer(d, "MVN", "mvn_param { across_channels: true eps: 0.5 }"), "MVN x 1 1 data x 0=1 1=1 2=0.5\n");
    EXPECT_EQ(one_layer(d, "Normalize", "norm_param { across_spatial: false channel_shared: false }",
                        Weights().add("x", {2})),
              "Normalize x 1 1 data x 2=1e-10 3=2\n");
    EXPECT_EQ(one_layer(d, "Normalize", "", Weights().add("x", {1})), "Normalize x 1 1 data x 0=1 1=1 2=1e-10 3=1\n");
}

TEST(CaffeLayers, ScaleByASecondBottom) {
    ConvertOptions options;
    options.optimize = false;
    // Squeeze and excite: the factor is (1,C).
    const std::string text =
        input_text({1, 2, 4, 4}) +
        "layer { name: 'p' type: 'Pooling' bottom: 'data' top: 'p' pooling_param { pool: AVE global_pooling: true } }\n"
        "layer { name: 'f' type: 'Flatten' bottom: 'p' top: 'f' }\n"
        "layer { name: 'x' type: 'Scale' bottom: 'data' bottom: 'f' top: 'x' scale_param { axis: 0 } }\n";
    const Converted c = convert_text(text, {}, options);
    ASSERT_TRUE(c.status.ok()) << c.status.message();
    EXPECT_EQ(c.lines(),
              "Split split_data 1 2 data data_split_0 data_split_1\n"
              "Pooling p 1 1 data_split_0 p 0=1 4=1\n"
              "Noop f 1 1 p f\n"
              "Scale x 2 1 data_split_1 f x 0=-233\n");
    const std::string planes =
        input_text({1, 2, 4, 4}) +
        "layer { name: 'a' type: 'AbsVal' bottom: 'data' top: 'a' }\n"
        "layer { name: 'x' type: 'Scale' bottom: 'data' bottom: 'a' top: 'x' scale_param { axis: 0 } }\n"
        "layer { name: 'y' type: 'Bias' bottom: 'x' bottom: 'a' top: 'y' bias_param { axis: 0 } }\n";
    const Converted p = convert_text(planes, {}, options);
    ASSERT_TRUE(p.status.ok()) << p.status.message();
    EXPECT_NE(p.lines().find("BinaryOp x 2 1 data_split_1 a_split_0 x 0=2\nBinaryOp y 2 1 x a_split_1 y\n"),
              std::string::npos)
        << p.lines();
}

std::string two_inputs(const std::string& a, const std::string& b, const std::string& layer) {
    ConvertOptions options;
    options.optimize = false;
    const Converted c = convert_text("layer { name: 'in' type: 'Input' top: 'a' top: 'b' input_param { shape { " + a +
                                         " } shape { " + b + " } } }\n" + layer,
                                     {}, options);
    return c.status.ok() ? c.lines() : std::string("error: ") + c.status.message();
}

TEST(CaffeLayers, SeveralBottoms) {
    const std::string d = "dim: 1 dim: 2 dim: 4 dim: 4";
    const std::string head = " bottom: 'a' bottom: 'b' top: 'x' ";
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Eltwise'" + head + "}"), "Eltwise x 2 1 a b x 0=1\n");
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Eltwise'" + head + "eltwise_param { coeff: 1 coeff: -1 } }"),
              "Eltwise x 2 1 a b x 0=1 -23301=2,1.0,-1.0\n");
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Eltwise'" + head + "eltwise_param { operation: MAX } }"),
              "Eltwise x 2 1 a b x 0=2\n");
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Concat'" + head + "}"), "Concat x 2 1 a b x\n");
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Concat'" + head + "concat_param { axis: -1 } }"),
              "Concat x 2 1 a b x 0=2\n");
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Concat'" + head + "concat_param { concat_dim: 2 } }"),
              "Concat x 2 1 a b x 0=1\n");
    EXPECT_EQ(two_inputs(d, d, "layer { name: 'x' type: 'Concat'" + head + "concat_param { axis: 0 } }"),
              "error: net.prototxt:2: layer 'x' (Concat): axis is 0, the batch axis: expected one of the others of "
              "(1,2,4,4)");
    EXPECT_EQ(two_inputs(d, "dim: 1 dim: 2 dim: 4 dim: 5", "layer { name: 'x' type: 'Eltwise'" + head + "}"),
              "error: net.prototxt:2: layer 'x' (Eltwise): bottom 'b' has shape (1,2,4,5), expected (1,2,4,4) like "
              "bottom 'a'");
    // Crop to the second bottom's size: three extents by reference, or numbers where channels differ.
    EXPECT_EQ(two_inputs("dim: 1 dim: 2 dim: 8 dim: 8", d,
                         "layer { name: 'x' type: 'Crop'" + head + "crop_param { offset: 1 offset: 3 } }"),
              "Crop x 2 1 a b x 0=3 1=1\n");
    EXPECT_EQ(two_inputs("dim: 1 dim: 3 dim: 8 dim: 8", d,
                         "layer { name: 'x' type: 'Crop'" + head + "crop_param { offset: 2 } }\n" +
                             "layer { name: 'y' type: 'AbsVal' bottom: 'b' top: 'y' }"),
              "Crop x 1 1 a x 0=2 1=2 3=4 4=4 5=3\nAbsVal y 1 1 b y\n");
}

TEST(CaffeLayers, AxpyOfSqueezeAndExcitation) {
    const auto lines = [](const std::string& factors) {
        const std::string d = "dim: 1 dim: 2 dim: 4 dim: 4";
        const Converted c =
            convert_text(inputs_text({{"f", factors}, {"a", d}, {"b", d}}) +
                         "layer { name: 'x' type: 'Axpy' bottom: 'f' bottom: 'a' bottom: 'b' top: 'x' }");
        return c.status.ok() ? c.lines() : c.errors();
    };
    EXPECT_EQ(lines("dim: 1 dim: 2 dim: 1 dim: 1"),
              "BinaryOp x_product 2 1 a f x_product 0=2\nEltwise x 2 1 x_product b x 0=1\n");
    EXPECT_EQ(
        lines("dim: 1 dim: 3"),
        "net.prototxt:4: layer 'x' (Axpy): bottoms are (1,3), (1,2,4,4) and (1,2,4,4), expected a factor for each "
        "channel and two of one shape\n");
}

TEST(CaffeLayers, Slice) {
    ConvertOptions options;
    options.optimize = false;
    const std::string head =
        input_text({1, 6, 4, 4}) + "layer { name: 'x' type: 'Slice' bottom: 'data' top: 'a' top: 'b' top: 'c' ";
    EXPECT_EQ(convert_text(head + "}", {}, options).lines(), "Slice x 1 3 data a b c -23300=3,-233,-233,-233\n");
    EXPECT_EQ(convert_text(head + "slice_param { slice_point: 1 slice_point: 3 } }", {}, options).lines(),
              "Slice x 1 3 data a b c -23300=3,1,2,-233\n");
    EXPECT_STREQ(convert_text(head + "slice_param { slice_point: 3 slice_point: 1 } }").status.message(),
                 "net.prototxt:2: layer 'x' (Slice): slice point 1 is 1, expected more than 3 and less than 6");
    EXPECT_STREQ(convert_text(head + "slice_param { axis: 2 } }").status.message(),
                 "net.prototxt:2: layer 'x' (Slice): cuts an extent of 4 into 3 tops, expected a multiple");
}

TEST(CaffeLayers, Shapes) {
    const std::vector<int> d = {1, 2, 4, 6};
    EXPECT_EQ(one_layer(d, "Flatten"), "Flatten x 1 1 data x\n");
    EXPECT_EQ(one_layer(d, "Flatten", "flatten_param { axis: 2 }"), "Reshape x 1 1 data x 0=-1 1=2\n");
    EXPECT_EQ(one_layer(d, "Flatten", "flatten_param { axis: 1 end_axis: 2 }"), "Reshape x 1 1 data x 0=6 1=-1\n");
    EXPECT_EQ(one_layer(d, "Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 8 } }"),
              "Reshape x 1 1 data x 0=8 1=-1\n");
    EXPECT_EQ(one_layer(d, "Reshape", "reshape_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } }"),
              "Reshape x 1 1 data x 0=4 1=4 2=3\n");
    EXPECT_EQ(one_layer(d, "Reshape", "reshape_param { shape { dim: 0 dim: -1 } }"), "Flatten x 1 1 data x\n");
    EXPECT_EQ(one_layer(d, "Reshape", "reshape_param { shape { dim: 8 } axis: 1 num_axes: 2 }"),
              "Reshape x 1 1 data x 0=6 1=8\n");
    EXPECT_EQ(
        one_layer(d, "Reshape", "reshape_param { shape { dim: 0 dim: 5 dim: -1 } }"),
        "error: net.prototxt:2: layer 'x' (Reshape): reshapes (1,2,4,6) (48 elements) to (1,5,1), expected as many "
        "elements");
    // No batch of one is left: all axes are ours.
    EXPECT_EQ(one_layer(d, "Reshape", "reshape_param { shape { dim: -1 dim: 4 } }"), "Reshape x 1 1 data x 0=4 1=-1\n");
    EXPECT_EQ(one_layer(d, "Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"),
              "Permute x 1 1 data x 0=3\n");
    EXPECT_EQ(one_layer(d, "Permute", "permute_param { order: 0 order: 1 order: 3 order: 2 }"),
              "Permute x 1 1 data x 0=1\n");
    EXPECT_EQ(one_layer(d, "Permute", "permute_param { order: 0 order: 2 order: 1 order: 3 }"),
              "Permute x 1 1 data x 0=2\n");
    EXPECT_EQ(one_layer(d, "Permute", "permute_param { order: 0 order: 3 order: 1 order: 2 }"),
              "Permute x 1 1 data x 0=4\n");
    EXPECT_EQ(one_layer(d, "Permute", "permute_param { order: 0 order: 3 order: 2 order: 1 }"),
              "Permute x 1 1 data x 0=5\n");
    EXPECT_EQ(one_layer({1, 4, 6}, "Permute", "permute_param { order: 0 order: 2 order: 1 }"),
              "Permute x 1 1 data x 0=1\n");
    // (1,C,1,W) to steps, batch and features, as recognisers of text have it.
    EXPECT_EQ(one_layer({1, 4, 1, 6}, "Permute", "permute_param { order: 3 order: 0 order: 1 order: 2 }"),
              "Permute x 1 1 data x 0=4\n");
    EXPECT_EQ(one_layer(d, "Reduction", "reduction_param { operation: MEAN axis: 2 }"),
              "Reduction x 1 1 data x 0=3 1=0 -23303=2,1,2 5=1\n");
    EXPECT_EQ(one_layer(d, "Reduction", "reduction_param { operation: SUMSQ axis: 1 coeff: 0.5 }"),
              "Reduction x 1 1 data x 0=2 2=0.5 5=1\n");
    EXPECT_EQ(one_layer({1, 10}, "ArgMax", "argmax_param { top_k: 3 }"), "ArgMax x 1 1 data x 1=3\n");
    EXPECT_EQ(one_layer({1, 10}, "ArgMax", "argmax_param { out_max_val: true axis: 1 }"), "ArgMax x 1 1 data x 0=1\n");
    EXPECT_EQ(one_layer(d, "ArgMax", "argmax_param { axis: 1 }"), "ArgMax x 1 1 data x 2=0 3=1\n");
    EXPECT_EQ(one_layer(d, "ArgMax", "argmax_param { axis: 2 out_max_val: true }"),
              "Reduction x 1 1 data x 0=4 1=0 -23303=1,1 5=1\n");
    EXPECT_EQ(one_layer(d, "ArgMax", "argmax_param { axis: 2 top_k: 2 }"),
              "error: net.prototxt:2: layer 'x' (ArgMax): top_k is 2 along axis 2 of (1,2,4,6), expected 1");
    EXPECT_EQ(one_layer(d, "Power", "power_param { scale: nan }"),
              "error: layer 'x' (Power): scale is nan, expected a finite number");
    EXPECT_EQ(one_layer(d, "Tile", "tile_param { axis: 2 tiles: 3 }"), "Tile x 1 1 data x 0=1 1=3\n");
    EXPECT_EQ(one_layer(d, "Interp", "interp_param { height: 7 width: 9 }"), "Interp x 1 1 data x 0=2 3=7 4=9 6=1\n");
    EXPECT_EQ(one_layer(d, "Interp", "interp_param { zoom_factor: 2 }"), "Interp x 1 1 data x 0=2 3=7 4=11 6=1\n");
    EXPECT_EQ(one_layer(d, "Interp", "interp_param { shrink_factor: 2 }"), "Interp x 1 1 data x 0=2 3=2 4=3 6=1\n");
    EXPECT_EQ(one_layer(d, "ShuffleChannel", "shuffle_channel_param { group: 2 }"),
              "ShuffleChannel x 1 1 data x 0=2\n");
    EXPECT_EQ(one_layer(d, "Reorg", "reorg_param { stride: 2 }"), "Reorg x 1 1 data x 0=2\n");
    EXPECT_EQ(one_layer({1, 5}, "Embed", "embed_param { num_output: 3 input_dim: 7 }",
                        Weights().add("x", {7, 3}).add("x", {3})),
              "Embed x 1 1 data x 0=3 1=7 2=1 3=21\n");
}

TEST(CaffeLayers, LstmReadsStepsNotABatch) {
    const std::string inputs = inputs_text({{"a", "dim: 4 dim: 2 dim: 3"}, {"cont", "dim: 4 dim: 2"}});
    const std::string layer =
        "layer { name: 'l' type: 'LSTM' bottom: 'a' bottom: 'cont' top: 'y' recurrent_param { num_output: 2 } }\n";
    Converted c = convert_text(inputs + layer, Weights().add("l", {8, 3}, 1).add("l", {8}, 100).add("l", {8, 2}, 200));
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.lines(true),
              "Input a 0 1 a 0=3 1=1 2=4\nInput cont 0 1 cont 0=1 1=4\n"
              "Reshape l_shape0 1 1 a l_shape0 0=3 1=4\nReshape l_shape1 1 1 cont l_shape1 0=4\n"
              "LSTM l 2 1 l_shape0 l_shape1 y 0=2 1=24 4=1\n");
    ASSERT_EQ(c.layer("l")->weights.size(), 3U);
    EXPECT_EQ(c.layer("l")->weights[2].to_floats()[0], 200.0F);
    c = convert_text(inputs + layer, Weights().add("l", {8, 4}).add("l", {8}).add("l", {8, 2}));
    EXPECT_EQ(c.errors(),
              "net.caffemodel: layer 'l' (LSTM): the weights of the input (blob 0) has shape (8,4), expected (8,3)\n");
}

TEST(CaffeLayers, RnnWithAStaticInputAndItsState) {
    const Converted c = convert_text(
        inputs_text({{"a", "dim: 2 dim: 1 dim: 2"},
                     {"cont", "dim: 2 dim: 1"},
                     {"s", "dim: 1 dim: 1"},
                     {"h", "dim: 1 dim: 1 dim: 2"}}) +
            "layer { name: 'r' type: 'RNN' bottom: 'a' bottom: 'cont' bottom: 's' bottom: 'h' top: 'y' top: 'hT'\n"
            "  recurrent_param { num_output: 2 expose_hidden: true } }\n",
        Weights()
            .add("r", {2, 2}, 1)
            .add("r", {2}, 10)
            .add("r", {2, 1}, 20)
            .add("r", {2, 2}, 30)
            .add("r", {2, 2}, 40)
            .add("r", {2}, 50));
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_EQ(c.lines(),
              "Reshape r_shape0 1 1 a r_shape0 0=2 1=2\nReshape r_shape2 1 1 s r_shape2 0=1 1=1\n"
              "Tile r_static 1 1 r_shape2 r_static 1=2\nConcat r_input 2 1 r_shape0 r_static r_input 0=1\n"
              "Reshape r_shape1 1 1 cont r_shape1 0=2\n"
              "RNN r_hidden 3 2 r_input h r_shape1 r_hidden hT 0=2 1=6 4=1\n"
              "InnerProduct r_output 1 1 r_hidden r_output 0=2 1=1 2=4\nTanH r 1 1 r_output y\n");
    EXPECT_EQ(c.layer("r_hidden")->weights[0].to_floats(), (std::vector<float>{1, 2, 20, 3, 4, 21}));
    EXPECT_EQ(c.layer("r_output")->weights[1].to_floats()[0], 50.0F);
}

TEST(CaffeLayers, ProposalOfEitherSpelling) {
    const std::string inputs = inputs_text(
        {{"s", "dim: 1 dim: 18 dim: 5 dim: 6"}, {"b", "dim: 1 dim: 36 dim: 5 dim: 6"}, {"info", "dim: 1 dim: 3"}});
    const std::string pool =
        "layer { name: 'pool' type: 'ROIPooling' bottom: 'b' bottom: 'rois' top: 'y'\n"
        "  roi_pooling_param { pooled_w: 2 pooled_h: 2 spatial_scale: 0.0625 } }\n";
    const std::string layer = "layer { name: 'p' bottom: 's' bottom: 'b' bottom: 'info' top: 'rois' ";
    const auto lines = [&](const std::string& rest) {
        const Converted c = convert_text(inputs + layer + rest + "}\n" + pool);
        return c.status.ok() ? c.layer("p")->type + " " + param_text(c.net)->substr(param_text(c.net)->find("s b"))
                             : c.errors();
    };
    EXPECT_EQ(lines("type: 'Python' python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' param_str: "
                    "\"'feat_stride': 32, 'scales': (4, 8, 16)\" }"),
              lines("type: 'Proposal' proposal_param { feat_stride: 32 scale: 4 scale: 8 scale: 16 }"));
    EXPECT_EQ(lines("type: 'Python' python_param { layer: 'ProposalLayer' param_str: 'feat_stride: 16' }"),
              lines("type: 'Proposal'"));
    EXPECT_EQ(lines("type: 'Python' python_param { module: 'm' layer: 'Mine' }"),
              "net.prototxt:4: layer 'p' (Python): runs 'Mine' of the Python module 'm', expected a layer of another "
              "type, or ProposalLayer\n");
    EXPECT_EQ(lines("type: 'Proposal' proposal_param { ratio: 1 }"),
              "net.prototxt:4: layer 'p' (Proposal): bottoms are (1,18,5,6), (1,36,5,6) and (1,3), expected 2 and 4 "
              "channels for each of 3 anchors, and 3 numbers\n");
}

TEST(CaffeLayers, CollapsedBlobsGetTheirShapeBack) {
    ConvertOptions options;
    options.optimize = false;
    const std::string pool =
        input_text({1, 2, 4, 4}) +
        "layer { name: 'p' type: 'Pooling' bottom: 'data' top: 'p' pooling_param { global_pooling: true } }\n";
    // [C] does for a 1x1 convolution; Interp and a 3x3 need (C,1,1).
    Converted c = convert_text(
        pool + layer_text("Convolution", "convolution_param { num_output: 3 kernel_size: 1 bias_term: false }", "p"),
        Weights().add("x", {3, 2, 1, 1}), options);
    EXPECT_EQ(c.lines(), "Pooling p 1 1 data p 4=1\nConvolution x 1 1 p x 0=3 1=1 6=6\n") << c.status.message();
    c = convert_text(pool + layer_text("Interp", "interp_param { height: 4 width: 4 }", "p"), {}, options);
    EXPECT_EQ(c.lines(),
              "Pooling p 1 1 data p 4=1\nReshape x_reshape0 1 1 p x_reshape0 0=1 1=1 2=-1\n"
              "Interp x 1 1 x_reshape0 x 0=2 3=4 4=4 6=1\n")
        << c.status.message();
}

TEST(CaffeLayers, SpatialPyramid) {
    const std::string lines = one_layer({1, 2, 6, 5}, "SPP", "spp_param { pyramid_height: 2 pool: MAX }");
    // One cell of 6 x 5; 2 x 2 cells of 3 x 3, whose last column is padded by Caffe on the left.
    EXPECT_EQ(lines,
              "Split split_data 1 2 data data_split_0 data_split_1\n"
              "Pooling x_level0 1 1 data_split_0 x_level0 1=5 2=5 11=6 12=6\n"
              "Reshape x_level0_flatten 1 1 x_level0 x_level0_flatten 0=2\n"
              "Pooling x_level1 1 1 data_split_1 x_level1 1=3 2=3 3=1 5=1 13=0 14=0\n"
              "Reshape x_level1_flatten 1 1 x_level1 x_level1_flatten 0=8\n"
              "Concat x 2 1 x_level0_flatten x_level1_flatten x\n");
    EXPECT_EQ(one_layer({1, 2, 6, 4}, "SPP", "spp_param { pyramid_height: 1 pool: AVE }"),
              "Pooling x 1 1 data x 0=1 1=4 2=4 11=6 12=6\n");
    EXPECT_EQ(one_layer({1, 2, 6, 4}, "SPP", "spp_param { }"),
              "error: net.prototxt:2: layer 'x' (SPP): pyramid_height is 0, expected 1 to 20");
}

TEST(CaffeLayers, RegionsOfAMap) {
    const auto lines = [](const char* rois, const std::string& type, const std::string& rest) {
        ConvertOptions options;
        options.optimize = false;
        const Converted c = convert_text(
            input_text({1, 8, 6, 7}) + "layer { name: 'rois' type: 'Input' top: 'rois' input_param { shape {" + rois +
                "} } }\nlayer { name: 'x' type: '" + type + "' bottom: 'data' bottom: 'rois' top: 'x' " + rest + " }\n",
            {}, options);
        return c.status.ok() ? c.lines() : std::string("error: ") + c.status.message();
    };
    const std::string roi = "roi_pooling_param { pooled_w: 2 pooled_h: 3 spatial_scale: 0.0625 }";
    EXPECT_EQ(lines("dim: 4 dim: 5", "ROIPooling", roi), "ROIPooling x 2 1 data rois x 0=2 1=3 2=0.0625\n");
    EXPECT_EQ(lines("dim: 1 dim: 5", "ROIPooling", roi), "ROIPooling x 2 1 data rois x 0=2 1=3 2=0.0625\n");
    EXPECT_EQ(lines("dim: 4 dim: 5 dim: 1 dim: 1", "ROIPooling", roi),
              "Reshape x_rows 1 1 rois x_rows 0=5 1=4\nROIPooling x 2 1 data x_rows x 0=2 1=3 2=0.0625\n");
    EXPECT_EQ(lines("dim: 4 dim: 5", "PSROIPooling",
                    "psroi_pooling_param { output_dim: 2 group_size: 2 spatial_scale: 0.125 }"),
              "PSROIPooling x 2 1 data rois x 0=2 1=2 2=0.125 3=2\n");
    EXPECT_EQ(lines("dim: 4 dim: 6", "ROIPooling", roi),
              "error: net.prototxt:3: layer 'x' (ROIPooling): bottom 'rois' has shape (4,6), expected regions of "
              "(regions,5)");
}

TEST(CaffeLayers, YoloOfTheSecondVersion) {
    EXPECT_EQ(one_layer({1, 14, 3, 3}, "YoloDetectionOutput",
                        "yolo_detection_output_param { num_classes: 2 num_box: 2 confidence_threshold: 0.25 biases: 1 "
                        "biases: 2 biases: 3 biases: 4 }"),
              "YoloDetectionOutput x 1 1 data x 0=2 1=2 2=0.25 -23304=4,1.0,2.0,3.0,4.0\n");
    EXPECT_EQ(one_layer({1, 14, 3, 3}, "YoloDetectionOutput", "yolo_detection_output_param { coords: 5 }"),
              "error: net.prototxt:2: layer 'x' (YoloDetectionOutput): coords is 5, expected 4");
}

TEST(CaffeLayers, Ssd) {
    ConvertOptions options;
    options.optimize = false;
    const std::string text =
        input_text({1, 3, 30, 30}) +
        "layer { name: 'map' type: 'Pooling' bottom: 'data' top: 'map' pooling_param { kernel_size: 10 stride: 10 } }\n"
        "layer { name: 'prior' type: 'PriorBox' bottom: 'map' bottom: 'data' top: 'prior' prior_box_param { min_size: "
        "10 max_size: 20 "
        "aspect_ratio: 1 aspect_ratio: 2 aspect_ratio: 0.5 aspect_ratio: 3 variance: 0.1 variance: 0.1 variance: 0.2 "
        "variance: 0.2 } }\n"
        "layer { name: 'loc' type: 'Input' top: 'loc' input_param { shape { dim: 1 dim: 216 } } }\n"
        "layer { name: 'conf' type: 'Input' top: 'conf' input_param { shape { dim: 1 dim: 54 dim: 2 } } }\n"
        "layer { name: 'det' type: 'DetectionOutput' bottom: 'loc' bottom: 'conf' bottom: 'prior' top: 'det' "
        "detection_output_param { "
        "num_classes: 2 code_type: CENTER_SIZE nms_param { nms_threshold: 0.5 top_k: 40 } keep_top_k: 20 "
        "confidence_threshold: 0.25 } }\n";
    const Converted c = convert_text(text, {}, options);
    ASSERT_TRUE(c.status.ok()) << c.errors();
    // 9 cells of 1 + 1 + 2 x 2 boxes; the ratios 1 and 0.5 are there already.
    EXPECT_NE(c.lines().find("PriorBox prior 2 1 map data_split_1 prior -23300=1,10.0 -23301=1,20.0 "
                             "-23302=2,2.0,3.0 9=-233 10=-233 13=0.5\n"),
              std::string::npos)
        << c.lines();
    EXPECT_NE(c.lines().find("DetectionOutput det 3 1 loc det_flatten1 prior det 0=2 1=0.5 2=40 3=20 4=0.25\n"),
              std::string::npos)
        << c.lines();
    std::string corner = text;
    corner.replace(corner.find("CENTER_SIZE"), 11, "CORNER");
    corner.replace(corner.find("num_classes: 2"), 14, "num_classes: 2 share_location: false background_label_id: 1");
    const Converted bad = convert_text(corner);
    EXPECT_EQ(bad.errors(),
              "net.prototxt:6: layer 'det' (DetectionOutput): share_location is false, expected true (one box for all "
              "classes)\n"
              "net.prototxt:6: layer 'det' (DetectionOutput): code_type is CORNER, expected CENTER_SIZE\n"
              "net.prototxt:6: layer 'det' (DetectionOutput): background_label_id is 1, expected 0\n");
}

}  // namespace

}  // namespace fw::caffe
