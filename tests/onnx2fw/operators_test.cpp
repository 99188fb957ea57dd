// Operators against values worked out by hand. The onnx package's own tests are run by backend_nodes.py.
#include <limits>
#include <numeric>

#include "onnx_test_util.h"

namespace fw::onnx {

namespace {

Floats counting(size_t n, float start = 0.0F) {
    Floats out(n);
    std::iota(out.begin(), out.end(), start);
    return out;
}

/// Converts the model and compares its output "y".
void expect(ModelBuilder* model, const Floats& x, const Ints& shape, const Floats& values,
            const std::string& types = "") {
    model->output("y");
    const Outcome o = convert_bytes(model->serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    if (!types.empty()) {
        EXPECT_EQ(o.types(), types);
    }
    Ints got_shape;
    const Floats got = run(o.out.net, x, "y", &got_shape);
    EXPECT_EQ(got_shape, shape);
    ASSERT_EQ(got.size(), values.size());
    for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], values[i], 1e-5F + 1e-5F * std::abs(values[i])) << i;
    }
}

TEST(OnnxOperators, ConvReadsPadsAndBias) {
    ModelBuilder m({1, 1, 2, 2});
    m.floats("w", {1, 1, 2, 2}, {1, 2, 3, 4}).floats("b", {1}, {10});
    set(m.node("Conv", {"x", "w", "b"}, {"y"}), "pads", Ints{1, 0, 0, 1});
    expect(&m, {1, 2, 3, 4}, {1, 2, 2}, {21, 16, 40, 24});
}

TEST(OnnxOperators, ConvTransposeTurnsItsWeights) {
    ModelBuilder m({1, 2, 1, 1});
    m.floats("w", {2, 3, 1, 1}, {1, 2, 3, 4, 5, 6});
    m.node("ConvTranspose", {"x", "w"}, {"y"});
    expect(&m, {1, 10}, {3, 1, 1}, {41, 52, 63});
}

TEST(OnnxOperators, TransposesCancel) {
    ModelBuilder m({1, 4, 4, 2});
    m.floats("w", {2, 2, 1, 1}, {0, 1, 1, 0});
    set(m.node("Transpose", {"x"}, {"a"}), "perm", Ints{0, 3, 1, 2});
    m.node("Conv", {"a", "w"}, {"b"});
    set(m.node("Transpose", {"b"}, {"c"}), "perm", Ints{0, 2, 3, 1});
    m.node("Relu", {"c"}, {"d"});
    set(m.node("Transpose", {"d"}, {"y"}), "perm", Ints{0, 3, 1, 2});
    Floats expected = counting(32);
    std::rotate(expected.begin(), expected.begin() + 16, expected.end());
    expect(&m, counting(32), {2, 4, 4}, expected, "Input Convolution");
}

TEST(OnnxOperators, TransposeThatStaysIsOnePermute) {
    ModelBuilder m({1, 2, 3, 2});
    set(m.node("Transpose", {"x"}, {"y"}), "perm", Ints{0, 2, 3, 1});
    expect(&m, counting(12), {3, 2, 2}, {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11});
}

TEST(OnnxOperators, ShapeSubgraphFolds) {
    ModelBuilder m({0, 2, 3, 4});
    m.ints("one", {}, {1}).ints("minus", {1}, {-1}).ints("ax", {1}, {0});
    m.node("Shape", {"x"}, {"s"});
    m.node("Gather", {"s", "one"}, {"c"});
    m.node("Unsqueeze", {"c", "ax"}, {"cu"});
    set(m.node("Concat", {"cu", "minus"}, {"target"}), "axis", int64_t{0});
    m.node("Reshape", {"x", "target"}, {"y"});
    expect(&m, counting(24), {2, 12}, counting(24));
}

TEST(OnnxOperators, GemmAndMatMulWithKnownWeights) {
    ModelBuilder m({2, 3});
    m.floats("w", {3, 2}, {1, 2, 3, 4, 5, 6}).floats("v", {2, 2}, {1, 1, 0, 1}).floats("b", {2}, {100, 200});
    m.node("MatMul", {"x", "w"}, {"p"});
    set(m.node("Gemm", {"p", "v", "b"}, {"y"}), "transB", int64_t{1});
    // x w = {{22,28},{49,64}}
    expect(&m, counting(6, 1), {2, 2}, {150, 228, 213, 264});
}

