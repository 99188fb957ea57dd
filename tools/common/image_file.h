// Image files: decoding (stb_image), lists of them, and the way from a file to a network's input.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/fit.h"
#include "fw/image.h"
#include "fw/span.h"
#include "fw/status.h"

namespace fw::tools {

/// Decoded pixels, RGB or gray.
class DecodedImage {
public:
    /// JPEG (turned upright as its Exif data say), PNG, BMP, GIF, PNM. Errors name the file and the decoder's reason;
    /// images of more than 2^28 pixels, or of more than a file of that size can hold, are refused.
    static Result<DecodedImage> load(const std::string& path);
    /// The same from memory; `name` is for messages.
    static Result<DecodedImage> decode(Span<const uint8_t> file, const std::string& name);
    const Image& view() const { return image_; }
    std::vector<uint8_t>& pixels() { return *pixels_; }

private:
    Image image_;
    std::shared_ptr<std::vector<uint8_t>> pixels_;
};

/// PNG of an RGB image.
Result<std::vector<uint8_t>> png_bytes(const uint8_t* rgb, int width, int height);
/// The same as a file (the examples' drawings).
Status write_png(const std::string& path, const uint8_t* rgb, int width, int height);

struct ListedImage {
    std::string path;
    int label = -1;  ///< -1 = none given
    int line = 0;    ///< of the list file; 0 = no list
};

struct ImageSize {
    int width = 0;
    int height = 0;
};

/// Size in pixels, upright, by the file's header alone; of a .npy file, its last two axes.
Result<ImageSize> image_size(const std::string& path);

/// Has the suffix of .npy files.
bool names_array(const std::string& path);
/// Has one of the suffixes of images and .npy files.
bool names_image(const std::string& path);

/// A folder (searched recursively, sorted by path), a list file (`PATH [LABEL]` a line, paths relative to the list's
/// folder,
/// '#' begins a comment) or a single image. `.npy` files count as images. Errors: nothing there, a list line that
/// cannot be read.
Result<std::vector<ListedImage>> list_images(const std::string& path);

/// The network's input for one file: an image through `fit` and `preprocess`, or a .npy file as it is.
Result<Mat> load_input(const std::string& path, const Preprocess& preprocess, const Fit& fit = {});

}  // namespace fw::tools
