#include "fw/image.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "support/source_dir.h"

namespace fw {
namespace {

std::vector<float> values(const Mat& mat) {
    return std::vector<float>(mat.data(), mat.data() + mat.count());
}

TEST(Image, KeepsPixelsAndTakesPlanesApart) {
    const uint8_t pixels[] = {1, 2, 3, 4, 5, 6, 99, 7, 8, 9, 10, 11, 12, 99};
    const Image image{pixels, 2, 2, 7, Pixel::kRgb};
    Result<Mat> mat = mat_from_image(image, Preprocess{Pixel::kRgb, 0, 0, {}, {}});
    ASSERT_TRUE(mat.ok());
    EXPECT_EQ(mat->shape(), Shape(3, 2, 2));
    EXPECT_EQ(values(*mat), (std::vector<float>{1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}));
}

TEST(Image, SwapsRedAndBlue) {
    const uint8_t pixels[] = {10, 20, 30};
    Result<Mat> mat =
        mat_from_image(Image{pixels, 1, 1, 3, Pixel::kRgb}, Preprocess{Pixel::kBgr, 0, 0, {1, 2, 3}, {0.5F, 1, 2}});
    ASSERT_TRUE(mat.ok());
    EXPECT_EQ(values(*mat), (std::vector<float>{14.5F, 18, 14}));
}

TEST(Image, GrayFromColourAndBack) {
    const uint8_t bgr[] = {10, 100, 200};
    Result<Mat> gray = mat_from_image(Image{bgr, 1, 1, 3, Pixel::kBgr}, Preprocess{Pixel::kGray, 0, 0, {}, {}});
    ASSERT_TRUE(gray.ok());
    EXPECT_EQ(gray->shape(), Shape(1, 1, 1));
    EXPECT_NEAR(gray->data()[0], 0.299 * 200 + 0.587 * 100 + 0.114 * 10, 1e-4);
    const uint8_t one[] = {77};
    Result<Mat> colour = mat_from_image(Image{one, 1, 1, 1, Pixel::kGray}, Preprocess{Pixel::kRgb, 0, 0, {7}, {2}});
    ASSERT_TRUE(colour.ok());
    EXPECT_EQ(values(*colour), (std::vector<float>{140, 140, 140}));
}

TEST(Image, ResizesBetweenHalfPixelCentres) {
    // 4 -> 2: centres at 0.5 and 2.5; 2 -> 4: centres at -0.25 (clamped), 0.25, 0.75, 1.25 (clamped).
    const uint8_t row[] = {0, 100, 200, 40};
    Result<Mat> small = mat_from_image(Image{row, 4, 1, 4, Pixel::kGray}, Preprocess{Pixel::kGray, 2, 1, {}, {}});
    ASSERT_TRUE(small.ok());
    EXPECT_EQ(values(*small), (std::vector<float>{50, 120}));
    Result<Mat> large = mat_from_image(Image{row, 2, 1, 2, Pixel::kGray}, Preprocess{Pixel::kGray, 4, 2, {}, {}});
    ASSERT_TRUE(large.ok());
    EXPECT_EQ(values(*large), (std::vector<float>{0, 25, 75, 100, 0, 25, 75, 100}));
}

// Vectors of tests/golden/make_resize.py, which equals OpenCV's resize of 8-bit images bit for bit.
TEST(Image, ResizesToTheLevelsOfOpenCv) {
    std::ifstream stream(std::string(FW_SOURCE_DIR) + "/tests/golden/image/resize.json");
    const auto cases = nlohmann::json::parse(stream);
    ASSERT_GE(cases.size(), 10U);
    for (const auto& entry : cases) {
        const auto [width, height, channels] = entry["from"].get<std::array<int, 3>>();
        const auto [to_width, to_height] = entry["to"].get<std::array<int, 2>>();
        const auto pixels = entry["pixels"].get<std::vector<uint8_t>>();
        const auto want = entry["resized"].get<std::vector<float>>();
        const Pixel order = channels == 1 ? Pixel::kGray : Pixel::kRgb;
        const Image image{pixels.data(), width, height, width * channels, order};
        Result<Mat> mat = mat_from_image(image, Preprocess{order, to_width, to_height, {}, {}});
        ASSERT_TRUE(mat.ok()) << mat.status().message();
        for (size_t i = 0; i < want.size(); ++i) {
            const size_t plane = want.size() / static_cast<size_t>(channels);
            const size_t at = i % static_cast<size_t>(channels) * plane + i / static_cast<size_t>(channels);
            ASSERT_EQ(mat->data()[at], want[i]) << width << "x" << height << " to " << to_width << "x" << to_height;
        }
    }
}

TEST(Image, BadArgumentsAreErrors) {
    const uint8_t pixels[12] = {};
    const Image good{pixels, 2, 2, 6, Pixel::kRgb};
    EXPECT_TRUE(mat_from_image(good, Preprocess{}).ok());
    EXPECT_FALSE(mat_from_image(Image{nullptr, 2, 2, 6, Pixel::kRgb}, Preprocess{}).ok());
    EXPECT_FALSE(mat_from_image(Image{pixels, 2, 2, 5, Pixel::kRgb}, Preprocess{}).ok());
    EXPECT_FALSE(mat_from_image(Image{pixels, 0, 2, 6, Pixel::kRgb}, Preprocess{}).ok());
    EXPECT_FALSE(mat_from_image(good, Preprocess{Pixel::kRgb, -1, 2, {}, {}}).ok());
    const Status mean = mat_from_image(good, Preprocess{Pixel::kRgb, 0, 0, {1, 2}, {}}).status();
    EXPECT_EQ(mean.code(), Code::kInvalidArgument);
    EXPECT_STREQ(mean.message(), "2 mean values for 3 channels; expected one, or one a channel");
    EXPECT_FALSE(mat_from_image(good, Preprocess{Pixel::kGray, 0, 0, {}, {1, 2, 3}}).ok());
    EXPECT_FALSE(mat_from_image(good, Preprocess{Pixel::kRgb, 2000000000, 2000000000, {}, {}}).ok());
}

}  // namespace
}  // namespace fw
