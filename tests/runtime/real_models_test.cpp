// Real networks in ncnn's format, loaded unconverted, against outputs of an independent engine (DATA.md of the data
// folder that FW_DATA names).
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "model/model_io.h"
#include "run_util.h"
#include "support/data_dir.h"
#include "support/npy.h"

namespace fw {
namespace {

#define FW_NEEDS_DATA(path)                               \
    const std::string folder = test::data_dir() + (path); \
    FW_SKIP_WITHOUT(folder)

void load(Net* net, const std::string& stem, const std::string& table = {}) {
    if (!table.empty()) {
        FW_ASSERT_OK(net->load_table(table.c_str()));
    }
    FW_ASSERT_OK(net->load_model((stem + ".param").c_str(), (stem + ".bin").c_str()));
}

// Rows and columns exchanged.
Mat swapped(const Mat& mat) {
    Mat out = *Mat::create(Shape(mat.c(), mat.w(), mat.h()));
    for (int c = 0; c < mat.c(); ++c) {
        for (int y = 0; y < mat.h(); ++y) {
            for (int x = 0; x < mat.w(); ++x) {
                out.channel(c)[x * mat.h() + y] = mat.channel(c)[y * mat.w() + x];
            }
        }
    }
    return out;
}

void expect_output(const Net& net, const std::string& blob, const std::string& input_file,
                   const std::string& expected_file, const char* input_blob = "data", bool swap = false) {
    const test::Npy input = test::read_npy(input_file);
    const test::Npy expected = test::read_npy(expected_file);
    ASSERT_TRUE(input.ok) << input_file;
    ASSERT_TRUE(expected.ok) << expected_file;
    Mat got = test::run(net, {{input_blob, swap ? swapped(input.mat(3)) : input.mat(3)}}, blob);
    if (swap && got.shape().rank == 3) {
        got = swapped(got);
    }
    ASSERT_EQ(got.count(), static_cast<int64_t>(expected.values.size())) << got.shape().str();
    double largest = 0.0;
    double most = 0.0;
    for (int64_t i = 0; i < got.count(); ++i) {
        const double want = expected.values[static_cast<size_t>(i)];
        const double difference = std::fabs(got.data()[i] - want);
        most = difference <= most ? most : difference;
        largest = std::max(largest, std::fabs(want));
    }
    EXPECT_LE(most, 1e-4 * largest) << expected_file;
}

int conversions(const Net& net) {
    const Result<std::vector<LayerPlan>> plan = net.plan();
    if (!plan.ok()) {
        ADD_FAILURE() << plan.status().message();
        return -1;
    }
    int count = 0;
    for (const LayerPlan& layer : *plan) {
        count += layer.is_conversion ? 1 : 0;
    }
    return count;
}

TEST(RealModels, SqueezeNet) {
    FW_NEEDS_DATA("/models/ncnn/squeezenet_v1.1");
    Net net;
    load(&net, folder + "/squeezenet_v1.1");
    int tested = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/expected")) {
        const std::string sample = entry.path().string();
        expect_output(net, "prob", sample + "/data.npy", sample + "/prob.npy");
        ++tested;
    }
    EXPECT_GE(tested, 3);
}

TEST(RealModels, UltraFace) {
    FW_NEEDS_DATA("/models/ncnn/ultraface_rfb320");
    const std::string expected = test::data_dir() + "/models/caffe/ultraface_rfb320/expected";
    Net net;
    load(&net, folder + "/RFB-320");
    int tested = 0;
    for (const auto& entry : std::filesystem::directory_iterator(expected)) {
        const std::string sample = entry.path().string();
        for (const std::string blob : {"scores", "boxes"}) {
            expect_output(net, blob, sample + "/input.npy", sample + "/rfb_caffe_" + blob + ".npy", "input");
            ++tested;
        }
    }
    EXPECT_GE(tested, 2);
}

TEST(RealModels, SqueezeNetInt8NeedsOneConversion) {
    FW_NEEDS_DATA("/models/ncnn/squeezenet_v1.1");
    Net float_net;
    load(&float_net, folder + "/squeezenet_v1.1");
    Net net;
    load(&net, folder + "/squeezenet_v1.1", test::data_dir() + "/tables/squeezenet_weight.table");
    EXPECT_LE(conversions(net), 2);
    const Result<std::vector<LayerPlan>> plan = net.plan();
    ASSERT_TRUE(plan.ok());
    int weighted = 0;
    for (const LayerPlan& layer : *plan) {
        if (layer.type == "Convolution") {
            EXPECT_EQ(layer.input_type, DType::kInt8) << layer.name << ": " << layer.reason;
            ++weighted;
        }
        if (layer.type == "Concat") {
            EXPECT_EQ(layer.kernel, "in place") << layer.name;
        }
    }
    EXPECT_EQ(weighted, 26);
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/expected")) {
        const test::Npy input = test::read_npy(entry.path().string() + "/data.npy");
        ASSERT_TRUE(input.ok);
        const Mat want = test::run(float_net, {{"data", input.mat(3)}}, "prob");
        const Mat got = test::run(net, {{"data", input.mat(3)}}, "prob");
        ASSERT_EQ(got.count(), want.count());
        for (int64_t i = 0; i < got.count(); ++i) {
            EXPECT_NEAR(got.data()[i], want.data()[i], 0.2) << i;  // one image is near a tie of two classes
        }
    }
}

