#include "calibrate/accuracy.h"

#include <algorithm>
#include <cmath>

namespace fw::tools {

namespace {

constexpr size_t kRankImages = 16;
constexpr size_t kCheckImages = 128;
constexpr double kEqualSqnr = 200.0;  // of equal scores, in place of infinity

using Scores = std::vector<std::vector<float>>;  // by image; empty where it could not be read

// At most `most` images, spread evenly.
ImageSet some_of(const ImageSet& set, size_t most) {
    ImageSet some = set;
    const size_t count = std::min(most, set.images.size());
    some.images.clear();
    for (size_t i = 0; i < count; ++i) {
        some.images.push_back(set.images[i * set.images.size() / count]);
    }
    return some;
}

Result<Scores> scores_of(const Net& net, const ImageSet& set, const char* title) {
    Scores scores(set.images.size());
    const auto work = [&](const Mat& input) -> Result<Mat> {
        Mat out;
        FW_RETURN_IF_ERROR(run_net(net, input, "", &out));
        return out;
    };
    const auto commit = [&](size_t index, const Mat& out) -> Status {
        const Shape& shape = out.shape();
        if (shape.count() < 2 || shape.count() != (shape.rank >= 3 ? shape.c() : shape[0])) {
            return Status::error(Code::kInvalidArgument,
                                 "--max-drop needs a network that ends in class scores; its output is %s",
                                 shape.str().c_str());
        }
        scores[index].assign(out.data(), out.data() + out.count());
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_image<Mat>(set, title, work, commit, [](size_t, const Status&) { return Status(); }));
    return scores;
}

Likeness compare(const Scores& reference, const Scores& scores) {
    const auto best = [](const std::vector<float>& v) { return std::max_element(v.begin(), v.end()) - v.begin(); };
    double signal = 0.0;
    double noise = 0.0;
    int same = 0;
    int images = 0;
    for (size_t i = 0; i < reference.size(); ++i) {
        if (reference[i].empty() || reference[i].size() != scores[i].size()) {
            continue;
        }
        ++images;
        same += best(reference[i]) == best(scores[i]) ? 1 : 0;
        for (size_t j = 0; j < reference[i].size(); ++j) {
            const double x = static_cast<double>(reference[i][j]);
            const double error = static_cast<double>(scores[i][j]) - x;
            signal += x * x;
            noise += error * error;
        }
    }
    Likeness likeness;
    likeness.agreement = images == 0 ? 0.0 : 100.0 * same / images;
    likeness.sqnr_db = noise > 0.0 && signal > 0.0 ? 10.0 * std::log10(signal / noise) : kEqualSqnr;
    return likeness;
}

class Search {
public:
    Search(const NetOptions& files, const ImageSet& set, const ScaleTable& table)
        : files_(files), rank_set_(some_of(set, kRankImages)), check_set_(some_of(set, kCheckImages)), table_(table) {
        for (const auto& [name, entry] : table.layers) {
            if (!entry.weight_scales.empty() && entry.precision != ScaleTable::LayerPrecision::kFloat) {
                layers_.push_back(name);
            }
        }
    }

    Result<AccuracyResult> run(double max_drop) {
        const double target = 100.0 - max_drop;
        AccuracyResult result;
        FW_ASSIGN_OR_RETURN(reference_, float_scores(check_set_));
        FW_ASSIGN_OR_RETURN(result.before, likeness(0));
        result.after = result.before;
        if (result.before.agreement >= target) {
            return result;
        }
        FW_RETURN_IF_ERROR(rank());
        size_t too_few = 0;
        size_t enough = 1;
        for (;; enough = std::min(2 * enough, layers_.size() - 1)) {
            if (layers_.size() < 2) {
                return unreached(result.after, target);
            }
            FW_ASSIGN_OR_RETURN(result.after, likeness(enough));
            if (result.after.agreement >= target) {
                break;
            }
            if (enough + 1 >= layers_.size()) {
                return unreached(result.after, target);
            }
            too_few = enough;
        }
        while (enough - too_few > 1) {
            const size_t middle = too_few + (enough - too_few) / 2;
            FW_ASSIGN_OR_RETURN(const Likeness at_middle, likeness(middle));
            if (at_middle.agreement >= target) {
                enough = middle;
                result.after = at_middle;
            } else {
                too_few = middle;
            }
        }
        result.float_layers.assign(layers_.begin(), layers_.begin() + static_cast<ptrdiff_t>(enough));
        return result;
    }

private:
    Status unreached(const Likeness& likeness, double target) const {
        return Status::error(Code::kInvalidArgument,
                             "--max-drop: %.1f %% agreement with float was wanted, %.1f %% reached with all but one of "
                             "%zu layers in float; no table was written",
                             target, likeness.agreement, layers_.size());
    }
    Result<Scores> float_scores(const ImageSet& set) const {
        NetOptions options = files_;
        options.precision = "float";
        Net net;
        FW_RETURN_IF_ERROR(load_net(options, false, &net));
        return scores_of(net, set, "float");
    }
    Result<Scores> int8_scores(ScaleTable table, const ImageSet& set, const char* title) const {
        Option option;
        option.precision = Precision::kInt8;
        option.threads = 1;
        Net net;
        FW_RETURN_IF_ERROR(net.set_option(option));
        FW_RETURN_IF_ERROR(net.load_table(std::move(table)));
        FW_RETURN_IF_ERROR(net.load_model(files_.param.c_str(), files_.bin.c_str()));
        return scores_of(net, set, title);
    }
    ScaleTable in_float(size_t count) const {
        ScaleTable table = table_;
        for (size_t i = 0; i < count; ++i) {
            table.layers[layers_[i]].precision = ScaleTable::LayerPrecision::kFloat;
        }
        return table;
    }
    // With the first `count` layers in float.
    Result<Likeness> likeness(size_t count) const {
        FW_ASSIGN_OR_RETURN(const Scores scores, int8_scores(in_float(count), check_set_, "comparing"));
        return compare(reference_, scores);
    }
    // Sorts layers_ by the harm that each does alone, most harmful first.
    Status rank() {
        FW_ASSIGN_OR_RETURN(const Scores reference, float_scores(rank_set_));
        std::vector<std::pair<double, std::string>> harm;
        for (const std::string& layer : layers_) {
            ScaleTable table = in_float(layers_.size());
            table.layers[layer].precision = ScaleTable::LayerPrecision::kInt8;
            FW_ASSIGN_OR_RETURN(const Scores scores, int8_scores(std::move(table), rank_set_, layer.c_str()));
            harm.emplace_back(compare(reference, scores).sqnr_db, layer);
        }
        std::sort(harm.begin(), harm.end());
        for (size_t i = 0; i < harm.size(); ++i) {
            layers_[i] = harm[i].second;
        }
        return {};
    }

    const NetOptions& files_;
    ImageSet rank_set_;
    ImageSet check_set_;
    const ScaleTable& table_;
    std::vector<std::string> layers_;
    Scores reference_;
};

}  // namespace

Result<AccuracyResult> keep_accuracy(const NetOptions& files, const ImageSet& set, double max_drop, ScaleTable* table) {
    FW_ASSIGN_OR_RETURN(AccuracyResult result, Search(files, set, *table).run(max_drop));
    for (const std::string& layer : result.float_layers) {
        table->layers[layer].precision = ScaleTable::LayerPrecision::kFloat;
    }
    return result;
}

}  // namespace fw::tools
