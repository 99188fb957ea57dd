#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/file.h"
#include "metrics/truth_boxes.h"

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

// 0 or 1; absent = 0.
bool flag(const nlohmann::json& object, const char* key) {
    return object.contains(key) && whole(object, key, 0, 1) != 0;
}

TrueBox box_of(const nlohmann::json& annotation, const ImageBoxes& image) {
    const auto& bbox = annotation.at("bbox");
    const double x = pixels(bbox.at(0), "bbox");
    const double y = pixels(bbox.at(1), "bbox");
    const double w = pixels(bbox.at(2), "bbox");
    const double h = pixels(bbox.at(3), "bbox");
    TrueBox truth;
    truth.box = {static_cast<int>(whole(annotation, "category_id", 0, 1'000'000)),
                 1.0F,
                 x / image.width,
                 y / image.height,
                 (x + w) / image.width,
                 (y + h) / image.height};
    truth.crowd = flag(annotation, "iscrowd");
    truth.difficult = flag(annotation, "ignore");
    if (annotation.contains("area")) {
        constexpr double kMost = 1e12;
        truth.area = annotation.at("area").get<double>();
        if (!(truth.area >= 0 && truth.area <= kMost)) {
            throw std::out_of_range("area is " + annotation.at("area").dump() + ", expected 0 to 1e12 pixels");
        }
    }
    return truth;
}

}  // namespace

Result<std::map<std::string, ImageBoxes>> read_coco(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    constexpr int64_t kMostId = int64_t{1} << 53;  // what a double holds exactly
    constexpr int64_t kLeastId = -kMostId;
    std::map<std::string, ImageBoxes> by_name;
    std::string place;  // in the file, for what json's own messages do not say
    try {
        const nlohmann::json root = nlohmann::json::parse(text);
        std::map<int64_t, ImageBoxes*> by_id;
        size_t index = 0;
        for (const auto& image : root.at("images")) {
            place = "images[" + std::to_string(index++) + "]: ";
            ImageBoxes entry;
            entry.file = image.at("file_name");
            const std::string file = entry.file;
            entry.width = pixels(image.at("width"), "width");
            entry.height = pixels(image.at("height"), "height");
            if (!(entry.width >= 1) || !(entry.height >= 1)) {
                return Status::error(Code::kParseError, "%s: %simage '%s' has no area", path.c_str(), place.c_str(),
                                     file.c_str());
            }
            const auto [named, is_new] = by_name.emplace(base_name(file), std::move(entry));
            if (!is_new) {
                return Status::error(Code::kParseError, "%s: %stwo images are named '%s'", path.c_str(), place.c_str(),
                                     base_name(file).c_str());
            }
            const int64_t id = whole(image, "id", kLeastId, kMostId);
            if (!by_id.emplace(id, &named->second).second) {
                return Status::error(Code::kParseError, "%s: %stwo images have the id %lld", path.c_str(),
                                     place.c_str(), static_cast<long long>(id));
            }
        }
        index = 0;
        place.clear();
        for (const auto& annotation : root.at("annotations")) {
            place = "annotations[" + std::to_string(index++) + "]: ";
            const auto image = by_id.find(whole(annotation, "image_id", kLeastId, kMostId));
            if (image == by_id.end()) {
                return Status::error(Code::kParseError, "%s: %simage_id %s is not listed", path.c_str(), place.c_str(),
                                     annotation.at("image_id").dump().c_str());
            }
            image->second->boxes.push_back(box_of(annotation, *image->second));
        }
    } catch (const std::exception& error) {  // of the parser, or of the checks above
        return Status::error(Code::kParseError, "%s: not a COCO annotation file (%s%s)", path.c_str(), place.c_str(),
                             error.what());
    }
    return by_name;
}

}  // namespace fw::tools
