#include "metrics/truth_boxes.h"

#include <cmath>
#include <cstdlib>

#include "common/file.h"
#include "common/image_file.h"

namespace fw::tools {

namespace {

// The last word of the line, and the line without it.
std::string take_last_word(std::string* line) {
    const size_t end = line->find_last_not_of(" \t");
    line->resize(end == std::string::npos ? 0 : end + 1);
    const size_t space = line->find_last_of(" \t");
    const size_t begin = space == std::string::npos ? 0 : space + 1;
    std::string word = line->substr(begin);
    line->resize(begin);
    line->resize(line->find_last_not_of(" \t") + 1);
    return word;
}

bool parse_number(const std::string& word, double* value) {
    char* end = nullptr;
    *value = std::strtod(word.c_str(), &end);
    return !word.empty() && *end == '\0' && std::isfinite(*value);
}

Status parse_line(std::string line, const char* path, int number, std::string* file, TrueBox* truth, bool* has_box) {
    constexpr double kMostPixels = 1e6;
    constexpr double kMostLabel = 1e6;
    *has_box = !names_image(line);
    if (!*has_box) {
        *file = line;
        return {};
    }
    std::string word = take_last_word(&line);
    truth->difficult = word == "difficult";
    truth->crowd = word == "crowd";
    if (truth->difficult || truth->crowd) {
        word = take_last_word(&line);
    }
    double corners[4];
    for (int i = 3; i >= 0; --i) {
        if (!parse_number(word, &corners[i]) || std::abs(corners[i]) > kMostPixels) {
            return Status::error(Code::kParseError,
                                 "%s:%d: '%s' is no number of pixels; expected FILE LABEL XMIN YMIN XMAX YMAX "
                                 "[difficult|crowd]",
                                 path, number, word.c_str());
        }
        word = take_last_word(&line);
    }
    double label = 0;
    if (!parse_number(word, &label) || label < 0 || label > kMostLabel || label != std::floor(label)) {
        return Status::error(Code::kParseError, "%s:%d: label '%s', expected a whole number from 0 to 1000000", path,
                             number, word.c_str());
    }
    if (!(corners[0] < corners[2]) || !(corners[1] < corners[3])) {
        return Status::error(Code::kParseError, "%s:%d: the box %g,%g to %g,%g has no area", path, number, corners[0],
                             corners[1], corners[2], corners[3]);
    }
    if (line.empty()) {
        return Status::error(Code::kParseError, "%s:%d: no file name before the box", path, number);
    }
    truth->box = {static_cast<int>(label), 1.0F, corners[0], corners[1], corners[2], corners[3]};
    *file = line;
    return {};
}

}  // namespace

Result<std::map<std::string, ImageBoxes>> read_box_list(const std::string& path) {
    std::map<std::string, ImageBoxes> by_name;
    const auto visit = [&](const std::string& line, int number) -> Status {
        std::string file;
        TrueBox truth;
        bool has_box = false;
        FW_RETURN_IF_ERROR(parse_line(line, path.c_str(), number, &file, &truth, &has_box));
        ImageBoxes& image = by_name[base_name(file)];
        if (!image.file.empty() && image.file != file) {
            return Status::error(Code::kParseError, "%s:%d: two images are named '%s'", path.c_str(), number,
                                 base_name(file).c_str());
        }
        image.file = file;
        if (has_box) {
            image.boxes.push_back(truth);
        }
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_line(path, visit));
    if (by_name.empty()) {
        return Status::error(Code::kParseError, "%s: no line with a box", path.c_str());
    }
    return by_name;
}

}  // namespace fw::tools
