// What the example programs share: their options, finding a model in a folder, timing.
#pragma once

#include <string>
#include <vector>

#include "common/cli_fwd.h"
#include "common/image_file.h"
#include "fw/net.h"

namespace fw::examples {

struct ExampleOptions {
    std::string image;
    std::string model_dir;
    std::string table;
    std::string device = "cpu";
    int threads = 1;

    /// Adds IMAGE, MODEL_DIR (with its default), --table, --threads and --device.
    void add_to(CLI::App* app, const std::string& default_model_dir);
};

/// A network with what its folder says about it.
struct Model {
    Net net;
    Preprocess preprocess;
    std::vector<std::string> files;   ///< that were read
    std::vector<std::string> labels;  ///< of labels.txt in the folder; empty without one

    /// The label's name, or its number where it has none.
    std::string label(int number) const;
};

/// Loads the one .param file of a folder, its .bin and labels.txt. Errors: no model or several, no preprocessing stored
/// in it.
Status load_model_dir(const ExampleOptions& options, Model* model);

/// An error where `out_path` (may be empty) is the picture or a file of the model.
Status check_output(const std::string& out_path, const ExampleOptions& options, const Model& model);

/// Runs the image through `output` ("" = the last one); `*milliseconds` is the least of three runs after a warm-up.
Status run_image(const Model& model, const Image& image, const std::string& output, Mat* out, double* milliseconds);

}  // namespace fw::examples
