#include "common/fit.h"

#include <gtest/gtest.h>

namespace fw::tools {
namespace {

// Gray, each pixel its column plus 10 times its row.
struct Ramp {
    Ramp(int width, int height) : pixels(static_cast<size_t>(width) * static_cast<size_t>(height)) {
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                pixels[static_cast<size_t>(y * width + x)] = static_cast<uint8_t>(x + 10 * y);
            }
        }
        image = {pixels.data(), width, height, width, Pixel::kGray};
    }
    std::vector<uint8_t> pixels;
    Image image;
};

std::vector<float> fitted(const Image& image, int width, int height, const std::string& fit) {
    const Result<Mat> mat = fitted_mat(image, {Pixel::kGray, width, height, {4.0F}, {2.0F}}, parse_fit(fit).value());
    EXPECT_TRUE(mat.ok());
    EXPECT_EQ(mat->w(), width);
    EXPECT_EQ(mat->h(), height);
    return {mat->data(), mat->data() + mat->count()};
}

TEST(Fit, CropTakesTheMiddle) {
    const Ramp ramp(6, 2);
    EXPECT_EQ(fitted(ramp.image, 2, 2, "crop"), (std::vector<float>{-4, -2, 16, 18}));  // columns 2 and 3
    const Ramp square(4, 4);
    EXPECT_EQ(fitted(square.image, 2, 2, "crop:0.5"), (std::vector<float>{14, 16, 34, 36}));
    EXPECT_EQ(fitted(square.image, 4, 4, "crop"), fitted(square.image, 4, 4, "stretch"));
}

TEST(Fit, CropIsOfColourPixelsToo) {
    const uint8_t pixels[] = {0, 0, 7, 1, 10, 7, 2, 20, 7, 3, 30, 7};
    const Image image = {pixels, 4, 1, 12, Pixel::kRgb};
    const Result<Mat> mat = fitted_mat(image, {Pixel::kRgb, 2, 1, {}, {}}, parse_fit("crop").value());
    ASSERT_TRUE(mat.ok());
    EXPECT_EQ(std::vector<float>(mat->data(), mat->data() + 6), (std::vector<float>{1, 2, 10, 20, 7, 7}));
}

TEST(Fit, LetterboxKeepsTheWholeImage) {
    const Ramp ramp(4, 2);
    EXPECT_EQ(fitted(ramp.image, 4, 4, "letterbox:5"),
              (std::vector<float>{2, 2, 2, 2, -8, -6, -4, -2, 12, 14, 16, 18, 2, 2, 2, 2}));
    EXPECT_EQ(fitted(ramp.image, 4, 2, "letterbox"), fitted(ramp.image, 4, 2, "stretch"));
    const Ramp line(250, 1);
    EXPECT_EQ(fitted(line.image, 2, 3, "letterbox:0").size(), 6U);  // no side vanishes
}

TEST(Fit, RefusesWhatItDoesNotKnow) {
    for (const char* text : {"", "cut", "crop:", "crop:0", "crop:1.1", "crop:x", "crop:0.5x", "letterbox:256",
                             "letterbox:-1", "letterbox:1.5", "stretch:1", "crop:nan"}) {
        EXPECT_FALSE(parse_fit(text).ok()) << text;
    }
}

}  // namespace
}  // namespace fw::tools
