// Nine networks of torchvision without their weights (torchvision/, written by torchvision_nets.py): given made-up
// weights, converted and run, they answer as onnxruntime did.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "common/npy.h"
#include "onnx_test_util.h"
#include "support/source_dir.h"

namespace fw::onnx {

namespace {

// SplitMix64's output 1, 2 ... of a seed as multiples of 2^-24 in [0, 1).
std::vector<double> numbers(uint64_t seed, size_t count) {
    std::vector<double> out(count);
    for (double& value : out) {
        seed += 0x9e3779b97f4a7c15U;
        uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        z ^= z >> 31;
        value = static_cast<double>(z >> 40) / 16777216.0;
    }
    return out;
}

int64_t count_of(const TensorProto& tensor) {
    int64_t count = 1;
    for (const int64_t d : tensor.dims()) {
        count *= d;
    }
    return count;
}

// The name says how: kind and seed. made_weight() of torchvision_nets.py is the same in Python.
void fill(TensorProto* tensor) {
    const std::string& name = tensor->name();
    const int64_t count = count_of(*tensor);
    double low = -0.1;
    double width = 0.2;
    if (name[0] == 's') {
        low = 0.5;
        width = 1.0;
    } else if (name[0] != 'b') {
        const int64_t fan_in = name[0] == 'w' ? tensor->dims(0) : count / tensor->dims(0);
        const double bound = std::sqrt((name[0] == 'g' ? 8.0 : 6.0) / static_cast<double>(fan_in));
        low = -bound;
        width = 2 * bound;
    }
    tensor->clear_raw_data();
    for (const double u : numbers(std::stoull(name.substr(1)), static_cast<size_t>(count))) {
        tensor->add_float_data(static_cast<float>(low + width * u));
    }
}

struct Network {
    const char* name;
    std::vector<const char*> outputs;
};

class Torchvision : public testing::TestWithParam<Network> {};

TEST_P(Torchvision, AnswersAsOnnxruntime) {
    const std::string stem = std::string(FW_SOURCE_DIR "/tests/onnx2fw/torchvision/") + GetParam().name;
    std::ifstream file(stem + ".onnx", std::ios::binary);
    ModelProto model;
    ASSERT_TRUE(model.ParseFromIstream(&file)) << stem;
    int filled = 0;
    for (TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
        if (tensor.name()[0] != 'c') {
            fill(&tensor);
            ++filled;
        }
    }
    EXPECT_GT(filled, 10);
    const Outcome o = convert_bytes(model.SerializeAsString());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    int64_t pixels = 1;
    for (const auto& dim : model.graph().input(0).type().tensor_type().shape().dim()) {
        pixels *= dim.dim_value();
    }
    Floats x;
    for (const double u : numbers(1, static_cast<size_t>(pixels))) {
        x.push_back(static_cast<float>(2 * u - 1));
    }
    for (const char* output : GetParam().outputs) {
        const Result<Mat> want = tools::read_npy(stem + "." + output + ".npy");
        ASSERT_TRUE(want.ok()) << want.status().message();
        const Floats got = run(o.out.net, x, output);
        const auto kept = static_cast<size_t>(want->count());
        const size_t step = std::max<size_t>(1, got.size() / 500);
        ASSERT_EQ((got.size() + step - 1) / step, kept) << output;
        float largest = 0.0F;
        float worst = 0.0F;
        for (size_t i = 0; i < kept; ++i) {
            largest = std::max(largest, std::fabs(want->data()[i]));
            worst = std::max(worst, std::fabs(want->data()[i] - got[i * step]));
        }
        EXPECT_LE(worst, 1e-4F * largest) << output;
    }
}

const Network kNetworks[] = {{"resnet18", {"logits"}},
                             {"mobilenet_v2", {"logits"}},
                             {"mobilenet_v3_large", {"logits"}},
                             {"shufflenet_v2_x1_0", {"logits"}},
                             {"squeezenet1_1", {"logits"}},
                             {"efficientnet_b0", {"logits"}},
                             {"deeplabv3_mobilenet_v3_large", {"out"}},
                             {"ssdlite320_mobilenet_v3", {"boxes", "scores"}},
                             {"vit_b_16", {"logits"}}};

INSTANTIATE_TEST_SUITE_P(Networks, Torchvision, testing::ValuesIn(kNetworks),
                         [](const testing::TestParamInfo<Network>& network) { return network.param.name; });

}  // namespace

}  // namespace fw::onnx
