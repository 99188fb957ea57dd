// JPEG files by libjpeg: its arithmetic is what OpenCV, Pillow and Android decode with, so that a picture gives the
// same pixels, and a network the same scores, here and there. (stb_image's decoder differs by a few levels.)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"

namespace fw::tools {

struct Pixels {
    std::vector<uint8_t> bytes;  ///< interleaved, rows without gaps
    int width = 0;
    int height = 0;
    int channels = 0;     ///< 1 = gray, 3 = RGB
    int orientation = 1;  ///< Exif tag 0x0112: 1 to 8, how to turn the pixels upright; 1 = they are
};

bool looks_like_jpeg(Span<const uint8_t> file);

/// Everything but the bytes.
Result<Pixels> read_jpeg_header(Span<const uint8_t> file);

/// Decodes baseline and progressive files, CMYK ones into RGB. Errors carry libjpeg's reason, or say that the file is
/// cut off or claims more pixels than `max_pixels`; nothing of the image's size is allocated before that check.
Result<Pixels> decode_jpeg(Span<const uint8_t> file, int64_t max_pixels);

}  // namespace fw::tools