TEST(OnnxOperators, BroadcastAgainstAVectorOfTheLastAxis) {
    ModelBuilder m({1, 2, 2, 2});
    m.floats("v", {2}, {10, 20});
    m.node("Add", {"v", "x"}, {"y"});
    expect(&m, counting(8), {2, 2, 2}, {10, 21, 12, 23, 14, 25, 16, 27});
}

TEST(OnnxOperators, SubOfAConstantKeepsItsSides) {
    ModelBuilder m({1, 2});
    m.floats("c", {}, {10});
    m.node("Sub", {"c", "x"}, {"y"});
    expect(&m, {1, 4}, {2}, {9, 6});
}

TEST(OnnxOperators, SliceWithStepsAndNegativeEnds) {
    ModelBuilder m({1, 1, 4, 5});
    m.ints("s", {2}, {1, 0}).ints("e", {2}, {-1, std::numeric_limits<int64_t>::max()}).ints("a", {2}, {2, 3});
    m.ints("t", {2}, {1, 2});
    m.node("Slice", {"x", "s", "e", "a", "t"}, {"y"});
    expect(&m, counting(20), {1, 2, 3}, {5, 7, 9, 10, 12, 14});
}

TEST(OnnxOperators, WhereOfAComputedValueAndInfinity) {
    ModelBuilder m({1, 2, 2});
    m.bytes("c", {2, 2}, {1, 0, 1, 1}, TensorProto::BOOL);
    m.floats("low", {}, {-std::numeric_limits<float>::infinity()});
    m.node("Where", {"c", "x", "low"}, {"masked"});
    m.node("Softmax", {"masked"}, {"y"});
    expect(&m, {3, 4, 0, 0}, {2, 2}, {1, 0, 0.5F, 0.5F});
}

TEST(OnnxOperators, WhereOfTwoComputedValues) {
    ModelBuilder m({1, 3});
    m.bytes("c", {3}, {1, 0, 1}, TensorProto::BOOL);
    m.node("Neg", {"x"}, {"n"});
    m.node("Where", {"c", "x", "n"}, {"y"});
    expect(&m, {1, 2, 3}, {3}, {1, -2, 3});
}

TEST(OnnxOperators, WhereThatWouldNotFitIsAnError) {
    ModelBuilder m({1, 1});
    m.bytes("c", {1, 70000}, std::vector<int>(70000, 1), TensorProto::BOOL).floats("k", {70000, 1}, Floats(70000, 1));
    m.node("Where", {"c", "k", "x"}, {"y"});
    const Outcome o = convert_bytes(m.output("y").serialized());
    EXPECT_FALSE(o.status.ok());
    EXPECT_EQ(o.report.errors().size(), 1U) << o.errors();
}

TEST(OnnxOperators, GatherOfRuns) {
    ModelBuilder m({1, 4, 2});
    m.ints("i", {3}, {3, 0, 1});
    set(m.node("Gather", {"x", "i"}, {"y"}), "axis", int64_t{1});
    expect(&m, counting(8), {3, 2}, {6, 7, 0, 1, 2, 3});
}

TEST(OnnxOperators, GatherOfAMatrixOfIndices) {
    ModelBuilder m({1, 3, 2});
    m.ints("i", {2, 1, 2}, {0, 1, 1, 2});
    set(m.node("Gather", {"x", "i"}, {"y"}), "axis", int64_t{1});
    expect(&m, counting(6), {2, 1, 2, 2}, {0, 1, 2, 3, 2, 3, 4, 5});
}

TEST(OnnxOperators, SliceBackwardsAndInStepsOfChannels) {
    ModelBuilder m({1, 4, 1, 3});
    m.ints("s", {2}, {0, -1}).ints("e", {2}, {4, -4}).ints("a", {2}, {1, 3}).ints("t", {2}, {3, -2});
    m.node("Slice", {"x", "s", "e", "a", "t"}, {"y"});
    expect(&m, counting(12), {2, 1, 2}, {2, 0, 11, 9});
}

