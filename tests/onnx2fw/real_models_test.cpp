// Real ONNX networks: converted, run in float, compared with every stored output of an independent engine.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "common/image_file.h"
#include "common/npy.h"
#include "onnx_test_util.h"
#include "support/data_dir.h"

namespace fw::onnx {

namespace {

namespace fs = std::filesystem;

struct RealModel {
    const char* file;
    const char* expected;                                      // folder below the model's with input.npy
    std::vector<std::pair<const char*, const char*>> outputs;  // blob, file
    int permutes;
};

const RealModel kModels[] = {
    {"ultraface_rfb320/version-RFB-320.onnx", "1", {{"scores", "rfb_onnx_scores"}, {"boxes", "rfb_onnx_boxes"}}, 8},
    {"ultraface_rfb320/version-RFB-320_simplified.onnx",
     "1",
     {{"scores", "rfb_onnx_simpl_scores"}, {"boxes", "rfb_onnx_simpl_boxes"}},
     8},
    {"blazeface_short_range/blazeface_short_range.onnx",
     "1",
     {{"regressors", "regressors"}, {"classificators", "classificators"}},
     4},
    {"face_landmark_192/face_landmark_192.onnx", "1", {{"conv2d_21", "conv2d_21"}, {"conv2d_31", "conv2d_31"}}, 0},
    {"selfie_segmentation/selfie_segmentation.onnx", "1", {{"activation_10", "activation_10"}}, 0},
};

// As run() feeds "x": the network with its only input under that name.
NetDef fed_by_x(const NetDef& net) {
    NetDef def = net;
    for (LayerDef& layer : def.layers) {
        std::replace(layer.tops.begin(), layer.tops.end(), std::string("input"), std::string("x"));
        std::replace(layer.bottoms.begin(), layer.bottoms.end(), std::string("input"), std::string("x"));
    }
    return def;
}

Outcome convert_file(const fs::path& path, const OnnxOptions& options = {}) {
    const Result<FileData> bytes = map_file(path.c_str());
    EXPECT_TRUE(bytes.ok()) << path;
    return bytes.ok() ? convert_bytes(std::string(bytes->bytes.begin(), bytes->bytes.end()), options) : Outcome();
}

// The middle of an image: a square of 87.5 % of its shorter side.
Image middle(const Image& image) {
    const int side = std::min(image.width, image.height) * 7 / 8;
    const int left = (image.width - side) / 2;
    const int top = (image.height - side) / 2;
    Image part = image;
    part.data += top * image.stride + left * (image.pixel == Pixel::kGray ? 1 : 3);
    part.width = side;
    part.height = side;
    return part;
}

class OnnxRealModels : public testing::TestWithParam<RealModel> {};

TEST_P(OnnxRealModels, MatchesStoredOutputs) {
    const fs::path folder = fs::path(test::data_dir()) / "models/onnx";
    const fs::path path = folder / GetParam().file;
    if (!fs::exists(path)) {
        GTEST_SKIP() << "no real models in " << folder << " (set FW_DATA)";
    }
    const Result<FileData> bytes = map_file(path.c_str());
    ASSERT_TRUE(bytes.ok());
    const fs::path expected = path.parent_path() / "expected" / GetParam().expected;
    const Result<Mat> input = tools::read_npy((expected / "input.npy").string());
    ASSERT_TRUE(input.ok()) << input.status().message();
    for (const bool optimize : {true, false}) {
        import::Report report;
        OnnxOptions options;
        options.common.optimize = optimize;
        const Result<Converted> out = convert({bytes->bytes, GetParam().file}, options, &report);
        ASSERT_TRUE(out.ok()) << out.status().message();
        int permutes = 0;
        for (const LayerDef& layer : out->net.layers) {
            permutes += layer.type == "Permute" ? 1 : 0;
        }
        EXPECT_LE(permutes, GetParam().permutes);
        const NetDef def = fed_by_x(out->net);
        for (const auto& [blob, file] : GetParam().outputs) {
            const Result<Mat> want = tools::read_npy((expected / (std::string(file) + ".npy")).string());
            ASSERT_TRUE(want.ok()) << want.status().message();
            const Floats got = run(def, Floats(input->data(), input->data() + input->count()), blob);
            ASSERT_EQ(got.size(), static_cast<size_t>(want->count())) << blob;
            float largest = 0.0F;
            float worst = 0.0F;
            for (size_t i = 0; i < got.size(); ++i) {
                largest = std::max(largest, std::fabs(want->data()[i]));
                worst = std::max(worst, std::fabs(want->data()[i] - got[i]));
            }
            EXPECT_LE(worst, 1e-4F * largest) << blob;
        }
    }
}

// DeepLab's stored outputs are the class of every pixel and the scores of every fourth one.
TEST(OnnxRealModel, DeepLab) {
    const fs::path folder = fs::path(test::data_dir()) / "models/onnx/deeplabv3_mnv2_dm05_float_257";
    if (!fs::exists(folder)) {
        GTEST_SKIP() << "no real models in " << folder << " (set FW_DATA)";
    }
    const Outcome o = convert_file(folder / "deeplabv3_mnv2_dm05_float_257.onnx");
    ASSERT_TRUE(o.status.ok()) << o.errors();
    const Result<Mat> input = tools::read_npy((folder / "expected/bird/input.npy").string());
    const Result<Mat> logits = tools::read_npy((folder / "expected/bird/logits.npy").string());
    ASSERT_TRUE(input.ok() && logits.ok());
    const Floats got =
        run(fed_by_x(o.out.net), Floats(input->data(), input->data() + input->count()), "ResizeBilinear_3");
    constexpr size_t kClasses = 21, kSide = 257, kKept = 65;
    ASSERT_EQ(got.size(), kClasses * kSide * kSide);
    ASSERT_EQ(static_cast<size_t>(logits->count()), kClasses * kKept * kKept);
    const auto stored = [&](size_t i) { return std::fabs(logits->data()[i]); };
    float largest = 0.0F;
    for (size_t i = 0; i < kClasses * kKept * kKept; ++i) {
        largest = std::max(largest, stored(i));
    }
    for (size_t i = 0; i < kClasses * kKept * kKept; ++i) {
        const size_t x = i % kKept;
        const size_t y = i / kKept % kKept;
        const size_t c = i / (kKept * kKept);
        const float got_here = got[(c * kSide + 4 * y) * kSide + 4 * x];
        // The file's values were rounded to float16, half a step of which is 2^-11 of the value.
        ASSERT_NEAR(got_here, logits->data()[i], 1e-4F * largest + stored(i) / 2048.0F) << i;
    }
    // argmax.npy holds bytes: behind its header of 128, one a pixel.
    const Result<FileData> classes = map_file((folder / "expected/bird/argmax.npy").c_str());
    ASSERT_TRUE(classes.ok());
    ASSERT_EQ(classes->bytes.size(), 128 + kSide * kSide);
    size_t wrong = 0;
    for (size_t i = 0; i < kSide * kSide; ++i) {
        size_t best = 0;
        for (size_t c = 1; c < kClasses; ++c) {
            best = got[c * kSide * kSide + i] > got[best * kSide * kSide + i] ? c : best;
        }
        wrong += best != classes->bytes[128 + i] ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0U);
}

// MobileNet's stored outputs are the best classes of photographs of which the middle was taken, as somebody else's
// resizer makes it: how often the first one agrees says little to the digit. But it is the Caffe network of the same
// name before that one's kernels were turned by 180 degrees: turned inputs give the outputs stored there.
TEST(OnnxRealModel, MobileNetAnswersAsItsCaffeTwin) {
    const fs::path data = test::data_dir();
    const fs::path file = data / "models/onnx/mobilenet_v1_0.25_224_float/mobilenet_v1_0.25_224_float.onnx";
    if (!fs::exists(file)) {
        GTEST_SKIP() << "no " << file << " (set FW_DATA)";
    }
    const Outcome o = convert_file(file);
    ASSERT_TRUE(o.status.ok()) << o.errors();
    const NetDef def = fed_by_x(o.out.net);
    for (const char* picture : {"n01440764", "n01641577", "n01748264"}) {
        const fs::path folder = data / "models/caffe/mobilenet_v1_0.25_224/expected" / picture;
        const Result<Mat> input = tools::read_npy((folder / "data.npy").string());
        const Result<Mat> want = tools::read_npy((folder / "out.npy").string());
        ASSERT_TRUE(input.ok() && want.ok());
        Floats x(input->data(), input->data() + input->count());
        const auto plane = static_cast<std::ptrdiff_t>(x.size() / 3);
        for (int c = 0; c < 3; ++c) {
            std::reverse(x.begin() + c * plane, x.begin() + (c + 1) * plane);
        }
        const Floats got = run(def, x, "MobilenetV1_Predictions_Reshape_1");
        ASSERT_EQ(got.size(), static_cast<size_t>(want->count()));
        const float largest = *std::max_element(got.begin(), got.end());
        for (size_t i = 0; i < got.size(); ++i) {
            ASSERT_NEAR(got[i], want->data()[i], 1e-4F * largest) << picture << " class " << i;
        }
    }
}

TEST(OnnxRealModel, MobileNetOnPhotographs) {
    const fs::path data = test::data_dir();
    const fs::path folder = data / "models/onnx/mobilenet_v1_0.25_224_float";
    if (!fs::exists(folder)) {
        GTEST_SKIP() << "no real models in " << folder << " (set FW_DATA)";
    }
    OnnxOptions options;
    options.common.preprocess.pixel = "RGB";
    options.common.preprocess.mean = "127.5";
    options.common.preprocess.norm = "0.00784313725490196";
    const Outcome o = convert_file(folder / "mobilenet_v1_0.25_224_float.onnx", options);
    ASSERT_TRUE(o.status.ok()) << o.errors();
    const NetDef def = fed_by_x(o.out.net);
    const Preprocess preprocess = def.preprocess();
    ASSERT_EQ(preprocess.width, 224);
    std::ifstream csv(folder / "expected_top5.csv");
    std::string line;
    std::getline(csv, line);
    constexpr int kPictures = 100;
    int pictures = 0;
    int same = 0;
    for (; pictures < kPictures && std::getline(csv, line); ++pictures) {
        const size_t comma = line.find(',');
        const size_t second = line.find(',', comma + 1);
        ASSERT_NE(second, std::string::npos) << line;
        const Result<tools::DecodedImage> decoded =
            tools::DecodedImage::load((data / "images/imagenet" / line.substr(0, comma)).string());
        ASSERT_TRUE(decoded.ok()) << decoded.status().message();
        const Result<Mat> x = mat_from_image(middle(decoded->view()), preprocess);
        ASSERT_TRUE(x.ok());
        const Floats got = run(def, Floats(x->data(), x->data() + x->count()), "MobilenetV1_Predictions_Reshape_1");
        ASSERT_EQ(got.size(), 1001U);
        const auto found = std::max_element(got.begin(), got.end()) - got.begin();
        // The file counts the 1000 classes, the network the background before them.
        same += found == std::stoi(line.substr(second + 1)) + 1 ? 1 : 0;
    }
    EXPECT_EQ(pictures, kPictures);
    EXPECT_GE(same, kPictures * 9 / 10);
}

std::string name_of(const testing::TestParamInfo<RealModel>& model) {
    std::string name = fs::path(model.param.file).stem().string();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Models, OnnxRealModels, testing::ValuesIn(kModels), name_of);

}  // namespace

}  // namespace fw::onnx
