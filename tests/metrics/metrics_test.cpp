#include <gtest/gtest.h>

#include <limits>

#include "metrics/accuracy.h"
#include "metrics/agreement.h"

namespace fw::tools {
namespace {

Mat mat_of(const std::vector<float>& values, const Shape& shape) {
    Mat mat = Mat::create(shape).value();
    std::copy(values.begin(), values.end(), mat.data());
    return mat;
}

DetectedBox box(int label, float score, double x0, double y0, double x1, double y1) {
    return {label, score, x0, y0, x1, y1};
}

TrueBox wanted(int label, double x0, double y0, double x1, double y1) {
    TrueBox truth;
    truth.box = box(label, 1, x0, y0, x1, y1);
    return truth;
}

TrueBox crowd(int label, double x0, double y0, double x1, double y1) {
    TrueBox truth = wanted(label, x0, y0, x1, y1);
    truth.crowd = true;
    return truth;
}

TEST(ClassifyMetric, CountsTopOneAndTopFive) {
    ClassifyMetric metric;
    const Mat scores = mat_of({0.1F, 0.5F, 0.2F, 0.05F, 0.06F, 0.04F, 0.03F}, Shape(7));
    metric.add(scores, 1);   // best
    metric.add(scores, 4);   // fifth: 0.5 0.2 0.1 0.06
    metric.add(scores, 6);   // last
    metric.add(scores, -1);  // no label: does not count
    EXPECT_EQ(metric.labelled(), 3);
    EXPECT_NEAR(metric.top1(), 100.0 / 3, 1e-9);
    EXPECT_NEAR(metric.top5(), 200.0 / 3, 1e-9);
}

TEST(CheckScores, RefusesDetectionsAndLabelsBeyondTheClasses) {
    const Mat scores = mat_of({0.1F, 0.2F, 0.7F}, Shape(3));
    EXPECT_TRUE(check_scores(scores, -1).ok());
    EXPECT_TRUE(check_scores(scores, 2).ok());
    EXPECT_FALSE(check_scores(scores, 3).ok());
    EXPECT_FALSE(check_scores(mat_of({}, Shape(0, 6)), -1).ok());
    EXPECT_FALSE(check_scores(mat_of(std::vector<float>(12), Shape(2, 6)), 1).ok());
}

TEST(ClassifyMetric, NanNeverWins) {
    ClassifyMetric metric;
    metric.add(mat_of({std::numeric_limits<float>::quiet_NaN(), 0.2F}, Shape(2)), 1);
    EXPECT_EQ(metric.top1(), 100.0);
}

TEST(IntersectionOverUnion, KnownCases) {
    const DetectedBox unit = box(1, 1, 0, 0, 1, 1);
    EXPECT_DOUBLE_EQ(intersection_over_union(unit, unit), 1.0);
    EXPECT_DOUBLE_EQ(intersection_over_union(unit, box(1, 1, 0.5F, 0, 1.5F, 1)), 1.0 / 3);
    EXPECT_DOUBLE_EQ(intersection_over_union(unit, box(1, 1, 2, 2, 3, 3)), 0.0);
    EXPECT_DOUBLE_EQ(intersection_over_union(box(1, 1, 1, 1, 0, 0), box(1, 1, 1, 1, 0, 0)), 0.0);
}

TEST(DetectMetric, PerfectAndMissing) {
    DetectMetric metric;
    const std::vector<TrueBox> truth = {wanted(1, 0, 0, 0.5, 0.5), wanted(2, 0.5, 0.5, 1, 1)};
    metric.add({box(1, 0.9F, 0, 0, 0.5F, 0.5F)}, truth);
    EXPECT_DOUBLE_EQ(metric.map50(), 50.0);  // class 1 found, class 2 not
}

// Three detections by score: hit, miss, hit of two wanted: precision 1, 1/2, 2/3; area = 0.5 * 1 + 0.5 * 2/3.
TEST(DetectMetric, PrecisionEnvelope) {
    DetectMetric metric;
    const std::vector<TrueBox> truth = {wanted(1, 0, 0, 0.2, 0.2), wanted(1, 0.8, 0.8, 1, 1)};
    metric.add({box(1, 0.5F, 0.8F, 0.8F, 1, 1), box(1, 0.9F, 0, 0, 0.2F, 0.2F), box(1, 0.7F, 0.4F, 0.4F, 0.6F, 0.6F)},
               truth);
    EXPECT_NEAR(metric.map50(), 100.0 * (0.5 + 0.5 * 2 / 3), 1e-9);
}

TEST(DetectMetric, SecondDetectionOfABoxIsWrong) {
    DetectMetric metric;
    const std::vector<TrueBox> truth = {wanted(1, 0, 0, 1, 1), wanted(1, 5, 5, 6, 6)};
    metric.add({box(1, 0.9F, 0, 0, 1, 1), box(1, 0.8F, 0, 0, 1, 1)}, truth);
    EXPECT_DOUBLE_EQ(metric.map50(), 50.0);
}

TEST(DetectMetric, CrowdIsNeitherWantedNorWrong) {
    DetectMetric metric;
    const std::vector<TrueBox> truth = {wanted(1, 0, 0, 0.4, 0.4), crowd(1, 0.5, 0.5, 1, 1)};
    metric.add({box(1, 0.95F, 0.5F, 0.5F, 1, 1), box(1, 0.9F, 0, 0, 0.4F, 0.4F)}, truth);
    EXPECT_DOUBLE_EQ(metric.map50(), 100.0);
}

TEST(BoxesFromOutput, DropsRowsThatAreNotFiniteAndRefusesOtherShapes) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Result<std::vector<DetectedBox>> boxes =
        boxes_from_output(mat_of({1, 0.5F, 0, 0, 1, 1, 1, nan, 0, 0, 1, 1}, Shape(2, 6)));
    ASSERT_TRUE(boxes.ok());
    EXPECT_EQ(boxes->size(), 1U);
    EXPECT_FALSE(boxes_from_output(mat_of({1, 2, 3}, Shape(3))).ok());
    EXPECT_TRUE(boxes_from_output(Mat()).value().empty());
}

TEST(BoxAgreement, CountsBothSides) {
    BoxAgreement agreement;
    agreement.add({box(1, 0.9F, 0, 0, 1, 1), box(2, 0.9F, 0, 0, 1, 1)},
                  {box(1, 0.8F, 0, 0, 1, 0.9F), box(1, 0.1F, 3, 3, 4, 4)}, 0.3F);
    EXPECT_NEAR(agreement.percent(), 100.0 * 2 / 3, 1e-9);
}

TEST(Sqnr, KnownRatio) {
    Sqnr sqnr;
    sqnr.add(mat_of({10, 0}, Shape(2)), mat_of({9, 0}, Shape(2)));
    EXPECT_NEAR(sqnr.decibel(), 20.0, 1e-9);
}

}  // namespace
}  // namespace fw::tools
