// The one translation unit that holds stb's code.
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include "common/stb.h"
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace fw::tools {

namespace {

thread_local int64_t largest_buffer = INT64_MAX;

}  // namespace

StbMemoryLimit::StbMemoryLimit(int64_t bytes) {
    largest_buffer = bytes;
}

StbMemoryLimit::~StbMemoryLimit() {
    largest_buffer = INT64_MAX;
}

void* stb_realloc(void* old, size_t size) {
    return size > static_cast<uint64_t>(largest_buffer) ? nullptr : std::realloc(old, size);
}

}  // namespace fw::tools
