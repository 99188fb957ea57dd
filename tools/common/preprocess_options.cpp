#include "common/preprocess_options.h"

#include <cctype>
#include <cmath>
#include <cstdlib>

namespace fw::tools {

Status parse_size(const char* option, const std::string& text, int* width, int* height) {
    char* end = nullptr;
    const long w = std::strtol(text.c_str(), &end, 10);
    long h = 0;
    const bool separated = *end == 'x' || *end == 'X';
    if (separated) {
        h = std::strtol(end + 1, &end, 10);
    }
    if (!separated || *end != '\0' || w < 1 || h < 1 || w > 32768 || h > 32768) {
        return Status::error(Code::kInvalidArgument, "%s %s: expected WIDTHxHEIGHT, each 1 to 32768, as 224x224",
                             option, text.c_str());
    }
    *width = static_cast<int>(w);
    *height = static_cast<int>(h);
    return {};
}

Result<std::vector<float>> parse_floats(const char* option, const std::string& text) {
    std::vector<float> values;
    const char* p = text.c_str();
    while (true) {
        char* end = nullptr;
        const float value = std::strtof(p, &end);
        if (end == p || !std::isfinite(value) || (*end != ',' && *end != '\0')) {
            return Status::error(Code::kInvalidArgument, "%s %s: expected numbers separated by commas, as 104,117,123",
                                 option, text.c_str());
        }
        values.push_back(value);
        if (*end == '\0') {
            return values;
        }
        p = end + 1;
    }
}

Result<Preprocess> apply_preprocess_options(const PreprocessOptions& options, const Preprocess& base) {
    Preprocess out = base;
    if (!options.pixel.empty()) {
        std::string order;
        for (const char c : options.pixel) {
            order += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        if (order == "BGR") {
            out.pixel = Pixel::kBgr;
        } else if (order == "RGB") {
            out.pixel = Pixel::kRgb;
        } else if (order == "GRAY") {
            out.pixel = Pixel::kGray;
        } else {
            return Status::error(Code::kInvalidArgument, "--pixel %s: expected BGR, RGB or GRAY",
                                 options.pixel.c_str());
        }
    } else if (options.given() && out.pixel == Pixel::kNone) {
        out.pixel = Pixel::kBgr;
    }
    if (!options.size.empty()) {
        FW_RETURN_IF_ERROR(parse_size("--size", options.size, &out.width, &out.height));
    }
    if (!options.mean.empty()) {
        FW_ASSIGN_OR_RETURN(out.mean, parse_floats("--mean", options.mean));
    }
    if (!options.norm.empty()) {
        FW_ASSIGN_OR_RETURN(out.norm, parse_floats("--norm", options.norm));
        for (const float norm : out.norm) {
            if (norm == 0.0F) {
                return Status::error(Code::kInvalidArgument, "--norm %s: a factor of 0 makes all images alike",
                                     options.norm.c_str());
            }
        }
    }
    const size_t channels = out.pixel == Pixel::kGray ? 1 : 3;
    for (const auto* values : {&out.mean, &out.norm}) {
        if (values->size() > 1 && values->size() != channels) {
            return Status::error(Code::kInvalidArgument, "%s has %zu numbers, expected 1 or %zu (one a channel)",
                                 values == &out.mean ? "--mean" : "--norm", values->size(), channels);
        }
    }
    return out;
}

}  // namespace fw::tools
