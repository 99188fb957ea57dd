#include "fweval/html.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/file.h"
#include "common/page.h"
#include "fw/version.h"
#include "fweval/figures.h"
#include "fweval/picture.h"

extern const char kEvalPage[];  // report.html, by fw_embed

namespace fw::tools {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kPictureSide = 360;
constexpr float kDrawnScore = 0.3F;
constexpr int kShownClasses = 3;

Json box_json(const Evaluation& evaluation, const DetectedBox& box) {
    return {{"name", evaluation.name_of(box.label)},
            {"score", box.score},
            {"box", {box.xmin, box.ymin, box.xmax, box.ymax}}};
}

Json answer_of_classifier(const Evaluation& evaluation, const Mat& scores) {
    Json top = Json::array();
    for (const int label : top_k(scores.data(), scores.count(), kShownClasses)) {
        const float score = scores.data()[label];
        top.push_back({{"name", evaluation.name_of(label)}, {"score", std::isfinite(score) ? score : 0.0F}});
    }
    return {{"top", std::move(top)}};
}

Result<Json> answer_of_detector(const Evaluation& evaluation, const Mat& output) {
    FW_ASSIGN_OR_RETURN(const std::vector<DetectedBox> found, boxes_from_output(output));
    Json boxes = Json::array();
    for (const DetectedBox& box : found) {
        if (box.score >= kDrawnScore) {
            boxes.push_back(box_json(evaluation, box));
        }
    }
    return Json{{"boxes", std::move(boxes)}};
}

// What `side` said about the image that ran last; `picture` has no pixels where the image cannot be shown.
Result<Json> answer(const Evaluation& evaluation, const Side& side, const Picture& picture) {
    switch (evaluation.task()) {
        case Task::kClassify: return answer_of_classifier(evaluation, side.output);
        case Task::kDetect: return answer_of_detector(evaluation, side.output);
        case Task::kSegment: break;
    }
    Json json = Json::object();
    if (!picture.rgb.empty()) {
        FW_ASSIGN_OR_RETURN(const LabelMap labels, label_map_from_output(side.output));
        FW_ASSIGN_OR_RETURN(json["picture"], painted(picture, labels).data_address());
    }
    return json;
}

Result<Json> truth_json(const Evaluation& evaluation, const ImageTruth& truth, const Picture& picture) {
    Json json = Json::object();
    switch (evaluation.task()) {
        case Task::kClassify: json["top"] = Json::array({{{"name", evaluation.name_of(truth.label)}}}); break;
        case Task::kDetect:
            json["boxes"] = Json::array();
            for (const TrueBox& wanted : truth.boxes) {
                Json box = box_json(evaluation, wanted.box);
                box.erase("score");
                box["ignored"] = wanted.crowd || wanted.difficult;
                json["boxes"].push_back(std::move(box));
            }
            break;
        case Task::kSegment:
            if (!picture.rgb.empty()) {
                FW_ASSIGN_OR_RETURN(const LabelMap mask, read_mask(truth.mask));
                FW_ASSIGN_OR_RETURN(json["picture"], painted(picture, mask).data_address());
            }
            break;
    }
    return json;
}

Result<Json> case_json(Evaluation* evaluation, const ImageResult& result) {
    const ListedImage& image = evaluation->images()[result.index];
    FW_RETURN_IF_ERROR(evaluation->rerun(image));
    Json json = {{"image", base_name(image.path)}};
    Picture picture;  // of a .npy file there is none
    if (Result<Picture> small = small_picture(image.path, kPictureSide); small.ok()) {
        picture = std::move(*small);
        FW_ASSIGN_OR_RETURN(json["picture"], picture.data_address());
        json["width"] = picture.width;
        json["height"] = picture.height;
    }
    const ImageTruth& truth = evaluation->truths()[result.index];
    if (truth.known) {
        FW_ASSIGN_OR_RETURN(json["truth"], truth_json(*evaluation, truth, picture));
    }
    for (size_t s = 0; s < evaluation->sides().size(); ++s) {
        const Side& side = *evaluation->sides()[s];
        FW_ASSIGN_OR_RETURN(json[side.name], answer(*evaluation, side, picture));
        if (s < result.quality.size()) {
            json[side.name]["quality"] = result.quality[s];
        }
    }
    if (evaluation->sides().size() == 2) {
        json["agreement"] = result.agreement;
    }
    return json;
}

std::string described(const Preprocess& preprocess) {
    const char* const names[] = {"", "RGB", "BGR", "gray"};
    std::string text = std::string(names[static_cast<size_t>(preprocess.pixel)]) + " " +
                       std::to_string(preprocess.width) + "x" + std::to_string(preprocess.height);
    const std::pair<const char*, const std::vector<float>*> lists[] = {{"mean", &preprocess.mean},
                                                                       {"norm", &preprocess.norm}};
    for (const auto& [name, values] : lists) {
        for (size_t i = 0; i < values->size(); ++i) {
            char number[32];
            std::snprintf(number, sizeof number, "%g", static_cast<double>((*values)[i]));
            text += (i == 0 ? std::string(", ") + name + " " : std::string(",")) + number;
        }
    }
    return text;
}

}  // namespace

Result<std::string> html_report(Evaluation* evaluation, const Json& figures) {
    const EvalOptions& options = evaluation->options();
    const char* const tasks[] = {"classify", "detect", "segment"};
    Json report = {{"version", version()},
                   {"net", base_name(options.net.param)},
                   {"table", options.net.table.empty() ? std::string() : base_name(options.net.table)},
                   {"task", tasks[static_cast<size_t>(evaluation->task())]},
                   {"labelled", evaluation->labelled()},
                   {"preprocess", described(evaluation->preprocess())},
                   {"figures", figures},
                   {"cases", Json::array()}};
    for (const ImageResult& result : worst_images(*evaluation, static_cast<size_t>(options.worst))) {
        FW_ASSIGN_OR_RETURN(Json entry, case_json(evaluation, result));
        report["cases"].push_back(std::move(entry));
    }
    return fill_page(kEvalPage, report);
}

}  // namespace fw::tools
