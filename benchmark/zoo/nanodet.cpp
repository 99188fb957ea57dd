// NanoDet-m (RangiLyu's repository, 2020): ShuffleNet v2 with leaky ReLU, a path aggregation network without
// convolutions, and the generalised focal loss head (Li et al., "Generalized Focal Loss", 2020): 80 scores and 4
// distributions over 8 distances a cell.
#include "zoo/networks.h"
#include "zoo/shufflenet.h"

namespace fw::zoo {

namespace {

constexpr Act kLeaky = Act::kLeakyRelu;
constexpr int kScores = 80;
constexpr int kDistances = 4 * 8;

// [c x h x w] to [pixels x c].
void rows(Blocks* net, const std::string& name, const Value& x) {
    const Value flat = net->reshape(name + "/reshape", x, 1, x.c, x.h * x.w);
    net->layer("Permute", name, {flat}).set("order_type", 1).top(name);
}

void head(Blocks* net, const std::string& stride, Value x) {
    for (const char* part : {"/1", "/2"}) {
        const std::string name = "head_" + stride + part;
        x = net->depthwise(name + "/depthwise", x, {0, 3, 1, kLeaky});
        x = net->conv(name + "/pointwise", x, {x.c, 1, 1, kLeaky});
    }
    x = net->conv("head_" + stride + "/out", x, {kScores + kDistances, 1, 1, Act::kNone});
    import::LayerBuilder& slice = net->layer("Slice", "head_" + stride + "/slice", {x});
    slice.set("slices", std::vector<int>{kScores, -233});
    Value scores = x;
    scores.id = slice.top("head_" + stride + "/scores");
    scores.c = kScores;
    Value distances = x;
    distances.id = slice.top("head_" + stride + "/distances");
    distances.c = kDistances;
    rows(net, "cls_pred_stride_" + stride, net->act("head_" + stride + "/sigmoid", scores, Act::kSigmoid));
    rows(net, "dis_pred_stride_" + stride, distances);
}

}  // namespace

void nanodet_m(Blocks* net) {
    const ShuffleNetTrunk trunk = shufflenet_v2_trunk(net, 320, kLeaky);
    Value level[3];
    for (int i = 0; i < 3; ++i) {
        level[i] = net->conv("lateral" + std::to_string(i), trunk.stage[i], {96, 1, 1, Act::kNone});
    }
    const auto mix = [&](const std::string& name, const Value& from, const Value& to) {
        const Value resized = net->resize(name + "/resize", from, to.h, to.w, Blocks::Resize::kBilinear);
        return net->add(name, to, resized);
    };
    for (const int i : {1, 0}) {
        level[i] = mix("down" + std::to_string(i), level[i + 1], level[i]);
    }
    for (const int i : {1, 2}) {
        level[i] = mix("up" + std::to_string(i), level[i - 1], level[i]);
    }
    for (int i = 0; i < 3; ++i) {
        head(net, std::to_string(8 << i), level[i]);
    }
}

}  // namespace fw::zoo
