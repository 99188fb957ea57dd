// Accuracy-aware calibration: which layers stay float so that the int8 network answers as the float one does.
#pragma once

#include <string>
#include <vector>

#include "calibrate/image_loop.h"
#include "common/net_options.h"
#include "fw/table.h"

namespace fw::tools {

/// How an int8 network compares with the float one over some images.
struct Likeness {
    double agreement = 0.0;  ///< images whose highest score is of the same class, in percent
    double sqnr_db = 0.0;    ///< of the scores, over all images
};

/// What was found. The table has the layers marked as float.
struct AccuracyResult {
    Likeness before;                        ///< every layer int8
    Likeness after;                         ///< with `float_layers` in float
    std::vector<std::string> float_layers;  ///< most harmful first
};

/// Marks as few layers with weights as needed as float, so that the class of the highest score differs from the float
/// network's for at most `max_drop` percent of the images.
///
/// Layers are ranked by the SQNR of the scores with only that layer in int8 (as OpenVINO's accuracy-aware algorithm
/// ranks by a layer's own effect), over 16 images; then the shortest prefix of that ranking that reaches the target is
/// searched for by doubling and bisection, over at most 128 images spread evenly over the set. Memory is bounded by
/// these numbers. Fails, and leaves the table alone, when the network does not end in class scores, or when only the
/// float network reaches the target (the message says what was reached).
Result<AccuracyResult> keep_accuracy(const NetOptions& files, const ImageSet& set, double max_drop, ScaleTable* table);

}  // namespace fw::tools
