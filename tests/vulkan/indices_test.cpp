// Layers that make or take indices on the GPU: the numbers of the CPU, whatever the values are.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "layers_support.h"
#include "zoo/zoo.h"

namespace fw {
namespace {

class VulkanIndices : public VulkanLayers {
protected:
    using Values = std::vector<std::vector<float>>;

    // The last layer's outputs of each of these values; `device`: where it has to run.
    static std::vector<float> run_on(const std::string& layers, int count, const Values& inputs, const Option& option,
                                     const std::string& device) {
        const std::string text = "7767517\n" + std::to_string(count) + " " + std::to_string(count) + "\n" + layers;
        Result<NetDef> def = parse_param({text.data(), text.size()}, "test");
        EXPECT_TRUE(def.ok()) << def.status().message();
        EXPECT_TRUE(random_weights(&*def, 3).ok());
        Net net;
        EXPECT_TRUE(net.set_option(option).ok());
        zoo::ModelFiles files;
        const Status status = zoo::load(*def, &net, &files);
        EXPECT_TRUE(status.ok()) << status.message();
        Extractor extractor = net.create_extractor();
        Result<Mat> mat = Mat::create(net.input_shape("data"));
        EXPECT_TRUE(mat.ok());
        std::vector<float> outputs;
        for (const std::vector<float>& values : inputs) {
            for (int64_t i = 0; i < mat->count(); ++i) {
                mat->data()[i] = values[static_cast<size_t>(i) % values.size()];
            }
            EXPECT_TRUE(extractor.input("data", *mat).ok());
            Mat out;
            const Status run = extractor.extract("n", &out);
            EXPECT_TRUE(run.ok()) << run.message();
            outputs.insert(outputs.end(), out.data(), out.data() + out.count());
        }
        const Result<std::vector<LayerPlan>> plan = net.plan();
        EXPECT_TRUE(plan.ok());
        EXPECT_EQ(plan->back().device, device) << plan->back().cpu_reason;
        return outputs;
    }
    // The same bits of both.
    static void expect_equal(const std::string& layers, int count, const Values& values, bool half,
                             const std::string& device = "vulkan") {
        SCOPED_TRACE(layers);
        Option option;
        const std::vector<float> want = run_on(layers, count, values, option, "cpu");
        option.device = "vulkan";
        option.precision = half ? Precision::kFp16 : Precision::kFloat;
        const std::vector<float> got = run_on(layers, count, values, option, device);
        ASSERT_EQ(got.size(), want.size());
        for (size_t i = 0; i < want.size(); ++i) {
            EXPECT_TRUE(got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i])))
                << i << ": " << got[i] << ", expected " << want[i];
        }
    }
};

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Floats that float16 has too: equal ones, both zeros, no numbers, infinities.
const std::vector<std::vector<float>> kValues = {
    {0.5F, -1.0F, 2.0F, 0.25F, 2.0F, -3.5F, 1.0F, 0.75F, -0.125F, 2.0F, 1.5F},
    {-0.0F, 0.0F, -1.0F, -0.0F, -2.0F, 0.0F, -3.0F},
    {kNan, -1.0F, -kInfinity, kNan, -1.0F, -2.0F, -kInfinity, kNan, -5.0F},
    {kNan},
    {-kNan, -kInfinity},
    {kInfinity, 1.0F, kInfinity, kNan, -kInfinity},
    {1.0F},
};

TEST_F(VulkanIndices, ArgMaxOfTheWholeBlob) {
    for (const bool half : {false, true}) {
        // Fewer elements than invocations, as many, more.
        for (const char* shape : {"0=7", "0=64", "0=65 1=3", "0=11 1=9 2=13"}) {
            for (const char* more : {"0=0 1=1", "0=1 1=7"}) {
                expect_equal("Input data 0 1 data " + std::string(shape) +
                                 "\nReLU r 1 1 data r 0=0.5\nArgMax n 1 1 r n " + more + "\n",
                             3, kValues, half);
            }
        }
    }
}

TEST_F(VulkanIndices, ArgMaxAlongAnAxis) {
    for (const bool half : {false, true}) {
        for (const char* more : {"2=0", "2=1", "2=2", "2=0 3=1", "2=-1 3=1"}) {
            expect_equal(input(67, 5, 9) + "ReLU r 1 1 data r 0=0.5\nArgMax n 1 1 r n " + more + "\n", 3, kValues,
                         half);
        }
    }
}

// Beyond what float16 counts, and what the shader finds.
TEST_F(VulkanIndices, ArgMaxThatRunsOnTheCpu) {
    const std::string begin = "Input data 0 1 data 0=2100\nReLU r 1 1 data r 0=0.5\n";
    expect_equal(begin + "ArgMax n 1 1 r n 0=0 1=1\n", 3, {kValues[0]}, true, "cpu");
    expect_equal(begin + "ArgMax n 1 1 r n 0=0 1=1\n", 3, {kValues[0]}, false);
    expect_equal(begin + "ArgMax n 1 1 r n 0=0 1=64\n", 3, {kValues[0]}, false);
    expect_equal(begin + "ArgMax n 1 1 r n 0=0 1=65\n", 3, {kValues[0]}, false, "cpu");
}

TEST_F(VulkanIndices, Embed) {
    const std::vector<float> indices = {0.0F,  3.0F, 7.9F,  12.0F,     13.0F, -1.0F,     1e9F,
                                        11.5F, kNan, -0.0F, kInfinity, 1.0F,  -kInfinity};
    for (const char* more : {"0=5 1=13 2=0 3=65", "0=70 1=13 2=1 3=910", "0=1 1=1 2=1 3=1"}) {
        const std::string layers =
            "Input data 0 1 data 0=13\nClip c 1 1 data c 0=-1e30 1=1e30\nEmbed n 1 1 c n " + std::string(more) + "\n";
        expect_equal(layers, 3, {indices}, false);
    }
    expect_equal("Input data 0 1 data 0=13\nReLU r 1 1 data r\nEmbed n 1 1 r n 0=5 1=13 2=0 3=65\n", 3, {{1.0F, 12.0F}},
                 true, "cpu");
}

}  // namespace
}  // namespace fw
