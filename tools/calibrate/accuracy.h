// Accuracy-aware calibration: which layers stay float so that the int8 network answers as the float one does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibrate/likeness.h"
#include "fw/table.h"

namespace fw::tools {

/// What has to be reached over the images compared; all of it.
struct AccuracyTarget {
    double agreement = 0.0;  ///< percent, where the network has scores
    double sqnr_db = 0.0;    ///< of the answers
    double accuracy = -1.0;  ///< percent, with labels, and then alone; -1 = not asked for

    bool met_by(const Likeness& likeness) const {
        return likeness.agreement >= agreement && likeness.sqnr_db >= sqnr_db && likeness.accuracy >= accuracy;
    }
    /// "98.0 % agreement, 20.0 dB": a likeness's figures for the parts that are asked for.
    std::string text(const Likeness& likeness) const;
    /// What is asked for, in the same form.
    std::string text() const { return text({agreement, sqnr_db, accuracy}); }
};

/// The target of --max-drop: `points` less than the float network's accuracy, or without labels answers that differ
/// from the float network's in at most `points` percent. An error where neither is possible.
Result<AccuracyTarget> drop_target(const Comparison& check, double points);

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

/// Images that rank and check: memory and time are bounded by these numbers. With labels one image more or less is
/// 100 / images points.
constexpr size_t kRankImages = 16;
constexpr size_t kCheckImages = 128;
constexpr size_t kLabelledImages = 1024;

/// The comparison that decides, over some of `set`.
Result<Comparison> checking(const NetOptions& files, const ImageSet& set, const Judge& judge);

}  // namespace fw::tools
