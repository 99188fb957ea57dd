// Small networks on the GPU against the CPU: in int8 the same bytes, in float nearly the same values, in float16 those
// of float32 within the bound of docs/vulkan.md, on a device with memory of its own too. Every layer that has a shader
// is here, with shapes around the edges of tiles and words.
#include "layers_support.h"

namespace fw {
namespace {

std::string conv(const std::string& type, int outputs, int channels, int kernel, const std::string& more,
                 int group = 1) {
    const int weights = outputs * (channels / group) * kernel * kernel;
    std::string text = type + " conv 1 1 data conv 0=" + std::to_string(outputs) + " 1=" + std::to_string(kernel) +
                       " 5=1 6=" + std::to_string(weights);
    text += group > 1 ? " 7=" + std::to_string(group) : "";
    return text + (more.empty() ? "" : " " + more) + "\n";
}

TEST_F(VulkanLayers, Convolution) {
    struct Case {
        int channels, h, w, outputs, kernel;
        const char* more;
    };
    // Channels around words, outputs around tiles, pixels around both.
    const Case cases[] = {
        {3, 9, 11, 33, 3, "3=2 4=1"},
        {4, 5, 7, 32, 1, ""},
        {5, 6, 6, 7, 1, "9=1"},
        {16, 8, 9, 40, 3, "4=1 9=1"},
        {8, 9, 9, 12, 5, "4=2 3=2"},
        {12, 7, 7, 9, 3, "2=2 4=2"},
        {8, 6, 5, 8, 3, "4=1 9=3 -23310=2,0.0,6.0"},
        {6, 6, 5, 8, 3, "4=1 9=2 -23310=1,0.1"},
        {8, 4, 4, 10, 3, "4=1 9=6 -23310=2,0.1666667,0.5"},
        {20, 1, 1, 65, 1, ""},
    };
    for (const Case& c : cases) {
        expect_same(input(c.channels, c.h, c.w) + conv("Convolution", c.outputs, c.channels, c.kernel, c.more), 2, 2,
                    "Convolution");
    }
}

// What is computed in double precision: steps of the level on the device. With a table after it too.
TEST_F(VulkanLayers, SigmoidAndMishToInt8) {
    for (const std::string activation : {"9=4", "9=5"}) {
        for (const std::string& layer : {conv("Convolution", 12, 7, 3, "4=1 " + activation),
                                         conv("ConvolutionDepthWise", 7, 7, 3, "4=1 " + activation, 7),
                                         conv("Deconvolution", 9, 7, 2, "3=2 " + activation)}) {
            const std::string type = layer.substr(0, layer.find(' '));
            const int outputs = type == "Convolution" ? 12 : type == "Deconvolution" ? 9 : 7;
            expect_same(input(7, 6, 5) + layer + reader("conv", outputs), 3, 3, type, {false, true});
            expect_same(input(7, 6, 5) + layer + "TanH t 1 1 conv t\n" + reader("t", outputs), 4, 4, type,
                        {false, true});
        }
    }
}

TEST_F(VulkanLayers, DepthwiseAndGroups) {
    expect_same(input(16, 9, 8) + conv("ConvolutionDepthWise", 16, 16, 3, "4=1 9=1", 16), 2, 2, "ConvolutionDepthWise");
    expect_same(input(7, 9, 8) + conv("ConvolutionDepthWise", 7, 7, 5, "4=2 3=2", 7), 2, 2, "ConvolutionDepthWise");
    expect_same(input(12, 6, 8) + conv("ConvolutionDepthWise", 16, 12, 3, "4=1", 4), 2, 2, "ConvolutionDepthWise");
}

TEST_F(VulkanLayers, Deconvolution) {
    expect_same(input(8, 5, 4) + conv("Deconvolution", 6, 8, 4, "3=2 4=1"), 2, 2, "Deconvolution");
    expect_same(input(8, 5, 4) + conv("DeconvolutionDepthWise", 8, 8, 4, "3=2 4=1", 8), 2, 2, "DeconvolutionDepthWise");
}

TEST_F(VulkanLayers, InnerProduct) {
    expect_same(input(10, 3, 4) + "InnerProduct ip 1 1 data ip 0=37 1=1 2=4440\n", 2, 2, "InnerProduct");
    expect_same(input(64, 1, 1) + "InnerProduct ip 1 1 data ip 0=10 1=1 2=640 9=1\n", 2, 2, "InnerProduct");
}

TEST_F(VulkanLayers, Pooling) {
    for (const char* more : {"0=0 1=3 2=2", "0=1 1=3 2=2 3=1", "0=1 1=2 2=2", "0=1 4=1", "0=0 4=1", "0=1 7=1 8=3 18=2",
                             "0=1 1=3 2=1 3=1 6=1", "0=0 1=3 2=2 5=2"}) {
        for (const int channels : {3, 8}) {
            expect_same(input(channels, 9, 10) + "Pooling pool 1 1 data pool " + more + "\n", 2, 2, "Pooling");
        }
    }
}

TEST_F(VulkanLayers, ElementWise) {
    // Two different inputs of each: the image, and a convolution of it.
    const std::string begin = input(6, 5, 7) + "Split s 1 2 data a b\n" + "Convolution c 1 1 b c 0=6 1=1 5=1 6=36\n";
    for (const char* op :
         {"Eltwise e 2 1 a c e 0=1", "Eltwise e 2 1 a c e 0=1 -23301=2,0.5,-2.0", "Eltwise e 2 1 a c e 0=0",
          "Eltwise e 2 1 a c e 0=2", "BinaryOp e 2 1 a c e 0=0", "BinaryOp e 2 1 a c e 0=1", "BinaryOp e 2 1 a c e 0=2",
          "BinaryOp e 2 1 a c e 0=4", "BinaryOp e 2 1 a c e 0=5", "BinaryOp e 2 1 a c e 0=7"}) {
        const std::string type = std::string(op).substr(0, std::string(op).find(' '));
        expect_same(begin + op + "\n" + reader("e", 6), 5, 6, type, {true, true});
    }
}

// Divisors near 0 make no sense of a bound, and in int8 there are zeros.
TEST_F(VulkanLayers, QuotientsOfLevels) {
    const std::string begin = input(6, 15, 17) + "Split s 1 2 data a b\n" + "Convolution c 1 1 b c 0=6 1=1 5=1 6=36\n";
    for (const char* op : {"BinaryOp e 2 1 a c e 0=3", "BinaryOp e 2 1 a c e 0=8"}) {
        expect_same(begin + op + "\n" + reader("e", 6), 5, 6, "BinaryOp", {false, true});
    }
}

TEST_F(VulkanLayers, BroadcastOverPixels) {
    expect_same(input(6, 5, 7) + "Split s 1 2 data a b\nPooling p 1 1 b p 0=1 4=1\nBinaryOp e 2 1 a p e 0=2\n", 4, 5,
                "BinaryOp");
}

TEST_F(VulkanLayers, Functions) {
    for (const char* layer : {"ReLU", "Clip f 1 1 data f 0=-0.2 1=0.3", "Sigmoid", "TanH", "Swish", "Mish", "GELU",
                              "HardSigmoid", "HardSwish"}) {
        const std::string text = layer;
        const size_t blank = text.find(' ');
        const std::string type = text.substr(0, blank);
        const std::string function = (blank == std::string::npos ? type + " f 1 1 data f" : text) + "\n";
        expect_same(input(5, 6, 7) + function + reader("f", 5), 3, 3, type, {true, true});
    }
}

TEST_F(VulkanLayers, PReLU) {
    // A slope for all, a slope a channel; the float values have both signs.
    expect_same(input(7, 6, 5) + "PReLU f 1 1 data f 0=1\n", 2, 2, "PReLU");
    expect_same(input(7, 6, 5) + "PReLU f 1 1 data f 0=7\n", 2, 2, "PReLU");
    expect_same(input(8, 6, 5) + conv("Convolution", 9, 8, 1, "") + "PReLU f 1 1 conv f 0=9\n", 3, 3, "PReLU");
}

TEST_F(VulkanLayers, Lrn) {
    for (const char* more : {"0=0 1=5 2=2.0 3=0.75", "0=0 1=3 2=0.5 3=0.6 4=2.0", "0=0 1=21", "0=1 1=3 2=2.0 3=0.75",
                             "0=1 1=5 2=1.0 3=0.5"}) {
        expect_same(input(9, 5, 7) + "LRN n 1 1 data n " + more + "\n", 2, 2, "LRN");
    }
}

// A dimension of a dispatch holds 65,535 groups of 64: the rest of an element-wise shader's work goes to the next one.
TEST_F(VulkanLayers, MoreElementsThanADimensionOfGroups) {
    expect_same(input(3, 20, 20) + "Interp m 1 1 data m 0=2 3=1190 4=1190\nTanH t 1 1 m t\nPadding p 1 1 t p 0=1 2=1\n",
                4, 4, "Interp");
}

TEST_F(VulkanLayers, ResizeToTheSizeOfAnExpression) {
    // Scales are given too: the expression goes before them.
    expect_same(input(6, 4, 5) + "Interp m 1 1 data m 0=2 1=3.0 2=3.0 9=9,7\n", 2, 2, "Interp");
}

TEST_F(VulkanLayers, ConcatOfTwoScales) {
    expect_same(input(6, 5, 7) +
                    "Split s 1 3 data a b d\nConvolution c 1 1 b c 0=5 1=1 5=1 6=30\n"
                    "Pooling p 1 1 d p 0=0 1=3 2=1 3=1\nConcat e 3 1 a c p e 0=0\n"
                    "Convolution g 1 1 e g 0=4 1=1 5=1 6=68\n",
                6, 8, "Convolution");
}

TEST_F(VulkanLayers, Moves) {
    for (const char* layer :
         {"ShuffleChannel m 1 1 data m 0=3", "PixelShuffle m 1 1 data m 0=2", "Reorg m 1 1 data m 0=2",
          "Padding m 1 1 data m 0=1 1=2 2=3 3=1 4=0 5=0.5", "Interp m 1 1 data m 0=1 3=9 4=13",
          "Interp m 1 1 data m 0=2 3=9 4=13", "Interp m 1 1 data m 0=2 1=2.0 2=2.0 6=1"}) {
        const std::string type = std::string(layer).substr(0, std::string(layer).find(' '));
        expect_same(input(12, 4, 6) + layer + "\n", 2, 2, type);
    }
}

TEST_F(VulkanLayers, Tile) {
    for (const char* more : {"0=0 1=3", "0=1 1=2", "0=2 1=2", "0=0 1=1 -23302=3,2,1,3", "0=0 1=1 -23302=1,2"}) {
        const std::string tile = std::string("Tile m 1 1 data m ") + more + "\n";
        expect_same(input(6, 4, 5) + tile, 2, 2, "Tile");
        expect_same(input(6, 4, 5) + tile + "Pooling p 1 1 m p 0=0 1=2 2=2\n", 3, 3, "Tile");
    }
    expect_same_floats(input(3, 4, 5) + "Tile m 1 1 data m -23302=4,2,1,1,2\n");
}

TEST_F(VulkanLayers, PermuteThatIsCopied) {
    // A convolution needs its input dense: the view is copied.
    expect_same(input(6, 4, 8) + "Permute p 1 1 data p 0=3\nConvolution c 1 1 p c 0=4 1=1 5=1 6=16\n", 3, 3,
                "Convolution");
}

TEST_F(VulkanLayers, Constants) {
    // Priors of a map on the device and of an image that is the application's, in the kinds of Caffe and of MXNet.
    for (const char* layer : {"PriorBox p 2 1 c d p -23300=1,10.0 -23301=1,20.0 -23302=1,2.0 13=0.5",
                              "PriorBox p 1 1 c p -23300=2,0.2,0.3 -23302=2,1.0,2.0 9=-233 10=-233 13=0.5"}) {
        const bool two = std::string(layer).find(" 2 1 ") != std::string::npos;
        expect_same(input(6, 5, 7) + (two ? "Split s 1 2 data a d\n" : "Split s 1 1 data a\n") +
                        "Convolution c 1 1 a c 0=4 1=1 5=1 6=24\n" + layer + "\n",
                    4, two ? 5 : 4, "PriorBox");
    }
    expect_same_floats(input(6, 5, 7) + "MemoryData m 0 1 m 0=7 1=5 2=6\n");
}

TEST_F(VulkanLayers, BatchNormAndScale) {
    expect_same(input(6, 4, 8) + "Pooling q 1 1 data q 0=0 1=2 2=2\nScale s 1 1 q s 0=6 1=1\n", 3, 3, "Scale");
}

// A layer between the two convolutions runs on the CPU: its blobs cross both ways.
TEST_F(VulkanLayers, CrossingsInTheMiddle) {
    expect_same(input(6, 4, 8) + conv("Convolution", 8, 6, 3, "4=1") +
                    "Reshape s 1 1 conv s 0=32 1=8\nRNN m 1 1 s m 0=12 1=384 2=0\nReshape t 1 1 m t 0=4 1=3 2=8\n"
                    "Deconvolution d 1 1 t d 0=5 1=2 3=2 5=1 6=160\n",
                6, 6, "Deconvolution");
}

// Kinds that have a shader for floats only.
TEST_F(VulkanLayers, Floats) {
    const std::string rows = "Input data 0 1 data 0=70 1=5\n";
    for (const std::string& layers : std::vector<std::string>{
             input(70, 3, 2) + "Softmax s 1 1 data s 0=0 1=1\n",
             rows + "Gemm g 1 1 data g 0=0.5 3=1 5=1 6=1 8=33 9=70 10=4\n",
             rows + "Gemm g 1 1 data g 3=0 5=1 8=12 9=70\n", rows + "LayerNorm n 1 1 data n 0=70 2=1\n",
             rows + "RMSNorm n 1 1 data n 0=70 1=0.01 2=1\n",
             input(3, 4, 5) + "LayerNorm n 1 1 data n 0=20 1=0.1 2=0\n",
             input(3, 4, 5) + "LayerNorm n 1 1 data n 0=5 2=1\n", rows + "MatMul m 2 1 data data m 0=1\n",
             rows + "MultiHeadAttention m 1 1 data m 0=36 1=3 2=2520 3=70 4=70\n",
             rows + "MultiHeadAttention m 1 1 data m 0=70 1=5\n"}) {
        expect_same_floats(layers);
    }
}

// One row: its softmax is 1, so that nothing between the projections is rounded.
TEST_F(VulkanLayers, ProjectionsOfAttention) {
    expect_same(
        "Input data 0 1 data 0=70 1=1\nMultiHeadAttention m 1 1 data m 0=36 1=3 2=2520 3=70 4=70\n"
        "InnerProduct last 1 1 m last 0=9 1=1 2=630\n",
        3, 3, "InnerProduct", {false, true});
}

TEST_F(VulkanLayers, ProductsOfTwoBlobs) {
    expect_same_floats(input(3, 40, 33) + "MemoryData b 0 1 b 0=65 1=33\nMatMul m 2 1 data b m 0=0\n", 3);
    expect_same_floats(input(3, 33, 40) + "MemoryData b 0 1 b 0=40 1=35 2=3\nMatMul m 2 1 data b m 0=1\n", 3);
    expect_same_floats(input(3, 2, 9) + "MemoryData b 0 1 b 0=9\nMatMul m 2 1 data b m 0=0\n", 3);
    expect_same_floats(input(1, 7, 9) + "MemoryData b 0 1 b 0=7\nMatMul m 2 1 b data m 0=0\n", 3);
    expect_same_floats(
        "Input data 0 1 data 0=16 1=37\nMemoryData k 0 1 k 0=12 1=9\nMemoryData v 0 1 v 0=8 1=9\n"
        "MultiHeadAttention m 3 1 data k v m 0=32 1=2 2=512 3=12 4=8 6=0.3\n",
        4);
    const std::string query = "Input data 0 1 data 0=36 1=37\n";
    for (const char* mask : {"0=37 1=37", "0=37 1=37 2=3"}) {
        for (const char* attention : {"0=24 1=3 2=864 3=36 4=36 5=1", "0=36 1=3 5=1 6=0.4"}) {
            expect_same_floats(query + "MemoryData mask 0 1 mask " + mask + "\nMultiHeadAttention m 2 1 data mask m " +
                                   attention + "\n",
                               3);
        }
    }
}

}  // namespace
}  // namespace fw
