// Accuracy-aware calibration: which layers stay float so that the int8 network answers as the float one does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibrate/likeness.h"
#include "fw/table.h"

namespace fw::tools {

/// What has to be reached over the images compared; both.
struct AccuracyTarget {
    double agreement = 0.0;  ///< percent, where the network has scores
    double sqnr_db = 0.0;    ///< of the answers

    bool met_by(const Likeness& likeness) const {
        return likeness.agreement >= agreement && likeness.sqnr_db >= sqnr_db;
    }
};

/// What was found. The table has the layers marked as float.
struct AccuracyResult {
    Likeness before;                        ///< every layer int8
    Likeness after;                         ///< with `float_layers` in float
    std::vector<std::string> float_layers;  ///< most harmful first
    std::vector<std::string> path;          ///< a line for each mixture that was tried
    bool reached = false;                   ///< false: not even with all but one layer in float
};

/// Multiply-accumulates of every layer, for the shapes that the network declares: what a layer in float costs.
Result<std::map<std::string, int64_t>> layer_costs(const NetOptions& files);

/// Makes what a table lacks once it is known which layers run int8 (bias correction); may do nothing.
using Finish = std::function<Status(ScaleTable*)>;

/// Marks as few layers with weights as needed as float.
///
/// Layers are ranked by the noise that each alone in int8 brings into the answers (as OpenVINO's accuracy-aware
/// algorithm ranks by a layer's own effect) over the images of `rank`; of the layers that do at least half as much harm
/// as the worst one left, the one that costs least in float comes first. The shortest beginning of that order for which
/// `check` meets the target is searched by doubling and bisection. `finish` is applied to every mixture.
Result<AccuracyResult> keep_accuracy(const Comparison& rank, const Comparison& check, const AccuracyTarget& target,
                                     const std::map<std::string, int64_t>& costs, const Finish& finish,
                                     ScaleTable* table);

/// Images that rank and check: memory and time are bounded by these numbers.
constexpr size_t kRankImages = 16;
constexpr size_t kCheckImages = 128;

}  // namespace fw::tools