TEST(OnnxOperators, SliceStepsOverAnAxisOfOne) {
    ModelBuilder m({1, 1, 2, 3});
    m.ints("s", {3}, {0, 0, 1}).ints("e", {3}, {1, 1, 3}).ints("a", {3}, {0, 1, 3}).ints("t", {3}, {3, 2, 1});
    m.node("Slice", {"x", "s", "e", "a", "t"}, {"y"});
    expect(&m, counting(6), {1, 2, 2}, {1, 2, 4, 5}, "Input Crop");
}

TEST(OnnxOperators, ReductionOverNoAxesIsOfSingleElements) {
    ModelBuilder m({1, 2, 1, 2}, 18);
    set(m.node("ReduceSumSquare", {"x"}, {"y"}), "noop_with_empty_axes", int64_t{1});
    expect(&m, {1, -2, 3, -4}, {2, 1, 2}, {1, 4, 9, 16});
}

TEST(OnnxOperators, SumOfMoreAxesThanABlobHasIsAnError) {
    ModelBuilder m({2, 1, 2, 2, 2});
    set(m.node("Transpose", {"x"}, {"t"}), "perm", Ints{1, 0, 2, 3, 4});
    m.node("Add", {"x", "t"}, {"y"});
    const Outcome o = convert_bytes(m.output("y").serialized());
    EXPECT_FALSE(o.status.ok());
    EXPECT_NE(o.errors().find("[2,2,2,2,2]"), std::string::npos) << o.errors();
}

TEST(OnnxOperators, ResizeScalesAreFloat32) {
    ModelBuilder m({1, 1, 1, 9});
    m.floats("scales", {4}, {1, 1, 1, 13.0F / 9.0F});
    m.node("Resize", {"x", "", "scales"}, {"y"});
    expect(&m, counting(9), {1, 1, 13}, {0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8}, "Input Interp");
}

TEST(OnnxOperators, SumOfAPixelAndAVector) {
    ModelBuilder m({1, 2, 1, 1});
    m.floats("w", {2, 2, 1, 1}, {0, 1, 1, 0});
    m.node("GlobalMaxPool", {"x"}, {"a"});
    m.node("ConvTranspose", {"a", "w"}, {"b"});
    m.node("Add", {"b", "a"}, {"y"});
    expect(&m, {1, 10}, {2, 1, 1}, {11, 11});
}

TEST(OnnxOperators, LrnOfARow) {
    ModelBuilder m({1, 2, 2});
    NodeProto* lrn = m.node("LRN", {"x"}, {"y"});
    set(lrn, "size", int64_t{1});
    set(lrn, "alpha", 1.0F);
    set(lrn, "beta", 1.0F);
    expect(&m, {0, 1, 2, 3}, {2, 2}, {0, 0.5F, 0.4F, 0.3F});
}

TEST(OnnxOperators, PReluWithASlopeAPixel) {
    ModelBuilder m({1, 2, 1, 2});
    m.floats("slope", {2}, {10, 100});
    m.node("PRelu", {"x", "slope"}, {"y"});
    expect(&m, {-1, -2, 3, -4}, {2, 1, 2}, {-10, -200, 3, -400},
           "Input Split ReLU BinaryOp MemoryData BinaryOp Eltwise");
}

TEST(OnnxOperators, PReluWithASlopeAChannel) {
    ModelBuilder m({1, 2, 1, 2});
    m.floats("slope", {2, 1, 1}, {10, 100});
    m.node("PRelu", {"x", "slope"}, {"y"});
    expect(&m, {-1, -2, 3, -4}, {2, 1, 2}, {-10, -20, 3, -400}, "Input PReLU");
}

TEST(OnnxOperators, GemmWithAMatrixAdded) {
    ModelBuilder m({2, 2});
    m.floats("b", {2, 2}, {1, 2, 3, 4}).floats("c", {2, 2}, {100, 200, 300, 400});
    NodeProto* node = m.node("Gemm", {"x", "b", "c"}, {"y"});
    set(node, "alpha", 2.0F);
    set(node, "beta", 0.5F);
    expect(&m, {1, 0, 0, 1}, {2, 2}, {52, 104, 156, 208});
}

