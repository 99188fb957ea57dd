// Inputs that the device reads in the application's memory (Option::import_inputs): the results of copies, whatever
// memory comes, and copies where the device or the memory does not allow it.
#include <cstring>
#include <string>
#include <vector>

#include "faults.h"
#include "import_support.h"
#include "support/source_dir.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

using vulkan::Faults;
using vulkan::FaultyDriver;

const char* const kTwoInputs =
    "7767517\n5 5\nInput a 0 1 a 0=6 1=5 2=4\nInput b 0 1 b 0=6 1=5 2=4\n"
    "Convolution ca 1 1 a ca 0=8 1=3 4=1 5=1 6=288\nConvolution cb 1 1 b cb 0=8 1=3 4=1 5=1 6=288\n"
    "Eltwise sum 2 1 ca cb sum 0=1\n";
// The CPU reads the input too (RNN).
const char* const kSharedWithCpu =
    "7767517\n5 6\nInput a 0 1 a 0=6 1=5 2=4\nSplit s 1 2 a a0 a1\n"
    "Convolution ca 1 1 a0 ca 0=8 1=3 4=1 5=1 6=288\nReshape s 1 1 a1 s 0=30 1=4\n"
    "RNN m 1 1 s m 0=12 1=360 2=0\n";

TEST_F(VulkanImport, GivesWhatACopyGives) {
    FaultyDriver driver({});
    for (const Precision precision : {Precision::kFloat, Precision::kInt8, Precision::kFp16}) {
        for (const bool staged : {false, true}) {
            SCOPED_TRACE(testing::Message() << static_cast<int>(precision) << staged);
            Both nets;
            nets.load(kTwoInputs, precision, staged);
            nets.imports.extractor->enable_profile(true);
            const int before = driver.imports();
            std::vector<Mat> inputs = new_inputs(2);
            const std::vector<float> first = nets.run(inputs);
            // New values in the same memory.
            fill(&inputs[1], 7);
            EXPECT_NE(nets.run(inputs), first);
            const int once = precision == Precision::kFp16 ? 0 : 2;  // float16 is made by the CPU
            EXPECT_EQ(driver.imports() - before, once);
            // Other memory for one of them; that of the other stays.
            inputs[0] = new_inputs(2)[1];
            nets.run(inputs);
            EXPECT_EQ(driver.imports() - before, once == 0 ? 0 : 3);
        }
    }
}

// What begins in the middle of a page, at addresses that a storage buffer may have and others.
TEST_F(VulkanImport, TakesMemoryAtAnyAddress) {
    for (const bool staged : {false, true}) {
        Both nets;
        nets.load(kTwoInputs, Precision::kInt8, staged);
        const std::vector<Mat> inputs = new_inputs(2);
        const std::vector<float> want = nets.run(inputs);
        std::vector<float> memory(static_cast<size_t>(inputs[0].count()) + 64);
        for (size_t at = 0; at < 20; ++at) {
            std::memcpy(memory.data() + at, inputs[0].data(), inputs[0].bytes());
            EXPECT_EQ(nets.run({Mat::wrap(memory.data() + at, inputs[0].shape()), inputs[1]}), want) << at;
        }
    }
}

// An input that cannot be imported: the other is not imported again and again.
TEST_F(VulkanImport, TriesRefusedMemoryOnce) {
    FaultyDriver driver({});
    Both nets;
    nets.load(kTwoInputs, Precision::kFloat, true);
    const std::vector<Mat> inputs = new_inputs(2);
    for (size_t odd = 0; odd < inputs.size(); ++odd) {
        SCOPED_TRACE(odd);
        nets.run(inputs);
        std::vector<float> memory(static_cast<size_t>(inputs[odd].count()) + 64);
        const auto past = reinterpret_cast<uintptr_t>(memory.data()) / sizeof(float) % 2;
        float* begin = memory.data() + (past == 0 ? 1 : 0);  // at an odd number of floats
        std::memcpy(begin, inputs[odd].data(), inputs[odd].bytes());
        std::vector<Mat> mixed = inputs;
        mixed[odd] = Mat::wrap(begin, inputs[odd].shape());
        const int before = driver.imports();
        nets.run(mixed);
        const int first = driver.imports();
        EXPECT_LE(first - before, 1);
        nets.run(mixed);
        nets.run(mixed);
        EXPECT_EQ(driver.imports(), first);
        nets.run(inputs);
        EXPECT_EQ(driver.imports(), first + 2);
    }
}

