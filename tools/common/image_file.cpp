#include "common/image_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "common/file.h"
#include "common/jpeg.h"
#include "common/npy.h"
#include "common/png.h"
#include "common/stb.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;
// A file that claims more pixels than its bytes can hold is refused before memory is taken for them. Deflate packs at
// most 1032 bytes into one and a byte of a PNG holds at most 8 pixels; GIF, BMP and PNM hold less.
constexpr int64_t kMaxPixelsPerByte = 8 * 1032;
// A JPEG takes at least one bit for each block of 8 x 8.
constexpr int64_t kMaxJpegPixelsPerByte = 8 * 64;

bool has_suffix(const std::string& path, const char* suffix) {
    const std::string tail(suffix);
    if (path.size() < tail.size()) {
        return false;
    }
    return std::equal(tail.begin(), tail.end(), path.end() - static_cast<std::ptrdiff_t>(tail.size()),
                      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

Result<std::vector<ListedImage>> list_folder(const std::string& folder) {
    std::vector<ListedImage> images;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        if (it->is_regular_file(error) && names_image(it->path().string())) {
            images.push_back({it->path().string(), -1});
        }
    }
    if (error) {
        return Status::error(Code::kIoError, "%s: %s", folder.c_str(), error.message().c_str());
    }
    if (images.empty()) {
        return Status::error(Code::kNotFound,
                             "%s: the folder holds no image (.jpg .png .bmp .gif .ppm) and no .npy file",
                             folder.c_str());
    }
    std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return images;
}

// One line `PATH [LABEL]`; a path may hold spaces, a label is a whole number at the end of the line.
Status parse_list_line(const std::string& line, const std::string& folder, const char* where, int number,
                       ListedImage* out) {
    std::string path = line;
    out->label = -1;
    const size_t space = line.find_last_of(" \t");
    if (space != std::string::npos) {
        const std::string last = line.substr(space + 1);
        char* end = nullptr;
        const long label = std::strtol(last.c_str(), &end, 10);
        if (*end == '\0' && !last.empty()) {
            if (label < 0 || label > 1'000'000) {
                return Status::error(Code::kParseError, "%s:%d: label %s, expected 0 to 1000000", where, number,
                                     last.c_str());
            }
            out->label = static_cast<int>(label);
            path = line.substr(0, line.find_last_not_of(" \t", space) + 1);
        }
    }
    out->path = path[0] == '/' || folder.empty() ? path : folder + "/" + path;
    return {};
}

Result<std::vector<ListedImage>> list_file(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash);
    std::vector<ListedImage> images;
    const auto visit = [&](const std::string& line, int number) -> Status {
        ListedImage image;
        image.line = number;
        FW_RETURN_IF_ERROR(parse_list_line(line, folder, path.c_str(), number, &image));
        images.push_back(std::move(image));
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_line(path, visit));
    if (images.empty()) {
        return Status::error(Code::kNotFound, "%s: the list names no image", path.c_str());
    }
    return images;
}

// Bytes in front of a binary PNM's pixels: P5 or P6, width, height, largest value, one white space.
int64_t pnm_header(Span<const uint8_t> file) {
    size_t at = 2;
    for (int number = 0; number < 3; ++number) {
        for (bool comment = false; at < file.size() && (comment || file[at] < '0'); ++at) {
            comment = comment ? file[at] != '\n' : file[at] == '#';
        }
        while (at < file.size() && file[at] >= '0') {
            ++at;
        }
    }
    return static_cast<int64_t>(at) + 1;
}

// Size and channels of a PNG, BMP, GIF or PNM by its header.
Result<Pixels> read_other_header(Span<const uint8_t> file) {
    Pixels out;
    if (file.empty()) {
        return Status::error(Code::kParseError, "the file is empty");
    }
    if (looks_like_png(file)) {
        FW_RETURN_IF_ERROR(png_size(file).status());
    }
    const int size = static_cast<int>(std::min<size_t>(file.size(), 0x7fffffff));
    if (stbi_info_from_memory(file.data(), size, &out.width, &out.height, &out.channels) == 0) {
        return Status::error(Code::kParseError, "not an image that can be read (%s)", stbi_failure_reason());
    }
    if (out.width <= 0 || out.height <= 0) {
        return Status::error(Code::kParseError, "an image of %dx%d pixels", out.width, out.height);
    }
    return out;
}

// PNG, BMP, GIF, PNM.
Result<Pixels> decode_other(Span<const uint8_t> file, int64_t max_pixels) {
    const int size = static_cast<int>(file.size());
    FW_ASSIGN_OR_RETURN(Pixels out, read_other_header(file));
    if (int64_t{out.width} * out.height > max_pixels) {
        return Status::error(Code::kUnsupported, "%dx%d pixels, at most %lld are read from a file of this size",
                             out.width, out.height, static_cast<long long>(max_pixels));
    }
    if (looks_like_png(file)) {
        FW_RETURN_IF_ERROR(check_png(file));
    }
    const int64_t depth = stbi_is_16_bit_from_memory(file.data(), size) != 0 ? 2 : 1;
    const bool pnm = file[0] == 'P';
    if (pnm && int64_t{out.width} * out.height * out.channels * depth > size - pnm_header(file)) {
        return Status::error(Code::kParseError, "the file is cut off");  // stb takes what is missing for zeros
    }
    const int wanted = out.channels <= 2 ? 1 : 3;
    // The most that one buffer of an honest file takes: 16-bit RGBA, doubled while it grows, or the file itself.
    const StbMemoryLimit limit((int64_t{out.width} * 16 + 16) * out.height + 2 * int64_t{size} + 65536);
    uint8_t* data = stbi_load_from_memory(file.data(), size, &out.width, &out.height, &out.channels, wanted);
    if (data == nullptr) {
        return Status::error(Code::kParseError, "cannot be decoded (%s)", stbi_failure_reason());
    }
    out.channels = wanted;
    out.bytes.assign(data, data + int64_t{out.width} * out.height * wanted);
    stbi_image_free(data);
    return out;
}

