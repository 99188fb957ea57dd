// Inputs that the device reads in the application's memory (Option::import_inputs): the results of copies, whatever
// memory comes, and copies where the device or the memory does not allow it.
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "device_support.h"
#include "faults.h"
#include "model/model_io.h"
#include "support/source_dir.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

using vulkan::Faults;
using vulkan::FaultyDriver;

constexpr uint64_t kSeed = 5;
const char* const kTwoInputs =
    "7767517\n5 5\nInput a 0 1 a 0=6 1=5 2=4\nInput b 0 1 b 0=6 1=5 2=4\n"
    "Convolution ca 1 1 a ca 0=8 1=3 4=1 5=1 6=288\nConvolution cb 1 1 b cb 0=8 1=3 4=1 5=1 6=288\n"
    "Eltwise sum 2 1 ca cb sum 0=1\n";
// The CPU reads the input too (Tile).
const char* const kSharedWithCpu =
    "7767517\n4 5\nInput a 0 1 a 0=6 1=5 2=4\nSplit s 1 2 a a0 a1\n"
    "Convolution ca 1 1 a0 ca 0=8 1=3 4=1 5=1 6=288\nTile m 1 1 a1 m 0=1 1=2\n";

class ImportNets : public VulkanTest {
protected:
    struct Loaded {
        NetDef def;
        zoo::ModelFiles files;
        Net net;
        std::optional<Extractor> extractor;
    };

    // The same network with copies and with imports; `staged`: as if the device had memory of its own.
    struct Both {
        Loaded copies;
        Loaded imports;

        void load(const NetDef& def, const ScaleTable* table, Precision precision, bool staged) {
            for (Loaded* loaded : {&copies, &imports}) {
                Option option;
                option.device = "vulkan";
                option.precision = precision;
                option.staged_device_memory = staged;
                option.import_inputs = loaded == &imports;
                loaded->def = def;
                ASSERT_TRUE(loaded->net.set_option(option).ok());
                if (table != nullptr) {
                    ASSERT_TRUE(loaded->net.load_table(*table).ok());
                }
                const Status status = zoo::load(loaded->def, &loaded->net, &loaded->files);
                ASSERT_TRUE(status.ok()) << status.message();
                loaded->extractor.emplace(loaded->net.create_extractor());
            }
        }
        void load(const char* text, Precision precision, bool staged) {
            Result<NetDef> def = parse_param({text, std::strlen(text)}, "test");
            ASSERT_TRUE(def.ok()) << def.status().message();
            ASSERT_TRUE(random_weights(&*def, kSeed).ok());
            const Result<ScaleTable> table = zoo::made_table(*def, kSeed, 1);
            ASSERT_TRUE(table.ok()) << table.status().message();
            load(*def, precision == Precision::kInt8 ? &*table : nullptr, precision, staged);
        }
        // The same values of both, which it returns.
        std::vector<float> run(const std::vector<Mat>& inputs) {
            std::vector<float> want = ImportNets::run(&copies, inputs);
            EXPECT_FALSE(want.empty());
            EXPECT_EQ(ImportNets::run(&imports, inputs), want);
            return want;
        }
    };

    static void fill(Mat* mat, int step) {
        for (int64_t i = 0; i < mat->count(); ++i) {
            mat->data()[i] = static_cast<float>((i * step) % 17) * 0.125F - 1.0F;
        }
    }

    // All outputs, one after another.
    static std::vector<float> run(Loaded* loaded, const std::vector<Mat>& inputs) {
        std::vector<float> values;
        Extractor* extractor = &*loaded->extractor;
        const std::vector<std::string> names = loaded->net.input_names();
        for (size_t i = 0; i < names.size(); ++i) {
            EXPECT_TRUE(extractor->input(names[i].c_str(), inputs[i]).ok());
        }
        for (const std::string& name : loaded->net.output_names()) {
            Mat out;
            const Status status = extractor->extract(name.c_str(), &out);
            EXPECT_TRUE(status.ok()) << status.message();
            if (status.ok()) {
                values.insert(values.end(), out.data(), out.data() + out.count());
            }
        }
        return values;
    }

    static std::vector<Mat> new_inputs(size_t count) {
        std::vector<Mat> inputs;
        for (size_t i = 0; i < count; ++i) {
            Result<Mat> mat = Mat::create(Shape(4, 5, 6));
            EXPECT_TRUE(mat.ok());
            inputs.push_back(*mat);
            fill(&inputs.back(), static_cast<int>(i) + 3);
        }
        return inputs;
    }

    static bool device_imports() {
        return list_devices()->front().description.find("host memory import") != std::string::npos;
    }
};

// Skips where the device cannot; lavapipe can.
class VulkanImport : public ImportNets {
protected:
    void SetUp() override {
        ImportNets::SetUp();
        if (IsSkipped() || HasFatalFailure() || device_imports()) {
            return;
        }
        const std::string device = list_devices()->front().description;
        ASSERT_EQ(device.find("llvmpipe"), std::string::npos) << device;
        GTEST_SKIP() << "imports no host memory: " << device;
    }
};

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
