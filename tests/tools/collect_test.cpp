// Statistics of a network's blobs beside those of copies of every blob.
#include "calibrate/collect.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/npy.h"
#include "runtime/run_util.h"
#include "support/net_files.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

class Collect : public test::TempFolderTest {
protected:
    // Blobs of every rank: slices of concatenations along each axis, one inside another, of a blob with itself.
    void SetUp() override {
        TempFolderTest::SetUp();
        test::Random random(5);
        files_.layer("Input data 0 1 data 0=6 1=5 2=3")
            .layer("Convolution a 1 1 data a 0=8 1=1 5=1 6=24")
            .tagged(random.floats(24))
            .raw(random.floats(8))
            .layer("ReLU ar 1 1 a ar")
            .layer("Convolution b 1 1 data b 0=5 1=3 4=1 5=1 6=135")
            .tagged(random.floats(135))
            .raw(random.floats(5))
            .layer("Split s 1 3 ar ar0 ar1 ar2")
            .layer("Concat ab 2 1 ar0 b ab 0=0")
            .layer("TanH t 1 1 ar1 t")
            .layer("Concat wide 2 1 ar2 t wide 0=2")
            .layer("Convolution c 1 1 wide c 0=13 1=1 5=1 6=104")
            .tagged(random.floats(104))
            .raw(random.floats(13))
            .layer("Concat all 2 1 ab c all 0=-1")
            .layer("Reshape r 1 1 all matrix 0=18 1=65")
            .layer("Split s2 1 2 matrix m0 m1")
            .layer("Concat twice 2 1 m0 m1 twice 0=0")
            .layer("InnerProduct fc 1 1 twice fc 0=4 1=1 2=9360")
            .tagged(random.floats(9360))
            .raw(random.floats(4));
        FW_ASSERT_OK(files_.load(&net_));
        set_.inputs = net_.input_names();
        set_.quiet = true;
        for (int i = 0; i < 5; ++i) {
            const Mat image = random.mat(Shape(3, 5, 6), -1.0F, 1.0F + static_cast<float>(i));
            set_.images.push_back({folder_ + "/" + std::to_string(i) + ".npy"});
            FW_ASSERT_OK(write_npy(set_.images.back().path, image));
        }
    }

    test::NetFiles files_;
    Net net_;
    ImageSet set_;
};

TEST_F(Collect, CountsEveryValueOfEveryBlobOnce) {
    std::map<std::string, BlobStatistics> expected;
    for (size_t i = 0; i < set_.images.size(); ++i) {
        const Result<Blobs> inputs = load_checked(set_, i);
        FW_ASSERT_OK(inputs.status());
        FW_ASSERT_OK(run_observed(net_, *inputs, [&](const std::string& blob, const Mat& value) -> Status {
            const std::vector<float> values = test::values(value);
            BlobStatistics& statistics = expected[blob];
            EXPECT_TRUE(statistics.values.histogram.add(values));
            float lo = 0.0F;
            float hi = 0.0F;
            const auto channels = static_cast<size_t>(value.shape()[0]);
            statistics.channel_absmax.resize(channels, 0.0F);
            for (size_t k = 0; k < values.size(); ++k) {
                lo = std::min(lo, values[k]);
                hi = std::max(hi, values[k]);
                float& absmax = statistics.channel_absmax[k / (values.size() / channels)];
                absmax = std::max(absmax, std::fabs(values[k]));
            }
            statistics.values.image_min.push_back(lo);
            statistics.values.image_max.push_back(hi);
            return {};
        }));
    }
    EXPECT_GE(expected.size(), 10U);
    for (const int threads : {1, 3}) {
        set_.threads = threads;
        const Result<Statistics> statistics = collect_statistics(net_, set_);
        FW_ASSERT_OK(statistics.status());
        EXPECT_EQ(statistics->images, 5);
        ASSERT_EQ(statistics->blobs.size(), expected.size());
        for (const auto& [blob, want] : expected) {
            SCOPED_TRACE(blob);
            ASSERT_EQ(statistics->blobs.count(blob), 1U);
            const BlobStatistics& got = statistics->blobs.at(blob);
            EXPECT_EQ(got.channel_absmax, want.channel_absmax);
            EXPECT_EQ(got.values.image_min, want.values.image_min);
            EXPECT_EQ(got.values.image_max, want.values.image_max);
            EXPECT_EQ(got.values.histogram.exponent(), want.values.histogram.exponent());
            EXPECT_EQ(got.values.histogram.zeros(), want.values.histogram.zeros());
            EXPECT_EQ(got.values.histogram.side(true), want.values.histogram.side(true));
            EXPECT_EQ(got.values.histogram.side(false), want.values.histogram.side(false));
        }
    }
}

TEST_F(Collect, FactorsOfABlobMultiplyItsChannels) {
    const ChannelFactors factors = {{"ab", {1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 0.5F}}};
    const Result<Statistics> plain = collect_statistics(net_, set_);
    const Result<Statistics> scaled = collect_statistics(net_, set_, &factors);
    FW_ASSERT_OK(plain.status());
    FW_ASSERT_OK(scaled.status());
    ASSERT_EQ(scaled->blobs.size(), 1U);
    std::vector<float> expected = plain->blobs.at("ab").channel_absmax;
    for (size_t c = 0; c < expected.size(); ++c) {
        expected[c] *= factors.at("ab")[c];
    }
    EXPECT_EQ(scaled->blobs.at("ab").channel_absmax, expected);
    EXPECT_EQ(scaled->blobs.at("ab").values.histogram.count(), plain->blobs.at("ab").values.histogram.count());
}

TEST_F(Collect, WhatIsNotFiniteIsNamed) {
    Mat image = test::Random(6).mat(Shape(3, 5, 6));
    image.data()[40] = INFINITY;
    FW_ASSERT_OK(write_npy(set_.images[3].path, image));
    const Result<Statistics> statistics = collect_statistics(net_, set_);
    ASSERT_FALSE(statistics.ok());
    EXPECT_EQ(std::string(statistics.status().message()),
              set_.images[3].path + ": input: blob 'data' holds inf or nan");
}

}  // namespace
}  // namespace fw::tools
