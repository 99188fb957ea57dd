// Detectors with YOLO heads: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018).
#include "zoo/inverted_residual.h"
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

constexpr Act kLeaky = Act::kLeakyRelu;
constexpr int kClasses = 80;

// Boxes of three anchors a cell. Few cells hold an object, as in a trained detector.
Value boxes(Blocks* net, const std::string& name, const Value& x) {
    Conv conv{3 * (5 + kClasses), 1, 1, Act::kNone};
    conv.offset.assign(5 + kClasses, 0.0F);
    conv.offset[4] = -3.0F;
    conv.deviation = 2;
    return net->conv(name, x, conv);
}

void output(Blocks* net, const Value& coarse, const Value& fine, const std::vector<float>& anchors,
            const std::vector<int>& mask, const std::vector<float>& strides) {
    import::LayerBuilder& to = net->layer("Yolov3DetectionOutput", "detection_out", {coarse, fine});
    to.set("num_class", kClasses).set("num_box", 3).set("confidence_threshold", 0.3).set("nms_threshold", 0.45);
    to.set("biases", anchors).set("mask", mask).set("anchors_scale", strides).top("detection_out");
}

Value twice(Blocks* net, const std::string& name, const Value& x) {
    return net->resize(name, x, x.h * 2, x.w * 2, Blocks::Resize::kNearest);
}

// The cross-stage partial block of YOLOv4-tiny (Wang et al., "Scaled-YOLOv4", 2021, section 4.1). `inner` is the blob
// that the finer head takes.
Value partial_block(Blocks* net, const std::string& name, const Value& in, Value* inner) {
    const Value x = net->conv(name + "/conv1", in, {in.c, 3, 1, kLeaky});
    const Value half = net->channels(name + "/half", x, x.c / 2, x.c / 2);
    const Value a = net->conv(name + "/conv2", half, {half.c, 3, 1, kLeaky});
    const Value b = net->conv(name + "/conv3", a, {half.c, 3, 1, kLeaky});
    *inner = net->conv(name + "/conv4", net->concat(name + "/concat1", {b, a}), {x.c, 1, 1, kLeaky});
    const Value y = net->concat(name + "/concat2", {x, *inner});
    return net->pool(name + "/pool", y, Pool::kMax, 2, 2, 0, false);
}

}  // namespace

void yolov4_tiny(Blocks* net) {
    Value x = net->conv("conv1", net->input(3, 416, 416), {32, 3, 2, kLeaky});
    x = net->conv("conv2", x, {64, 3, 2, kLeaky});
    Value inner;
    for (int i = 1; i <= 3; ++i) {
        x = partial_block(net, "block" + std::to_string(i), x, &inner);
    }
    x = net->conv("conv3", x, {512, 3, 1, kLeaky});
    x = net->conv("conv4", x, {256, 1, 1, kLeaky});
    const Value coarse = boxes(net, "yolo_13", net->conv("conv5", x, {512, 3, 1, kLeaky}));
    Value y = twice(net, "upsample", net->conv("conv6", x, {128, 1, 1, kLeaky}));
    y = net->conv("conv7", net->concat("concat", {y, inner}), {256, 3, 1, kLeaky});
    const Value fine = boxes(net, "yolo_26", y);
    output(net, coarse, fine, {10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319}, {3, 4, 5, 1, 2, 3}, {33.6F, 16.8F});
}

// Yolo-Fastest 1.1 (dog-qiuqiu's repository): inverted residuals with leaky ReLU, pyramid pooling, 5x5 depthwise heads.
void yolo_fastest(Blocks* net) {
    static constexpr struct {
        int expanded, out, stride, residual, repeats;
    } kStages[] = {{8, 4, 1, 8, 1},    {24, 8, 2, 32, 2},   {32, 8, 2, 48, 2},
                   {48, 16, 1, 96, 4}, {96, 24, 2, 136, 4}, {136, 48, 2, 224, 5}};
    const auto block = [&](const std::string& name, const Value& x, int expanded, int out, int stride) {
        Value y = net->conv(name + "/expand", x, {expanded, 1, 1, kLeaky});
        y = net->depthwise(name + "/depthwise", y, {0, 3, stride, kLeaky});
        return net->conv(name + "/project", y, {out, 1, 1, Act::kNone});
    };
    const auto head = [&](const std::string& name, Value x) {
        for (const char* part : {"/1", "/2"}) {
            x = net->depthwise(name + part + "/depthwise", x, {0, 5, 1, kLeaky});
            x = net->conv(name + part + "/pointwise", x, {x.c, 1, 1, Act::kNone});
        }
        return boxes(net, name, x);
    };
    Value x = net->conv("conv1", net->input(3, 320, 320), {8, 3, 2, kLeaky});
    Value stride16;
    int index = 1;
    for (const auto& stage : kStages) {
        stride16 = stage.stride == 2 ? x : stride16;
        const std::string name = "stage" + std::to_string(index++);
        x = block(name + "_1", x, stage.expanded, stage.out, stage.stride);
        for (int i = 0; i < stage.repeats; ++i) {
            const std::string repeat = name + "_" + std::to_string(i + 2);
            x = net->add(repeat + "/add", block(repeat, x, stage.residual, stage.out, 1), x);
        }
    }
    std::vector<Value> pyramid;
    for (const int kernel : {9, 5, 3}) {
        pyramid.push_back(net->pool("pool" + std::to_string(kernel), x, Pool::kMax, kernel, 1, kernel / 2, false));
    }
    pyramid.push_back(x);
    x = net->conv("conv_spp", net->concat("spp", pyramid), {96, 1, 1, kLeaky});
    const Value coarse = head("yolo_10", x);
    const Value fine = head("yolo_20", net->concat("concat", {twice(net, "upsample", x), stride16}));
    output(net, coarse, fine, {12, 18, 37, 49, 52, 132, 115, 73, 119, 199, 242, 238}, {3, 4, 5, 0, 1, 2}, {32, 16});
}

}  // namespace fw::zoo
