// Functions of one and two numbers, products of two blobs and bicubic images on the GPU against the CPU.
#include "layers_support.h"

namespace fw {
namespace {

constexpr float kBound = 1e-5F;  // of the largest value of an output

// `more` after the names, in float and float16; `positive`: of numbers between 0.2 and 0.8.
std::string function_of(const std::string& type, const std::string& more, bool positive) {
    return input(5, 6, 7) + (positive ? "Sigmoid x 1 1 data x\n" : "BinaryOp x 1 1 data x 0=2 1=1 2=3.0\n") + type +
           " f 1 1 x f " + more + "\n";
}

TEST_F(VulkanLayers, UnaryOps) {
    for (int op = 0; op < 20; ++op) {
        const bool positive = op == 5 || op == 6 || op == 8 || op == 12 || op == 13 || op == 17 || op == 15;
        const bool steps = op == 2 || op == 11 || op == 3 || op == 18 || op == 19;
        SCOPED_TRACE(op);
        // Where the function jumps or has a pole, equal arguments are needed: those of the image.
        expect_same_floats(steps ? input(5, 6, 7) + "UnaryOp f 1 1 data f 0=" + std::to_string(op) + "\n"
                                 : function_of("UnaryOp", "0=" + std::to_string(op), positive),
                           steps ? 2 : 3, kBound);
    }
}

TEST_F(VulkanLayers, ElementaryFunctions) {
    const struct {
        const char *type, *more;
        bool positive;
    } cases[] = {
        {"AbsVal", "", false},
        {"Erf", "", false},
        {"Exp", "", false},
        {"Exp", "0=10.0 1=0.5 2=-0.25", false},
        {"Log", "", true},
        {"Log", "0=2.0 1=0.5 2=1.5", true},
        {"Power", "0=1.0 1=-0.5 2=2.0", false},
        {"Power", "0=3.0 1=0.5 2=0.25", false},
        {"Power", "0=-2.0 1=0.5 2=0.5", true},
        {"Power", "0=0.75", true},
        {"Dropout", "0=0.5", false},
        {"Softplus", "", false},
        {"BNLL", "", false},
        {"ELU", "0=0.5", false},
        {"CELU", "0=0.75", false},
        {"SELU", "0=1.67326 1=1.0507", false},
        {"ReLU", "0=0.1", false},
    };
    for (const auto& c : cases) {
        expect_same_floats(function_of(c.type, c.more, c.positive), 3, kBound);
    }
    // They jump.
    expect_same_floats(input(5, 6, 7) + "Threshold f 1 1 data f 0=0.1\n", 2, kBound);
    expect_same_floats(input(5, 6, 7) + "Shrink f 1 1 data f 0=0.25 1=0.4\n", 2, kBound);
}

TEST_F(VulkanLayers, OperationsWithANumber) {
    for (int op = 0; op < 12; ++op) {
        for (const char* number : {"2.5", "-3.0"}) {
            if (op == 9 && number[0] == '-') {
                continue;  // a negative number to a power that is not whole
            }
            expect_same_floats(function_of("BinaryOp", "0=" + std::to_string(op) + " 1=1 2=" + number, true), 3,
                               kBound);
        }
    }
}

TEST_F(VulkanLayers, OperationsOfTwoBlobs) {
    for (int op = 0; op < 12; ++op) {
        const std::string last = "BinaryOp e 2 1 x c e 0=" + std::to_string(op) + "\n";
        expect_same_floats(input(6, 5, 7) + "Sigmoid x 1 1 data x\nTanH c 1 1 x c\n" + last, 4, kBound);
    }
}

TEST_F(VulkanLayers, BicubicResize) {
    for (const char* more : {"3=9 4=13", "3=3 4=2", "1=1.5 2=2.5", "3=9 4=13 6=1", "3=7 4=8 20=2 22=-0.5"}) {
        expect_same_floats(input(6, 5, 7) + "Interp m 1 1 data m 0=3 " + more + "\n", 2, kBound);
    }
    expect_same_floats("Input data 0 1 data 0=9 1=4\nInterp m 1 1 data m 0=3 2=2.0 1=1.0\n", 2, kBound);
}

TEST_F(VulkanLayers, ConstantLevels) {
    expect_same(input(6, 5, 7) + "MemoryData m 0 1 m 0=7 1=5 2=6\nBinaryOp e 2 1 data m e 0=0\n" + reader("e", 6), 4, 4,
                "MemoryData", {true, true, kBound});
}

TEST_F(VulkanLayers, GemmOfTwoBlobs) {
    const std::string a = "Input data 0 1 data 0=37 1=35\n";  // 35 rows
    const std::string b = "MemoryData b 0 1 b 0=41 1=37\n";
    for (const char* more : {"", "0=0.5 1=2.0", "14=1", "11=1"}) {
        expect_same_floats(a + b + "Gemm g 2 1 data b g " + more + "\n", 3, kBound);
    }
    expect_same_floats(a + "MemoryData b 0 1 b 0=41 1=35\nGemm g 2 1 data b g 2=1\n", 3, kBound);
    expect_same_floats(a + "MemoryData b 0 1 b 0=37 1=41\nGemm g 2 1 data b g 3=1\n", 3, kBound);
    // C: a number, a row, a column, a matrix.
    for (const char* c : {"0=1", "0=41", "0=1 1=35", "0=41 1=35"}) {
        expect_same_floats(a + b + "MemoryData c 0 1 c " + c + "\nGemm g 3 1 data b c g 0=0.5 1=2.0\n", 4, kBound);
    }
    // Constant C, A and B.
    for (const char* type : {"0", "1", "3", "4"}) {
        expect_same_floats(a + b + "Gemm g 2 1 data b g 1=2.0 6=1 7=35 8=41 9=37 10=" + type + "\n", 3, kBound);
    }
    expect_same_floats(a + "Gemm g 1 1 data g 4=1 7=33 9=35\n", 2, kBound);
    expect_same_floats(a + "Gemm g 1 1 data g 2=1 4=1 3=1 7=33 9=37\n", 2, kBound);
    expect_same_floats(a + "Gemm g 1 1 data g 2=1 5=1 6=1 8=21 9=35 10=4\n", 2, kBound);
    expect_same_floats(a + "Gemm g 1 1 data g 0=0.5 3=0 5=1 6=1 7=35 8=21 9=37 10=3\n", 2, kBound);
    expect_same_floats(a + "Gemm g 1 1 data g 3=1 5=1 8=21 9=37 14=1\n", 2, kBound);
}

}  // namespace
}  // namespace fw
