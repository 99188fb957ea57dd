#include "fw/c_api.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "fw/option.h"
#include "fw/version.h"
#include "support/net_files.h"
#include "support/temp_folder.h"

namespace fw {
namespace {

class CApi : public test::TempFolderTest {
protected:
    void SetUp() override {
        TempFolderTest::SetUp();
        files_.layer("Input in 0 1 data 0=2 1=1 2=3").layer("Power p 1 1 data out 1=2.0 2=1.0");
        param_ = files_.param();
        net_ = fw_net_create();
        ASSERT_NE(net_, nullptr);
    }
    void TearDown() override {
        fw_net_destroy(net_);
        TempFolderTest::TearDown();
    }
    fw_status load() {
        return fw_net_load_model_memory(net_, param_.data(), param_.size(), files_.bin().data(), files_.bin().size());
    }

    test::NetFiles files_;
    std::string param_;
    fw_net* net_ = nullptr;
};

TEST_F(CApi, ChoosesADevice) {
    EXPECT_EQ(fw_net_set_device(nullptr, "cpu", 0), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_set_device(net_, nullptr, 0), FW_INVALID_ARGUMENT);
    ASSERT_EQ(fw_net_set_device(net_, "vulkan:999", 0), FW_OK);
    const fw_status status = load();  // no such device, or a build without any
    EXPECT_TRUE(status == FW_NOT_FOUND || status == FW_UNSUPPORTED) << status;
    EXPECT_NE(std::string(fw_last_error()).find("vulkan:999"), std::string::npos) << fw_last_error();
    ASSERT_EQ(fw_net_set_device(net_, "vulkan:999", 1), FW_OK);
    EXPECT_EQ(load(), FW_OK) << fw_last_error();
    EXPECT_EQ(fw_net_set_device(net_, "cpu", 0), FW_FAILED_PRECONDITION);
}

TEST_F(CApi, TakesOptionsByName) {
    const char* const switches[] = {"fp16",          "fp16_arithmetic",     "bf16_arithmetic",    "winograd",
                                    "optimize",      "split_attention",     "ignore_table_model", "device_fallback",
                                    "import_inputs", "staged_device_memory"};
    for (const char* name : switches) {
        EXPECT_EQ(fw_net_set_option(net_, name, "0"), FW_OK) << name;
        EXPECT_EQ(fw_net_set_option(net_, name, "1"), FW_OK) << name;
        for (const char* bad : {"", "2", "true", "01"}) {
            EXPECT_EQ(fw_net_set_option(net_, name, bad), FW_INVALID_ARGUMENT) << name;
        }
        EXPECT_NE(std::string(fw_last_error()).find(name), std::string::npos) << fw_last_error();
    }
    const struct {
        const char* name;
        const char* good;
        const char* bad;
    } others[] = {
        {"threads", "2", "-1"},
        {"threads", "1024", "1025"},
        {"threads", "1", "1 "},
        {"threads", "0", "2147483648"},
        {"max_activation_bytes", "18446744073709551615", "18446744073709551616"},
        {"max_activation_bytes", "18446744073709551609", "184467440737095516150"},
        {"max_activation_bytes", "0", ""},
        {"cores", "little", "most"},
    };
    for (const auto& c : others) {
        EXPECT_EQ(fw_net_set_option(net_, c.name, c.good), FW_OK) << c.name << fw_last_error();
        EXPECT_EQ(fw_net_set_option(net_, c.name, c.bad), FW_INVALID_ARGUMENT) << c.name << c.bad;
    }
    EXPECT_EQ(fw_net_set_option(net_, "precisions", "1"), FW_NOT_FOUND);
    EXPECT_EQ(fw_net_set_option(nullptr, "fp16", "1"), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_set_option(net_, nullptr, "1"), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_set_option(net_, "fp16", nullptr), FW_INVALID_ARGUMENT);
    // They are kept: a device that is not there, then no byte of activations.
    EXPECT_EQ(fw_net_set_option(net_, "device_fallback", "0"), FW_OK);
    EXPECT_EQ(fw_net_set_option(net_, "device", "vulkan:999"), FW_OK);
    EXPECT_NE(load(), FW_OK);
    EXPECT_EQ(fw_net_set_option(net_, "device", "cpu"), FW_OK);
    EXPECT_EQ(load(), FW_OK) << fw_last_error();
    EXPECT_EQ(fw_net_set_option(net_, "fp16", "1"), FW_FAILED_PRECONDITION);
    fw_extractor* extractor = fw_extractor_create(net_);
    const float data[6] = {};
    const float* out = nullptr;
    EXPECT_EQ(fw_extractor_input(extractor, "data", data, fw_shape{3, {2, 1, 3, 0}}), FW_OK) << fw_last_error();
    EXPECT_EQ(fw_extractor_extract(extractor, "out", &out, nullptr), FW_OUT_OF_MEMORY);
    fw_extractor_destroy(extractor);
}

// Messages of the level asked for and above, until there is no sink.
TEST_F(CApi, SaysWhatRunsWhere) {
    struct Log {
        int level = -1;
        std::string text;
    } log;
    fw_set_log_sink(
        [](int level, const char* message, void* data) {
            static_cast<Log*>(data)->level = level;
            static_cast<Log*>(data)->text = message;
        },
        &log, 3);
    EXPECT_STREQ(fw_net_device(net_), "cpu");
    EXPECT_STREQ(fw_net_device(nullptr), "");
    ASSERT_EQ(fw_net_set_device(net_, "vulkan:999", 1), FW_OK);
    EXPECT_EQ(fw_plan_create(net_), nullptr);  // not loaded yet
    EXPECT_STRNE(fw_last_error(), "");
    ASSERT_EQ(load(), FW_OK) << fw_last_error();
    EXPECT_EQ(log.level, 3);
    EXPECT_NE(log.text.find("vulkan:999"), std::string::npos) << log.text;
    fw_set_log_sink(nullptr, nullptr, 0);

    fw_plan* plan = fw_plan_create(net_);
    ASSERT_NE(plan, nullptr) << fw_last_error();
    ASSERT_GT(fw_plan_count(plan), 0);
    fw_step step;
    const int last = fw_plan_count(plan) - 1;
    ASSERT_EQ(fw_plan_step(plan, last, &step), FW_OK);
    EXPECT_STREQ(step.name, "p");
    EXPECT_STREQ(step.type, "Power");
    EXPECT_STREQ(step.output, "out");
    EXPECT_STREQ(step.device, "cpu");
    EXPECT_NE(std::string(step.cpu_reason).find("vulkan:999"), std::string::npos) << step.cpu_reason;
    EXPECT_EQ(step.crossing_bytes, 0);
    EXPECT_STREQ(step.input_type, "float32");
    EXPECT_STREQ(step.output_type, "float32");
    EXPECT_EQ(step.macs, 0);
    EXPECT_GE(step.bytes, 0);
    EXPECT_EQ(fw_plan_step(plan, last + 1, &step), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_plan_step(plan, -1, &step), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_plan_step(plan, 0, nullptr), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_plan_step(nullptr, 0, &step), FW_INVALID_ARGUMENT);

    fw_extractor* extractor = fw_extractor_create(net_);
    EXPECT_EQ(fw_extractor_enable_profile(extractor, 1), FW_OK);
    EXPECT_EQ(fw_extractor_enable_profile(nullptr, 1), FW_INVALID_ARGUMENT);
    const float data[6] = {1, 2, 3, 4, 5, 6};
    ASSERT_EQ(fw_extractor_input(extractor, "data", data, fw_shape{3, {2, 1, 3, 0}}), FW_OK) << fw_last_error();
    const float* out = nullptr;
    ASSERT_EQ(fw_extractor_extract(extractor, "out", &out, nullptr), FW_OK) << fw_last_error();
    int count = 0;
    EXPECT_NE(fw_extractor_profile(extractor, &count), nullptr);
    EXPECT_EQ(count, last + 2);  // the steps and a copy
    EXPECT_EQ(fw_extractor_profile(nullptr, &count), nullptr);
    EXPECT_EQ(fw_extractor_profile(extractor, nullptr), nullptr);
    fw_extractor_destroy(extractor);
    fw_plan_destroy(plan);
    fw_plan_destroy(nullptr);
}

TEST_F(CApi, SaysWhatTheModelIs) {
    fw_shape shape = {-1, {}};
    char hash[FW_MODEL_HASH_SIZE] = "";
    fw_memory_use use = {1, 1, 1, 1};
    EXPECT_EQ(fw_net_input_shape(net_, 0, &shape), FW_INVALID_ARGUMENT);  // nothing is loaded yet
    EXPECT_NE(fw_net_model_hash(net_, hash, sizeof hash), FW_OK);
    EXPECT_STREQ(hash, "");
    EXPECT_EQ(fw_net_memory_use(net_, &use), FW_OK);
    EXPECT_EQ(use.activations, 0U);

    files_.layer("InnerProduct ip 1 1 out scores 0=4 1=1 2=24").tagged(std::vector<float>(24, 0.5F)).raw({1, 2, 3, 4});
    param_ = files_.param();
    ASSERT_EQ(load(), FW_OK) << fw_last_error();
    ASSERT_EQ(fw_net_input_shape(net_, 0, &shape), FW_OK) << fw_last_error();
    EXPECT_EQ(shape.rank, 3);
    EXPECT_EQ(std::vector<int>(shape.dims, shape.dims + 3), (std::vector<int>{3, 1, 2}));
    EXPECT_EQ(fw_net_input_shape(net_, 1, &shape), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_input_shape(net_, -1, &shape), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_input_shape(nullptr, 0, &shape), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_input_shape(net_, 0, nullptr), FW_INVALID_ARGUMENT);

    Net same;
    ASSERT_TRUE(files_.load(&same).ok());
    const std::string expected = *same.model_hash();
    ASSERT_EQ(fw_net_model_hash(net_, hash, sizeof hash), FW_OK) << fw_last_error();
    EXPECT_EQ(hash, expected);
    std::memset(hash, 'x', sizeof hash);
    EXPECT_EQ(fw_net_model_hash(net_, hash, expected.size()), FW_INVALID_ARGUMENT);
    EXPECT_EQ(hash[0], 'x');
    EXPECT_EQ(fw_net_model_hash(net_, hash, expected.size() + 1), FW_OK);
    EXPECT_EQ(hash, expected);
    EXPECT_EQ(fw_net_model_hash(net_, nullptr, sizeof hash), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_model_hash(nullptr, hash, sizeof hash), FW_INVALID_ARGUMENT);

    ASSERT_EQ(fw_net_memory_use(net_, &use), FW_OK) << fw_last_error();
    const MemoryUse sizes = same.memory_use();
    EXPECT_GT(use.weights, 24U);
    EXPECT_EQ(use.weights, sizes.weights);
    EXPECT_GE(use.activations, use.least_activations);
    EXPECT_EQ(use.least_activations, sizes.least_activations);
    EXPECT_EQ(use.device_weights, 0U);
    EXPECT_EQ(fw_net_memory_use(nullptr, &use), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_net_memory_use(net_, nullptr), FW_INVALID_ARGUMENT);
}

TEST_F(CApi, LeavesAnOpenShapeOpen) {
    test::NetFiles open;
    open.layer("Input in 0 1 data").layer("Power p 1 1 data out 1=2.0");
    param_ = open.param();
    ASSERT_EQ(load(), FW_OK) << fw_last_error();
    fw_shape shape = {-1, {}};
    ASSERT_EQ(fw_net_input_shape(net_, 0, &shape), FW_OK) << fw_last_error();
    EXPECT_EQ(shape.rank, 0);
}

TEST_F(CApi, ListsTheDevices) {
    const Result<std::vector<DeviceInfo>> devices = list_devices();
    ASSERT_EQ(fw_device_count(), devices.ok() ? static_cast<int>(devices->size()) : 0);
    EXPECT_STREQ(fw_last_error(), devices.status().message());
    int index = 0;
    for (; devices.ok() && index < static_cast<int>(devices->size()); ++index) {
        EXPECT_EQ(fw_device_name(index), (*devices)[static_cast<size_t>(index)].device);
        EXPECT_EQ(fw_device_description(index), (*devices)[static_cast<size_t>(index)].description);
    }
    EXPECT_EQ(fw_device_name(index), nullptr);
    EXPECT_EQ(fw_device_description(-1), nullptr);
}

TEST_F(CApi, RunsAModel) {
    EXPECT_STREQ(fw_version(), version());
    EXPECT_EQ(fw_net_set_threads(net_, 2), 0);
    EXPECT_EQ(fw_net_set_precision(net_, 1), 0);
    ASSERT_EQ(load(), 0) << fw_last_error();
    EXPECT_STREQ(fw_last_error(), "");
    EXPECT_EQ(fw_net_input_count(net_), 1);
    EXPECT_EQ(fw_net_output_count(net_), 1);
    EXPECT_STREQ(fw_net_input_name(net_, 0), "data");
    EXPECT_STREQ(fw_net_output_name(net_, 0), "out");
    EXPECT_EQ(fw_net_output_name(net_, 1), nullptr);
    EXPECT_EQ(fw_net_input_name(net_, -1), nullptr);

    fw_extractor* extractor = fw_extractor_create(net_);
    ASSERT_NE(extractor, nullptr);
    const float data[6] = {1, 2, 3, 4, 5, 6};
    const fw_shape shape = {3, {3, 1, 2, 0}};
    ASSERT_EQ(fw_extractor_input(extractor, "data", data, shape), 0) << fw_last_error();
    const float* out = nullptr;
    fw_shape out_shape;
    ASSERT_EQ(fw_extractor_extract(extractor, "out", &out, &out_shape), 0) << fw_last_error();
    EXPECT_EQ(out_shape.rank, 3);
    EXPECT_EQ(out_shape.dims[0], 3);
    EXPECT_EQ(out_shape.dims[2], 2);
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(out[i], data[i] * 2 + 1);
    }
    ASSERT_EQ(fw_extractor_extract(extractor, "out", &out, nullptr), 0);
    // A buffer that no device reads: what the CPU sees of it.
    const float other[6] = {6, 5, 4, 3, 2, 1};
    int buffer = 0;
    ASSERT_EQ(fw_extractor_input_buffer(extractor, "data", other, shape, &buffer, 256), 0) << fw_last_error();
    ASSERT_EQ(fw_extractor_extract(extractor, "out", &out, nullptr), 0);
    EXPECT_EQ(out[0], 13);
    EXPECT_EQ(fw_extractor_input_buffer(extractor, "data", nullptr, shape, &buffer, 0), FW_INVALID_ARGUMENT);
    EXPECT_EQ(fw_extractor_input_buffer(extractor, "elsewhere", other, shape, &buffer, 0), FW_NOT_FOUND);
    fw_extractor_destroy(extractor);
}

TEST_F(CApi, TablesThatDoNotFitAreRefused) {
    const struct {
        const char* text;
        const char* at_table;  ///< message of fw_net_load_table, else nullptr
        const char* at_model;
    } cases[] = {
        {"fwtable 2\nblob data 1 999\n", "zero point '999'", nullptr},
        {"fwtable 2\nblob data 1 0\nblob data 2 0\n", ":3: blob 'data' differs from line 2", nullptr},
        {"fwtable 2\nmodel 0123456789abcdef\nblob data 1 0\n", nullptr, "was made for the model 0123456789abcdef"},
        {"fwtable 2\nblob elsewhere 1 0\n", nullptr, "is the table of another model"},
        {"fwtable 2\nblob data 1 0\nlayer elsewhere int8\n", nullptr, nullptr},
    };
    for (const auto& c : cases) {
        fw_net_destroy(net_);
        net_ = fw_net_create();
        const std::string path = write("x.table", c.text);
        if (c.at_table != nullptr) {
            EXPECT_NE(fw_net_load_table(net_, path.c_str()), 0);
            EXPECT_NE(std::strstr(fw_last_error(), c.at_table), nullptr) << fw_last_error();
            continue;
        }
        ASSERT_EQ(fw_net_load_table(net_, path.c_str()), 0) << fw_last_error();
        if (c.at_model == nullptr) {
            EXPECT_EQ(load(), 0) << fw_last_error();
        } else {
            EXPECT_NE(load(), 0);
            EXPECT_NE(std::strstr(fw_last_error(), c.at_model), nullptr) << fw_last_error();
        }
    }
}

TEST_F(CApi, ErrorsCarryAMessage) {
    EXPECT_NE(fw_net_load_model(net_, "/nonexistent.param", "/nonexistent.bin"), 0);
    EXPECT_NE(std::strstr(fw_last_error(), "/nonexistent.param"), nullptr) << fw_last_error();
    EXPECT_NE(fw_net_load_table(net_, "/nonexistent.table"), 0);
    EXPECT_NE(fw_net_set_threads(net_, -3), 0);
    EXPECT_NE(fw_net_set_precision(net_, 7), 0);
    EXPECT_NE(fw_net_set_threads(nullptr, 1), 0);
    ASSERT_EQ(load(), 0);
    EXPECT_NE(load(), 0);
    fw_extractor* extractor = fw_extractor_create(net_);
    const float* out = nullptr;
    fw_shape shape;
    EXPECT_NE(fw_extractor_extract(extractor, "out", &out, &shape), 0);
    EXPECT_NE(std::strstr(fw_last_error(), "'data' is not set"), nullptr) << fw_last_error();
    const float data[6] = {};
    for (const fw_shape bad : {fw_shape{0, {1, 1, 1, 1}}, fw_shape{5, {1, 1, 1, 1}}, fw_shape{2, {-1, 3, 0, 0}},
                               fw_shape{3, {65536, 65536, 65536, 0}}}) {
        EXPECT_NE(fw_extractor_input(extractor, "data", data, bad), 0);
    }
    EXPECT_NE(fw_extractor_input(extractor, "data", nullptr, fw_shape{1, {6, 0, 0, 0}}), 0);
    const uint8_t pixels[3] = {};
    EXPECT_NE(fw_extractor_input_image(extractor, "data", pixels, 1, 1, 3, 1), 0);
    EXPECT_STREQ(fw_last_error(), "the model stores no preprocessing");
    EXPECT_NE(fw_extractor_input_image(extractor, "data", pixels, 1, 1, 3, 9), 0);
    fw_extractor_destroy(extractor);
    fw_extractor_destroy(nullptr);
    fw_net_destroy(nullptr);
    EXPECT_EQ(fw_extractor_create(nullptr), nullptr);
}

}  // namespace
}  // namespace fw
