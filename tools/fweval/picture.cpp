#include "fweval/picture.h"

#include <algorithm>

#include "metrics/palette.h"

namespace fw::tools {

namespace {

std::string base64(const std::vector<uint8_t>& bytes) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const size_t count = std::min<size_t>(3, bytes.size() - i);
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; ++k) {
            bits = bits << 8 | (k < count ? bytes[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; ++k) {
            text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    return text;
}

}  // namespace

Result<std::string> Picture::data_address() const {
    FW_ASSIGN_OR_RETURN(const std::vector<uint8_t> png, png_bytes(rgb.data(), width, height));
    return "data:image/png;base64," + base64(png);
}

Result<Picture> small_picture(const std::string& path, int most) {
    FW_ASSIGN_OR_RETURN(const DecodedImage decoded, DecodedImage::load(path));
    const Image& image = decoded.view();
    const int longest = std::max({image.width, image.height, most});
    Picture out;
    out.width = std::max(1, static_cast<int>(int64_t{image.width} * most / longest));
    out.height = std::max(1, static_cast<int>(int64_t{image.height} * most / longest));
    const int channels = image.pixel == Pixel::kGray ? 1 : 3;
    const auto from = [](int i, int in, int count) { return static_cast<int>(int64_t{i} * in / count); };
    for (int y = 0; y < out.height; ++y) {
        const int y0 = from(y, image.height, out.height);
        const int y1 = std::max(y0 + 1, from(y + 1, image.height, out.height));
        for (int x = 0; x < out.width; ++x) {
            const int x0 = from(x, image.width, out.width);
            const int x1 = std::max(x0 + 1, from(x + 1, image.width, out.width));
            for (int c = 0; c < 3; ++c) {
                int64_t sum = 0;
                for (int row = y0; row < y1; ++row) {
                    for (int column = x0; column < x1; ++column) {
                        sum += image.data[int64_t{row} * image.stride + column * channels + std::min(c, channels - 1)];
                    }
                }
                out.rgb.push_back(static_cast<uint8_t>(sum / (int64_t{y1 - y0} * (x1 - x0))));
            }
        }
    }
    return out;
}

Picture painted(const Picture& picture, const LabelMap& labels) {
    Picture out = picture;
    const LabelMap scaled = labels.resized(picture.width, picture.height);
    for (size_t i = 0; i < scaled.labels.size(); ++i) {
        const int label = scaled.labels[i];
        if (label == 0) {
            continue;
        }
        const std::array<uint8_t, 3> white = {255, 255, 255};
        const std::array<uint8_t, 3> color = label == LabelMap::kVoid ? white : voc_color(label);
        for (size_t c = 0; c < 3; ++c) {
            uint8_t& level = out.rgb[i * 3 + c];
            level = static_cast<uint8_t>((level + color[c] + 1) / 2);
        }
    }
    return out;
}

}  // namespace fw::tools
