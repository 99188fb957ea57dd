#include "common/image_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "common/file.h"
#include "common/npy.h"
#include "common/stb.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;

bool has_suffix(const std::string& path, const char* suffix) {
    const std::string tail(suffix);
    if (path.size() < tail.size()) {
        return false;
    }
    return std::equal(tail.begin(), tail.end(), path.end() - static_cast<std::ptrdiff_t>(tail.size()),
                      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

bool looks_like_input(const std::string& path) {
    for (const char* suffix : {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".npy"}) {
        if (has_suffix(path, suffix)) {
            return true;
        }
    }
    return false;
}

Result<std::vector<ListedImage>> list_folder(const std::string& folder) {
    std::vector<ListedImage> images;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        if (it->is_regular_file(error) && looks_like_input(it->path().string())) {
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
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash);
    std::vector<ListedImage> images;
    int number = 0;
    for (size_t begin = 0; begin < text.size();) {
        size_t end = text.find('\n', begin);
        end = end == std::string::npos ? text.size() : end;
        std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (line.find('\0') != std::string::npos) {
            return Status::error(Code::kParseError,
                                 "%s:%d: not a text file; expected an image, a folder or a list of images",
                                 path.c_str(), number);
        }
        while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) {
            line.pop_back();
        }
        if (line.empty() || line[0] == '#') {
            continue;
        }
        ListedImage image;
        FW_RETURN_IF_ERROR(parse_list_line(line, folder, path.c_str(), number, &image));
        images.push_back(std::move(image));
    }
    if (images.empty()) {
        return Status::error(Code::kNotFound, "%s: the list names no image", path.c_str());
    }
    return images;
}

}  // namespace

Result<DecodedImage> DecodedImage::load(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    if (file.bytes.size() > 0x7fffffff) {
        return Status::error(Code::kUnsupported, "%s: the file is larger than 2 GiB", path.c_str());
    }
    const int size = static_cast<int>(file.bytes.size());
    int width = 0;
    int height = 0;
    int channels = 0;
    if (stbi_info_from_memory(file.bytes.data(), size, &width, &height, &channels) == 0) {
        return Status::error(Code::kParseError, "%s: not an image that can be read (%s)", path.c_str(),
                             stbi_failure_reason());
    }
    if (int64_t{width} * height > kMaxPixels) {
        return Status::error(Code::kUnsupported, "%s: %dx%d pixels, at most 2^28 are read", path.c_str(), width,
                             height);
    }
    const int wanted = channels <= 2 ? 1 : 3;
    uint8_t* data = stbi_load_from_memory(file.bytes.data(), size, &width, &height, &channels, wanted);
    if (data == nullptr) {
        return Status::error(Code::kParseError, "%s: cannot be decoded (%s)", path.c_str(), stbi_failure_reason());
    }
    DecodedImage out;
    out.pixels_ = std::make_shared<std::vector<uint8_t>>(data, data + int64_t{width} * height * wanted);
    stbi_image_free(data);
    out.image_ = Image{out.pixels_->data(), width, height, width * wanted, wanted == 1 ? Pixel::kGray : Pixel::kRgb};
    return out;
}

Status write_png(const std::string& path, const uint8_t* rgb, int width, int height) {
    int length = 0;
    uint8_t* png = stbi_write_png_to_mem(rgb, width * 3, width, height, 3, &length);
    if (png == nullptr) {
        return Status::error(Code::kOutOfMemory, "%s: no memory to encode %dx%d pixels", path.c_str(), width, height);
    }
    Status status = write_file_atomic(path.c_str(), Span<const uint8_t>(png, static_cast<size_t>(length)));
    std::free(png);
    return status;
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
    if (looks_like_input(path)) {
        return std::vector<ListedImage>{{path, -1}};
    }
    return list_file(path);
}

Result<Mat> load_input(const std::string& path, const Preprocess& preprocess) {
    if (has_suffix(path, ".npy")) {
        return read_npy(path);
    }
    FW_ASSIGN_OR_RETURN(const DecodedImage image, DecodedImage::load(path));
    Result<Mat> mat = mat_from_image(image.view(), preprocess);
    if (!mat.ok()) {
        return mat.status().with_prefix("%s", path.c_str());
    }
    return mat;
}

}  // namespace fw::tools
