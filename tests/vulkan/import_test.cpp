// Inputs that the device reads in the application's memory (Option::import_inputs): the results of copies, whatever
// memory comes, and copies where the device or the memory does not allow it.
#include <cstring>
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

class VulkanImport : public VulkanTest {
protected:
    struct Loaded {
        NetDef def;
        zoo::ModelFiles files;
        Net net;
    };
    static void load(const char* text, Precision precision, const Option& option, Loaded* out) {
        Result<NetDef> def = parse_param({text, std::strlen(text)}, "test");
        ASSERT_TRUE(def.ok()) << def.status().message();
        out->def = std::move(*def);
        ASSERT_TRUE(random_weights(&out->def, kSeed).ok());
        Option wanted = option;
        wanted.precision = precision;
        ASSERT_TRUE(out->net.set_option(wanted).ok());
        if (precision == Precision::kInt8) {
            const Result<ScaleTable> table = zoo::made_table(out->def, kSeed, 1);
            ASSERT_TRUE(table.ok()) << table.status().message();
            ASSERT_TRUE(out->net.load_table(*table).ok());
        }
        const Status status = zoo::load(out->def, &out->net, &out->files);
        ASSERT_TRUE(status.ok()) << status.message();
    }

    static void fill(Mat* mat, int step) {
        for (int64_t i = 0; i < mat->count(); ++i) {
            mat->data()[i] = static_cast<float>((i * step) % 17) * 0.125F - 1.0F;
        }
    }

