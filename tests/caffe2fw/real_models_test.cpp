// Real Caffe networks: converted, run in float, compared with every stored output of an independent engine.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "caffe_test_util.h"
#include "common/npy.h"
#include "fw/net.h"
#include "support/data_dir.h"

namespace fw::caffe {

namespace {

namespace fs = std::filesystem;

struct RealModel {
    const char* prototxt;  // below models/caffe, without the extension
    const char* caffemodel;
    const char* expected;  // folder below models with inputs and outputs
};

constexpr RealModel kModels[] = {
    {"squeezenet_v1.1/deploy", "squeezenet_v1.1/squeezenet_v1.1", "caffe/squeezenet_v1.1/expected"},
    {"squeezenet_v1.1/deploy_conv10pad1", "squeezenet_v1.1/squeezenet_v1.1", "ncnn/squeezenet_v1.1/expected"},
    {"mobilenet_v1_0.25_224/deploy", "mobilenet_v1_0.25_224/mobilenet_v1_0.25_224",
     "caffe/mobilenet_v1_0.25_224/expected"},
    {"mobilenet_v1_1.0_224/deploy", "mobilenet_v1_1.0_224/mobilenet_v1_1.0_224", "caffe/mobilenet_v1_1.0_224/expected"},
    {"mobilenet_v2_1.0_224/deploy", "mobilenet_v2_1.0_224/mobilenet_v2_1.0_224", "caffe/mobilenet_v2_1.0_224/expected"},
    {"ssd_mobilenet_v1_coco/deploy", "ssd_mobilenet_v1_coco/ssd_mobilenet_v1_coco",
     "caffe/ssd_mobilenet_v1_coco/expected"},
    {"mtcnn/det1", "mtcnn/det1", "caffe/mtcnn/expected/det1"},
    {"mtcnn/det2", "mtcnn/det2", "caffe/mtcnn/expected/det2"},
    {"mtcnn/det3", "mtcnn/det3", "caffe/mtcnn/expected/det3"},
    {"libfacedetection_v1/yufacedetectnet-open-v1", "libfacedetection_v1/yufacedetectnet-open-v1",
     "caffe/libfacedetection_v1/expected"},
    {"ultraface_rfb320/RFB-320", "ultraface_rfb320/RFB-320", "caffe/ultraface_rfb320/expected"},
};

fs::path models_folder() {
    return fs::path(test::data_dir()) / "models/caffe";
}

class CaffeRealModels : public testing::TestWithParam<RealModel> {
protected:
    void SetUp() override {
        if (!fs::exists(models_folder() / (std::string(GetParam().prototxt) + ".prototxt"))) {
            GTEST_SKIP() << "no real models in " << models_folder() << " (set FW_DATA)";
        }
    }

