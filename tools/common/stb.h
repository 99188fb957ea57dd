// stb_image and stb_image_write, with the parts that are used and the compiler warnings of other people's code left
// out.
#pragma once

#include <cstddef>
#include <cstdint>

#define STBI_NO_JPEG  // common/jpeg.h
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_NO_PSD
#define STBI_NO_PIC
#define STBI_NO_TGA
#define STBI_MAX_DIMENSIONS 32768
#define STBI_MALLOC(size) ::fw::tools::stb_realloc(nullptr, size)
#define STBI_REALLOC(old, size) ::fw::tools::stb_realloc(old, size)
#define STBI_FREE(old) std::free(old)

namespace fw::tools {

/// While one lives, stb_image gets no buffer larger than `bytes` in this thread: it takes sizes from files unchecked.
class StbMemoryLimit {
public:
    explicit StbMemoryLimit(int64_t bytes);
    ~StbMemoryLimit();
    StbMemoryLimit(const StbMemoryLimit&) = delete;
    StbMemoryLimit& operator=(const StbMemoryLimit&) = delete;
};

/// realloc within the limit; nullptr beyond it, which stb_image reports as "outofmem".
void* stb_realloc(void* old, size_t size);

}  // namespace fw::tools

#include <stb/stb_image.h>

extern "C" unsigned char* stbi_write_png_to_mem(const unsigned char* pixels, int stride_bytes, int x, int y, int n,
                                                int* out_len);
