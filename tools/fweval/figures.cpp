#include "fweval/figures.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace fw::tools {

namespace {

using Json = nlohmann::ordered_json;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0.0 : values[values.size() / 2];
}

void add_classes(const Evaluation& evaluation, const ClassifyMetric& metric, Json* side) {
    (*side)["top1"] = metric.top1();
    (*side)["top5"] = metric.top5();
    Json classes = Json::array();
    for (const auto& [label, entry] : metric.classes()) {
        const auto most = std::max_element(entry.taken_for.begin(), entry.taken_for.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        Json row = {{"label", label},
                    {"name", evaluation.name_of(label)},
                    {"images", entry.images},
                    {"top1", 100.0 * entry.top1 / entry.images},
                    {"top5", 100.0 * entry.top5 / entry.images}};
        if (most != entry.taken_for.end()) {
            row["taken_for"] = evaluation.name_of(most->first);
        }
        classes.push_back(std::move(row));
    }
    (*side)["per_class"] = std::move(classes);
}

void add_boxes(const Evaluation& evaluation, const DetectMetric& metric, Json* side) {
    const DetectSummary summary = metric.summary();
    (*side)["map50"] = summary.map50;
    (*side)["map_voc07"] = summary.map_voc07;
    (*side)["map"] = summary.map;
    (*side)["map50_coco"] = summary.map50_coco;
    (*side)["map75"] = summary.map75;
    const std::pair<const char*, std::optional<double>> sizes[] = {
        {"map_small", summary.map_small}, {"map_medium", summary.map_medium}, {"map_large", summary.map_large}};
    for (const auto& [key, value] : sizes) {
        if (value) {
            (*side)[key] = *value;
        }
    }
    (*side)["recall"] = summary.recall;
    Json classes = Json::array();
    for (const ClassPrecision& entry : summary.classes) {
        classes.push_back({{"label", entry.label},
                           {"name", evaluation.name_of(entry.label)},
                           {"boxes", entry.wanted},
                           {"found", entry.found},
                           {"ap50", entry.ap50},
                           {"ap50_voc07", entry.ap50_voc07},
                           {"ap", entry.ap},
                           {"ap75", entry.ap75}});
    }
    (*side)["per_class"] = std::move(classes);
}

void add_pixels(const Evaluation& evaluation, const SegmentMetric& metric, Json* side) {
    (*side)["miou"] = metric.miou();
    (*side)["pixel_accuracy"] = metric.pixel_accuracy();
    (*side)["void_percent"] = metric.void_percent();
    Json classes = Json::array();
    for (const SegmentMetric::Class& entry : metric.classes()) {
        classes.push_back({{"label", entry.label},
                           {"name", evaluation.name_of(entry.label)},
                           {"pixels", entry.wanted},
                           {"found", entry.found},
                           {"iou", entry.iou},
                           {"accuracy", entry.accuracy}});
    }
    (*side)["per_class"] = std::move(classes);
}

std::string difference(const Evaluation& evaluation, const ImageResult& result) {
    const ImageTruth& truth = evaluation.truths()[result.index];
    return evaluation.images()[result.index].path + ": float " + evaluation.name_of(result.answer[0]) + ", int8 " +
           evaluation.name_of(result.answer[1]) + (truth.known ? ", label " + evaluation.name_of(truth.label) : "");
}

}  // namespace

std::vector<ImageResult> worst_images(const Evaluation& evaluation, size_t most) {
    std::vector<ImageResult> worst = evaluation.results();
    if (evaluation.labelled()) {
        worst.erase(std::remove_if(worst.begin(), worst.end(), [](const ImageResult& r) { return r.quality.empty(); }),
                    worst.end());
    }
    std::stable_sort(worst.begin(), worst.end(), [](const ImageResult& a, const ImageResult& b) {
        return a.quality.empty() ? a.agreement < b.agreement : a.quality.back() < b.quality.back();
    });
    worst.resize(std::min(most, worst.size()));
    return worst;
}

Json figures(const Evaluation& evaluation) {
    Json json;
    json["images"] = evaluation.images().size();
    for (const auto& side : evaluation.sides()) {
        Json part = Json::object();
        if (evaluation.labelled()) {
            switch (evaluation.task()) {
                case Task::kClassify: add_classes(evaluation, side->accuracy.classification(), &part); break;
                case Task::kDetect: add_boxes(evaluation, side->accuracy.detection(), &part); break;
                case Task::kSegment: add_pixels(evaluation, side->accuracy.segmentation(), &part); break;
            }
            part["labelled"] = side->accuracy.images();
        }
        part["ms"] = median(side->ms);
        json[side->name] = std::move(part);
    }
    if (evaluation.sides().size() == 2) {
        json["agreement"] = evaluation.agreement().percent();
        if (evaluation.agreement().has_sqnr()) {
            json["sqnr_db"] = evaluation.agreement().sqnr_db();
        }
        for (const ImageResult& result : evaluation.results()) {
            if (!result.answer.empty() && result.answer[0] != result.answer[1]) {
                json["differences"].push_back(difference(evaluation, result));
            }
        }
    }
    Json worst = Json::array();
    for (const ImageResult& result : worst_images(evaluation, static_cast<size_t>(evaluation.options().worst))) {
        Json entry = {{"image", evaluation.images()[result.index].path}};
        for (size_t s = 0; s < result.quality.size(); ++s) {
            entry[evaluation.sides()[s]->name] = result.quality[s];
        }
        if (evaluation.sides().size() == 2) {
            entry["agreement"] = result.agreement;
        }
        worst.push_back(std::move(entry));
    }
    json["worst"] = std::move(worst);
    return json;
}

void print_figures(const Json& figures, bool brief) {
    static constexpr const char* kRows[][2] = {{"top1", "top-1 %"},
                                               {"top5", "top-5 %"},
                                               {"map50", "mAP@0.5 %"},
                                               {"map_voc07", "mAP@0.5 % (VOC 2007)"},
                                               {"map", "mAP@0.5:0.95 % (COCO)"},
                                               {"miou", "mIoU %"},
                                               {"pixel_accuracy", "pixel accuracy %"},
                                               {"ms", "median ms"}};
    const bool both = figures.contains("int8");
    std::printf("%-28s %9s%s\n", (std::to_string(figures["images"].get<size_t>()) + " images").c_str(), "float",
                both ? "      int8      diff" : "");
    for (const auto& [key, title] : kRows) {
        if (figures["float"].contains(key)) {
            const double f = figures["float"][key];
            std::printf("%-28s %9.2f", title, f);
            if (both) {
                const double q = figures["int8"][key];
                std::printf(" %9.2f %+9.2f", q, q - f);
            }
            std::printf("\n");
        }
    }
    if (both) {
        std::printf("%-28s %19.2f\n", "agreement with float %", figures["agreement"].get<double>());
        if (figures.contains("sqnr_db")) {
            std::printf("%-28s %19.1f\n", "SQNR of the output, dB", figures["sqnr_db"].get<double>());
        }
    }
    if (brief || !figures.contains("differences")) {
        return;
    }
    constexpr size_t kShown = 10;
    const Json& differences = figures["differences"];
    for (size_t i = 0; i < std::min(kShown, differences.size()); ++i) {
        std::printf("  differs: %s\n", differences[i].get<std::string>().c_str());
    }
    if (differences.size() > kShown) {
        std::printf("  ... and %zu more (all of them in --json)\n", differences.size() - kShown);
    }
}

}  // namespace fw::tools