    static Converted convert_model(const RealModel& model, bool optimize) {
        const std::string prototxt = (models_folder() / (std::string(model.prototxt) + ".prototxt")).string();
        const std::string caffemodel = (models_folder() / (std::string(model.caffemodel) + ".caffemodel")).string();
        Converted out;
        const Result<FileData> text = map_file(prototxt.c_str());
        const Result<FileData> bytes = map_file(caffemodel.c_str());
        EXPECT_TRUE(text.ok() && bytes.ok());
        ConvertOptions options;
        options.optimize = optimize;
        Result<NetDef> net =
            convert({{reinterpret_cast<const char*>(text->bytes.data()), text->bytes.size()}, model.prototxt},
                    {bytes->bytes, model.caffemodel}, options, &out.report);
        out.status = net.status();
        if (net.ok()) {
            out.net = std::move(*net);
        }
        return out;
    }
};

struct LoadedNet {
    std::string text;
    std::vector<uint8_t> bin;
    Net net;
};

void load(const NetDef& def, bool optimize, LoadedNet* out) {
    Result<std::string> text = param_text(def);
    ASSERT_TRUE(text.ok()) << text.status().message();
    Result<std::vector<uint8_t>> bin = bin_bytes(def);
    ASSERT_TRUE(bin.ok()) << bin.status().message();
    out->text = std::move(*text);
    out->bin = std::move(*bin);
    Option option;
    option.optimize = optimize;
    option.precision = Precision::kFloat;
    ASSERT_TRUE(out->net.set_option(option).ok());
    const Status status =
        out->net.load_model_memory({out->text.data(), out->text.size()}, {out->bin.data(), out->bin.size()});
    ASSERT_TRUE(status.ok()) << status.message();
}

// What is compared: all elements, or of detections everything but Caffe's image index and the rows of zeros behind the
// last.
struct Values {
    std::vector<float> labels;
    std::vector<float> values;
};

Values values_of(const Mat& mat, bool detections) {
    Values out;
    const int columns = mat.w();
    if (!detections) {
        out.values.assign(mat.data(), mat.data() + mat.count());
        return out;
    }
    const int first = columns - 6;  // of label, score and box
    for (int64_t row = 0; row < mat.count() / columns; ++row) {
        const float* p = mat.data() + row * columns + first;
        if (p[1] != 0.0F) {
            out.labels.push_back(p[0]);
            out.values.insert(out.values.end(), p + 1, p + 6);
        }
    }
    return out;
}

void compare(const Mat& got_mat, const Mat& expected_mat, const std::string& what) {
    const bool detections = expected_mat.w() == 7 && got_mat.w() == 6;
    const Values got = values_of(got_mat, detections);
    const Values expected = values_of(expected_mat, detections);
    ASSERT_EQ(got.values.size(), expected.values.size())
        << what << ": " << got_mat.shape().str() << " against " << expected_mat.shape().str();
    EXPECT_EQ(got.labels, expected.labels) << what;
    float top = 0;
    float worst = 0;
    for (size_t i = 0; i < expected.values.size(); ++i) {
        ASSERT_TRUE(std::isfinite(got.values[i])) << what << " element " << i;
        top = std::max(top, std::fabs(expected.values[i]));
        worst = std::max(worst, std::fabs(expected.values[i] - got.values[i]));
    }
    ASSERT_GT(top, 0.0F) << what;
    std::printf("  %-50s max |difference| / max = %.2e\n", what.c_str(), static_cast<double>(worst / top));
    EXPECT_LE(worst, 1e-4F * top) << what;
}

// The blob that a file is named after: the output that its name ends in; "out" is the last output.
std::string blob_of(const std::string& stem, const Net& net) {
    for (const std::string& output : net.output_names()) {
        const bool ends =
            stem.size() >= output.size() && stem.compare(stem.size() - output.size(), output.size(), output) == 0;
        if (ends) {
            return output;
        }
    }
    return stem == "out" ? net.output_names().back() : stem;
}

// Runs every stored input of the model through `net` and compares each stored output.
void compare_all(const RealModel& model, const Net& net) {
    const fs::path folder = models_folder().parent_path() / model.expected;
    std::vector<fs::path> inputs;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        const bool is_input =
            name == "data.npy" || (name.size() >= 9 && name.compare(name.size() - 9, 9, "input.npy") == 0);
        if (is_input) {
            inputs.push_back(entry.path());
        }
    }
    ASSERT_FALSE(inputs.empty()) << folder;
    std::sort(inputs.begin(), inputs.end());
    for (const fs::path& input : inputs) {
        const Result<Mat> data = tools::read_npy(input.string());
        ASSERT_TRUE(data.ok()) << data.status().message();
        Extractor extractor = net.create_extractor();
        const Status set = extractor.input(net.input_names()[0].c_str(), *data);
        ASSERT_TRUE(set.ok()) << set.message();
        // "face_input.npy" goes with "face_prob1.npy", "data.npy" with all others of its folder.
        const std::string name = input.filename().string();
        const std::string prefix = name == "data.npy" ? "" : name.substr(0, name.size() - 9);
        int compared = 0;
        for (const auto& entry : fs::directory_iterator(input.parent_path())) {
            const std::string other = entry.path().filename().string();
            if (entry.path() == input || entry.path().extension() != ".npy" || other.rfind(prefix, 0) != 0) {
                continue;
            }
            const std::string blob = blob_of(entry.path().stem().string(), net);
            const Result<Mat> expected = tools::read_npy(entry.path().string());
            ASSERT_TRUE(expected.ok()) << expected.status().message();
            Mat got;
            const Status run = extractor.extract(blob.c_str(), &got);
            ASSERT_TRUE(run.ok()) << blob << ": " << run.message();
            compare(got, *expected, std::string(model.prototxt) + " " + other);
            ++compared;
        }
        EXPECT_GT(compared, 0) << input;
    }
}

TEST_P(CaffeRealModels, ConvertAndMatch) {
    const Converted c = convert_model(GetParam(), true);
    ASSERT_TRUE(c.status.ok()) << c.errors();
    LoadedNet loaded;
    ASSERT_NO_FATAL_FAILURE(load(c.net, true, &loaded));
    compare_all(GetParam(), loaded.net);
}

TEST_P(CaffeRealModels, UnoptimisedMatchesToo) {
    const Converted c = convert_model(GetParam(), false);
    ASSERT_TRUE(c.status.ok()) << c.errors();
    LoadedNet loaded;
    ASSERT_NO_FATAL_FAILURE(load(c.net, false, &loaded));
    compare_all(GetParam(), loaded.net);
}

std::string test_name(const testing::TestParamInfo<RealModel>& info) {
    std::string name = info.param.prototxt;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(All, CaffeRealModels, testing::ValuesIn(kModels), test_name);

}  // namespace

}  // namespace fw::caffe
