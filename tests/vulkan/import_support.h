// Networks that are loaded twice: with inputs copied and with inputs imported.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "device_support.h"
#include "fw/net.h"
#include "model/model_io.h"
#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {

class ImportNets : public VulkanTest {
public:
    static constexpr uint64_t kSeed = 5;

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

}  // namespace fw
