#include "fweval/truth.h"

#include <nlohmann/json.hpp>

#include "common/file.h"

namespace fw::tools {

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
        by_name[base_name(entry.path)] = entry.label;
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
    std::map<std::string, std::vector<TrueBox>> boxes;
    try {
        const nlohmann::json root = nlohmann::json::parse(text);
        std::map<int64_t, ImageEntry> images;
        for (const auto& image : root.at("images")) {
            ImageEntry entry{image.at("file_name"), image.at("width"), image.at("height")};
            if (!(entry.width > 0) || !(entry.height > 0)) {
                return Status::error(Code::kParseError, "%s: image '%s' has no area", path.c_str(), entry.file.c_str());
            }
            boxes[base_name(entry.file)];
            images[image.at("id")] = std::move(entry);
        }
        for (const auto& annotation : root.at("annotations")) {
            const auto image = images.find(annotation.at("image_id"));
            if (image == images.end()) {
                return Status::error(Code::kParseError, "%s: an annotation names image %s, which is not listed",
                                     path.c_str(), annotation.at("image_id").dump().c_str());
            }
            const auto& bbox = annotation.at("bbox");
            const double x = bbox.at(0);
            const double y = bbox.at(1);
            const double w = bbox.at(2);
            const double h = bbox.at(3);
            const ImageEntry& entry = image->second;
            TrueBox truth;
            truth.box = {annotation.at("category_id"),
                         1.0F,
                         static_cast<float>(x / entry.width),
                         static_cast<float>(y / entry.height),
                         static_cast<float>((x + w) / entry.width),
                         static_cast<float>((y + h) / entry.height)};
            truth.crowd = annotation.value("iscrowd", 0) != 0;
            boxes[base_name(entry.file)].push_back(truth);
        }
    } catch (const nlohmann::json::exception& error) {
        return Status::error(Code::kParseError, "%s: not a COCO annotation file (%s)", path.c_str(), error.what());
    }
    return boxes;
}

}  // namespace fw::tools
