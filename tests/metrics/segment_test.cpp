// Label maps out of outputs, their scaling, and what segmentation and agreement count, on cases that can be counted by
// hand.
#include "metrics/segment.h"

#include <gtest/gtest.h>

#include <limits>

#include "metrics/agreement.h"

namespace fw::tools {
namespace {

using Labels = std::vector<uint8_t>;

Mat mat_of(const std::vector<float>& values, const Shape& shape) {
    Mat mat = Mat::create(shape).value();
    std::copy(values.begin(), values.end(), mat.data());
    return mat;
}

TEST(LabelMap, OfScoresIsTheLargestAndNeverNan) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto map = label_map_from_output(mat_of({1, nan, 3, 0, 2, nan, 3, -1}, Shape(2, 2, 2)));
    ASSERT_TRUE(map.ok()) << map.status().message();
    EXPECT_EQ(map->classes, 2);
    EXPECT_EQ(map->labels, (Labels{1, 0, 0, 0}));
    EXPECT_EQ(label_map_from_output(mat_of({nan, 0}, Shape(2, 1, 1)))->labels, Labels{1});
}

TEST(LabelMap, OfOneChannelIsClassNumbersOrProbabilities) {
    EXPECT_EQ(label_map_from_output(mat_of({0, 3, 254}, Shape(1, 3)))->labels, (Labels{0, 3, 254}));
    EXPECT_EQ(label_map_from_output(mat_of({0, 7}, Shape(1, 2, 1)))->labels, (Labels{0, 7}));
    const auto map = label_map_from_output(mat_of({0, 0.49F, 0.5F, 1}, Shape(1, 2, 2)));
    ASSERT_TRUE(map.ok());
    EXPECT_EQ(map->labels, (Labels{0, 0, 1, 1}));
    EXPECT_EQ(map->classes, 2);
}

TEST(LabelMap, RefusesWhatIsNoMap) {
    EXPECT_FALSE(label_map_from_output(Mat()).ok());
    EXPECT_FALSE(label_map_from_output(mat_of({1, 2}, Shape(2))).ok());
    EXPECT_FALSE(label_map_from_output(mat_of({0.5F, -3}, Shape(1, 2))).ok());
    EXPECT_FALSE(label_map_from_output(mat_of({0.5F, std::numeric_limits<float>::quiet_NaN()}, Shape(1, 2))).ok());
    EXPECT_FALSE(label_map_from_output(mat_of({255, 0}, Shape(1, 2))).ok());
    EXPECT_FALSE(label_map_from_output(mat_of(std::vector<float>(256), Shape(256, 1, 1))).ok());
}

TEST(LabelMap, ScalesByNearestNeighbour) {
    const LabelMap map{3, 2, 0, {0, 1, 2, 3, 4, 5}};
    EXPECT_EQ(map.resized(6, 2).labels, (Labels{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}));
    EXPECT_EQ(map.resized(1, 1).labels, Labels{4});
    EXPECT_EQ(map.resized(3, 2).labels, map.labels);
}

TEST(SegmentMetric, CountsOverAllImages) {
    SegmentMetric metric;
    metric.add({2, 2, 3, {0, 0, 1, 1}}, {2, 2, 0, {0, 0, 0, 1}});
    metric.add({2, 1, 3, {1, 2}}, {2, 1, 0, {LabelMap::kVoid, 7}});  // 7 is no class of the network
    EXPECT_EQ(metric.pixels(), 4);
    EXPECT_DOUBLE_EQ(metric.void_percent(), 100.0 * 2 / 6);
    EXPECT_DOUBLE_EQ(metric.pixel_accuracy(), 75.0);
    EXPECT_DOUBLE_EQ(metric.miou(), 100.0 * (2.0 / 3 + 1.0 / 2) / 2);  // class 2 occurs nowhere that counts
    EXPECT_EQ(SegmentMetric().miou(), 0.0);
}

TEST(Agreement, OfPixelsClassesAndBoxes) {
    Agreement pixels(Task::kSegment);
    ASSERT_TRUE(pixels.add(mat_of({0, 1, 2, 3}, Shape(2, 2)), mat_of({0, 1, 2, 0}, Shape(2, 2))).ok());
    ASSERT_TRUE(pixels.add(mat_of({0, 1, 2, 3}, Shape(2, 2)), mat_of({0, 1, 2, 3}, Shape(2, 2))).ok());
    EXPECT_DOUBLE_EQ(pixels.percent(), 87.5);
    EXPECT_DOUBLE_EQ(pixels.last_percent(), 100.0);
    EXPECT_FALSE(pixels.add(mat_of({0, 1}, Shape(1, 2)), mat_of({0, 1}, Shape(2, 1))).ok());

    Agreement classes(Task::kClassify);
    ASSERT_TRUE(classes.add(mat_of({0.1F, 0.9F}, Shape(2)), mat_of({0.4F, 0.6F}, Shape(2))).ok());
    ASSERT_TRUE(classes.add(mat_of({0.1F, 0.9F}, Shape(2)), mat_of({0.6F, 0.4F}, Shape(2))).ok());
    EXPECT_DOUBLE_EQ(classes.percent(), 50.0);

    Agreement boxes(Task::kDetect);
    const Mat one = mat_of({1, 0.9F, 0, 0, 1, 1}, Shape(1, 6));
    ASSERT_TRUE(boxes.add(one, one).ok());
    ASSERT_TRUE(boxes.add(one, Mat()).ok());
    EXPECT_DOUBLE_EQ(boxes.percent(), 100.0 * 2 / 3);
    EXPECT_FALSE(boxes.has_sqnr());
}

}  // namespace
}  // namespace fw::tools
