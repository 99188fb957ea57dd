// What stb_image leaves out of PNG: it takes a file with wrong checksums for a picture.
#pragma once

#include <cstdint>

#include "common/image_file.h"
#include "fw/span.h"
#include "fw/status.h"

namespace fw::tools {

bool looks_like_png(Span<const uint8_t> file);

/// Of the IHDR chunk that every PNG begins with; an error where it is not there or names no pixel.
Result<ImageSize> png_size(Span<const uint8_t> file);

/// Walks the chunks up to IEND (PNG, second edition, section 5.3). An error where png_size has one, where the
/// file is cut off, or where the checksum (CRC-32) of a chunk that the picture depends on is wrong; others' are not
/// looked at.
Status check_png(Span<const uint8_t> file);

/// Gives every chunk the checksum of what it holds now, for a file that was changed in memory.
void update_checksums(Span<uint8_t> file);

}  // namespace fw::tools
