// How an int8 network's answers compare with the float network's.
#pragma once

#include <string>
#include <vector>

#include "calibrate/image_loop.h"
#include "common/net_options.h"
#include "fw/table.h"
#include "graph/graph.h"

namespace fw::tools {

/// Over the images compared.
struct Likeness {
    double agreement = 100.0;  ///< places (of a classifier: images) whose highest score is of the same class, percent
    double sqnr_db = 0.0;      ///< of the blobs with the answer, the mean of their relative noise
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

/// Runs the float network once over `set`, and int8 variants of it as often as asked.
class Comparison {
public:
    /// Keeps the float answers: memory grows with the images in `set` and the size of the answers.
    static Result<Comparison> create(const NetOptions& files, const ImageSet& set);

    /// `title` is what the progress line says.
    Result<Likeness> compare(ScaleTable table, const char* title) const;
    /// False where the network has no scores: agreement is then always 100.
    bool has_scores() const { return !answers_.scores.empty(); }
    /// Of the largest answers that it keeps: an agreement of less than 100 % differs from it by at least 100 / images.
    size_t images() const { return set_.images.size(); }

private:
    using Result1 = std::vector<std::vector<float>>;  // of one image, parallel to answers_.blobs
    struct Totals;
    Result<Result1> answers_of(const Net& net, const Mat& input) const;
    Status run(const Net& net, const char* title, const std::function<Status(size_t, Result1)>& take) const;

    NetOptions files_;
    ImageSet set_;
    Answers answers_;
    std::vector<Result1> reference_;  // by image; empty where it could not be read
};

}  // namespace fw::tools