// Exif's eight orientations: 2 and 4 mirror, 3 turns by 180 degrees, 5 to 8 exchange rows and columns first.
Pixels turned_upright(Pixels in) {
    if (in.orientation == 1) {
        return in;
    }
    const bool exchange = in.orientation >= 5;
    const bool from_right = in.orientation == 2 || in.orientation == 3 || in.orientation == 7 || in.orientation == 8;
    const bool from_bottom = in.orientation == 3 || in.orientation == 4 || in.orientation == 6 || in.orientation == 7;
    Pixels out;
    out.width = exchange ? in.height : in.width;
    out.height = exchange ? in.width : in.height;
    out.channels = in.channels;
    out.bytes.resize(in.bytes.size());
    const auto channels = static_cast<size_t>(in.channels);
    uint8_t* to = out.bytes.data();
    for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
            const int column = exchange ? y : x;
            const int row = exchange ? x : y;
            const auto from_x = static_cast<size_t>(from_right ? in.width - 1 - column : column);
            const auto from_y = static_cast<size_t>(from_bottom ? in.height - 1 - row : row);
            to = std::copy_n(&in.bytes[(from_y * static_cast<size_t>(in.width) + from_x) * channels], channels, to);
        }
    }
    return out;
}

}  // namespace

bool names_array(const std::string& path) {
    return has_suffix(path, ".npy");
}

bool names_image(const std::string& path) {
    for (const char* suffix : {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".npy"}) {
        if (has_suffix(path, suffix)) {
            return true;
        }
    }
    return false;
}

Result<ImageSize> image_size(const std::string& path) {
    if (names_array(path)) {
        FW_ASSIGN_OR_RETURN(const Mat mat, read_npy(path));
        return ImageSize{mat.w(), mat.h()};
    }
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    const Result<Pixels> header =
        looks_like_jpeg(file.bytes) ? read_jpeg_header(file.bytes) : read_other_header(file.bytes);
    if (!header.ok()) {
        return header.status().with_prefix("%s", path.c_str());
    }
    const bool exchange = header->orientation >= 5;
    return ImageSize{exchange ? header->height : header->width, exchange ? header->width : header->height};
}

Result<DecodedImage> DecodedImage::load(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    return decode(file.bytes, path);
}

Result<DecodedImage> DecodedImage::decode(Span<const uint8_t> file, const std::string& name) {
    if (file.size() > 0x7fffffff) {
        return Status::error(Code::kUnsupported, "%s: the file is larger than 2 GiB", name.c_str());
    }
    const bool jpeg = looks_like_jpeg(file);
    const int64_t per_byte = jpeg ? kMaxJpegPixelsPerByte : kMaxPixelsPerByte;
    const int64_t max_pixels = std::min(kMaxPixels, static_cast<int64_t>(file.size()) * per_byte);
    Result<Pixels> decoded = jpeg ? decode_jpeg(file, max_pixels) : decode_other(file, max_pixels);
    if (!decoded.ok()) {
        return decoded.status().with_prefix("%s", name.c_str());
    }
    Pixels upright = turned_upright(std::move(*decoded));
    DecodedImage out;
    out.image_ = Image{nullptr, upright.width, upright.height, upright.width * upright.channels,
                       upright.channels == 1 ? Pixel::kGray : Pixel::kRgb};
    out.pixels_ = std::make_shared<std::vector<uint8_t>>(std::move(upright.bytes));
    out.image_.data = out.pixels_->data();
    return out;
}

Result<std::vector<uint8_t>> png_bytes(const uint8_t* rgb, int width, int height) {
    int length = 0;
    uint8_t* png = stbi_write_png_to_mem(rgb, width * 3, width, height, 3, &length);
    if (png == nullptr) {
        return Status::error(Code::kOutOfMemory, "no memory to encode %dx%d pixels", width, height);
    }
    std::vector<uint8_t> bytes(png, png + length);
    std::free(png);
    return bytes;
}

Status write_png(const std::string& path, const uint8_t* rgb, int width, int height) {
    const Result<std::vector<uint8_t>> png = png_bytes(rgb, width, height);
    if (!png.ok()) {
        return png.status().with_prefix("%s", path.c_str());
    }
    return write_file_atomic(path.c_str(), {png->data(), png->size()});
}

Result<std::vector<ListedImage>> list_images(const std::string& path) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error).type();
    if (kind == std::filesystem::file_type::not_found) {
        return Status::error(Code::kNotFound, "%s: no such file or folder", path.c_str());
    }
    if (kind == std::filesystem::file_type::directory) {
        return list_folder(path);
    }
    if (names_image(path)) {
        return std::vector<ListedImage>{{path, -1}};
    }
    return list_file(path);
}

Result<Mat> load_input(const std::string& path, const Preprocess& preprocess, const Fit& fit) {
    if (names_array(path)) {
        return read_npy(path);
    }
    FW_ASSIGN_OR_RETURN(const DecodedImage image, DecodedImage::load(path));
    Result<Mat> mat = fitted_mat(image.view(), preprocess, fit);
    if (!mat.ok()) {
        return mat.status().with_prefix("%s", path.c_str());
    }
    return mat;
}

}  // namespace fw::tools
