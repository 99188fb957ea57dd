// The command line of caffe-int8-convert-tools.
#pragma once

#include <string>
#include <vector>

#include "calibrate/options.h"

namespace fw::tools {

/// caffe-int8-convert-tools' command line: --proto --model --mean --norm --images --output --group --gpu.
struct OldOptions {
    std::string proto;
    std::string model;
    std::string images;
    std::string output = "calibration-dev.table";  // as there
    std::vector<std::string> mean;
    std::string norm = "1";
    int group = 1;
    int gpu = 0;
};
bool is_old_spelling(int argc, char** argv);
void add_old_options(CLI::App* app, OldOptions* options);
/// Converts the Caffe network to `folder` and says the rest in today's words.
Result<CalibrateOptions> translate(const OldOptions& old, const std::string& folder);

}  // namespace fw::tools
