#include "layer/support/window.h"

#include <gtest/gtest.h>

#include <string>

namespace fw {
namespace {

WindowAxis conv(int64_t in, const WindowSpec& spec) {
    WindowAxis axis;
    const Status status = conv_window("width", in, spec, &axis);
    EXPECT_TRUE(status.ok()) << status.message();
    return axis;
}

WindowAxis pool(int64_t in, const WindowSpec& spec, PoolPad mode) {
    WindowAxis axis;
    const Status status = pool_window("width", in, spec, mode, &axis);
    EXPECT_TRUE(status.ok()) << status.message();
    return axis;
}

void expect_axis(const WindowAxis& axis, int out, int before, int after) {
    EXPECT_EQ(axis.out, out);
    EXPECT_EQ(axis.pad_before, before);
    EXPECT_EQ(axis.pad_after, after);
}

TEST(Window, ConvolutionExplicit) {
    expect_axis(conv(224, {7, 2, 1, 3, 3}), 112, 3, 3);
    expect_axis(conv(227, {3, 2, 1, 0, 0}), 113, 0, 0);
    expect_axis(conv(19, {3, 1, 6, 6, 6}), 19, 6, 6);
    expect_axis(conv(5, {2, 3, 2, 0, 1}), 2, 0, 1);
}

TEST(Window, ConvolutionSame) {
    expect_axis(conv(224, {3, 2, 1, kPadSameUpper, kPadSameUpper}), 112, 0, 1);
    expect_axis(conv(224, {3, 2, 1, kPadSameLower, kPadSameLower}), 112, 1, 0);
    expect_axis(conv(225, {3, 2, 1, kPadSameUpper, kPadSameUpper}), 113, 1, 1);
    expect_axis(conv(7, {1, 2, 1, kPadSameUpper, kPadSameUpper}), 4, 0, 0);
    expect_axis(conv(10, {3, 1, 4, kPadSameUpper, kPadSameUpper}), 10, 4, 4);
}

TEST(Window, PoolingModes) {
    expect_axis(pool(112, {3, 2, 1, 0, 0}, PoolPad::kCeil), 56, 0, 1);
    expect_axis(pool(113, {3, 2, 1, 0, 0}, PoolPad::kCeil), 56, 0, 0);
    expect_axis(pool(112, {3, 2, 1, 0, 0}, PoolPad::kValid), 55, 0, 0);
    expect_axis(pool(112, {3, 2, 1, 1, 1}, PoolPad::kCeil), 57, 1, 2);
    expect_axis(pool(14, {3, 2, 1, 9, 9}, PoolPad::kSameUpper), 7, 0, 1);
    expect_axis(pool(14, {3, 2, 1, 9, 9}, PoolPad::kSameLower), 7, 1, 0);
    expect_axis(pool(1, {2, 2, 1, 0, 0}, PoolPad::kCeil), 1, 0, 1);
}

TEST(Window, RangeClipsToTheImage) {
    const auto range = [](int index) { return window_range(index, 5, 3, 2, 1); };
    EXPECT_EQ(range(0).begin, 0);
    EXPECT_EQ(range(0).end, 2);
    EXPECT_EQ(range(2).begin, 3);
    EXPECT_EQ(range(2).end, 5);
    EXPECT_EQ(range(3).count(), 0);
    EXPECT_EQ(window_range(0, 5, 2, 2, 4).count(), 0);
}

TEST(Window, RefusesWhatCannotBe) {
    WindowAxis axis;
    const WindowSpec bad[] = {{0, 1, 1, 0, 0},
                              {3, 0, 1, 0, 0},
                              {3, -1, 1, 0, 0},
                              {3, 1, 0, 0, 0},
                              {3, 1, 1, -1, 0},
                              {3, 1, 1, 0, -5},
                              {3, 1, 1, kPadSameUpper, kPadSameLower},
                              {9, 1, 1, 0, 0},
                              {3, 1, 7, 0, 0},
                              {INT32_MAX, 1, INT32_MAX, 0, 0}};
    for (const WindowSpec& spec : bad) {
        EXPECT_EQ(conv_window("width", 8, spec, &axis).code(), Code::kInvalidArgument) << spec.kernel;
    }
    EXPECT_EQ(conv_window("width", 0, {1, 1, 1, 0, 0}, &axis).code(), Code::kInvalidArgument);
    EXPECT_EQ(conv_window("width", 8, {1, 1, 1, INT32_MAX, INT32_MAX}, &axis).code(), Code::kInvalidArgument);
    EXPECT_EQ(pool_window("width", 8, {9, 1, 1, 0, 0}, PoolPad::kValid, &axis).code(), Code::kInvalidArgument);
    EXPECT_EQ(pool_window("width", 8, {3, 1, 1, kPadSameUpper, kPadSameUpper}, PoolPad::kCeil, &axis).code(),
              Code::kInvalidArgument);
    const Status status = conv_window("height", 4, {9, 1, 1, 1, 1}, &axis);
    EXPECT_NE(std::string(status.message()).find("input height 4 with pads 1 and 1, kernel 9"), std::string::npos)
        << status.message();
}

}  // namespace
}  // namespace fw
