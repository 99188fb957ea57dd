// fweval NET.param NET.bin --images PATH --labels FILE: accuracy of a network in float and, with a table, in int8.
#include <algorithm>
#include <chrono>
#include <climits>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/cli.h"
#include "common/file.h"
#include "common/image_file.h"
#include "common/net_options.h"
#include "common/progress.h"
#include "fweval/metrics.h"
#include "fweval/truth.h"

namespace fw::tools {

namespace {

constexpr float kShownScore = 0.3F;  // boxes weaker than this do not count in the agreement

struct EvalOptions {
    NetOptions net;
    std::string images;
    std::string labels;
    std::string task = "classify";
    std::string against;
    std::string json;
    int limit = 0;
};

// One network with what was counted for it.
struct Side {
    const char* name = "";
    Net net;
    ClassifyMetric classify;
    DetectMetric detect;
    std::vector<double> ms;
    Mat output;  // of the image at hand

    double median_ms() {
        std::sort(ms.begin(), ms.end());
        return ms.empty() ? 0.0 : ms[ms.size() / 2];
    }
};

class Evaluation {
public:
    Evaluation(Tool* tool, const EvalOptions& options) : tool_(tool), options_(options) {}

    Status run() {
        FW_RETURN_IF_ERROR(load());
        Progress progress("evaluating", "images", static_cast<int64_t>(images_.size()), tool_->quiet());
        for (size_t i = 0; i < images_.size(); ++i) {
            FW_ASSIGN_OR_RETURN(const Mat input, load_input(images_[i].path, preprocess_));
            FW_RETURN_IF_ERROR(run_image(images_[i], input).with_prefix("%s", images_[i].path.c_str()));
            progress.update(static_cast<int64_t>(i) + 1);
        }
        return {};
    }

    nlohmann::json report() {
        nlohmann::json json;
        json["images"] = images_.size();
        for (const auto& side : sides_) {
            nlohmann::json& part = json[side->name];
            if (detecting()) {
                if (has_truth_) {
                    part["map50"] = side->detect.map50();
                }
            } else if (side->classify.labelled() > 0) {
                part["top1"] = side->classify.top1();
                part["top5"] = side->classify.top5();
            }
            part["ms"] = side->median_ms();
        }
        if (sides_.size() == 2) {
            json["agreement"] = detecting() ? boxes_.percent() : 100.0 * same_ / static_cast<double>(images_.size());
            if (!detecting()) {
                json["sqnr_db"] = sqnr_.decibel();
            }
        }
        return json;
    }

    const std::vector<std::string>& differences() const { return differences_; }

private:
    bool detecting() const { return options_.task == "detect"; }

    Status load() {
        FW_RETURN_IF_ERROR(tool_->usage_error(check_options(options_.net)));
        FW_ASSIGN_OR_RETURN(images_, list_images(options_.images));
        FW_RETURN_IF_ERROR(tool_->usage_error(check_output()));
        if (options_.limit > 0 && images_.size() > static_cast<size_t>(options_.limit)) {
            images_.resize(static_cast<size_t>(options_.limit));
        }
        if (!options_.labels.empty() && detecting()) {
            FW_ASSIGN_OR_RETURN(truth_, read_coco(options_.labels));
            has_truth_ = true;
        } else if (!options_.labels.empty()) {
            FW_RETURN_IF_ERROR(read_label_file(options_.labels, &images_));
        }
        const bool labelled = has_truth_ || std::any_of(images_.begin(), images_.end(),
                                                        [](const ListedImage& i) { return i.label >= 0; });
        if (!labelled && options_.against.empty()) {
            return tool_->usage_error(
                Status::error(Code::kInvalidArgument, "give --labels FILE, or --table with --against float"));
        }
        if (!options_.against.empty() && options_.net.table.empty()) {
            return tool_->usage_error(
                Status::error(Code::kInvalidArgument, "--against float compares int8 with float: give --table"));
        }
        FW_RETURN_IF_ERROR(add_side("float"));
        if (!options_.net.table.empty()) {
            FW_RETURN_IF_ERROR(add_side("int8"));
        }
        const Result<Preprocess> preprocess = resolve_preprocess(options_.net, sides_[0]->net);
        if (!preprocess.ok()) {
            return tool_->usage_error(preprocess.status());
        }
        preprocess_ = *preprocess;
        return {};
    }

    Status check_output() const {
        if (options_.json.empty()) {
            return {};
        }
        std::vector<std::string> inputs = {options_.net.param, options_.net.bin, options_.images};
        for (const std::string& optional : {options_.net.table, options_.labels}) {
            if (!optional.empty()) {
                inputs.push_back(optional);
            }
        }
        for (const ListedImage& image : images_) {
            inputs.push_back(image.path);
        }
        return check_distinct({options_.json}, inputs);
    }

    Status add_side(const char* name) {
        auto side = std::make_unique<Side>();
        side->name = name;
        NetOptions options = options_.net;
        const bool quantized = std::string(name) == "int8";
        options.precision = quantized ? options.precision : "float";
        FW_RETURN_IF_ERROR(load_net(options, quantized, &side->net));
        sides_.push_back(std::move(side));
        return {};
    }

