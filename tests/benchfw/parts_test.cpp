// benchfw's parts that need no clock: inputs, tables, texts; and that the peak loops of this processor run.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "benchfw/html.h"
#include "benchfw/made_table.h"
#include "benchfw/noise.h"
#include "benchfw/text.h"
#include "peak/peak.h"
#include "support/net_files.h"

namespace fw::bench {
namespace {

TEST(Peak, EveryLoopOfThisProcessorRuns) {
    const std::vector<Isa> available = available_isas();
    int ran = 0;
    for (const PeakLoop& loop : peak_loops()) {
        if (std::count(available.begin(), available.end(), loop.level) > 0) {
            EXPECT_GT(measure_peak(loop, 1, 0.0), 0.0) << loop.name;
            ++ran;
        }
        EXPECT_NE(std::string(loop.name).find(name(loop.level)), std::string::npos) << loop.name;
        EXPECT_NE(std::string(loop.name).find(loop.int8 ? "_int8_" : "_f32_"), std::string::npos) << loop.name;
    }
    EXPECT_GE(ran, 2);
    EXPECT_GT(measure_peak(true, Isa::kScalar, 2, 0.0), 0.0);
    EXPECT_GT(measure_read_bandwidth(1, 0.0), 0.0);
}

TEST(Noise, IsTheSameEverywhereAndInThePixelsRange) {
    test::NetFiles files;
    files.layer("Input in 0 1 data 0=7 1=5 2=3").layer("ReLU r 1 1 data out");
    Net net;
    ASSERT_TRUE(files.load(&net).ok());
    const Result<std::vector<Mat>> a = noise_inputs(net, Shape(), 3);
    const Result<std::vector<Mat>> b = noise_inputs(net, Shape(), 3);
    const Result<std::vector<Mat>> c = noise_inputs(net, Shape(), 4);
    ASSERT_TRUE(a.ok() && b.ok() && c.ok());
    ASSERT_EQ(a->size(), 1U);
    const Mat& mat = (*a)[0];
    EXPECT_EQ(mat.shape(), Shape(3, 5, 7));
    EXPECT_EQ(0, std::memcmp(mat.data(), (*b)[0].data(), mat.bytes()));
    EXPECT_NE(0, std::memcmp(mat.data(), (*c)[0].data(), mat.bytes()));
    const auto [least, most] = std::minmax_element(mat.data(), mat.data() + mat.count());
    EXPECT_GE(*least, -1.0F);
    EXPECT_LE(*most, 1.0F);
    EXPECT_GT(*most - *least, 1.0F);
}

TEST(Noise, NeedsAShape) {
    test::NetFiles files;
    files.layer("Input in 0 1 data").layer("ReLU r 1 1 data out");
    Net net;
    ASSERT_TRUE(files.load(&net).ok());
    EXPECT_FALSE(noise_inputs(net, Shape(), 0).ok());
    const Result<std::vector<Mat>> mats = noise_inputs(net, Shape(2, 3, 4), 0);
    ASSERT_TRUE(mats.ok());
    EXPECT_EQ((*mats)[0].shape(), Shape(2, 3, 4));
}

TEST(MadeTable, HasTheRangeOfEveryBlobAndNamesLayersWithWeights) {
    test::NetFiles files;
    files.layer("Input in 0 1 data 0=2 1=1 2=1")
        .layer("Convolution c 1 1 data a 0=1 1=1 5=0 6=1")
        .layer("ReLU r 1 1 a out");
    files.tagged({-4.0F});
    Net net;
    Option option;
    option.disabled_passes = {"fuse_activation"};
    ASSERT_TRUE(net.set_option(option).ok());
    ASSERT_TRUE(files.load(&net).ok());
    Mat first = *Mat::create(Shape(1, 1, 2));
    first.data()[0] = -1.0F;
    first.data()[1] = 0.5F;
    Mat second = *Mat::create(Shape(1, 1, 2));
    second.data()[0] = 1.5F;
    second.data()[1] = 0.0F;
    const Result<ScaleTable> table = make_table(net, {{first}, {second}});
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(table->blobs.at("data"), (QuantParams{127.0F / 2.0F, 0}));
    EXPECT_EQ(table->blobs.at("a"), (QuantParams{127.0F / 8.0F, 0}));
    EXPECT_EQ(table->blobs.at("out"), (QuantParams{255.0F / 4.0F, -128}));  // nothing negative: one bit more
    ASSERT_EQ(table->layers.size(), 1U);
    EXPECT_EQ(table->layers.begin()->first, "c");

    first.data()[0] = NAN;
    EXPECT_FALSE(make_table(net, {{first}}).ok());
}

NetResult sample() {
    NetResult result;
    result.name = "net\x1b[2J";
    result.precision = "int8";
    result.threads = 4;
    result.min_ms = 1.23456;
    result.med_ms = 12.5;
    result.max_ms = 1000;
    result.activations_mib = 0.125;
    result.conversions = 3;
    result.percent_of_peak = 45.67;
    LayerTime layer;
    layer.plan.name = "c";
    layer.plan.type = "Convolution";
    layer.plan.kernel = "gemm_int8_4x8_scalar";
    layer.plan.isa = "scalar";
    layer.plan.device = "cpu";
    layer.plan.input_type = DType::kInt8;
    layer.plan.macs = 3000000;
    layer.plan.reason = "the table has its scales";
    layer.ms = 1.5;
    layer.percent = 100;
    layer.gmacs_per_s = 2;
    result.layers = {layer};
    result.layers_ms = 1.5;
    result.macs = 3000000;
    return result;
}

TEST(Text, LineKeepsItsForm) {
    EXPECT_EQ(net_line(sample()),
              "net?[2J int8 threads=4 min=1.235 med=12.500 max=1000.000 mem=0.12 conversions=3 peak=45.7%");
}

TEST(Text, TableSaysKernelRateAndReason) {
    const std::string text = layer_table(sample());
    for (const char* part : {"1.5000 100.00     2.00  c", "gemm_int8_4x8_scalar scalar", " cpu ",
                             "the table has its scales", "all steps"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

TEST(Html, NamesCannotEndTheData) {
    nlohmann::ordered_json report = {{"name", "</script><b>\xff"}};
    const std::string page = html_page(report);
    EXPECT_NE(page.find("\\u003c/script>\\u003cb>\\ufffd"), std::string::npos);
    EXPECT_EQ(page.find("@DATA@"), std::string::npos);
    EXPECT_EQ(page.find("<b>"), std::string::npos);
}

}  // namespace
}  // namespace fw::bench
