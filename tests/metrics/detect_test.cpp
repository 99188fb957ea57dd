// Rules of VOC's and COCO's average precision, each on a case that can be counted by hand.
#include "metrics/detect.h"

#include <gtest/gtest.h>

namespace fw::tools {
namespace {

// Boxes on an image of 100 x 100 pixels, in pixels.
DetectedBox found(float score, double x0, double y0, double x1, double y1) {
    return {1, score, x0 / 100, y0 / 100, x1 / 100, y1 / 100};
}

TrueBox wanted(double x0, double y0, double x1, double y1) {
    TrueBox truth;
    truth.box = found(1.0F, x0, y0, x1, y1);
    return truth;
}

TrueBox difficult(double x0, double y0, double x1, double y1) {
    TrueBox truth = wanted(x0, y0, x1, y1);
    truth.difficult = true;
    return truth;
}

DetectSummary summary_of(const std::vector<DetectedBox>& boxes, const std::vector<TrueBox>& truth) {
    DetectMetric metric;
    metric.add(boxes, truth, 100, 100);
    return metric.summary();
}

// One of four boxes is found: recall 1/4 at precision 1. Recalls 0, 0.1, 0.2 of eleven; 0 to 0.25 of 101.
TEST(DetectRules, ThreeWaysOverOneCurve) {
    const DetectSummary s = summary_of({found(0.9F, 0, 0, 20, 20)}, {wanted(0, 0, 20, 20), wanted(40, 0, 60, 20),
                                                                     wanted(0, 40, 20, 60), wanted(40, 40, 60, 60)});
    EXPECT_DOUBLE_EQ(s.map50, 25.0);
    EXPECT_NEAR(s.map_voc07, 100.0 * 3 / 11, 1e-9);
    EXPECT_NEAR(s.map50_coco, 100.0 * 26 / 101, 1e-9);
    EXPECT_NEAR(s.recall, 25.0, 1e-9);
}

// IoU 62.5/100: right at 0.50, 0.55 and 0.60 of the ten.
TEST(DetectRules, CocoIsTheMeanOverTenOverlaps) {
    const DetectSummary s = summary_of({found(0.9F, 0, 0, 20, 62.5)}, {wanted(0, 0, 20, 100)});
    EXPECT_DOUBLE_EQ(s.map50, 100.0);
    EXPECT_NEAR(s.map, 30.0, 1e-9);
    EXPECT_DOUBLE_EQ(s.map75, 0.0);
}

// The stronger detection takes the box; the second overlaps it most as well, so for VOC it is wrong although it fits
// the other box too. For COCO it takes the box that is left.
TEST(DetectRules, VocLooksAtTheLargestOverlapOnly) {
    const std::vector<TrueBox> truth = {wanted(0, 0, 40, 40), wanted(10, 0, 50, 40)};
    const DetectSummary s = summary_of({found(0.9F, 0, 0, 40, 40), found(0.8F, 4, 0, 44, 40)}, truth);
    EXPECT_DOUBLE_EQ(s.map50, 50.0);
    EXPECT_NEAR(s.map50_coco, 100.0, 1e-9);
}

TEST(DetectRules, DifficultBoxesAreNeitherWantedNorWrong) {
    const std::vector<TrueBox> truth = {wanted(0, 0, 40, 40), difficult(60, 60, 90, 90)};
    // Without the rule, the strongest detection would halve the precision.
    const DetectSummary s = summary_of({found(0.9F, 60, 60, 90, 90), found(0.5F, 0, 0, 40, 40)}, truth);
    EXPECT_DOUBLE_EQ(s.map50, 100.0);
    EXPECT_DOUBLE_EQ(s.map_voc07, 100.0);
    EXPECT_NEAR(s.map, 100.0, 1e-9);
    EXPECT_EQ(s.classes.at(0).wanted, 1);
}

// COCO: a difficult box is taken once, the second detection of it is wrong. VOC forgives any number.
TEST(DetectRules, CocoForgivesADifficultBoxOnce) {
    const std::vector<TrueBox> truth = {wanted(0, 0, 40, 40), difficult(60, 60, 90, 90)};
    const DetectSummary s =
        summary_of({found(0.9F, 60, 60, 90, 90), found(0.8F, 60, 60, 90, 90), found(0.5F, 0, 0, 40, 40)}, truth);
    EXPECT_DOUBLE_EQ(s.map50, 100.0);
    EXPECT_NEAR(s.map50_coco, 50.0, 1e-9);
}

// A crowd may be taken often, by the share of the detection that lies in it: 30 x 10 of 30 x 20 is half.
TEST(DetectRules, CrowdsForgiveWhatLiesInThemByHalf) {
    TrueBox crowd = wanted(50, 50, 100, 100);
    crowd.crowd = true;
    const std::vector<TrueBox> truth = {wanted(0, 0, 40, 40), crowd};
    const std::vector<DetectedBox> inside = {found(0.9F, 60, 60, 65, 65), found(0.8F, 60, 60, 66, 66),
                                             found(0.7F, 60, 40, 90, 60), found(0.5F, 0, 0, 40, 40)};
    EXPECT_DOUBLE_EQ(summary_of(inside, truth).map50, 100.0);
    EXPECT_NEAR(summary_of(inside, truth).map50_coco, 100.0, 1e-9);
    const std::vector<DetectedBox> outside = {found(0.7F, 60, 38, 90, 60), found(0.5F, 0, 0, 40, 40)};
    EXPECT_DOUBLE_EQ(summary_of(outside, truth).map50, 50.0);
    EXPECT_NEAR(summary_of(outside, truth).map50_coco, 50.0, 1e-9);
}

// 31 x 31 is small, 96 x 96 medium and large (both ranges hold their ends), 90 x 99 medium.
TEST(DetectRules, SizesOfObjects) {
    const DetectSummary small = summary_of({found(0.9F, 0, 0, 31, 31)}, {wanted(0, 0, 31, 31)});
    EXPECT_NEAR(small.map_small.value(), 100.0, 1e-9);
    EXPECT_FALSE(small.map_medium.has_value());
    EXPECT_FALSE(small.map_large.has_value());
    // The area of the outline decides where it is given.
    TrueBox thin = wanted(0, 0, 90, 99);
    thin.area = 500;
    EXPECT_TRUE(summary_of({}, {thin}).map_small.has_value());
    EXPECT_TRUE(summary_of({}, {wanted(0, 0, 90, 99)}).map_medium.has_value());
    // What has another size is not wrong in a range.
    const DetectSummary both = summary_of({found(0.9F, 40, 40, 100, 100), found(0.5F, 0, 0, 31, 31)},
                                          {wanted(0, 0, 31, 31), wanted(40, 40, 100, 100)});
    EXPECT_NEAR(both.map_small.value(), 100.0, 1e-9);
    EXPECT_NEAR(both.map_medium.value(), 100.0, 1e-9);
}

TEST(DetectRules, CocoCountsAHundredDetectionsOfAnImage) {
    std::vector<DetectedBox> boxes(100, found(0.9F, 60, 60, 70, 70));
    boxes.push_back(found(0.5F, 0, 0, 20, 20));
    const DetectSummary s = summary_of(boxes, {wanted(0, 0, 20, 20)});
    EXPECT_NEAR(s.map50, 100.0 / 101, 1e-9);
    EXPECT_DOUBLE_EQ(s.map, 0.0);
    boxes.erase(boxes.begin());
    EXPECT_NEAR(summary_of(boxes, {wanted(0, 0, 20, 20)}).map50_coco, 1.0, 1e-9);
}

TEST(DetectRules, NothingWantedIsNoClass) {
    EXPECT_TRUE(summary_of({found(0.9F, 0, 0, 9, 9)}, {}).classes.empty());
    EXPECT_DOUBLE_EQ(summary_of({found(0.9F, 0, 0, 9, 9)}, {}).map50, 0.0);
    EXPECT_DOUBLE_EQ(summary_of({}, {wanted(0, 0, 9, 9)}).map, 0.0);
}

}  // namespace
}  // namespace fw::tools