    Status run_image(const ListedImage& image, const Mat& input) {
        for (const auto& side : sides_) {
            const auto start = std::chrono::steady_clock::now();
            FW_RETURN_IF_ERROR(run_net(side->net, input, "", &side->output));
            side->ms.push_back(
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
        }
        return detecting() ? count_boxes(image) : count_classes(image);
    }

    Status count_classes(const ListedImage& image) {
        for (const auto& side : sides_) {
            FW_RETURN_IF_ERROR(check_scores(side->output, image.label));
        }
        for (const auto& side : sides_) {
            side->classify.add(side->output, image.label);
        }
        if (sides_.size() == 2) {
            const Mat& f = sides_[0]->output;
            const Mat& q = sides_[1]->output;
            sqnr_.add(f, q);
            const int best_f = top_k(f.data(), f.count(), 1)[0];
            const int best_q = top_k(q.data(), q.count(), 1)[0];
            same_ += best_f == best_q ? 1 : 0;
            if (best_f != best_q) {
                differences_.push_back(image.path + ": float " + std::to_string(best_f) + ", int8 " +
                                       std::to_string(best_q) +
                                       (image.label >= 0 ? ", label " + std::to_string(image.label) : std::string()));
            }
        }
        return {};
    }

    Status count_boxes(const ListedImage& image) {
        const auto truth = truth_.find(base_name(image.path));
        if (has_truth_ && truth == truth_.end()) {
            return Status::error(Code::kNotFound, "%s does not list this image", options_.labels.c_str());
        }
        std::vector<std::vector<DetectedBox>> found;
        for (const auto& side : sides_) {
            FW_ASSIGN_OR_RETURN(std::vector<DetectedBox> boxes, boxes_from_output(side->output));
            if (has_truth_) {
                side->detect.add(boxes, truth->second);
            }
            found.push_back(std::move(boxes));
        }
        if (sides_.size() == 2) {
            boxes_.add(found[0], found[1], kShownScore);
        }
        return {};
    }

    Tool* tool_;
    const EvalOptions& options_;
    std::vector<ListedImage> images_;
    std::map<std::string, std::vector<TrueBox>> truth_;
    bool has_truth_ = false;
    Preprocess preprocess_;
    std::vector<std::unique_ptr<Side>> sides_;
    BoxAgreement boxes_;
    Sqnr sqnr_;
    int same_ = 0;
    std::vector<std::string> differences_;
};

void print(const nlohmann::json& report, const std::vector<std::string>& differences, bool quiet) {
    static constexpr const char* kRows[][2] = {
        {"top1", "top-1 %"}, {"top5", "top-5 %"}, {"map50", "mAP@0.5 %"}, {"ms", "median ms"}};
    const bool both = report.contains("int8");
    std::printf("%-28s %9s%s\n", (std::to_string(report["images"].get<size_t>()) + " images").c_str(), "float",
                both ? "      int8      diff" : "");
    for (const auto& [key, title] : kRows) {
        if (report["float"].contains(key)) {
            const double f = report["float"][key];
            std::printf("%-28s %9.2f", title, f);
            if (both) {
                const double q = report["int8"][key];
                std::printf(" %9.2f %+9.2f", q, q - f);
            }
            std::printf("\n");
        }
    }
    if (both) {
        std::printf("%-28s %19.2f\n", "agreement with float %", report["agreement"].get<double>());
        if (report.contains("sqnr_db")) {
            std::printf("%-28s %19.1f\n", "SQNR of the output, dB", report["sqnr_db"].get<double>());
        }
    }
    constexpr size_t kShown = 10;
    for (size_t i = 0; !quiet && i < std::min(kShown, differences.size()); ++i) {
        std::printf("  differs: %s\n", differences[i].c_str());
    }
    if (!quiet && differences.size() > kShown) {
        std::printf("  ... and %zu more (all of them in --json)\n", differences.size() - kShown);
    }
}

Status evaluate(Tool* tool, const EvalOptions& options) {
    Evaluation evaluation(tool, options);
    FW_RETURN_IF_ERROR(evaluation.run());
    nlohmann::json report = evaluation.report();
    print(report, evaluation.differences(), tool->quiet());
    if (!options.json.empty()) {
        if (!evaluation.differences().empty()) {
            report["differences"] = evaluation.differences();
        }
        FW_RETURN_IF_ERROR(write_text_file(options.json, report.dump(2) + "\n"));
    }
    return {};
}

}  // namespace

}  // namespace fw::tools

int main(int argc, char** argv) {
    using namespace fw::tools;
    Tool tool("fweval", "Measures the accuracy of a network, in float and in int8.",
              "  fweval net.param net.bin --images val.txt --labels val.txt --table net.table\n"
              "  fweval net.param net.bin --images photos/ --labels boxes.json --task detect --table net.table --json "
              "result.json\n"
              "  fweval net.param net.bin --images photos/ --table net.table --against float       no labels needed");
    EvalOptions options;
    options.net.precision = "int8";  // what the table can do, not what this processor makes of it
    options.net.add_to(&tool.app());
    options.net.add_preprocess_to(&tool.app());
    tool.app().add_option("--images", options.images, "Folder, list file ('FILE [LABEL]' a line) or image")->required();
    tool.app().add_option("--labels", options.labels, "classify: 'FILE LABEL' a line; detect: COCO annotations (JSON)");
    tool.app()
        .add_option("--task", options.task, "What the output means")
        ->check(CLI::IsMember({"classify", "detect"}))
        ->capture_default_str();
    tool.app()
        .add_option("--against", options.against, "Compare int8 with float where there are no labels")
        ->check(CLI::IsMember({"float"}));
    tool.app().add_option("--json", options.json, "Write the figures as JSON");
    tool.app().add_option("--limit", options.limit, "Use at most N images")->check(CLI::Range(1, INT_MAX));
    return tool.run(argc, argv, [&] { return evaluate(&tool, options); });
}
