// Sizes as expressions of shapes: the expressions themselves, and the layers that take them.
#include "layer/support/expression.h"

#include <gtest/gtest.h>

#include "fw/net.h"
#include "support/net_files.h"

namespace fw {
namespace {

std::string evaluated(const std::string& text) {
    const std::vector<Shape> inputs = {Shape(8, 5, 7), Shape(6, 10)};
    ShapeExpression expression;
    std::vector<int> list;
    Status status = expression.parse(text, "size_expr");
    if (status.ok()) {
        status = expression.evaluate(inputs, &list);
    }
    if (!status.ok()) {
        return status.message();
    }
    std::string out;
    for (const int value : list) {
        out += (out.empty() ? "" : ",") + std::to_string(value);
    }
    return out;
}

TEST(ShapeExpression, ListsKeepTheirOrder) {
    EXPECT_EQ(evaluated("0w,0h,0d,0c,0n"), "7,5,1,8,1");
    EXPECT_EQ(evaluated("*(0w,2),-1,1w"), "14,-1,10");
    EXPECT_EQ(evaluated("-(1w,+(0w,1)),//(0w,2)"), "2,3");
    EXPECT_EQ(evaluated("*(/(0w,2),2)"), "7") << "/ is exact";
    EXPECT_EQ(evaluated("/(0w,2),ceil(/(0w,2)),round(3.5),floor(-2.5)"), "3,4,4,-3");
    EXPECT_EQ(evaluated("max(0w,min(0c,3)),neg(0h),abs(-4),square(3),sqrt(16),fmod(7,4),pow(2,5)"), "7,-5,4,9,4,3,32");
    EXPECT_EQ(evaluated("//(-7,2),//(-7.5,2)"), "-3,-4") << "whole numbers as in C";
}

TEST(ShapeExpression, ErrorsNameTheExpression) {
    EXPECT_EQ(evaluated("*(0w)"), "size_expr \"*(0w)\": '*' has too few operands");
    EXPECT_EQ(evaluated("2w"), "size_expr \"2w\": '2w' of a layer with 2 inputs");
    EXPECT_EQ(evaluated("//(0w,0)"), "size_expr \"//(0w,0)\" is inf, expected a number of 32 bits");
    EXPECT_EQ(evaluated("*(99999,99999)"), "size_expr \"*(99999,99999)\" is 9.9998e+09, expected a number of 32 bits");
    EXPECT_EQ(evaluated("sin(0w)"), "size_expr \"sin(0w)\": 'sin' is no number, extent (0w) or function that is known");
    for (const char* text : {"nan", "inf", "0x10", "1e", "0x", "w", "10w"}) {
        EXPECT_NE(evaluated(text).find("is no number"), std::string::npos) << text;
    }
}

// The output's shape of one layer on two inputs of 8 x 5 x 7 and 6 x 10.
std::string shape_of(const std::string& layer) {
    test::NetFiles files;
    files.layer("Input a 0 1 a").layer("Input b 0 1 b").layer(layer);
    Net net;
    Status status = files.load(&net);
    Mat out;
    if (status.ok()) {
        Extractor extractor = net.create_extractor();
        for (const auto& [name, shape] : {std::pair<const char*, Shape>("a", Shape(8, 5, 7)), {"b", Shape(6, 10)}}) {
            Mat in = *Mat::create(shape);
            std::fill(in.data<float>(), in.data<float>() + in.shape().count(), 1.0F);
            EXPECT_TRUE(extractor.input(name, in).ok());
        }
        status = extractor.extract("out", &out);
    }
    return status.ok() ? out.shape().str() : status.message();
}

TEST(ShapeExpression, LayersTakeThem) {
    EXPECT_EQ(shape_of("Reshape r 1 1 a out 6=\"*(0w,0h),0c\""), Shape(8, 35).str());
    EXPECT_EQ(shape_of("Reshape r 2 1 a b out 6=\"0h,0w,-(1w,6),/(1w,5)\""), Shape(2, 4, 7, 5).str());
    EXPECT_EQ(shape_of("Interp r 1 1 a out 0=2 9=\"*(0w,2),*(0h,3)\""), Shape(8, 15, 14).str());
    EXPECT_EQ(shape_of("Interp r 2 1 a b out 0=1 9=\"1w,1h\""), Shape(8, 6, 10).str());
    EXPECT_EQ(shape_of("Crop r 1 1 a out 19=\"1,//(0w,2)\" 20=\"-1,0w\" 21=\"0,2\""), Shape(6, 5, 4).str());
    EXPECT_NE(shape_of("Reshape r 1 1 a out 6=\"0w,3\"").find("cannot turn"), std::string::npos);
    EXPECT_NE(shape_of("Reshape r 1 1 a out 6=\"1,1,1,1,1\"").find("shape_expr has 5 sizes"), std::string::npos);
    EXPECT_NE(shape_of("Crop r 1 1 a out 19=\"1,2\" 20=\"3\"").find("expected equal"), std::string::npos);
}

}  // namespace
}  // namespace fw