class VulkanNoImport : public ImportNets {};

TEST_F(VulkanNoImport, CopiesWhereItCannot) {
    Faults no_support;
    no_support.no_import = true;
    Faults fails;
    fails.import = VK_ERROR_INVALID_EXTERNAL_HANDLE;
    for (const Faults& faults : {no_support, fails}) {
        FaultyDriver driver(faults);
        EXPECT_FALSE(faults.no_import && device_imports());
        Both nets;
        nets.load(kTwoInputs, Precision::kInt8, true);
        nets.run(new_inputs(2));
        EXPECT_EQ(driver.imports(), 0);
    }
}

TEST_F(VulkanNoImport, CopiesWhatTheCpuReadsToo) {
    FaultyDriver driver({});
    for (const bool staged : {false, true}) {
        Both nets;
        nets.load(kSharedWithCpu, Precision::kFloat, staged);
        nets.run(new_inputs(1));
        EXPECT_EQ(driver.imports(), 0);
    }
}

// The first layer needs scratch memory, which lies where imports have their offsets: products with constants,
// attention.
TEST_F(VulkanImport, IsReadBeforeALayerWithScratchMemory) {
    FaultyDriver driver({});
    const std::string begin = "7767517\n2 2\nInput a 0 1 a 0=70 1=5\n";
    for (const char* layer : {"Gemm g 1 1 a g 0=0.5 3=1 5=1 6=1 8=33 9=70 10=4\n",
                              "MultiHeadAttention m 1 1 a m 0=36 1=3 2=2520 3=70 4=70\n"}) {
        for (const bool staged : {false, true}) {
            SCOPED_TRACE(testing::Message() << layer << staged);
            Both nets;
            nets.load((begin + layer).c_str(), Precision::kFloat, staged);
            Result<Mat> mat = Mat::create(Shape(5, 70));
            ASSERT_TRUE(mat.ok());
            fill(&*mat, 3);
            const int before = driver.imports();
            nets.run({*mat});
            EXPECT_EQ(driver.imports(), before + 1);
            EXPECT_EQ(nets.imports.net.plan()->back().device, "vulkan");
        }
    }
}

// Whole networks in int8, as if the device had memory of its own; an int8 Mat is copied.
TEST_F(VulkanImport, RunsNetworksOfTheZoo) {
    for (const char* name : {"blazeface", "mobilenet_v3_small"}) {
        SCOPED_TRACE(name);
        const Result<ScaleTable> table =
            ScaleTable::load((std::string(FW_SOURCE_DIR) + "/tests/golden/zoo/" + name + ".table").c_str());
        ASSERT_TRUE(table.ok()) << table.status().message();
        FaultyDriver driver({});
        const Result<NetDef> def = zoo::build(*zoo::find(name), kSeed);
        ASSERT_TRUE(def.ok()) << def.status().message();
        Both nets;
        nets.load(*def, &*table, Precision::kAuto, true);
        const Shape shape = nets.copies.net.input_shape(nets.copies.net.input_names()[0].c_str());
        Result<Mat> image = Mat::create(shape);
        Result<Mat> bytes = Mat::create(shape, DType::kInt8);
        ASSERT_TRUE(image.ok() && bytes.ok());
        fill(&*image, 5);
        std::memset(bytes->data<int8_t>(), 7, bytes->bytes());
        nets.run({*image});
        EXPECT_EQ(driver.imports(), 1);
        nets.run({*bytes});
        EXPECT_EQ(driver.imports(), 1);
    }
}

}  // namespace
}  // namespace fw
