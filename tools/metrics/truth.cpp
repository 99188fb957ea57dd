#include "metrics/truth.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/file.h"
#include "metrics/truth_boxes.h"

namespace fw::tools {

namespace {

using Images = std::vector<ListedImage>;
using Truths = std::vector<ImageTruth>;

// Values of a label file by path, and by name where that tells them apart.
template <class Value>
class ByFile {
public:
    void add(const std::string& path, const Value& value) {
        by_path_[path] = value;
        const auto [named, is_new] = by_name_.emplace(base_name(path), value);
        if (!is_new && named->second != value) {
            ambiguous_[named->first] = true;
        }
    }
    /// nullptr where the file names no such image.
    const Value* find(const std::string& path) const {
        const auto exact = by_path_.find(path);
        if (exact != by_path_.end()) {
            return &exact->second;
        }
        const auto named = by_name_.find(base_name(path));
        return named == by_name_.end() || ambiguous_.count(named->first) > 0 ? nullptr : &named->second;
    }

private:
    std::map<std::string, Value> by_path_;
    std::map<std::string, Value> by_name_;
    std::map<std::string, bool> ambiguous_;
};

Status none_found(const std::string& path, size_t images) {
    return Status::error(Code::kNotFound, "%s: labels none of the %zu images", path.c_str(), images);
}

// Class of each folder in `path`: the number that its name is, where all names are numbers, else its place among the
// sorted names.
Result<std::map<std::string, int>> classes_of_folders(const std::string& path) {
    std::map<std::string, int> classes;
    bool numbers = true;
    std::error_code error;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
        if (it->is_directory(error)) {
            const std::string name = it->path().filename().string();
            numbers = numbers && name.size() <= 6 && name.find_first_not_of("0123456789") == std::string::npos;
            classes.emplace(name, 0);
        }
    }
    if (error) {
        return Status::error(Code::kIoError, "%s: %s", path.c_str(), error.message().c_str());
    }
    if (classes.empty()) {
        return Status::error(Code::kNotFound, "%s: holds no folders; expected one for each class", path.c_str());
    }
    int place = 0;
    for (auto& [name, label] : classes) {
        label = numbers ? std::stoi(name) : place++;
    }
    return classes;
}

// An image belongs to the folder in `path` that holds it, however deep.
Status labels_of_folders(const std::string& path, Images* images) {
    FW_ASSIGN_OR_RETURN(const auto classes, classes_of_folders(path));
    std::error_code error;
    const std::filesystem::path root = std::filesystem::weakly_canonical(path, error);
    size_t found = 0;
    for (ListedImage& image : *images) {
        const auto inside = std::filesystem::weakly_canonical(image.path, error).lexically_relative(root);
        const auto label = inside.empty() ? classes.end() : classes.find(inside.begin()->string());
        image.label = label == classes.end() ? -1 : label->second;
        found += label == classes.end() ? 0 : 1;
    }
    return found == 0 ? none_found(path, images->size()) : Status();
}

Status read_classes(const std::string& path, const Images& images, Truths* truths) {
    Images labelled = images;
    if (!path.empty()) {
        FW_RETURN_IF_ERROR(read_label_file(path, &labelled));
    }
    for (size_t i = 0; i < images.size(); ++i) {
        (*truths)[i].label = labelled[i].label;
        (*truths)[i].known = labelled[i].label >= 0;
    }
    return {};
}

// Boxes of a list are in pixels: the image's own size makes fractions of them.
Status scale_boxes(const std::string& image, ImageBoxes* boxes) {
    FW_ASSIGN_OR_RETURN(const ImageSize size, image_size(image));
    boxes->width = std::max(1, size.width);
    boxes->height = std::max(1, size.height);
    for (TrueBox& truth : boxes->boxes) {
        truth.box.xmin /= boxes->width;
        truth.box.xmax /= boxes->width;
        truth.box.ymin /= boxes->height;
        truth.box.ymax /= boxes->height;
    }
    return {};
}

Status read_boxes(const std::string& path, const Images& images, Truths* truths) {
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    const size_t first = text.find_first_not_of(" \t\r\n");
    const bool json = first != std::string::npos && (text[first] == '{' || text[first] == '[');
    FW_ASSIGN_OR_RETURN(const auto by_name, json ? read_coco(path) : read_box_list(path));
    for (size_t i = 0; i < images.size(); ++i) {
        const auto found = by_name.find(base_name(images[i].path));
        if (found == by_name.end()) {
            return Status::error(Code::kNotFound, "%s: does not list %s", path.c_str(), images[i].path.c_str());
        }
        ImageBoxes boxes = found->second;
        if (boxes.width == 0) {
            FW_RETURN_IF_ERROR(scale_boxes(images[i].path, &boxes));
        }
        ImageTruth& truth = (*truths)[i];
        truth.known = true;
        truth.width = static_cast<int>(boxes.width);
        truth.height = static_cast<int>(boxes.height);
        truth.boxes = std::move(boxes.boxes);
    }
    return {};
}

std::string stem(const std::string& path) {
    return std::filesystem::path(path).stem().string();
}

Status masks_of_folder(const std::string& path, const Images& images, Truths* truths) {
    FW_ASSIGN_OR_RETURN(const Images masks, list_images(path));
    std::map<std::string, std::string> by_stem;
    for (const ListedImage& mask : masks) {
        const auto [named, is_new] = by_stem.emplace(stem(mask.path), mask.path);
        if (!is_new) {
            return Status::error(Code::kInvalidArgument, "%s and %s are masks of one image", named->second.c_str(),
                                 mask.path.c_str());
        }
    }
    for (size_t i = 0; i < images.size(); ++i) {
        const auto found = by_stem.find(stem(images[i].path));
        if (found != by_stem.end()) {
            (*truths)[i].known = true;
            (*truths)[i].mask = found->second;
        }
    }
    return {};
}

// `FILE MASK` a line; names with blanks need a folder of masks instead.
Status masks_of_list(const std::string& path, const Images& images, Truths* truths) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    ByFile<std::string> masks;
    const auto visit = [&](const std::string& line, int number) -> Status {
        const size_t space = line.find_first_of(" \t");
        const size_t second = space == std::string::npos ? space : line.find_first_not_of(" \t", space);
        if (second == std::string::npos || line.find_first_of(" \t", second) != std::string::npos) {
            return Status::error(Code::kParseError, "%s:%d: '%s', expected FILE MASK", path.c_str(), number,
                                 line.c_str());
        }
        const std::string mask = (folder / line.substr(second)).string();
        std::error_code error;
        if (!std::filesystem::is_regular_file(mask, error)) {
            return Status::error(Code::kNotFound, "%s:%d: mask %s does not exist", path.c_str(), number, mask.c_str());
        }
        masks.add((folder / line.substr(0, space)).string(), mask);
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_line(path, visit));
    for (size_t i = 0; i < images.size(); ++i) {
        if (const std::string* mask = masks.find(images[i].path)) {
            (*truths)[i].known = true;
            (*truths)[i].mask = *mask;
        }
    }
    return {};
}

