// The metrics against values that make_golden.py counted with numpy from the papers' definitions.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/file.h"
#include "metrics/accuracy.h"
#include "support/source_dir.h"

namespace fw::tools {
namespace {

using Json = nlohmann::json;

constexpr double kBound = 1e-9;  // percent; both sides count in double

const Json& golden() {
    static const Json json =
        Json::parse(read_text_file(std::string(FW_SOURCE_DIR) + "/tests/metrics/golden.json").value());
    return json;
}

TEST(Golden, Detection) {
    const Json& data = golden().at("detection");
    DetectMetric metric;
    for (const Json& image : data.at("images")) {
        std::vector<TrueBox> truth;
        for (const Json& entry : image.at("truth")) {
            const Json& corner = entry.at("box");
            TrueBox box;
            box.box = {entry.at("label"), 1.0F, corner.at(0), corner.at(1), corner.at(2), corner.at(3)};
            box.crowd = entry.at("kind") == "crowd";
            box.difficult = entry.at("kind") == "difficult";
            box.area = entry.at("area");
            truth.push_back(box);
        }
        std::vector<DetectedBox> found;
        for (const Json& row : image.at("found")) {
            found.push_back({row.at(0).get<int>(), row.at(1).get<float>(), row.at(2), row.at(3), row.at(4), row.at(5)});
        }
        metric.add(std::move(found), std::move(truth), image.at("width"), image.at("height"));
    }
    const DetectSummary summary = metric.summary();
    const Json& expected = data.at("expected");
    EXPECT_NEAR(metric.map50(), expected.at("map50"), kBound);
    EXPECT_NEAR(summary.map50, expected.at("map50"), kBound);
    EXPECT_NEAR(summary.map_voc07, expected.at("map_voc07"), kBound);
    EXPECT_NEAR(summary.map, expected.at("map"), kBound);
    EXPECT_NEAR(summary.map50_coco, expected.at("map50_coco"), kBound);
    EXPECT_NEAR(summary.map75, expected.at("map75"), kBound);
    EXPECT_NEAR(summary.recall, expected.at("recall"), kBound);
    EXPECT_NEAR(summary.map_small.value(), expected.at("map_small"), kBound);
    EXPECT_NEAR(summary.map_medium.value(), expected.at("map_medium"), kBound);
    EXPECT_NEAR(summary.map_large.value(), expected.at("map_large"), kBound);
    ASSERT_EQ(summary.classes.size(), expected.at("classes").size());
    for (size_t i = 0; i < summary.classes.size(); ++i) {
        const ClassPrecision& result = summary.classes[i];
        const Json& row = expected.at("classes").at(i);
        EXPECT_EQ(result.label, row.at("label"));
        EXPECT_EQ(result.wanted, row.at("wanted"));
        EXPECT_EQ(result.found, row.at("found"));
        EXPECT_NEAR(result.ap50, row.at("ap50"), kBound) << result.label;
        EXPECT_NEAR(result.ap50_voc07, row.at("ap50_voc07"), kBound) << result.label;
        EXPECT_NEAR(result.ap, row.at("ap"), kBound) << result.label;
        EXPECT_NEAR(result.ap75, row.at("ap75"), kBound) << result.label;
    }
}

TEST(Golden, Segmentation) {
    const Json& data = golden().at("segmentation");
    SegmentMetric metric;
    for (const Json& image : data.at("images")) {
        std::vector<float> scores = image.at("scores");
        const Json& shape = image.at("shape");
        const Shape extents(shape.at(0).get<int>(), shape.at(1).get<int>(), shape.at(2).get<int>());
        const Result<LabelMap> found = label_map_from_output(Mat::wrap(scores.data(), extents));
        ASSERT_TRUE(found.ok()) << found.status().message();
        metric.add(*found, {image.at("width"), image.at("height"), 0, image.at("truth")});
    }
    EXPECT_NEAR(metric.miou(), data.at("miou"), kBound);
    EXPECT_NEAR(metric.pixel_accuracy(), data.at("pixel_accuracy"), kBound);
    EXPECT_NEAR(metric.void_percent(), data.at("void_percent"), kBound);
    for (const SegmentMetric::Class& entry : metric.classes()) {
        EXPECT_NEAR(entry.iou, data.at("iou").at(static_cast<size_t>(entry.label)), kBound) << entry.label;
    }
}

TEST(Golden, Classification) {
    const Json& data = golden().at("classification");
    ClassifyMetric metric;
    for (size_t i = 0; i < data.at("labels").size(); ++i) {
        std::vector<float> scores = data.at("scores").at(i);
        metric.add(Mat::wrap(scores.data(), Shape(static_cast<int>(scores.size()))), data.at("labels").at(i));
    }
    EXPECT_NEAR(metric.top1(), data.at("top1"), kBound);
    EXPECT_NEAR(metric.top5(), data.at("top5"), kBound);
}

}  // namespace
}  // namespace fw::tools
