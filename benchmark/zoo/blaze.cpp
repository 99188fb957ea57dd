#include "zoo/blaze.h"

#include "zoo/networks.h"

namespace fw::zoo {

namespace {

// Predictions of a feature map as rows of `values` a box.
Value rows(Blocks* net, const std::string& name, const Value& x, int boxes, int values) {
    Conv conv{boxes * values, 1, 1, Act::kNone};
    const Value flat = net->flatten_pixels(name, net->conv(name, x, conv));
    return net->reshape(name + "_rows", flat, 1, flat.c / values, values);
}

void joined_rows(Blocks* net, const std::string& name, const Value& fine, const Value& coarse) {
    net->layer("Concat", name, {fine, coarse}).top(name);
}

}  // namespace

Value blaze_block(Blocks* net, const std::string& name, const Value& x, int out, int stride, Act act) {
    Conv depthwise{0, 3, stride, Act::kNone};
    depthwise.pad = stride == 2 ? kSameUpper : kSamePad;
    Conv pointwise{out, 1, 1, Act::kNone};
    pointwise.deviation = kBranchDeviation;
    const Value y = net->conv(name + "/pointwise", net->depthwise(name + "/depthwise", x, depthwise), pointwise);
    Value shortcut = stride == 2 ? net->pool(name + "/pool", x, Pool::kMax, 2, 2, 0, false) : x;
    shortcut = out > x.c ? net->pad_channels(name + "/pad", shortcut, out) : shortcut;
    return net->add(name + "/add", y, shortcut, act);
}

// The short-range model of MediaPipe: single blocks, 896 boxes of 16 coordinates.
void blazeface(Blocks* net) {
    static constexpr struct {
        int out, stride;
    } kBlocks[] = {{24, 1}, {28, 1}, {32, 2}, {36, 1}, {42, 1}, {48, 2}, {56, 1}, {64, 1},
                   {72, 1}, {80, 1}, {88, 1}, {96, 2}, {96, 1}, {96, 1}, {96, 1}, {96, 1}};
    Conv first{24, 5, 2};
    first.pad = kSameUpper;
    Value x = net->conv("conv1", net->input(3, 128, 128), first);
    Value stride8;
    int index = 1;
    for (const auto& block : kBlocks) {
        stride8 = block.stride == 2 ? x : stride8;
        x = blaze_block(net, "block" + std::to_string(index++), x, block.out, block.stride, Act::kRelu);
    }
    joined_rows(net, "classificators", rows(net, "classificator_8", stride8, 2, 1),
                rows(net, "classificator_16", x, 6, 1));
    joined_rows(net, "regressors", rows(net, "regressor_8", stride8, 2, 16), rows(net, "regressor_16", x, 6, 16));
}

// FaceMesh: Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs" (2019), as
// MediaPipe's face_landmark: 468 points in three dimensions and a score.
void facemesh(Blocks* net) {
    constexpr Act kAct = Act::kPRelu;
    Conv first{16, 3, 2, kAct};
    first.pad = kSameUpper;
    Value x = net->conv("conv1", net->input(3, 192, 192), first);
    const auto stage = [&](const std::string& name, Value y, int out, int stride, int repeats) {
        for (int i = 0; i < repeats; ++i) {
            y = blaze_block(net, name + "_" + std::to_string(i + 1), y, out, i == 0 ? stride : 1, kAct);
        }
        return y;
    };
    x = stage("stage1", x, 16, 1, 2);
    for (const int out : {32, 64, 128}) {
        x = stage("stage" + std::to_string(out), x, out, 2, 3);
    }
    x = stage("stage5", x, 128, 2, 3);
    // From 6x6 down to 3x3, and one vector over those.
    const auto head = [&](const std::string& name, int repeats, int out) {
        Value y = stage(name, x, 128, 2, repeats);
        y = net->conv(name + "/reduce", y, {32, 1, 1, kAct});
        Conv last{out, 3, 3, Act::kNone};
        last.pad = 0;
        net->conv(name + "/out", stage(name + "/block", y, 32, 1, 1), last);
    };
    head("landmarks", 3, 468 * 3);
    head("score", 1, 1);
}

}  // namespace fw::zoo
