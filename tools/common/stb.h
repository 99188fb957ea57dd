// stb_image and stb_image_write, with the parts that are used and the compiler warnings of other people's code left
// out.
#pragma once

#include <cstdint>

#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_NO_PSD
#define STBI_NO_PIC
#define STBI_NO_TGA
#define STBI_MAX_DIMENSIONS 32768
#include <stb/stb_image.h>

extern "C" unsigned char* stbi_write_png_to_mem(const unsigned char* pixels, int stride_bytes, int x, int y, int n,
                                                int* out_len);