TEST(OnnxOperators, SwishWithAFactor) {
    ModelBuilder m({1, 2}, 24);
    set(m.node("Swish", {"x"}, {"y"}), "alpha", 0.5F);
    expect(&m, {2, -2}, {2}, {2 * 0.73105858F, -2 * 0.26894142F});
}

TEST(OnnxOperators, RoiAlignOfKnownRegions) {
    // On x = column + 10 * row every sample is its own place.
    for (const int64_t opset : {10, 16}) {
        ModelBuilder m({1, 1, 4, 4}, opset);
        m.floats("rois", {2, 4}, {1, 1, 3, 3, 0.5, 1, 2.5, 3}).ints("batch", {2}, {0, 0});
        NodeProto* node = m.node("RoiAlign", {"x", "rois", "batch"}, {"y"});
        set(node, "output_height", int64_t{1});
        set(node, "output_width", int64_t{2});
        set(node, "sampling_ratio", int64_t{1});
        Floats x;
        for (int k = 0; k < 16; ++k) {
            x.push_back(static_cast<float>(k / 4 * 10 + k % 4));
        }
        const float half = opset < 16 ? 0.0F : 5.5F;  // pixels have their centre at .5
        expect(&m, x, {2, 1, 1, 2}, {21.5F - half, 22.5F - half, 21.0F - half, 22.0F - half});
    }
}

TEST(OnnxErrors, RoiAlignOfAnotherImage) {
    ModelBuilder m({1, 1, 4, 4}, 16);
    m.floats("rois", {1, 4}, {1, 1, 3, 3}).ints("batch", {1}, {1});
    m.node("RoiAlign", {"x", "rois", "batch"}, {"y"});
    m.output("y");
    EXPECT_NE(convert_bytes(m.serialized()).errors().find("batch_indices holds 1, expected 0, the batch being 1"),
              std::string::npos);
}

TEST(OnnxOperators, BatchNormalizationOfABatch) {
    ModelBuilder m({2, 2, 1, 2});
    m.floats("scale", {2}, {1, 2}).floats("bias", {2}, {10, 20}).floats("mean", {2}, {0, 1}).floats("var", {2}, {1, 4});
    set(m.node("BatchNormalization", {"x", "scale", "bias", "mean", "var"}, {"a"}), "epsilon", 0.0F);
    m.node("Relu", {"a"}, {"y"});
    m.output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    expect(&m, counting(8), {2, 2, 1, 2}, {10, 11, 21, 22, 14, 15, 25, 26});
}

TEST(OnnxOperators, PadOfChannels) {
    ModelBuilder m({1, 1, 1, 2}, 11);
    m.ints("p", {8}, {0, 0, 0, 1, 0, 1, 0, 0}).floats("v", {}, {9});
    m.node("Pad", {"x", "p", "v"}, {"y"});
    expect(&m, {1, 2}, {2, 1, 3}, {9, 1, 2, 9, 9, 9});
}

TEST(OnnxOperators, SoftmaxOfOldOperatorSetsRunsOverTheRest) {
    ModelBuilder m({1, 2, 2}, 11);
    m.node("Softmax", {"x"}, {"y"});
    expect(&m, {0, 0, 0, 0}, {2, 2}, {0.25F, 0.25F, 0.25F, 0.25F});
}

TEST(OnnxOperators, LogSoftmaxOfLargeNumbers) {
    ModelBuilder m({1, 2});
    m.node("LogSoftmax", {"x"}, {"y"});
    expect(&m, {0, 10000}, {2}, {-10000, 0});
}

TEST(OnnxOperators, ArgMaxAlongChannels) {
    ModelBuilder m({1, 3, 1, 2});
    set(m.node("ArgMax", {"x"}, {"y"}), "axis", int64_t{1});
    expect(&m, {1, 9, 5, 2, 3, 4}, {1, 1, 2}, {1, 0});
}

TEST(OnnxOperators, ArgMaxTakesTheLastOfEquals) {
    ModelBuilder m({1, 3, 1, 2});
    NodeProto* node = m.node("ArgMax", {"x"}, {"y"});
    set(node, "axis", int64_t{1});
    set(node, "select_last_index", int64_t{1});
    expect(&m, {5, 1, 5, 2, 0, 2}, {1, 1, 2}, {1, 2});
}

