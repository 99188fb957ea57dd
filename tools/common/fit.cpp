#include "common/fit.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fw::tools {

namespace {

int rounded(double length, int most) {
    return std::clamp(static_cast<int>(std::lround(length)), 1, most);
}

Image centre_of(const Image& image, int width, int height) {
    Image out = image;
    out.width = width;
    out.height = height;
    out.data += static_cast<int64_t>((image.height - height) / 2) * image.stride +
                static_cast<int64_t>((image.width - width) / 2) * (image.pixel == Pixel::kGray ? 1 : 3);
    return out;
}

Result<Mat> letterboxed(const Image& image, const Preprocess& preprocess, uint8_t level) {
    const double scale = std::min(static_cast<double>(preprocess.width) / image.width,
                                  static_cast<double>(preprocess.height) / image.height);
    Preprocess inner = preprocess;
    inner.width = rounded(image.width * scale, preprocess.width);
    inner.height = rounded(image.height * scale, preprocess.height);
    FW_ASSIGN_OR_RETURN(const Mat middle, mat_from_image(image, inner));
    inner.width = 1;
    inner.height = 1;
    FW_ASSIGN_OR_RETURN(const Mat border, mat_from_image({&level, 1, 1, 1, Pixel::kGray}, inner));
    FW_ASSIGN_OR_RETURN(Mat out, Mat::create(Shape(middle.c(), preprocess.height, preprocess.width)));
    const int left = (preprocess.width - middle.w()) / 2;
    const int above = (preprocess.height - middle.h()) / 2;
    for (int c = 0; c < out.c(); ++c) {
        std::fill_n(out.channel(c), static_cast<int64_t>(out.h()) * out.w(), border.data()[c]);
        for (int y = 0; y < middle.h(); ++y) {
            std::copy_n(middle.channel(c) + static_cast<int64_t>(y) * middle.w(), middle.w(),
                        out.channel(c) + static_cast<int64_t>(y + above) * out.w() + left);
        }
    }
    return out;
}

}  // namespace

Result<Fit> parse_fit(const std::string& text) {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string kind = text.substr(0, colon);
    Fit fit;
    const bool given = colon < text.size();
    double value = 0.0;
    if (given) {
        char* end = nullptr;
        value = std::strtod(text.c_str() + colon + 1, &end);
        value = *end == '\0' && end != text.c_str() + colon + 1 && std::isfinite(value) ? value : -1.0;
    }
    if (kind == "stretch" && !given) {
        return fit;
    }
    if (kind == "crop" && (!given || (value > 0.0 && value <= 1.0))) {
        fit.kind = Fit::Kind::kCrop;
        fit.share = given ? value : 1.0;
        return fit;
    }
    if (kind == "letterbox" && (!given || (value >= 0.0 && value <= 255.0 && value == std::floor(value)))) {
        fit.kind = Fit::Kind::kLetterbox;
        fit.level = given ? static_cast<uint8_t>(value) : fit.level;
        return fit;
    }
    return Status::error(Code::kInvalidArgument,
                         "%s: expected stretch, crop, crop:SHARE (up to 1), letterbox or letterbox:LEVEL (0 to "
                         "255)",
                         text.c_str());
}

Result<Mat> fitted_mat(const Image& image, const Preprocess& preprocess, const Fit& fit) {
    const bool sized = preprocess.width > 0 && preprocess.height > 0;
    if (fit.kind == Fit::Kind::kLetterbox && sized) {
        return letterboxed(image, preprocess, fit.level);
    }
    if (fit.kind != Fit::Kind::kCrop) {
        return mat_from_image(image, preprocess);
    }
    const double width = sized ? preprocess.width : image.width;
    const double height = sized ? preprocess.height : image.height;
    const double scale = std::min(image.width / width, image.height / height) * fit.share;
    return mat_from_image(centre_of(image, rounded(width * scale, image.width), rounded(height * scale, image.height)),
                          preprocess);
}

}  // namespace fw::tools
