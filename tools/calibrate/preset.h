// --preset: the table whose int8 network comes closest to the float network on the calibration images.
#pragma once

#include <string>
#include <vector>

#include "calibrate/accuracy.h"
#include "calibrate/make_table.h"

namespace fw::tools {

/// What is tried and what has to be reached.
struct Preset {
    std::vector<ThresholdMethod> methods;
    bool mse_weights = false;
    bool equalize = false;
    bool bias = false;
    bool round_weights = false;
    AccuracyTarget target;
    double pixel_agreement = 0.0;  ///< target.agreement of a segmenter, whose many pixels are measured more exactly
    Judge judge;
    double max_drop = -1.0;  ///< drop_target's, in place of `target`; -1 = none
};

/// "performance": a few methods, then float layers until most answers agree. "accuracy": everything there is, a
/// stricter target.
Preset find_preset(const std::string& name);

struct PresetInputs {
    const NetOptions& files;
    const NetDef& def;
    const Net& net;  ///< float
    const ImageSet& set;
    const Statistics& statistics;
    const TableOptions& options;  ///< `method` and `mse_weights` are what the preset chooses
};

struct PresetResult {
    ScaleTable table;
    std::vector<std::string> notes;  ///< of make_table
    std::vector<std::string> tried;  ///< a line for each thing tried and what it gave
    AccuracyTarget target;           ///< what was to be reached
    AccuracyResult accuracy;
};

/// Each in turn is kept where the SQNR of the answers, over kTrialImages calibration images, rises: the method,
/// rounding of weights, mse_weights, equalization; where the preset corrects biases, every table is measured with them
/// corrected. Then layers go to float until the target is met (keep_accuracy), biases being corrected again for each
/// mixture. Mixtures have no equalization: where it does not reach the target by itself, the table without it goes on
/// (a float ReLU6 layer among equalized ones needs bounds a channel, which cost a layer each and which bias correction
/// does not see).
Result<PresetResult> run_preset(const Preset& preset, const PresetInputs& in);
constexpr size_t kTrialImages = 32;

}  // namespace fw::tools