TEST(RealModels, ATableOfAnotherModelIsRefused) {
    FW_NEEDS_DATA("/models/ncnn/mtcnn");
    Net net;
    FW_ASSERT_OK(net.load_table((test::data_dir() + "/tables/mobilenet_v1_ssd_weight.table").c_str()));
    const Status status = net.load_model((folder + "/det2.param").c_str(), (folder + "/det2.bin").c_str());
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << status.message();
}

TEST(RealModels, Mtcnn) {
    FW_NEEDS_DATA("/models/ncnn/mtcnn");
    const std::string expected = test::data_dir() + "/models/caffe/mtcnn/expected/";
    int tested = 0;
    for (const std::string det : {"det1", "det2", "det3"}) {
        Net net;
        load(&net, folder + "/" + det);
        for (const auto& entry : std::filesystem::directory_iterator(expected + det)) {
            const std::string name = entry.path().stem().string();
            const std::string run = name.substr(0, name.find('_'));
            const std::string blob = name.substr(name.find('_') + 1);
            if (blob == "input") {
                continue;
            }
            SCOPED_TRACE(det + " " + name);
            // ncnn's copies have their kernels transposed: they expect images with rows and columns exchanged.
            expect_output(net, blob, expected + det + "/" + run + "_input.npy", entry.path().string(), "data", true);
            ++tested;
        }
    }
    EXPECT_GE(tested, 10);
}

// Networks without weights: every one parses, infers and loads with random weights; the small ones run too.
TEST(RealModels, Zoo) {
    FW_NEEDS_DATA("/models/ncnn-zoo-params");
    int tested = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".param") {
            continue;
        }
        SCOPED_TRACE(entry.path().filename().string());
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        Result<NetDef> def = parse_param(Span<const char>(text.data(), text.size()), entry.path().c_str());
        ASSERT_TRUE(def.ok()) << def.status().message();
        if (text.size() > 40000) {
            continue;
        }
        FW_ASSERT_OK(random_weights(&*def, 1));
        const Result<std::vector<uint8_t>> bin = bin_bytes(*def);
        ASSERT_TRUE(bin.ok()) << bin.status().message();
        if (bin->size() > 30u << 20) {
            continue;  // quick tests only
        }
        Net net;
        FW_ASSERT_OK(net.load_model_memory(Span<const char>(text.data(), text.size()), *bin));
        ASSERT_TRUE(net.plan().ok()) << net.plan().status().message();
        const std::string input = net.input_names()[0];
        for (const std::string& output : net.output_names()) {
            const Mat out = test::run(net, {{input, test::Random(2).mat(net.input_shape(input.c_str()))}}, output);
            ASSERT_TRUE(out.shape().valid());
            if (def->layers.back().type == "Softmax") {
                double sum = 0.0;
                for (int64_t i = 0; i < out.count(); ++i) {
                    sum += static_cast<double>(out.data()[i]);
                }
                EXPECT_NEAR(sum, 1.0, 1e-3) << output;
            }
        }
        ++tested;
    }
    EXPECT_GE(tested, 10);
}

}  // namespace
}  // namespace fw
