#include "fweval/truth.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/file.h"

namespace fw::tools {

namespace {

// A whole number that fits; json's own conversion would cut or wrap others.
int64_t whole(const nlohmann::json& object, const char* key, int64_t least, int64_t most) {
    const nlohmann::json& value = object.at(key);
    const double number = value.get<double>();
    if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) ||
        number != std::floor(number)) {
        throw std::out_of_range(std::string(key) + " is " + value.dump() + ", expected a whole number from " +
                                std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<int64_t>(number);
}

// A length in pixels; far beyond any image is an error, so that float arithmetic on boxes stays finite.
double pixels(const nlohmann::json& value, const char* what) {
    constexpr double kMost = 1e6;
    const double number = value.get<double>();
    if (!(std::abs(number) <= kMost)) {
        throw std::out_of_range(std::string(what) + " is " + value.dump() + ", expected at most 1000000 pixels");
    }
    return number;
}

}  // namespace

Status read_label_file(const std::string& path, std::vector<ListedImage>* images) {
    FW_ASSIGN_OR_RETURN(const std::vector<ListedImage> listed, list_images(path));
    std::map<std::string, int> by_path;
    std::map<std::string, int> by_name;
    for (const ListedImage& entry : listed) {
        if (entry.label < 0) {
            return Status::error(Code::kParseError, "%s: '%s' has no label; expected 'FILE LABEL' in every line",
                                 path.c_str(), entry.path.c_str());
        }
        by_path[entry.path] = entry.label;
        const auto [named, is_new] = by_name.emplace(base_name(entry.path), entry.label);
        if (!is_new && named->second != entry.label) {
            named->second = -1;  // files of one name in several folders: only the path tells them apart
        }
    }
    size_t found = 0;
    for (ListedImage& image : *images) {
        const auto exact = by_path.find(image.path);
        const auto same_name = by_name.find(base_name(image.path));
        image.label = exact != by_path.end() ? exact->second : same_name != by_name.end() ? same_name->second : -1;
        found += image.label >= 0 ? 1 : 0;
    }
    if (found == 0) {
        return Status::error(Code::kNotFound, "%s: labels none of the %zu images", path.c_str(), images->size());
    }
    return {};
}

Result<std::map<std::string, std::vector<TrueBox>>> read_coco(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    struct ImageEntry {
        std::string file;
        double width = 0;
        double height = 0;
    };
    constexpr int64_t kMostId = int64_t{1} << 53;  // what a double holds exactly
    constexpr int64_t kLeastId = -kMostId;
    std::map<std::string, std::vector<TrueBox>> boxes;
    try {
        const nlohmann::json root = nlohmann::json::parse(text);
        std::map<int64_t, ImageEntry> images;
        for (const auto& image : root.at("images")) {
            ImageEntry entry{image.at("file_name"), pixels(image.at("width"), "width"),
                             pixels(image.at("height"), "height")};
            if (!(entry.width >= 1) || !(entry.height >= 1)) {
                return Status::error(Code::kParseError, "%s: image '%s' has no area", path.c_str(), entry.file.c_str());
            }
            if (!boxes.emplace(base_name(entry.file), std::vector<TrueBox>()).second) {
                return Status::error(Code::kParseError, "%s: two images are named '%s'", path.c_str(),
                                     base_name(entry.file).c_str());
            }
            const int64_t id = whole(image, "id", kLeastId, kMostId);
            if (!images.emplace(id, std::move(entry)).second) {
                return Status::error(Code::kParseError, "%s: two images have the id %lld", path.c_str(),
                                     static_cast<long long>(id));
            }
        }
        for (const auto& annotation : root.at("annotations")) {
            const auto image = images.find(whole(annotation, "image_id", kLeastId, kMostId));
            if (image == images.end()) {
                return Status::error(Code::kParseError, "%s: an annotation names image %s, which is not listed",
                                     path.c_str(), annotation.at("image_id").dump().c_str());
            }
            const auto& bbox = annotation.at("bbox");
            const double x = pixels(bbox.at(0), "bbox");
            const double y = pixels(bbox.at(1), "bbox");
            const double w = pixels(bbox.at(2), "bbox");
            const double h = pixels(bbox.at(3), "bbox");
            const ImageEntry& entry = image->second;
            TrueBox truth;
            truth.box = {static_cast<int>(whole(annotation, "category_id", 0, 1'000'000)),
                         1.0F,
                         static_cast<float>(x / entry.width),
                         static_cast<float>(y / entry.height),
                         static_cast<float>((x + w) / entry.width),
                         static_cast<float>((y + h) / entry.height)};
            truth.crowd = annotation.contains("iscrowd") && whole(annotation, "iscrowd", 0, 1) != 0;
            boxes[base_name(entry.file)].push_back(truth);
        }
    } catch (const std::exception& error) {  // of the parser, or of the checks above
        return Status::error(Code::kParseError, "%s: not a COCO annotation file (%s)", path.c_str(), error.what());
    }
    return boxes;
}

}  // namespace fw::tools
