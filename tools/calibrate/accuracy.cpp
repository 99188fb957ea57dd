#include "calibrate/accuracy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace fw::tools {

namespace {

constexpr double kWorthOfWorst = 0.5;

using Precision = ScaleTable::LayerPrecision;

class Search {
public:
    Search(const Comparison& rank, const Comparison& check, const AccuracyTarget& target,
           const std::map<std::string, int64_t>& costs, const Finish& finish, const ScaleTable& table)
        : rank_(rank), check_(check), target_(target), costs_(costs), finish_(finish), int8_(table), found_(table) {
        for (const auto& [name, entry] : table.layers) {
            if (!entry.weight_scales.empty() && entry.precision != Precision::kFloat) {
                layers_.push_back(name);
            }
        }
    }

    Result<AccuracyResult> run() {
        FW_ASSIGN_OR_RETURN(const bool at_once, try_with(0));
        result_.before = result_.after;
        if (at_once || layers_.size() < 2) {
            return std::move(result_);
        }
        FW_RETURN_IF_ERROR(sort_by_harm());
        size_t too_few = 0;
        size_t enough = 1;
        for (;;) {
            FW_ASSIGN_OR_RETURN(const bool met, try_with(enough));
            if (met || enough == layers_.size() - 1) {
                break;
            }
            too_few = enough;
            enough = std::min(2 * enough, layers_.size() - 1);
        }
        while (result_.reached && enough - too_few > 1) {
            const size_t middle = too_few + (enough - too_few) / 2;
            FW_ASSIGN_OR_RETURN(const bool met, try_with(middle));
            (met ? enough : too_few) = middle;
        }
        result_.float_layers.assign(layers_.begin(), layers_.begin() + static_cast<ptrdiff_t>(enough));
        return std::move(result_);
    }

    /// The table of the last mixture that met the target.
    const ScaleTable& table() const { return found_; }

private:
    ScaleTable with_float(size_t count) const {
        ScaleTable table = int8_;
        for (size_t i = 0; i < count; ++i) {
            ScaleTable::LayerEntry& entry = table.layers[layers_[i]];
            entry.precision = Precision::kFloat;
            entry.bias_delta.clear();  // corrects int8
            entry.round_up.clear();
        }
        return table;
    }

    // The first `count` layers in float: true where that meets the target, and then result and table are those.
    Result<bool> try_with(size_t count) {
        ScaleTable table = with_float(count);
        if (count > 0) {
            FW_RETURN_IF_ERROR(finish_(&table));
        }
        FW_ASSIGN_OR_RETURN(const Likeness likeness, check_.compare(table, "comparing"));
        result_.path.push_back(std::to_string(count) + " of " + std::to_string(layers_.size()) +
                               " layers float: " + target_.text(likeness));
        const bool met = target_.met_by(likeness);
        if (met || !result_.reached) {
            result_.after = likeness;
        }
        if (met) {
            result_.reached = true;
            found_ = std::move(table);
        }
        return met;
    }

    int64_t cost(const std::string& layer) const {
        const auto found = costs_.find(layer);
        return found == costs_.end() ? 0 : found->second;
    }

    Status sort_by_harm() {
        std::vector<std::pair<double, std::string>> harm;
        for (const std::string& layer : layers_) {
            ScaleTable table = with_float(layers_.size());
            table.layers[layer] = int8_.layers.at(layer);
            FW_RETURN_IF_ERROR(finish_(&table));
            FW_ASSIGN_OR_RETURN(const Likeness alone, rank_.compare(std::move(table), layer.c_str()));
            harm.emplace_back(std::pow(10.0, -alone.sqnr_db / 10.0), layer);
        }
        std::sort(harm.begin(), harm.end(), [](const auto& a, const auto& b) {
            return a.first > b.first || (a.first == b.first && a.second < b.second);
        });
        layers_.clear();
        while (!harm.empty()) {
            size_t next = 0;
            for (size_t i = 1; i < harm.size() && harm[i].first >= harm[0].first * kWorthOfWorst; ++i) {
                next = cost(harm[i].second) < cost(harm[next].second) ? i : next;
            }
            layers_.push_back(harm[next].second);
            harm.erase(harm.begin() + static_cast<ptrdiff_t>(next));
        }
        return {};
    }

    const Comparison& rank_;
    const Comparison& check_;
    const AccuracyTarget& target_;
    const std::map<std::string, int64_t>& costs_;
    const Finish& finish_;
    ScaleTable int8_;   // as it was given
    ScaleTable found_;  // the last that met the target
    std::vector<std::string> layers_;
    AccuracyResult result_;
};

}  // namespace

std::string AccuracyTarget::text(const Likeness& likeness) const {
    std::string out;
    const auto add = [&](double value, int digits, const char* unit) {
        char part[64];
        std::snprintf(part, sizeof part, "%s%.*f %s", out.empty() ? "" : ", ", digits, value, unit);
        out += part;
    };
    if (accuracy >= 0.0) {
        add(likeness.accuracy, 2, "% accuracy");
        return out;
    }
    add(likeness.agreement, 1, "% agreement");
    if (sqnr_db > 0.0) {
        add(likeness.sqnr_db, 1, "dB");
    }
    return out;
}

Result<AccuracyTarget> drop_target(const Comparison& check, double points) {
    AccuracyTarget target;
    if (check.labelled()) {
        if (check.float_accuracy() <= points) {
            return Status::error(Code::kInvalidArgument,
                                 "--max-drop %g: by these labels the float network has %.2f %% accuracy, so that any "
                                 "table would do; are they this network's, and --task too?",
                                 points, check.float_accuracy());
        }
        target.accuracy = check.float_accuracy() - points;
    } else if (check.can_agree()) {
        target.agreement = 100.0 - points;
    } else {
        return Status::error(
            Code::kInvalidArgument,
            "--max-drop without --labels needs a network that ends in class scores, or --task detect or "
            "segment");
    }
    return target;
}

Result<Comparison> checking(const NetOptions& files, const ImageSet& set, const Judge& judge) {
    return Comparison::create(files, some_of(set, judge.labels.empty() ? kCheckImages : kLabelledImages), judge);
}

Result<std::map<std::string, int64_t>> layer_costs(const NetOptions& files) {
    NetOptions options = files;
    options.precision = "float";
    options.split_attention = true;
    Net net;
    FW_RETURN_IF_ERROR(load_net(options, false, &net));
    std::map<std::string, int64_t> costs;
    const Result<std::vector<LayerPlan>> plan = net.plan();
    if (!plan.ok()) {
        return costs;  // an open input shape: all layers count alike
    }
    for (const LayerPlan& step : *plan) {
        costs[step.name] = step.macs;
    }
    return costs;
}

Result<AccuracyResult> keep_accuracy(const Comparison& rank, const Comparison& check, const AccuracyTarget& target,
                                     const std::map<std::string, int64_t>& costs, const Finish& finish,
                                     ScaleTable* table) {
    Search search(rank, check, target, costs, finish, *table);
    FW_ASSIGN_OR_RETURN(AccuracyResult result, search.run());
    if (result.reached) {
        *table = search.table();
    }
    return result;
}

}  // namespace fw::tools
