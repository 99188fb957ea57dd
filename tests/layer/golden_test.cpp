// Golden vectors (tests/golden/*.json): every case of every layer, with dense and strided tensors, several threads, in
// place and through views.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model_io.h"
#include "quant/quant.h"
#include "support/layer_runner.h"
#include "support/source_dir.h"

namespace fw {
namespace {

using nlohmann::json;
using test::HostTensor;
using test::RunOptions;
using test::Strides;

struct GoldenCase {
    std::string layer;
    std::string name;
    std::string file;
    size_t index = 0;  ///< in the file
};

// GoogleTest prints a parameter with this.
void PrintTo(const GoldenCase& golden, std::ostream* os) {  // NOLINT(readability-identifier-naming)
    *os << golden.layer << " " << golden.name;
}

std::string golden_folder() {
    return std::string(FW_SOURCE_DIR) + "/tests/golden";
}

// Parsed files, kept: a file holds many cases.
const json& golden_file(const std::string& path) {
    static auto* files = new std::map<std::string, json>;
    auto found = files->find(path);
    if (found == files->end()) {
        std::ifstream stream(path);
        found = files->emplace(path, json::parse(stream)).first;
    }
    return found->second;
}

std::vector<GoldenCase> all_cases() {
    std::vector<std::string> paths;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(golden_folder(), error)) {
        if (entry.path().extension() == ".json") {
            paths.push_back(entry.path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<GoldenCase> cases;
    for (const std::string& path : paths) {
        const json& file = golden_file(path);
        for (size_t i = 0; i < file["cases"].size(); ++i) {
            cases.push_back({file["layer"], file["cases"][i]["name"], path, i});
        }
    }
    return cases;
}

std::vector<uint8_t> decode_base64(const std::string& text) {
    std::vector<uint8_t> out;
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        int value = 0;
        if (c >= 'A' && c <= 'Z') {
            value = c - 'A';
        } else if (c >= 'a' && c <= 'z') {
            value = c - 'a' + 26;
        } else if (c >= '0' && c <= '9') {
            value = c - '0' + 52;
        } else if (c == '+' || c == '/') {
            value = c == '+' ? 62 : 63;
        } else {
            break;  // padding
        }
        bits = bits << 6 | static_cast<uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<uint8_t>(bits >> count));
        }
    }
    return out;
}

template <class T>
std::vector<T> decode(const json& blob) {
    const std::vector<uint8_t> bytes = decode_base64(blob["data"]);
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) {
        std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    }
    return values;
}

Shape decode_shape(const json& blob) {
    Shape shape;
    shape.rank = static_cast<int>(blob["shape"].size());
    for (int axis = 0; axis < shape.rank; ++axis) {
        shape[axis] = blob["shape"][static_cast<size_t>(axis)];
    }
    return shape;
}

void expect_equal(const json& golden, const HostTensor& got, const json& test, double slack, const char* how) {
    const Shape want_shape = decode_shape(golden);
    ASSERT_EQ(got.tensor().shape.str(), want_shape.str()) << how;
    const std::vector<float> want = decode<float>(golden);
    const std::vector<float> have = got.values();
    const double abs_tol = test["abs_tol"].get<double>() + slack;
    const double rel_tol = test["rel_tol"];
    for (size_t i = 0; i < want.size(); ++i) {
        if (want[i] == have[i]) {
            continue;  // also equal infinities
        }
        const double error = std::fabs(static_cast<double>(have[i]) - static_cast<double>(want[i]));
        ASSERT_LE(error, abs_tol + rel_tol * std::fabs(static_cast<double>(want[i])))
            << how << ": element " << i << " of " << golden["blob"] << " is " << have[i] << ", expected " << want[i];
    }
}

/// Weighted layers of int8 models take their input as int8 in the scale that follows bias and weight scales in the file
/// (the runtime inserts that conversion). Returns half a step of the accumulators: what rounding the bias to them may
/// cost, where the vectors have it in float.
double quantize_int8_inputs(const NetDef& net, std::map<std::string, HostTensor>* blobs, Strides strides) {
    double slack = 0;
    for (const LayerDef& def : net.layers) {
        const LayerSchema* schema = find_schema(def.type);
        if (schema == nullptr || schema->quant != QuantRule::kWeighted || def.params.get(8, 0) == 0) {
            continue;
        }
        const size_t bias = def.params.get(def.type == "InnerProduct" ? 1 : 5, 0) != 0 ? 1 : 0;
        const QuantParams quant{def.weights[bias + 2].to_floats()[0], 0};
        for (const float scale : def.weights[bias + 1].to_floats()) {
            slack = std::max(slack, 0.5 / (static_cast<double>(scale) * static_cast<double>(quant.scale)));
        }
        HostTensor& input = blobs->at(def.bottoms[0]);
        std::vector<int8_t> bytes;
        for (const float x : input.values()) {
            bytes.push_back(quantize(x, quant));
        }
        input = HostTensor::int8(input.tensor().shape, quant, bytes, strides);
    }
    return slack;
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, Matches) {
    const json& test = golden_file(GetParam().file)["cases"][GetParam().index];
    const std::string param = test["param"];
    auto bytes = std::make_shared<std::vector<uint8_t>>(decode_base64(test["bin"]));
    auto net = parse_param(Span<const char>(param.data(), param.size()), GetParam().file.c_str());
    ASSERT_TRUE(net.ok()) << net.status().message();
    const Status weights = read_weights(FileData{*bytes, bytes, false}, "bin", &*net);
    ASSERT_TRUE(weights.ok()) << weights.message();

    // Some inputs are whole numbers, stored as the bits of int32.
    const std::string note = test.value("note", "");
    const DType type = note.find("int32") != std::string::npos && note.find("bits") != std::string::npos
                           ? DType::kInt32
                           : DType::kFloat32;
    const auto run = [&](const RunOptions& options, const char* how) {
        std::map<std::string, HostTensor> blobs;
        for (const json& input : test["inputs"]) {
            const TensorDesc desc{decode_shape(input), type, {}};
            if (type == DType::kInt32) {
                blobs[input["blob"]] = HostTensor::from(desc, decode<int32_t>(input), options.strides);
            } else {
                blobs[input["blob"]] = HostTensor::from(desc, decode<float>(input), options.strides);
            }
        }
        const double slack = quantize_int8_inputs(*net, &blobs, options.strides);
        const Status status = run_net(*net, &blobs, options);
        ASSERT_TRUE(status.ok()) << how << ": " << status.message();
        for (const json& output : test["outputs"]) {
            expect_equal(output, blobs.at(output["blob"]), test, slack, how);
        }
    };
    for (const Strides strides : {Strides::kDense, Strides::kAdjacent, Strides::kPlain, Strides::kLoose}) {
        RunOptions options;
        options.strides = strides;
        run(options, test::name(strides));
        options.threads = 3;
        run(options, "threads");
        options.in_place = true;
        run(options, "in place");
        options.use_view = true;
        run(options, "view");
        if (HasFatalFailure()) {
            return;
        }
    }
}

std::string test_name(const testing::TestParamInfo<GoldenCase>& param_info) {
    std::string text = param_info.param.layer + "_" + param_info.param.name;
    for (char& c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
            c = '_';
        }
    }
    return text;
}

INSTANTIATE_TEST_SUITE_P(Vectors, Golden, testing::ValuesIn(all_cases()), test_name);

TEST(GoldenFiles, AreThere) {
    EXPECT_GT(all_cases().size(), 300U);
}

}  // namespace
}  // namespace fw
