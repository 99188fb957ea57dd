// Layers that work on parts of a blob - softmax, normalisations, reductions - on the GPU against the CPU: in int8 the
// same bytes, whose constants are doubles (double.glsl).
#include "layers_support.h"

namespace fw {
namespace {

constexpr Check kInt8 = {true, true, 1e-5F};
const std::string kRows = "Input data 0 1 data 0=70 1=5\n";
const std::string kRowsReader = "InnerProduct reader 1 1 n read 0=4 1=1 2=280\n";

std::string type_of(const std::string& layer) {
    return layer.substr(0, layer.find(' '));
}

TEST_F(VulkanLayers, NormsOfGroups) {
    // More channels than invocations, one a group, and pixels around their number.
    const struct {
        int c, h, w;
        const char* layer;
    } cases[] = {
        {12, 5, 7, "GroupNorm n 1 1 data n 0=3 1=12 2=0.001 3=1"},
        {132, 3, 3, "GroupNorm n 1 1 data n 0=1 1=132 2=0.001 3=1"},
        {132, 2, 1, "GroupNorm n 1 1 data n 0=2 3=0"},
        {12, 1, 1, "GroupNorm n 1 1 data n 0=1 3=0"},
        {12, 64, 3, "InstanceNorm n 1 1 data n 0=12 1=0.001 2=1"},
        {5, 1, 1, "InstanceNorm n 1 1 data n 1=1e-5 2=0"},
    };
    for (const auto& c : cases) {
        expect_same(input(c.c, c.h, c.w) + c.layer + "\n" + reader("n", c.c), 3, 3, type_of(c.layer), kInt8);
    }
}

TEST_F(VulkanLayers, Mvn) {
    for (const char* more : {"0=0 1=0", "0=1 1=0", "0=0 1=1", "0=1 1=1", "0=1 1=0 2=0.5"}) {
        expect_same(input(9, 5, 7) + "MVN n 1 1 data n " + more + "\n" + reader("n", 9), 3, 3, "MVN", kInt8);
    }
    expect_same(kRows + "MVN n 1 1 data n 0=1 1=0\n" + kRowsReader, 3, 3, "MVN", kInt8);
}

TEST_F(VulkanLayers, NormsOfTails) {
    for (const std::string& layers :
         {kRows + "LayerNorm n 1 1 data n 0=70 2=1\n", kRows + "LayerNorm n 1 1 data n 0=350 2=1\n",
          kRows + "RMSNorm n 1 1 data n 0=70 1=0.01 2=1\n", kRows + "RMSNorm n 1 1 data n 0=70 2=0\n",
          input(3, 4, 5) + "LayerNorm n 1 1 data n 0=20 1=0.1 2=0\n",
          input(3, 4, 5) + "LayerNorm n 1 1 data n 0=5 2=1\n", input(3, 14, 5) + "LayerNorm n 1 1 data n 0=210 2=1\n",
          input(3, 14, 5) + "RMSNorm n 1 1 data n 0=70 2=1\n"}) {
        const bool rows = layers.compare(0, kRows.size(), kRows) == 0;
        expect_same(layers + (rows ? kRowsReader : reader("n", 3)), 3, 3,
                    layers.find("RMS") == std::string::npos ? "LayerNorm" : "RMSNorm", kInt8);
    }
}

// Inputs that are slices of a blob, and outputs that are slices of another.
TEST_F(VulkanLayers, NormsOfSlices) {
    for (const char* layer : {"GroupNorm n 1 1 a n 0=2 1=4 3=1", "InstanceNorm n 1 1 a n 0=4 2=1", "MVN n 1 1 a n 0=1",
                              "LayerNorm n 1 1 a n 0=35 2=1", "Softmax n 1 1 a n 0=0 1=1"}) {
        const Check check = {true, type_of(layer) != "Softmax", 1e-5F};
        expect_same(input(9, 5, 7) + "Slice s 1 2 data a b -23300=2,4,-233\n" + layer +
                        "\nTanH t 1 1 b t\nConcat c 2 1 n t c 0=0\n" + reader("c", 9),
                    6, 7, type_of(layer), check);
    }
}

TEST_F(VulkanLayers, NormsByLength) {
    const std::string image = input(10, 5, 7);
    for (const char* more : {"0=0 1=0 2=1e-10 3=10 4=1", "0=1 1=1 2=0.1 3=1 4=1 9=0", "0=1 1=0 2=0.5 3=10 4=0 9=1",
                             "0=1 1=0 2=20.0 3=10 4=1 9=1", "0=0 1=1 2=0.01 3=1 4=1 9=2"}) {
        expect_same_floats(image + "Normalize n 1 1 data n " + more + "\n", 2, 1e-5F);
    }
}

// int8 to float, and to int8 where an int8 layer reads it.
TEST_F(VulkanLayers, SoftmaxOfLevels) {
    for (const char* axis : {"0=0 1=1", "0=1 1=1", "0=2 1=1"}) {
        const std::string layers = input(7, 5, 70) + "Softmax s 1 1 data s " + axis + "\n";
        expect_same(layers, 2, 2, "Softmax", {true, false, 1e-5F});
        expect_same(layers + reader("s", 7), 3, 3, "Softmax", kInt8);
    }
    // Of a blob that is int8 for another reader: to float.
    expect_same(input(7, 5, 9) +
                    "Convolution k 1 1 data k 0=300 1=1 5=1 6=2100\nSplit t 1 2 k u v\nSoftmax s 1 1 u s 0=0 1=1\n" +
                    reader("v", 300),
                5, 6, "Softmax", {false, true});
}

TEST_F(VulkanLayers, Reductions) {
    for (int op = 0; op <= 10; ++op) {
        // A product of all would be nothing.
        const bool product = op == 6;
        for (const char* axes :
             {product ? "1=0 -23303=1,0 5=1" : "1=1", "1=0 -23303=1,0 5=1",
              product ? "1=0 -23303=1,1 5=1" : "1=0 -23303=2,1,2 4=1 5=1", "1=0 -23303=1,-1 4=1 5=1"}) {
            expect_same_floats(input(9, 5, 7) + "Sigmoid f 1 1 data f\nReduction r 1 1 f r 0=" + std::to_string(op) +
                                   " 2=0.75 " + axes + "\n",
                               3, 1e-5F);
        }
    }
    const struct {
        const char* more;
        int outputs;
    } cases[] = {{"0=0 1=1", 1}, {"0=3 1=0 -23303=2,1,2 5=1", 9}, {"0=3 1=0 -23303=1,0 4=1 5=1 2=1.5", 255}};
    for (const auto& c : cases) {
        expect_same(input(9, 15, 17) + "Reduction r 1 1 data r " + c.more +
                        "\nInnerProduct n 1 1 r n 0=4 1=1 2=" + std::to_string(4 * c.outputs) + "\n",
                    3, 3, "Reduction", {false, true});
    }
}

}  // namespace
}  // namespace fw
