#include <algorithm>
#include <cstring>

#include "common/image_file.h"
#include "common/png.h"
#include "metrics/palette.h"
#include "metrics/segment.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

// Offsets in a PNG file: eight bytes of signature, then chunks of length, name, content, checksum; the first is IHDR
// with width, height, depth, kind of colour.
constexpr size_t kFirstChunk = 8;
constexpr size_t kDepth = 24;
constexpr size_t kColorKind = 25;
constexpr uint8_t kPalette = 3;
constexpr uint8_t kGray = 0;

// An indexed PNG (that check_png passed) with its kind changed to gray decodes to the indices instead of the colours
// (spread over 0 to 255 where they have less than 8 bits). Its transparency would not fit gray pixels: that chunk
// becomes one that decoders skip. Returns the factor of the spread; 0 = no such file.
int make_gray(std::vector<uint8_t>* png) {
    std::vector<uint8_t>& b = *png;
    if (!looks_like_png({b.data(), b.size()}) || b[kColorKind] != kPalette) {
        return 0;
    }
    b[kColorKind] = kGray;
    for (size_t at = kFirstChunk; at + 12 <= b.size();) {
        if (std::memcmp(&b[at + 4], "tRNS", 4) == 0) {
            std::memcpy(&b[at + 4], "noNe", 4);
        }
        const size_t length = size_t{b[at]} << 24 | size_t{b[at + 1]} << 16 | size_t{b[at + 2]} << 8 | b[at + 3];
        at += 12 + length;
    }
    update_checksums({b.data(), b.size()});
    switch (b[kDepth]) {
        case 1: return 255;
        case 2: return 85;
        case 4: return 17;
        default: return 1;
    }
}

Result<DecodedImage> load_mask(const std::string& path, int* spread) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    if (looks_like_png(file.bytes)) {
        FW_RETURN_IF_ERROR(check_png(file.bytes).with_prefix("%s", path.c_str()));
    }
    std::vector<uint8_t> bytes(file.bytes.begin(), file.bytes.end());
    *spread = make_gray(&bytes);
    if (*spread == 0) {
        *spread = 1;
        return DecodedImage::load(path);
    }
    return DecodedImage::decode({bytes.data(), bytes.size()}, path);
}

// Labels of colour pixels: VOC's palette, or else gray stored as colour.
Status labels_of_colors(const Image& image, LabelMap* map) {
    bool gray = true;
    int64_t bad = -1;  // first pixel that is no colour of VOC's
    const int64_t count = int64_t{image.width} * image.height;
    for (int64_t i = 0; i < count; ++i) {
        const uint8_t* p = image.data + i * 3;
        gray = gray && p[0] == p[1] && p[1] == p[2];
        const int label = voc_label(p[0], p[1], p[2]);
        if (label < 0) {
            bad = bad < 0 ? i : bad;
        }
        map->labels[static_cast<size_t>(i)] = static_cast<uint8_t>(std::max(label, 0));
    }
    if (bad < 0) {
        return {};
    }
    if (!gray) {
        const uint8_t* p = image.data + bad * 3;
        return Status::error(
            Code::kParseError, "pixel %lld,%lld has the colour %d,%d,%d, which is no class of VOC's palette",
            static_cast<long long>(bad % image.width), static_cast<long long>(bad / image.width), p[0], p[1], p[2]);
    }
    for (int64_t i = 0; i < count; ++i) {
        map->labels[static_cast<size_t>(i)] = image.data[i * 3];
    }
    return {};
}

}  // namespace

std::array<uint8_t, 3> voc_color(int label) {
    std::array<uint8_t, 3> color = {0, 0, 0};
    for (int shift = 7; label != 0; --shift, label >>= 3) {
        for (size_t channel = 0; channel < 3; ++channel) {
            color[channel] = static_cast<uint8_t>(color[channel] | ((label >> channel & 1) << shift));
        }
    }
    return color;
}

int voc_label(uint8_t red, uint8_t green, uint8_t blue) {
    int label = 0;
    for (int bit = 0; bit < 8; ++bit) {
        const uint8_t channel = bit % 3 == 0 ? red : bit % 3 == 1 ? green : blue;
        label |= (channel >> (7 - bit / 3) & 1) << bit;
    }
    return voc_color(label) == std::array<uint8_t, 3>{red, green, blue} ? label : -1;
}

Result<LabelMap> read_mask(const std::string& path) {
    int spread = 1;
    FW_ASSIGN_OR_RETURN(const DecodedImage decoded, load_mask(path, &spread));
    const Image& image = decoded.view();
    LabelMap map{image.width, image.height, 0, {}};
    map.labels.resize(static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
    if (image.pixel == Pixel::kGray) {
        std::transform(image.data, image.data + map.labels.size(), map.labels.begin(),
                       [spread](uint8_t level) { return static_cast<uint8_t>(level / spread); });
        return map;
    }
    FW_RETURN_IF_ERROR(labels_of_colors(image, &map).with_prefix("%s", path.c_str()));
    return map;
}

}  // namespace fw::tools
