// How an int8 network's answers compare with the float network's.
#pragma once

#include <string>
#include <vector>

#include "calibrate/image_loop.h"
#include "common/net_options.h"
#include "fw/table.h"
#include "graph/graph.h"
#include "metrics/task.h"
#include "metrics/truth.h"

namespace fw::tools {

constexpr double kEqualSqnr = 200.0;  ///< decibel of equal values, in place of infinity

/// Over the images compared.
struct Likeness {
    double agreement = 100.0;  ///< places (of a classifier: images) whose highest score is of the same class, percent
    double sqnr_db = 0.0;      ///< of the blobs with the answer, the mean of their relative noise
    double accuracy = 0.0;     ///< top-1, mAP@0.5 or mIoU in percent: with labels, and then the only figure
};

/// What decides whether an answer is good.
struct Judge {
    Task task = Task::kClassify;
    std::string labels;  ///< as read_truth takes them; "" = none: the float network's answer is the right one
};

/// At most `most` images, spread evenly over the set.
ImageSet some_of(const ImageSet& set, size_t most);

/// Blobs that hold a network's answer as it was computed: behind the outputs, in front of Softmax, ArgMax, detection
/// output and layers that only reshape, whose results say little about noise. `graph` is the float graph.
struct Answers {
    std::vector<std::string> blobs;
    std::string scores;  ///< the blob whose largest channel is the answer, "" where the network has none
};
Answers find_answers(const Graph& graph);

constexpr size_t kAnswerBytes = size_t{64} << 20;

/// Runs the float network once over `set`, and int8 variants of it as often as asked.
class Comparison {
public:
    /// Without labels the float answers are kept, of as many images of `set`, spread evenly, as kAnswerBytes hold.
    /// Fails where labels were given and no image could be judged by them, and where pixels are to be compared of a
    /// network that ends in one score a class.
    static Result<Comparison> create(const NetOptions& files, const ImageSet& set, const Judge& judge = {});

    /// `title` is what the progress line says.
    Result<Likeness> compare(ScaleTable table, const char* title) const;
    bool labelled() const { return !judge_.labels.empty(); }
    /// False where the network has neither scores nor detections: agreement is then always 100.
    bool can_agree() const { return !answers_.scores.empty() || judge_.task == Task::kDetect; }
    /// The float network's accuracy; 0 without labels.
    double float_accuracy() const { return float_accuracy_; }
    /// A line where the labels name only some of the images; else "".
    const std::string& note() const { return note_; }

private:
    // Of one image.
    struct ImageAnswers {
        std::vector<std::vector<float>> blobs;  // parallel to answers_.blobs
        Mat output;                             // the last one, for labels and detections
    };
    // Leaves out images whose answers kAnswerBytes do not hold, if the first's are like the others'.
    Status bound_memory(const Net& net);
    Result<ImageAnswers> answers_of(const Net& net, const Blobs& inputs) const;
    Status run(const Net& net, const char* title, const std::function<Status(size_t, ImageAnswers)>& take) const;

    NetOptions files_;
    ImageSet set_;
    Answers answers_;
    Judge judge_;
    std::vector<ImageTruth> truths_;
    double float_accuracy_ = 0.0;
    std::string note_;
    std::vector<ImageAnswers> reference_;  // by image; empty where it could not be read
};

}  // namespace fw::tools
