#include "common/png.h"

#include <algorithm>
#include <array>

namespace fw::tools {

namespace {

constexpr std::array<uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr size_t kAround = 12;  // bytes of a chunk besides its data: length and type before it, checksum behind it

uint32_t big_endian(const uint8_t* p) {
    return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

// Of a chunk's type and data (PNG, second edition, annex D).
uint32_t crc32(Span<const uint8_t> bytes) {
    static const std::array<uint32_t, 256> kTable = [] {
        std::array<uint32_t, 256> table{};
        for (uint32_t byte = 0; byte < 256; ++byte) {
            uint32_t rest = byte;
            for (int bit = 0; bit < 8; ++bit) {
                rest = (rest & 1) != 0 ? 0xedb88320U ^ rest >> 1 : rest >> 1;
            }
            table[byte] = rest;
        }
        return table;
    }();
    uint32_t crc = 0xffffffffU;
    for (const uint8_t byte : bytes) {
        crc = kTable[(crc ^ byte) & 255] ^ crc >> 8;
    }
    return ~crc;
}

}  // namespace

bool looks_like_png(Span<const uint8_t> file) {
    return file.size() >= kSignature.size() && std::equal(kSignature.begin(), kSignature.end(), file.begin());
}

Result<ImageSize> png_size(Span<const uint8_t> file) {
    const uint8_t* chunk = file.data() + kSignature.size();
    if (file.size() < kSignature.size() + kAround + 13) {
        return Status::error(Code::kParseError, "the file is cut off");
    }
    if (!std::equal(chunk + 4, chunk + 8, "IHDR")) {
        return Status::error(Code::kParseError, "a PNG that does not begin with IHDR");
    }
    constexpr uint32_t kLargest = 0x7fffffff;
    const uint32_t width = big_endian(chunk + 8);
    const uint32_t height = big_endian(chunk + 12);
    if (width == 0 || height == 0 || width > kLargest || height > kLargest) {
        return Status::error(Code::kParseError, "an image of %ux%u pixels", width, height);
    }
    return ImageSize{static_cast<int>(width), static_cast<int>(height)};
}

Status check_png(Span<const uint8_t> file) {
    FW_RETURN_IF_ERROR(png_size(file).status());
    for (size_t at = kSignature.size();;) {
        const size_t rest = file.size() - at;
        const uint8_t* chunk = file.data() + at;
        if (rest < kAround || big_endian(chunk) > rest - kAround) {
            return Status::error(Code::kParseError, "the file is cut off");
        }
        const uint8_t* end = chunk + 8 + big_endian(chunk);
        const bool critical = (chunk[4] & 0x20) == 0;
        if (critical && crc32({chunk + 4, 4 + size_t{big_endian(chunk)}}) != big_endian(end)) {
            return Status::error(Code::kParseError, "damaged: the checksum of the chunk at byte %zu is wrong", at);
        }
        if (std::equal(chunk + 4, chunk + 8, "IEND")) {
            return {};
        }
        at += kAround + big_endian(chunk);
    }
}

void update_checksums(Span<uint8_t> file) {
    for (size_t at = kSignature.size(); at + kAround <= file.size();) {
        uint8_t* chunk = file.data() + at;
        const size_t length = big_endian(chunk);
        if (length > file.size() - at - kAround) {
            return;
        }
        const uint32_t crc = crc32({chunk + 4, 4 + length});
        for (int byte = 0; byte < 4; ++byte) {
            chunk[8 + length + static_cast<size_t>(byte)] = static_cast<uint8_t>(crc >> (24 - 8 * byte));
        }
        at += kAround + length;
    }
}

}  // namespace fw::tools