TEST(OnnxOperators, ResizeAsymmetricLinear) {
    ModelBuilder m({1, 1, 1, 2}, 11);
    m.floats("roi", {0}, {}).floats("s", {4}, {1, 1, 1, 2});
    NodeProto* n = m.node("Resize", {"x", "roi", "s"}, {"y"});
    set(n, "mode", std::string("linear"));
    set(n, "coordinate_transformation_mode", std::string("asymmetric"));
    expect(&m, {0, 4}, {1, 1, 4}, {0, 2, 4, 4});
}

// What Interp does not do becomes a matrix for each axis. The values are those of the operator's page.
TEST(OnnxOperators, ResizeByMatrices) {
    const auto resize = [](const Ints& sizes, const std::string& mode, const std::string& place) {
        ModelBuilder m({1, 1, 2, 4}, 19);
        m.ints("s", {4}, sizes).floats("roi", {8}, {0, 0, 0, 0.5F, 1, 1, 1, 1.5F});
        NodeProto* n = m.node("Resize", {"x", place == "tf_crop_and_resize" ? "roi" : "", "", "s"}, {"y"});
        set(n, "mode", mode);
        set(n, "coordinate_transformation_mode", place);
        return m;
    };
    const Floats x = {1, 2, 3, 4, 5, 6, 7, 8};
    ModelBuilder crop = resize({1, 1, 2, 3}, "linear", "tf_crop_and_resize");
    set(crop.graph()->mutable_node(0), "extrapolation_value", 10.0F);
    expect(&crop, x, {1, 2, 3}, {2.5F, 4, 10, 6.5F, 8, 10});
    ModelBuilder smaller = resize({1, 1, 1, 2}, "linear", "half_pixel");
    set(smaller.graph()->mutable_node(0), "antialias", int64_t{1});
    // Weights 1 3 3 1 over a halved axis, less what lies outside: the edge stands in.
    expect(&smaller, x, {1, 1, 2}, {0.5F * (1.625F + 5.625F), 0.5F * (3.375F + 7.375F)});
    ModelBuilder channels = resize({1, 3, 2, 4}, "nearest", "asymmetric");
    expect(&channels, x, {3, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST(OnnxOperators, LayerNormGivesMeanAndDeviation) {
    ModelBuilder m({1, 2, 2}, 17);
    m.floats("g", {2}, {1, 1});
    m.node("LayerNormalization", {"x", "g"}, {"n", "mean", "y"});
    expect(&m, {1, 3, 0, 4}, {2, 1}, {0.999995F, 0.49999937F});
}

TEST(OnnxOperators, ShuffleOfChannels) {
    ModelBuilder m({1, 4, 1, 2});
    m.ints("a", {5}, {1, 2, 2, 1, 2}).ints("b", {4}, {1, 4, 1, 2});
    m.node("Reshape", {"x", "a"}, {"g"});
    set(m.node("Transpose", {"g"}, {"t"}), "perm", Ints{0, 2, 1, 3, 4});
    m.node("Reshape", {"t", "b"}, {"y"});
    expect(&m, counting(8), {4, 1, 2}, {0, 1, 4, 5, 2, 3, 6, 7}, "Input ShuffleChannel");
}

TEST(OnnxOperators, SwishIsPutTogether) {
    ModelBuilder m({1, 2});
    m.node("Sigmoid", {"x"}, {"s"});
    m.node("Mul", {"x", "s"}, {"y"});
    expect(&m, {0, 1}, {2}, {0, 0.731058578F}, "Input Swish");
}

TEST(OnnxOperators, APatternWhosePartIsAnOutputStays) {
    ModelBuilder m({1, 2});
    m.node("Sigmoid", {"x"}, {"s"});
    m.node("Mul", {"x", "s"}, {"y"});
    m.output("s");
    expect(&m, {0, 1}, {2}, {0, 0.731058578F}, "Input Split Sigmoid Eltwise");
}

TEST(OnnxOperators, GeluIsPutTogether) {
    ModelBuilder m({1, 2});
    m.floats("r", {}, {1.41421356F}).floats("one", {}, {1}).floats("half", {}, {0.5F});
    m.node("Div", {"x", "r"}, {"a"});
    m.node("Erf", {"a"}, {"b"});
    m.node("Add", {"b", "one"}, {"c"});
    m.node("Mul", {"x", "c"}, {"d"});
    m.node("Mul", {"d", "half"}, {"y"});
    expect(&m, {0, 1}, {2}, {0, 0.841344746F}, "Input GELU");
}

TEST(OnnxOperators, NamesInMessagesAreOneShortLine) {
    ModelBuilder m({1, 1});
    NodeProto* node = m.node("Nothing\x1b[31m", {"x"}, {"y"});
    node->set_name("a\nb" + std::string(100000, 'x'));
    const std::string errors = convert_bytes(m.output("y").serialized()).errors();
    EXPECT_EQ(errors.find("net.onnx: layer 'a bxxx"), 0U) << errors.substr(0, 200);
    EXPECT_EQ(errors.find('\x1b'), std::string::npos);
    EXPECT_EQ(errors.find('\n'), errors.size() - 1);
    EXPECT_LT(errors.size(), 3000U);
}

TEST(OnnxOperators, ABatchIsRefusedOrMadeOne) {
    ModelBuilder m({2, 1, 1, 2});
    m.floats("w", {1, 1, 1, 1}, {3});
    m.node("Conv", {"x", "w"}, {"y"});
    m.output("y");
    EXPECT_NE(convert_bytes(m.serialized()).errors().find("[2,1,1,2]: a batch of 2, expected 1 (--input-shape"),
              std::string::npos);
    OnnxOptions options;
    options.input_shapes[""] = {1, 1, 1, 2};
    const Outcome o = convert_bytes(m.serialized(), options);
    ASSERT_TRUE(o.status.ok()) << o.errors();
    EXPECT_EQ(run(o.out.net, {1, 2}, "y"), (Floats{3, 6}));
}

TEST(OnnxErrors, AllProblemsAtOnce) {
    ModelBuilder m({1, 2});
    m.node("Frobnicate", {"x"}, {"a"});
    m.node("Relu", {"nowhere"}, {"b"});
    m.node("Add", {"a", "b"}, {"y"});
    m.output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_FALSE(o.status.ok());
    ASSERT_EQ(o.report.errors().size(), 2U) << o.errors();
    EXPECT_NE(o.report.errors()[0].find("operator Frobnicate is not supported"), std::string::npos);
    EXPECT_NE(o.report.errors()[1].find("'nowhere'"), std::string::npos);
}

TEST(OnnxErrors, CycleIsAnError) {
    ModelBuilder m({1, 2});
    m.node("Add", {"x", "b"}, {"a"});
    m.node("Relu", {"a"}, {"b"});
    m.output("b");
    EXPECT_FALSE(convert_bytes(m.serialized()).status.ok());
}

TEST(OnnxErrors, HugeConstantsAreRefusedBeforeMemoryIsTaken) {
    ModelBuilder m({1, 2});
    m.ints("s", {3}, {2000, 1000, 1000});
    m.node("ConstantOfShape", {"s"}, {"c"});
    m.node("Add", {"x", "c"}, {"y"});
    m.output("y");
    const Outcome o = convert_bytes(m.serialized());
    ASSERT_FALSE(o.status.ok());
    EXPECT_NE(o.errors().find("at most"), std::string::npos) << o.errors();
}

TEST(OnnxErrors, OpenExtentsNeedInputShape) {
    ModelBuilder m({0, 3, 0, 8});
    m.node("Relu", {"x"}, {"y"});
    m.output("y");
    EXPECT_NE(convert_bytes(m.serialized()).errors().find("--input-shape x:"), std::string::npos);
    OnnxOptions options;
    ASSERT_TRUE(parse_input_shape("3,4,8", &options.input_shapes).ok());
    EXPECT_TRUE(convert_bytes(m.serialized(), options).status.ok());
    OnnxOptions sized;
    sized.common.preprocess.size = "8x4";
    const Outcome o = convert_bytes(m.serialized(), sized);
    ASSERT_TRUE(o.status.ok()) << o.errors();
    EXPECT_EQ(o.out.net.layers[0].params.get(1, 0), 4);
    EXPECT_EQ(o.out.net.layers[0].params.get(0, 0), 8);
}

}  // namespace

}  // namespace fw::onnx
