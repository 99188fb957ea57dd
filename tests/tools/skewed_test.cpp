// The hard case: a MobileNetV2 whose channels were made unequal on purpose, so that one scale a blob fits few of them.
#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/bias_correction.h"
#include "calibrate/equalize.h"
#include "calibrate/likeness.h"
#include "calibrate/make_table.h"
#include "model/model_io.h"
#include "runtime/run_util.h"
#include "support/net_files.h"
#include "support/temp_folder.h"
#include "zoo/mobilenet.h"
#include "zoo/zoo.h"

namespace fw::tools {
namespace {

constexpr int kSize = 64;
constexpr int kClasses = 100;
constexpr float kSkew = 7.0F;  // channels are up to 2^7 times smaller than others
constexpr int kCalibrated = 32;
constexpr int kCompared = 100;

void small_mobilenet_v2(zoo::Blocks* net) {
    zoo::Value x = zoo::mobilenet_v2_trunk(net, kSize, 32);
    x = net->conv("conv9", x, {1280, 1, 1, zoo::Act::kRelu6});
    net->fc("fc", net->global_pool("pool", x), kClasses);
}

void scale_outputs(const std::vector<float>& factors, LayerDef* layer) {
    for (Weight& weight : layer->weights) {
        std::vector<float> values = weight.to_floats();
        for (size_t i = 0; i < values.size(); ++i) {
            values[i] *= factors[i / (values.size() / factors.size())];
        }
        weight = Weight::from_floats(std::move(values));
    }
}

// Of a 1x1 convolution.
void unscale_inputs(const std::vector<float>& factors, LayerDef* layer) {
    std::vector<float> values = layer->weights[0].to_floats();
    for (size_t i = 0; i < values.size(); ++i) {
        values[i] /= factors[i % factors.size()];
    }
    layer->weights[0] = Weight::from_floats(std::move(values));
}

// Makes the channels of what every 1x1 convolution behind a depthwise one reads unequal.
void skew(NetDef* net) {
    test::Random random(1);
    for (LayerDef& reader : net->layers) {
        for (LayerDef& depthwise : net->layers) {
            if (reader.type != "Convolution" || depthwise.type != "ConvolutionDepthWise" ||
                reader.bottoms[0] != depthwise.tops[0]) {
                continue;
            }
            std::vector<float> factors(static_cast<size_t>(depthwise.params.get(0, 0)));
            for (float& factor : factors) {
                factor = std::exp2(random.uniform(-kSkew, 0.0F));
            }
            scale_outputs(factors, &depthwise);
            unscale_inputs(factors, &reader);
        }
    }
}

class Skewed : public test::TempFolderTest {
protected:
    void SetUp() override {
        TempFolderTest::SetUp();
        test::Random random(2);
        for (int i = 0; i < kCalibrated + kCompared; ++i) {
            std::string ppm = "P6 " + std::to_string(kSize) + " " + std::to_string(kSize) + " 255\n";
            float wave[3][3];
            for (auto& channel : wave) {
                for (float& v : channel) {
                    v = random.uniform(-0.4F, 0.4F);
                }
            }
            for (int y = 0; y < kSize; ++y) {
                for (int x = 0; x < kSize; ++x) {
                    for (const auto& [down, across, phase] : wave) {
                        const float level =
                            std::sin(down * static_cast<float>(y) + across * static_cast<float>(x) + 8.0F * phase);
                        ppm += static_cast<char>(
                            static_cast<int>(128.0F + 100.0F * level + random.uniform(-25.0F, 25.0F)));
                    }
                }
            }
            ImageSet* set = i < kCalibrated ? &calibrated_ : &compared_;
            set->images.push_back({write(std::to_string(i) + ".ppm", ppm)});
        }
        for (ImageSet* set : {&calibrated_, &compared_}) {
            set->quiet = true;
        }
    }

    // Agreement with float: of plain KL scales, and unless `mended` is null of equalized channels with least-square
    // scales and corrected biases.
    void measure(const NetDef& net, double* plain, double* mended) {
        files_.param = folder_ + "/net.param";
        files_.bin = folder_ + "/net.bin";
        FW_ASSERT_OK(save_net_def(net, files_.param.c_str(), files_.bin.c_str()));
        Net float_net;
        FW_ASSERT_OK(load_net(files_, false, &float_net));
        for (ImageSet* set : {&calibrated_, &compared_}) {
            set->inputs = float_net.input_names();
            set->preprocess = float_net.preprocess();
        }
        const auto comparison = Comparison::create(files_, compared_);
        FW_ASSERT_OK(comparison.status());
        const auto statistics = collect_statistics(float_net, calibrated_);
        FW_ASSERT_OK(statistics.status());
        const auto def = load_net_def(files_.param.c_str(), files_.bin.c_str());
        FW_ASSERT_OK(def.status());
        std::vector<std::string> notes;
        auto table = make_table(*def, *statistics, {}, {}, {}, &notes);
        FW_ASSERT_OK(table.status());
        auto likeness = comparison->compare(*table, "plain");
        FW_ASSERT_OK(likeness.status());
        *plain = likeness->agreement;
        if (mended == nullptr) {
            return;
        }

        const auto graph = optimized_graph(*def);
        FW_ASSERT_OK(graph.status());
        const LayerFactors factors = choose_factors(*graph, *statistics, 0.8);
        const ChannelFactors by_blob = blob_factors(*graph, factors);
        const auto scaled = collect_statistics(float_net, calibrated_, &by_blob);
        FW_ASSERT_OK(scaled.status());
        TableOptions options;
        options.threshold.method = ThresholdMethod::kMse;
        table = make_table(*def, *statistics, factors, *scaled, options, &notes);
        FW_ASSERT_OK(table.status());
        const auto corrector = BiasCorrector::create(*def, calibrated_);
        FW_ASSERT_OK(corrector.status());
        FW_ASSERT_OK(corrector->correct(&*table));
        likeness = comparison->compare(*table, "mended");
        FW_ASSERT_OK(likeness.status());
        *mended = likeness->agreement;
    }

    NetOptions files_;
    ImageSet calibrated_;
    ImageSet compared_;
};

TEST_F(Skewed, MobileNetV2IsMended) {
    const zoo::Network network = {"small_mobilenet_v2", "", 0, 0, small_mobilenet_v2};
    auto net = zoo::build(network, 1);
    FW_ASSERT_OK(net.status());
    double even = 0;
    measure(*net, &even, nullptr);
    skew(&*net);
    double plain = 0;
    double mended = 0;
    measure(*net, &plain, &mended);
    EXPECT_LT(plain, even - 20.0);
    EXPECT_GE(mended, even - 1.0);
}

}  // namespace
}  // namespace fw::tools
