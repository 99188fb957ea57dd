#include "fweval/evaluation.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "common/cli.h"
#include "common/file.h"
#include "common/progress.h"

namespace fw::tools {

namespace {

// Score of `label` less the best of the others.
double margin(const Mat& scores, int label) {
    float other = -INFINITY;
    for (int64_t i = 0; i < scores.count(); ++i) {
        if (i != label && scores.data()[i] > other) {
            other = scores.data()[i];
        }
    }
    const double difference = static_cast<double>(scores.data()[label]) - static_cast<double>(other);
    return std::isfinite(difference) ? difference : 0.0;
}

// Without one, an image has no average precision of its own.
bool has_wanted_box(const ImageTruth& truth) {
    return std::any_of(truth.boxes.begin(), truth.boxes.end(),
                       [](const TrueBox& box) { return !box.crowd && !box.difficult; });
}

// `categories` of COCO annotations, by id; empty for any other file.
std::vector<std::string> category_names(const std::string& path) {
    std::vector<std::string> names;
    const Result<std::string> text = read_text_file(path);
    const nlohmann::json root = text.ok() ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
    if (!root.is_object() || !root.contains("categories") || !root["categories"].is_array()) {
        return names;
    }
    constexpr int64_t kMostId = 100000;
    for (const nlohmann::json& category : root["categories"]) {
        if (!category.is_object() || !category.contains("id") || !category["id"].is_number_integer() ||
            !category.contains("name") || !category["name"].is_string()) {
            continue;
        }
        const auto id = category["id"].get<int64_t>();
        if (id >= 0 && id <= kMostId) {
            names.resize(std::max(names.size(), static_cast<size_t>(id) + 1));
            names[static_cast<size_t>(id)] = category["name"].get<std::string>();
        }
    }
    return names;
}

}  // namespace

Evaluation::Evaluation(Tool* tool, const EvalOptions& options)
    : tool_(tool), options_(options), task_(task_named(options.task)), agreement_(task_) {}

Status Evaluation::run() {
    FW_RETURN_IF_ERROR(load());
    Progress progress("evaluating", "images", static_cast<int64_t>(images_.size()), tool_->quiet());
    for (size_t i = 0; i < images_.size(); ++i) {
        FW_ASSIGN_OR_RETURN(const Mat input, load_input(images_[i].path, preprocess_, fit_));
        const Status status = run_sides(input, true);
        FW_RETURN_IF_ERROR((status.ok() ? count(i) : status).with_prefix("%s", images_[i].path.c_str()));
        progress.update(static_cast<int64_t>(i) + 1);
    }
    return {};
}

Status Evaluation::rerun(const ListedImage& image) {
    FW_ASSIGN_OR_RETURN(const Mat input, load_input(image.path, preprocess_, fit_));
    return run_sides(input, false).with_prefix("%s", image.path.c_str());
}

std::string Evaluation::name_of(int label) const {
    const int64_t index = int64_t{label} - first_name_;
    const bool known = index >= 0 && index < static_cast<int64_t>(names_.size());
    const std::string name = known ? names_[static_cast<size_t>(index)] : std::string();
    return name.empty() ? std::to_string(label) : name;
}

Status Evaluation::load() {
    FW_RETURN_IF_ERROR(tool_->usage_error(check_options(options_.net)));
    FW_RETURN_IF_ERROR(tool_->usage_error(check_usage()));
    FW_ASSIGN_OR_RETURN(images_, list_images(options_.images));
    std::vector<std::string> outputs;
    for (const std::string& output : {options_.json, options_.report}) {
        if (!output.empty()) {
            outputs.push_back(output);
        }
    }
    FW_RETURN_IF_ERROR(tool_->usage_error(check_outputs(outputs)));
    FW_RETURN_IF_ERROR(check_folders(outputs));
    if (options_.limit > 0 && images_.size() > static_cast<size_t>(options_.limit)) {
        images_.resize(static_cast<size_t>(options_.limit));
    }
    if (!options_.labels.empty() || task_ == Task::kClassify) {
        FW_ASSIGN_OR_RETURN(truths_, read_truth(task_, options_.labels, images_));
    }
    truths_.resize(images_.size());
    labelled_ = std::any_of(truths_.begin(), truths_.end(), [](const ImageTruth& t) { return t.known; });
    if (!labelled_ && options_.against.empty()) {
        return tool_->usage_error(
            Status::error(Code::kInvalidArgument, "give --labels FILE, or --table with --against float"));
    }
    FW_RETURN_IF_ERROR(read_names());
    FW_RETURN_IF_ERROR(add_side("float"));
    if (!options_.net.table.empty()) {
        FW_RETURN_IF_ERROR(add_side("int8"));
    }
    const Result<Preprocess> preprocess = resolve_preprocess(options_.net, sides_[0]->net);
    if (!preprocess.ok()) {
        return tool_->usage_error(preprocess.status());
    }
    preprocess_ = *preprocess;
    FW_ASSIGN_OR_RETURN(fit_, parse_fit(options_.net.preprocess.fit));
    if (fit_.kind != Fit::Kind::kStretch && task_ != Task::kClassify) {
        return tool_->usage_error(Status::error(
            Code::kInvalidArgument, "--fit %s: is for --task classify; boxes and masks belong to whole images",
            options_.net.preprocess.fit.c_str()));
    }
    return {};
}

Status Evaluation::check_usage() const {
    if (!options_.against.empty() && options_.net.table.empty()) {
        return Status::error(Code::kInvalidArgument, "--against float compares int8 with float: give --table");
    }
    return {};
}

Status Evaluation::check_outputs(const std::vector<std::string>& outputs) const {
    if (outputs.empty()) {
        return {};
    }
    std::vector<std::string> inputs = {options_.net.param, options_.net.bin, options_.images};
    for (const std::string& optional : {options_.net.table, options_.labels, options_.names}) {
        if (!optional.empty()) {
            inputs.push_back(optional);
        }
    }
    for (const ListedImage& image : images_) {
        inputs.push_back(image.path);
    }
    return check_distinct(outputs, inputs);
}

Status Evaluation::read_names() {
    first_name_ = options_.first_name;
    if (!options_.names.empty()) {
        FW_ASSIGN_OR_RETURN(names_, read_labels(options_.names));
    } else if (task_ == Task::kDetect && !options_.labels.empty()) {
        names_ = category_names(options_.labels);
    }
    return {};
}

Status Evaluation::add_side(const char* name) {
    auto side = std::make_unique<Side>(task_);
    side->name = name;
    NetOptions options = options_.net;
    const bool quantized = side->name == "int8";
    options.precision = quantized ? options.precision : "float";
    FW_RETURN_IF_ERROR(load_net(options, quantized, &side->net));
    sides_.push_back(std::move(side));
    return {};
}

Status Evaluation::run_sides(const Mat& input, bool timed) {
    for (const auto& side : sides_) {
        const auto start = std::chrono::steady_clock::now();
        FW_RETURN_IF_ERROR(run_net(side->net, input, options_.output, &side->output));
        if (timed) {
            side->ms.push_back(
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
        }
    }
    return {};
}

Status Evaluation::count(size_t index) {
    const ImageTruth& truth = truths_[index];
    ImageResult result;
    result.index = index;
    for (const auto& side : sides_) {
        FW_RETURN_IF_ERROR(side->accuracy.add(truth, side->output));
        if (task_ == Task::kClassify) {
            result.answer.push_back(top_k(side->output.data(), side->output.count(), 1)[0]);
            if (truth.known) {
                result.quality.push_back(margin(side->output, truth.label));
            }
        } else if (truth.known && (task_ == Task::kSegment || has_wanted_box(truth))) {
            Accuracy alone(task_);
            FW_RETURN_IF_ERROR(alone.add(truth, side->output));
            result.quality.push_back(alone.percent());
        }
    }
    if (sides_.size() == 2) {
        FW_RETURN_IF_ERROR(agreement_.add(sides_[0]->output, sides_[1]->output));
        result.agreement = agreement_.last_percent();
    }
    results_.push_back(std::move(result));
    return {};
}

}  // namespace fw::tools