Status read_masks(const std::string& path, const Images& images, Truths* truths) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        FW_RETURN_IF_ERROR(masks_of_folder(path, images, truths));
    } else {
        FW_RETURN_IF_ERROR(masks_of_list(path, images, truths));
    }
    const bool any = std::any_of(truths->begin(), truths->end(), [](const ImageTruth& t) { return t.known; });
    return any ? Status() : none_found(path, images.size());
}

}  // namespace

Status read_label_file(const std::string& path, std::vector<ListedImage>* images) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        return labels_of_folders(path, images);
    }
    FW_ASSIGN_OR_RETURN(const Images listed, list_images(path));
    ByFile<int> labels;
    for (const ListedImage& entry : listed) {
        if (entry.line == 0) {
            return Status::error(Code::kParseError, "%s: no list of labels; expected 'FILE LABEL' a line",
                                 path.c_str());
        }
        if (entry.label < 0) {
            return Status::error(
                Code::kParseError,
                "%s:%d: '%.80s' has no label; expected 'FILE LABEL' in every line (boxes and masks are "
                "for --task detect and segment)",
                path.c_str(), entry.line, base_name(entry.path).c_str());
        }
        labels.add(entry.path, entry.label);
    }
    size_t found = 0;
    for (ListedImage& image : *images) {
        const int* label = labels.find(image.path);
        image.label = label != nullptr ? *label : -1;
        found += label != nullptr ? 1 : 0;
    }
    return found == 0 ? none_found(path, images->size()) : Status();
}

Result<std::vector<ImageTruth>> read_truth(Task task, const std::string& path, const std::vector<ListedImage>& images) {
    Truths truths(images.size());
    switch (task) {
        case Task::kClassify: FW_RETURN_IF_ERROR(read_classes(path, images, &truths)); break;
        case Task::kDetect: FW_RETURN_IF_ERROR(read_boxes(path, images, &truths)); break;
        case Task::kSegment: FW_RETURN_IF_ERROR(read_masks(path, images, &truths)); break;
    }
    return truths;
}

}  // namespace fw::tools
