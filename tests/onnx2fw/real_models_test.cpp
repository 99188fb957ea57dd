// Real ONNX networks: converted, run in float, compared with every stored output of an independent engine.
#include <algorithm>
#include <cmath>
#include <filesystem>

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
        NetDef def = out->net;
        for (LayerDef& layer : def.layers) {  // run() feeds "x"
            std::replace(layer.tops.begin(), layer.tops.end(), std::string("input"), std::string("x"));
            std::replace(layer.bottoms.begin(), layer.bottoms.end(), std::string("input"), std::string("x"));
        }
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

std::string name_of(const testing::TestParamInfo<RealModel>& model) {
    std::string name = fs::path(model.param.file).stem().string();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Models, OnnxRealModels, testing::ValuesIn(kModels), name_of);

}  // namespace

}  // namespace fw::onnx
