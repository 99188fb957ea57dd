// The options --mean --norm --size --pixel --fit, the same in every tool that takes them.
#pragma once

#include <string>

#include "fw/image.h"
#include "fw/status.h"

namespace fw::tools {

struct PreprocessOptions {
    std::string mean;             ///< "104,117,123" or "127.5"
    std::string norm;             ///< "0.017" or one a channel
    std::string size;             ///< "227x227" (width x height)
    std::string pixel;            ///< "BGR", "RGB" or "GRAY"
    std::string fit = "stretch";  ///< parse_fit's

    /// Of those that a model may store.
    bool given() const { return !mean.empty() || !norm.empty() || !size.empty() || !pixel.empty(); }
};

/// Overrides the fields of `base` that the options give. mean or norm without any pixel order means BGR, as Caffe's
/// users expect. Errors name the option, its value and the expected form.
Result<Preprocess> apply_preprocess_options(const PreprocessOptions& options, const Preprocess& base);

/// "227x227" -> width, height; each 1 to 32768.
Status parse_size(const char* option, const std::string& text, int* width, int* height);
/// "1,2.5,3" -> numbers, finite.
Result<std::vector<float>> parse_floats(const char* option, const std::string& text);

}  // namespace fw::tools
