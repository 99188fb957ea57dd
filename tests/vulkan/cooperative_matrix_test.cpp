// Cooperative matrices: which of a driver's shapes are taken and for what, and convolutions by them against the CPU.
// The latter need a driver that has them; what is chosen is tested with made-up ones everywhere.
#include "vulkan/cooperative_matrix.h"

#include <algorithm>
#include <map>
#include <set>

#include "faults.h"
#include "layer/vulkan/matrix_tiles.h"
#include "layer/vulkan/shaders.h"
#include "layers_support.h"
#include "vulkan/device.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

using vulkan::Faults;
using vulkan::FaultyDriver;
using vulkan::matrix_tiles;
using vulkan::MatrixProperties;
using vulkan::MatrixShape;
using vulkan::MatrixShapes;
using Component = MatrixProperties::Component;

MatrixProperties property(uint32_t m, uint32_t n, uint32_t k, Component factors, Component sums) {
    MatrixProperties p;
    p.m = m;
    p.n = n;
    p.k = k;
    p.a = p.b = factors;
    p.c = p.result = sums;
    p.scope = MatrixProperties::kSubgroup;
    return p;
}

const MatrixProperties kInt8 = property(16, 16, 32, Component::kInt8, Component::kInt32);
const MatrixProperties kFloat16 = property(16, 8, 16, Component::kFloat16, Component::kFloat32);

TEST(CooperativeMatrix, ShapesOfExactlyTheseTypes) {
    std::vector<MatrixProperties> all = {kInt8, kFloat16, property(8, 8, 16, Component::kInt8, Component::kInt32),
                                         kInt8};
    MatrixShapes shapes = vulkan::usable_shapes(all);
    EXPECT_EQ(shapes.int8, (std::vector<MatrixShape>{{16, 16, 32}, {8, 8, 16}}));
    EXPECT_EQ(shapes.float16, (std::vector<MatrixShape>{{16, 8, 16}}));
    // Each of them has one thing that shaders are not made for.
    const auto other = [](auto change) {
        MatrixProperties p = kInt8;
        change(&p);
        return p;
    };
    all = {other([](MatrixProperties* p) { p->scope = 2; }),
           other([](MatrixProperties* p) { p->saturating = VK_TRUE; }),
           other([](MatrixProperties* p) { p->a = static_cast<Component>(7); }),  // unsigned
           other([](MatrixProperties* p) { p->b = static_cast<Component>(7); }),
           other([](MatrixProperties* p) { p->c = static_cast<Component>(9); }),
           other([](MatrixProperties* p) { p->result = static_cast<Component>(9); }),
           other([](MatrixProperties* p) { p->m = 24; }),
           other([](MatrixProperties* p) { p->n = 2; }),
           other([](MatrixProperties* p) { p->n = 64; }),
           other([](MatrixProperties* p) { p->k = 64; }),
           property(16, 16, 16, Component::kFloat16, Component::kFloat16),
           property(16, 16, 16, Component::kInt8, Component::kFloat32)};
    shapes = vulkan::usable_shapes(all);
    EXPECT_TRUE(shapes.empty());
}

// What cmake/FwSpirv.cmake makes of a compiled shader: its three types of matrices have scalar components and sides by
// specialization constants 10 to 12. No tool of the time of Debian 12 reads these modules.
class MatrixModule {
public:
    explicit MatrixModule(const vulkan::Shader& shader) {
        const uint32_t* end = shader.code + shader.bytes / sizeof(uint32_t);
        for (const uint32_t* at = shader.code + 5; at < end; at += std::max(*at >> 16, 1U)) {
            const uint32_t opcode = *at & 0xffffU;
            if (opcode == 71 && at[2] == 1) {  // OpDecorate, SpecId
                spec_ids_[at[1]] = at[3];
            } else if (opcode == 50) {  // OpSpecConstant
                specialized_.insert(at[2]);
            } else if (opcode == 21 || opcode == 22) {  // OpTypeInt, OpTypeFloat
                scalars_[at[1]] = (opcode == 21 ? (at[3] != 0 ? "int" : "uint") : "float") + std::to_string(at[2]);
            } else if (opcode == 4456) {  // OpTypeCooperativeMatrixKHR
                types_.push_back(scalars_[at[2]] + " " + side(at[4]) + "x" + side(at[5]));
            }
        }
        std::sort(types_.begin(), types_.end());
    }
    /// "int8 10x12" and so on; a type or constant counts only where it comes before its use.
    const std::vector<std::string>& types() const { return types_; }

private:
    std::string side(uint32_t id) {
        return specialized_.count(id) > 0 ? std::to_string(spec_ids_[id]) : "not specialized";
    }
    std::map<uint32_t, uint32_t> spec_ids_;
    std::map<uint32_t, std::string> scalars_;
    std::set<uint32_t> specialized_;
    std::vector<std::string> types_;
};