    // All outputs, one after another.
    static std::vector<float> run(const Net& net, Extractor* extractor, const std::vector<Mat>& inputs) {
        std::vector<float> values;
        const std::vector<std::string> names = net.input_names();
        for (size_t i = 0; i < names.size(); ++i) {
            EXPECT_TRUE(extractor->input(names[i].c_str(), inputs[i]).ok());
        }
        for (const std::string& name : net.output_names()) {
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

    static Option device_option(bool import, bool staged) {
        Option option;
        option.device = "vulkan";
        option.import_inputs = import;
        option.staged_device_memory = staged;
        return option;
    }

    static bool device_imports() {
        const Result<std::vector<DeviceInfo>> devices = list_devices();
        return devices.ok() && devices->front().description.find("host memory import") != std::string::npos;
    }
};

TEST_F(VulkanImport, GivesWhatACopyGives) {
    if (!device_imports()) {
        GTEST_SKIP() << "the device imports no host memory";
    }
    FaultyDriver driver({});
    for (const Precision precision : {Precision::kFloat, Precision::kInt8, Precision::kFp16}) {
        for (const bool staged : {false, true}) {
            SCOPED_TRACE(testing::Message() << static_cast<int>(precision) << staged);
            Loaded copies;
            Loaded imports;
            load(kTwoInputs, precision, device_option(false, staged), &copies);
            load(kTwoInputs, precision, device_option(true, staged), &imports);
            Extractor plain = copies.net.create_extractor();
            Extractor extractor = imports.net.create_extractor();
            extractor.enable_profile(true);
            const int before = driver.imports();
            std::vector<Mat> inputs = new_inputs(2);
            const std::vector<float> first = run(copies.net, &plain, inputs);
            EXPECT_FALSE(first.empty());
            EXPECT_EQ(run(imports.net, &extractor, inputs), first);
            // New values in the same memory.
            fill(&inputs[1], 7);
            const std::vector<float> second = run(copies.net, &plain, inputs);
            EXPECT_NE(second, first);
            EXPECT_EQ(run(imports.net, &extractor, inputs), second);
            const int once = precision == Precision::kFp16 ? 0 : 2;  // float16 is made by the CPU
            EXPECT_EQ(driver.imports() - before, once);
            // Other memory for one of them; that of the other stays.
            inputs[0] = new_inputs(2)[1];
            EXPECT_EQ(run(imports.net, &extractor, inputs), run(copies.net, &plain, inputs));
            EXPECT_EQ(driver.imports() - before, once == 0 ? 0 : 3);
        }
    }
}

// What begins in the middle of a page, at addresses that a storage buffer may have and others.
TEST_F(VulkanImport, TakesMemoryAtAnyAddress) {
    for (const bool staged : {false, true}) {
        Loaded copies;
        Loaded imports;
        load(kTwoInputs, Precision::kInt8, device_option(false, staged), &copies);
        load(kTwoInputs, Precision::kInt8, device_option(true, staged), &imports);
        Extractor plain = copies.net.create_extractor();
        Extractor extractor = imports.net.create_extractor();
        std::vector<Mat> inputs = new_inputs(2);
        const std::vector<float> want = run(copies.net, &plain, inputs);
        std::vector<float> memory(static_cast<size_t>(inputs[0].count()) + 64);
        for (size_t at = 0; at < 20; ++at) {
            std::memcpy(memory.data() + at, inputs[0].data(), inputs[0].bytes());
            const std::vector<Mat> odd = {Mat::wrap(memory.data() + at, inputs[0].shape()), inputs[1]};
            EXPECT_EQ(run(imports.net, &extractor, odd), want) << at;
        }
    }
}

TEST_F(VulkanImport, CopiesWhereItCannot) {
    Faults no_support;
    no_support.no_import = true;
    Faults fails;
    fails.import = VK_ERROR_INVALID_EXTERNAL_HANDLE;
    for (const Faults& faults : {no_support, fails}) {
        FaultyDriver driver(faults);
        EXPECT_FALSE(faults.no_import && device_imports());
        Loaded copies;
        Loaded imports;
        load(kTwoInputs, Precision::kInt8, device_option(false, true), &copies);
        load(kTwoInputs, Precision::kInt8, device_option(true, true), &imports);
        Extractor plain = copies.net.create_extractor();
        Extractor extractor = imports.net.create_extractor();
        const std::vector<Mat> inputs = new_inputs(2);
        EXPECT_EQ(run(imports.net, &extractor, inputs), run(copies.net, &plain, inputs));
        EXPECT_EQ(driver.imports(), 0);
    }
}

TEST_F(VulkanImport, CopiesWhatTheCpuReadsToo) {
    FaultyDriver driver({});
    for (const bool staged : {false, true}) {
        Loaded copies;
        Loaded imports;
        load(kSharedWithCpu, Precision::kFloat, device_option(false, staged), &copies);
        load(kSharedWithCpu, Precision::kFloat, device_option(true, staged), &imports);
        Extractor plain = copies.net.create_extractor();
        Extractor extractor = imports.net.create_extractor();
        const std::vector<Mat> inputs = new_inputs(1);
        EXPECT_EQ(run(imports.net, &extractor, inputs), run(copies.net, &plain, inputs));
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
        Loaded copies;
        Loaded imports;
        for (Loaded* loaded : {&copies, &imports}) {
            Result<NetDef> def = zoo::build(*zoo::find(name), kSeed);
            ASSERT_TRUE(def.ok());
            loaded->def = std::move(*def);
            ASSERT_TRUE(loaded->net.set_option(device_option(loaded == &imports, true)).ok());
            ASSERT_TRUE(loaded->net.load_table(*table).ok());
            ASSERT_TRUE(zoo::load(loaded->def, &loaded->net, &loaded->files).ok());
        }
        Extractor plain = copies.net.create_extractor();
        Extractor extractor = imports.net.create_extractor();
        const Shape shape = copies.net.input_shape(copies.net.input_names()[0].c_str());
        Result<Mat> image = Mat::create(shape);
        Result<Mat> bytes = Mat::create(shape, DType::kInt8);
        ASSERT_TRUE(image.ok() && bytes.ok());
        fill(&*image, 5);
        std::memset(bytes->data<int8_t>(), 7, bytes->bytes());
        EXPECT_EQ(run(imports.net, &extractor, {*image}), run(copies.net, &plain, {*image}));
        EXPECT_EQ(driver.imports(), device_imports() ? 1 : 0);
        EXPECT_EQ(run(imports.net, &extractor, {*bytes}), run(copies.net, &plain, {*bytes}));
        EXPECT_EQ(driver.imports(), device_imports() ? 1 : 0);
    }
}

}  // namespace
}  // namespace fw
