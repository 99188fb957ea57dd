#include "layers_support.h"

#include <algorithm>
#include <cmath>

#include "zoo/table.h"
#include "zoo/zoo.h"

namespace fw {

namespace {

constexpr uint64_t kSeed = 7;
// Of the largest value of an output.
constexpr float kHalfBound = 4e-3F;
constexpr float kHalfArithmeticBound = 6e-3F;

std::string net_text(const std::string& layers, int count, int blobs) {
    return "7767517\n" + std::to_string(count) + " " + std::to_string(blobs) + "\n" + layers;
}

}  // namespace

std::string input(int c, int h, int w) {
    return "Input data 0 1 data 0=" + std::to_string(w) + " 1=" + std::to_string(h) + " 2=" + std::to_string(c) + "\n";
}

std::string reader(const std::string& blob, int c) {
    return "Convolution reader 1 1 " + blob + " read 0=4 1=1 5=1 6=" + std::to_string(4 * c) + "\n";
}

void VulkanLayers::run(const NetDef& def, const ScaleTable* table, const Option& option, Results* out) {
    Net net;
    Status status = net.set_option(option);
    ASSERT_TRUE(status.ok()) << status.message();
    if (table != nullptr) {
        status = net.load_table(*table);
        ASSERT_TRUE(status.ok()) << status.message();
    }
    zoo::ModelFiles files;
    status = zoo::load(def, &net, &files);
    ASSERT_TRUE(status.ok()) << status.message();
    Extractor extractor = net.create_extractor();
    const Shape shape = net.input_shape("data");
    Result<Mat> image = Mat::create(shape);
    ASSERT_TRUE(image.ok());
    const std::vector<uint8_t> bytes = zoo::made_image(shape, kSeed);
    for (size_t i = 0; i < bytes.size(); ++i) {
        image->data()[i] = (static_cast<float>(bytes[i]) - 127.5F) / 127.5F;
    }
    ASSERT_TRUE(extractor.input("data", *image).ok());
    for (const std::string& name : net.output_names()) {
        Mat mat;
        QuantParams quant;
        status = extractor.extract_raw(name.c_str(), &mat, &quant);
        ASSERT_TRUE(status.ok()) << status.message();
        out->outputs.push_back(mat);
        out->quants.push_back(quant);
    }
    Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    out->plan = *plan;
}

void VulkanLayers::expect_same(const std::string& layers, int count, int blobs, const std::string& on_device,
                               const Check& check) {
    SCOPED_TRACE(layers);
    const std::string text = net_text(layers, count, blobs);
    Result<NetDef> def = parse_param({text.data(), text.size()}, "test");
    ASSERT_TRUE(def.ok()) << def.status().message();
    ASSERT_TRUE(random_weights(&*def, kSeed).ok());
    const Result<ScaleTable> table = zoo::made_table(*def, kSeed, 1);
    ASSERT_TRUE(table.ok()) << table.status().message();
    Results want;
    for (const Precision precision : {Precision::kInt8, Precision::kFloat, Precision::kFp16}) {
        SCOPED_TRACE(static_cast<int>(precision));
        const bool int8 = precision == Precision::kInt8;
        const bool half = precision == Precision::kFp16;
        if (!int8 && !check.floats) {
            continue;
        }
        Option option;
        option.precision = precision;
        if (!half) {  // else float's
            want = {};
            run(*def, int8 ? &*table : nullptr, option, &want);
        }
        option.device = "vulkan";
        option.staged_device_memory = int8;  // memory of the device's own in one, shared memory in the others
        Results got;
        run(*def, int8 ? &*table : nullptr, option, &got);
        if (HasFatalFailure()) {
            return;
        }
        compare(want, got, half ? kHalfBound : check.bound);
        if (half && (on_device == "InnerProduct" || on_device.find("onvolution") != std::string::npos)) {
            option.fp16_arithmetic = true;
            Results narrow;
            run(*def, nullptr, option, &narrow);
            compare(want, narrow, kHalfArithmeticBound);
        }
        bool found = false;
        for (const LayerPlan& step : got.plan) {
            found = found || (step.type == on_device && step.device == "vulkan");
            if (step.type == on_device && step.device != "vulkan") {
                ADD_FAILURE() << step.name << " runs on the CPU: " << step.cpu_reason;
            }
            const char* kernel = int8 ? check.int8_kernel : half ? check.half_kernel : nullptr;
            if (step.type == on_device && kernel != nullptr) {
                EXPECT_EQ(step.kernel, kernel);
            }
            if (int8 && check.in_int8 && step.type == on_device) {
                EXPECT_TRUE(step.input_type == DType::kInt8 || step.output_type == DType::kInt8) << step.reason;
            }
        }
        EXPECT_TRUE(found) << on_device;
    }
}

void VulkanLayers::expect_same_floats(const std::string& layers, int count, float bound) {
    SCOPED_TRACE(layers);
    const std::string text = net_text(layers, count, count);
    Result<NetDef> def = parse_param({text.data(), text.size()}, "test");
    ASSERT_TRUE(def.ok()) << def.status().message();
    ASSERT_TRUE(random_weights(&*def, kSeed).ok());
    Results want;
    Option option;
    run(*def, nullptr, option, &want);
    option.device = "vulkan";
    for (const bool half : {false, true}) {
        option.precision = half ? Precision::kFp16 : Precision::kFloat;
        option.staged_device_memory = half;
        Results got;
        run(*def, nullptr, option, &got);
        if (HasFatalFailure()) {
            return;
        }
        compare(want, got, half ? kHalfBound : bound);
        EXPECT_EQ(got.plan.back().cpu_reason, "");
        EXPECT_EQ(got.plan.back().device, "vulkan");
    }
}

void VulkanLayers::compare(const Results& want, const Results& got, float bound) {
    ASSERT_EQ(got.outputs.size(), want.outputs.size());
    for (size_t i = 0; i < want.outputs.size(); ++i) {
        const Mat& a = want.outputs[i];
        const Mat& b = got.outputs[i];
        ASSERT_EQ(b.shape(), a.shape());
        ASSERT_EQ(b.dtype(), a.dtype());
        EXPECT_EQ(got.quants[i], want.quants[i]);
        float largest = 0.0F;
        for (int64_t k = 0; k < a.count() && a.dtype() == DType::kFloat32; ++k) {
            largest = std::max(largest, std::fabs(a.data()[k]));
        }
        for (int64_t k = 0; k < a.count(); ++k) {
            if (a.dtype() == DType::kInt8) {
                ASSERT_EQ(int{b.data<int8_t>()[k]}, int{a.data<int8_t>()[k]}) << "output " << i << ", element " << k;
            } else {
                ASSERT_NEAR(b.data()[k], a.data()[k], bound * largest) << "output " << i << ", element " << k;
            }
        }
    }
}

}  // namespace fw