TEST(CooperativeMatrix, ModulesHaveSpecializedTypes) {
    EXPECT_EQ(MatrixModule(vulkan::shader::conv_int8_matrix).types(),
              (std::vector<std::string>{"int32 10x11", "int8 10x12", "int8 12x11"}));
    EXPECT_EQ(MatrixModule(vulkan::shader::conv_half_matrix).types(),
              (std::vector<std::string>{"float16 10x12", "float16 12x11", "float32 10x11"}));
    EXPECT_TRUE(MatrixModule(vulkan::shader::conv_int8_dot).types().empty());
}

VkPhysicalDeviceLimits limits() {
    VkPhysicalDeviceLimits limits = {};
    limits.maxComputeSharedMemorySize = 32768;
    limits.maxComputeWorkGroupInvocations = 256;
    limits.maxComputeWorkGroupSize[0] = 256;
    return limits;
}

TEST(CooperativeMatrix, TilesFitTheProduct) {
    const std::vector<MatrixShape> shapes = {{8, 8, 16}, {16, 16, 32}, {16, 8, 32}};
    // The largest shape, small blocks where large ones would be few.
    const auto large = matrix_tiles(shapes, 32, limits(), 64 * 64, 64, 1);
    ASSERT_TRUE(large.has_value());
    EXPECT_EQ(large->constants(), (std::vector<uint32_t>{128, 32, 32, 16, 16, 32, 16, 16, 32}));
    const auto small = matrix_tiles(shapes, 64, limits(), 49, 64, 1);
    ASSERT_TRUE(small.has_value());
    EXPECT_EQ(small->constants(), (std::vector<uint32_t>{256, 16, 16, 16, 16, 32, 16, 16, 32}));
    const auto narrow = matrix_tiles(shapes, 8, limits(), 64 * 64, 32, 1);
    ASSERT_TRUE(narrow.has_value());
    EXPECT_EQ(narrow->constants(), (std::vector<uint32_t>{32, 32, 16, 16, 16, 32, 16, 16, 32}));
    // A shape of 32 has no small block.
    const auto wide = matrix_tiles(std::vector<MatrixShape>{{32, 8, 16}}, 32, limits(), 20, 20, 1);
    ASSERT_TRUE(wide.has_value());
    EXPECT_EQ(wide->constants(), (std::vector<uint32_t>{128, 32, 16, 32, 8, 16, 32, 8, 16}));
}

TEST(CooperativeMatrix, WhatFitsNothing) {
    const std::vector<MatrixShape> shapes = {{16, 16, 16}};
    EXPECT_TRUE(matrix_tiles(shapes, 32, limits(), 16, 1, 1).has_value());
    EXPECT_FALSE(matrix_tiles(shapes, 32, limits(), 15, 64, 1).has_value());   // pixels
    EXPECT_FALSE(matrix_tiles({}, 32, limits(), 64, 64, 1).has_value());       // shapes
    EXPECT_FALSE(matrix_tiles(shapes, 4, limits(), 64, 64, 1).has_value());    // a small subgroup
    EXPECT_FALSE(matrix_tiles(shapes, 128, limits(), 64, 64, 1).has_value());  // a large one
    VkPhysicalDeviceLimits little = limits();
    little.maxComputeSharedMemorySize = 8192;
    EXPECT_FALSE(matrix_tiles(shapes, 32, little, 64, 64, 1).has_value());
    // A smaller shape instead of one that does not fit.
    little.maxComputeSharedMemorySize = 16384;
    const auto smaller = matrix_tiles(std::vector<MatrixShape>{{32, 32, 16}, {16, 16, 16}}, 32, little, 20, 20, 1);
    ASSERT_TRUE(smaller.has_value());
    EXPECT_EQ(smaller->shape, (MatrixShape{16, 16, 16}));
}

std::string conv(int outputs, int channels, int kernel, const std::string& more) {
    return "Convolution conv 1 1 data conv 0=" + std::to_string(outputs) + " 1=" + std::to_string(kernel) +
           " 5=1 6=" + std::to_string(outputs * channels * kernel * kernel) + " " + more + "\n";
}

class VulkanCooperativeMatrix : public VulkanLayers {
protected:
    // The shader that a convolution of 8 channels to 16 gets, by the plan alone.
    static std::string planned(const Faults& faults, Precision precision, int side, std::string* device = nullptr) {
        FaultyDriver driver(faults);
        const std::string text = "7767517\n2 2\n" + input(8, side, side) + conv(16, 8, 1, "");
        Result<NetDef> def = parse_param({text.data(), text.size()}, "test");
        EXPECT_TRUE(def.ok() && random_weights(&*def, 1).ok());
        const Result<ScaleTable> table = zoo::made_table(*def, 1, 1);
        Option option;
        option.device = "vulkan";
        option.precision = precision;
        Net net;
        zoo::ModelFiles files;
        EXPECT_TRUE(net.set_option(option).ok());
        if (precision == Precision::kInt8) {
            EXPECT_TRUE(table.ok() && net.load_table(*table).ok());
        }
        EXPECT_TRUE(zoo::load(*def, &net, &files).ok());
        const Result<std::vector<LayerPlan>> plan = net.plan();
        EXPECT_TRUE(plan.ok());
        if (device != nullptr) {
            *device = list_devices()->front().description;
        }
        return plan.ok() ? plan->back().kernel : "";
    }
};

