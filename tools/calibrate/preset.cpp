#include "calibrate/preset.h"

#include <cstdio>

#include "calibrate/bias_correction.h"
#include "calibrate/rounding.h"

namespace fw::tools {

namespace {

constexpr double kWorthwhileNoise = 0.95;  // of the predicted noise: the measurement decides
constexpr double kLeastGain = 0.05;        // dB, below which a change is noise

class Tuner {
public:
    Tuner(const Preset& preset, const PresetInputs& in, const Comparison& trial, const WeightRounder& rounder,
          const Finish& finish)
        : preset_(preset), in_(in), trial_(trial), rounder_(rounder), finish_(finish), options_(in.options) {}

    Status run() {
        for (const ThresholdMethod method : preset_.methods) {
            TableOptions options = options_;
            options.threshold.method = method;
            FW_RETURN_IF_ERROR(try_table(method_name(method), options, false, {}, {}).status());
        }
        if (preset_.round_weights) {
            FW_RETURN_IF_ERROR(try_table("rounding", options_, true, {}, {}).status());
        }
        if (preset_.mse_weights) {
            TableOptions options = options_;
            options.mse_weights = true;
            FW_RETURN_IF_ERROR(try_table("mse weights", options, round_, {}, {}).status());
        }
        return {};
    }

    /// Tries equalization on top of what run() chose; the table with it, empty where it is no better.
    Result<ScaleTable> equalized() {
        FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(in_.def));
        const LayerFactors factors = choose_factors(graph, in_.statistics, kWorthwhileNoise);
        if (factors.empty()) {
            return ScaleTable();
        }
        const ChannelFactors by_blob = blob_factors(graph, factors);
        FW_ASSIGN_OR_RETURN(const Statistics scaled, collect_statistics(in_.net, in_.set, &by_blob));
        const ScaleTable before = result_.table;
        FW_ASSIGN_OR_RETURN(const bool better, try_table("equalization", options_, round_, factors, scaled));
        ScaleTable table = std::move(result_.table);
        result_.table = before;
        return better ? table : ScaleTable();
    }
    PresetResult take() { return std::move(result_); }

private:
    Result<bool> try_table(const char* what, const TableOptions& options, bool round, const LayerFactors& factors,
                           const Statistics& scaled) {
        std::vector<std::string> notes;
        FW_ASSIGN_OR_RETURN(ScaleTable table, make_table(in_.def, in_.statistics, factors, scaled, options, &notes));
        FW_ASSIGN_OR_RETURN(table.model_hash, in_.net.model_hash());
        table.preprocess = in_.set.preprocess;
        if (round) {
            FW_RETURN_IF_ERROR(rounder_.round(&table, preset_.bias));
        }
        FW_RETURN_IF_ERROR(finish_(&table));
        FW_ASSIGN_OR_RETURN(const Likeness likeness, trial_.compare(table, what));
        const bool better = result_.table.empty() || likeness.sqnr_db > best_ + kLeastGain;
        char line[120];
        std::snprintf(line, sizeof line, "%-14s %6.2f dB  %s", what, likeness.sqnr_db, better ? "kept" : "left");
        result_.tried.emplace_back(line);
        if (better) {
            best_ = likeness.sqnr_db;
            options_ = options;
            round_ = round;
            result_.table = std::move(table);
            result_.notes = std::move(notes);
        }
        return better;
    }

    const Preset& preset_;
    const PresetInputs& in_;
    const Comparison& trial_;
    const WeightRounder& rounder_;
    const Finish& finish_;
    TableOptions options_;
    bool round_ = false;
    double best_ = 0.0;
    PresetResult result_;
};

}  // namespace

Preset find_preset(const std::string& name) {
    Preset preset;
    if (name == "accuracy") {
        preset.methods = {ThresholdMethod::kKl, ThresholdMethod::kMse, ThresholdMethod::kMinMax,
                          ThresholdMethod::kPercentile};
        preset.mse_weights = true;
        preset.equalize = true;
        preset.bias = true;
        preset.round_weights = true;
        preset.target = {98.0, 20.0};
        preset.pixel_agreement = 99.8;
    } else {
        preset.methods = {ThresholdMethod::kKl, ThresholdMethod::kMse};
        preset.bias = true;
        preset.target = {96.0, 15.0};
        preset.pixel_agreement = 98.0;
    }
    return preset;
}

Result<PresetResult> run_preset(const Preset& preset, const PresetInputs& in) {
    PresetResult result;
    BiasCorrector corrector;
    if (preset.bias) {
        FW_ASSIGN_OR_RETURN(corrector, BiasCorrector::create(in.def, in.set));
    }
    const Finish finish = [&](ScaleTable* table) { return preset.bias ? corrector.correct(table) : Status(); };
    ScaleTable equalized;
    {
        FW_ASSIGN_OR_RETURN(const Comparison trial, Comparison::create(in.files, some_of(in.set, kTrialImages)));
        WeightRounder rounder;
        if (preset.round_weights) {
            FW_ASSIGN_OR_RETURN(rounder, WeightRounder::create(in.def, in.net, in.set));
        }
        Tuner tuner(preset, in, trial, rounder, finish);
        FW_RETURN_IF_ERROR(tuner.run());
        if (preset.equalize) {
            FW_ASSIGN_OR_RETURN(equalized, tuner.equalized());
        }
        result = tuner.take();
    }
    FW_ASSIGN_OR_RETURN(const Comparison rank, Comparison::create(in.files, some_of(in.set, kRankImages)));
    FW_ASSIGN_OR_RETURN(const Comparison check, checking(in.files, in.set, preset.judge));
    if (!check.note().empty()) {
        result.notes.push_back(check.note());
    }
    AccuracyTarget& target = result.target;
    target = preset.target;
    if (preset.judge.task == Task::kSegment) {
        target.agreement = preset.pixel_agreement;
    }
    if (preset.max_drop >= 0.0) {
        FW_ASSIGN_OR_RETURN(target, drop_target(check, preset.max_drop));
    }
    if (!equalized.empty()) {
        FW_ASSIGN_OR_RETURN(const Likeness likeness, check.compare(equalized, "comparing"));
        if (target.met_by(likeness)) {
            result.accuracy.before = likeness;
            result.accuracy.after = likeness;
            result.accuracy.reached = true;
            result.table = std::move(equalized);
            return result;
        }
        result.tried.emplace_back("equalization alone does not reach the target: left");
    }
    FW_ASSIGN_OR_RETURN(const auto costs, layer_costs(in.files));
    FW_ASSIGN_OR_RETURN(result.accuracy, keep_accuracy(rank, check, target, costs, finish, &result.table));
    return result;
}

}  // namespace fw::tools
