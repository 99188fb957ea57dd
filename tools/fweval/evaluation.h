// One run of fweval: a network in float and, with a table, in int8, over a list of images.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/cli_fwd.h"
#include "common/net_options.h"
#include "metrics/accuracy.h"
#include "metrics/agreement.h"

namespace fw::tools {

struct EvalOptions {
    NetOptions net;
    std::string images;
    std::string labels;
    std::string task = "classify";
    std::string against;
    std::string output;
    std::string names;
    int first_name = 0;
    std::string json;
    std::string report;
    int worst = 24;
    int limit = 0;
};

/// One network with what was counted for it.
struct Side {
    explicit Side(Task task) : accuracy(task) {}
    std::string name;  ///< "float" or "int8"
    Net net;
    Accuracy accuracy;
    std::vector<double> ms;
    Mat output;  ///< of the image at hand
};

/// How one image fared.
struct ImageResult {
    size_t index = 0;  ///< of the list
    /// By side. Classification: score of the true class less the best other one, so that below 0 is wrong. Detection
    /// and segmentation: the image's own mAP at IoU 0.5 and mIoU, 0 to 100. Empty without truth or a box to be found.
    std::vector<double> quality;
    double agreement = 100;   ///< of int8 with float, 0 to 100
    std::vector<int> answer;  ///< best class by side; classification only
};

class Evaluation {
public:
    Evaluation(Tool* tool, const EvalOptions& options);

    /// Loads everything and runs all images. Errors name file, image or option.
    Status run();

    /// Runs one image again: the outputs of all sides are left in their `output`.
    Status rerun(const ListedImage& image);

    Task task() const { return task_; }
    const EvalOptions& options() const { return options_; }
    const std::vector<ListedImage>& images() const { return images_; }
    const std::vector<ImageTruth>& truths() const { return truths_; }
    const std::vector<std::unique_ptr<Side>>& sides() const { return sides_; }
    const std::vector<ImageResult>& results() const { return results_; }
    const Agreement& agreement() const { return agreement_; }
    bool labelled() const { return labelled_; }
    const Preprocess& preprocess() const { return preprocess_; }
    /// Name of a class; its number where no name is known.
    std::string name_of(int label) const;

private:
    Status load();
    Status check_usage() const;
    Status check_outputs(const std::vector<std::string>& outputs) const;
    Status read_names();
    Status add_side(const char* name);
    Status run_sides(const Mat& input, bool timed);
    Status count(size_t index);

    Tool* tool_;
    const EvalOptions& options_;
    Task task_;
    std::vector<ListedImage> images_;
    std::vector<ImageTruth> truths_;
    bool labelled_ = false;
    std::vector<std::string> names_;
    int first_name_ = 0;
    Preprocess preprocess_;
    Fit fit_;
    std::vector<std::unique_ptr<Side>> sides_;
    Agreement agreement_;
    std::vector<ImageResult> results_;
};

}  // namespace fw::tools