TEST_F(VulkanCooperativeMatrix, IsChosenFromProperties) {
    Faults faults;
    faults.matrices = {kInt8};
    std::string device;
    EXPECT_EQ(planned(faults, Precision::kInt8, 4, &device), "conv_int8_matrix");
    EXPECT_NE(device.find("cooperative matrix of int8 16x16x32"), std::string::npos) << device;
    EXPECT_EQ(device.find("cooperative matrix of float16"), std::string::npos) << device;
    EXPECT_EQ(planned(faults, Precision::kInt8, 3), "conv_int8_dot");
    EXPECT_EQ(planned(faults, Precision::kFp16, 4), "conv_half");
    EXPECT_EQ(planned(faults, Precision::kFloat, 4), "conv_float");
    faults.matrices = {kFloat16};
    EXPECT_EQ(planned(faults, Precision::kInt8, 4), "conv_int8_dot");
    EXPECT_EQ(planned(faults, Precision::kFp16, 4), "conv_half_matrix");
    EXPECT_EQ(planned(faults, Precision::kFloat, 4), "conv_float");
    faults.no_float16_arithmetic = true;
    EXPECT_EQ(planned(faults, Precision::kFp16, 4), "conv_half");
    faults = {};
    faults.no_cooperative_matrix = true;
    EXPECT_EQ(planned(faults, Precision::kInt8, 4), "conv_int8_dot");
    faults.no_integer_dot = true;
    EXPECT_EQ(planned(faults, Precision::kInt8, 4), "conv_int8");
}

TEST_F(VulkanCooperativeMatrix, IsHiddenByTheEnvironment) {
    Faults faults;
    faults.matrices = {kInt8};
    setenv("FW_VULKAN_WITHOUT", "cooperative_matrix", 1);
    EXPECT_EQ(planned(faults, Precision::kInt8, 4), "conv_int8_dot");
    setenv("FW_VULKAN_WITHOUT", "integer_dot,cooperative_matrix", 1);
    EXPECT_EQ(planned(faults, Precision::kInt8, 4), "conv_int8");
    setenv("FW_VULKAN_WITHOUT", "integer_do", 1);
    EXPECT_EQ(planned(faults, Precision::kInt8, 4), "conv_int8_matrix");
    EXPECT_NE(take_validation_messages().find("'integer_do' is neither"), std::string::npos);
    unsetenv("FW_VULKAN_WITHOUT");
}

// The driver's own.
TEST_F(VulkanCooperativeMatrix, ConvolutionsHaveTheBitsOfTheCpu) {
    const MatrixShapes shapes = vulkan::list_devices()->front().features.matrices;
    if (shapes.empty()) {
        GTEST_SKIP() << "this driver has no cooperative matrices (VK_KHR_cooperative_matrix) that shaders can use";
    }
    Check check;
    check.int8_kernel = shapes.int8.empty() ? nullptr : "conv_int8_matrix";
    check.half_kernel = shapes.float16.empty() ? nullptr : "conv_half_matrix";
    struct Case {
        int channels, h, w, outputs, kernel;
        const char* more;
    };
    // Channels around words and the depth of tiles, outputs and pixels around their sides, blocks of both sizes.
    const Case cases[] = {
        {3, 9, 11, 33, 3, "3=2 4=1"},
        {4, 4, 4, 1, 1, ""},
        {5, 6, 6, 7, 1, "9=1"},
        {16, 8, 9, 40, 3, "4=1 9=1"},
        {8, 9, 9, 12, 5, "4=2 3=2"},
        {12, 7, 7, 9, 3, "2=2 4=2"},
        {8, 6, 5, 8, 3, "4=1 9=3 -23310=2,0.0,6.0"},
        {33, 5, 13, 31, 1, ""},
        {37, 4, 16, 70, 1, "9=6 -23310=2,0.1666667,0.5"},
        {6, 66, 65, 65, 1, ""},
        {32, 130, 33, 32, 1, ""},
        {16, 20, 3, 64, 3, "4=1 18=-0.75"},
    };
    for (const Case& c : cases) {
        expect_same(input(c.channels, c.h, c.w) + conv(c.outputs, c.channels, c.kernel, c.more), 2, 2, "Convolution",
                    check);
    }
    expect_same(input(12, 6, 8) + "ConvolutionDepthWise conv 1 1 data conv 0=16 1=3 4=1 5=1 6=432 7=4\n", 2, 2,
                "ConvolutionDepthWise", check);
    expect_same(input(8, 5, 4) + "Deconvolution conv 1 1 data conv 0=6 1=4 3=2 4=1 5=1 6=768\n", 2, 2, "Deconvolution",
                check);
    Check int8_only = check;
    int8_only.floats = false;
    expect_same(input(7, 6, 5) + conv(12, 7, 3, "4=1 9=5") + "TanH t 1 1 conv t\n" + reader("t", 12), 4, 4,
                "Convolution", int8_only);
}

}  // namespace
}  // namespace fw
