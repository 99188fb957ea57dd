// ShuffleNet v2: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design" (2018), figure
// 3 and table 5.
#include "zoo/shufflenet.h"

#include "zoo/networks.h"

namespace fw::zoo {

namespace {

// 1x1, depthwise without activation, 1x1.
Value branch(Blocks* net, const std::string& name, const Value& x, int width, int stride, Act act) {
    Value y = net->conv(name + "/conv1", x, {width, 1, 1, act});
    y = net->depthwise(name + "/conv2", y, {0, 3, stride, Act::kNone});
    return net->conv(name + "/conv3", y, {width, 1, 1, act});
}

Value join(Blocks* net, const std::string& name, const Value& left, const Value& right) {
    Value y = net->concat(name + "/concat", {left, right});
    y.id = net->layer("ShuffleChannel", name + "/shuffle", {y}).set("group", 2).top(name + "/shuffle");
    return y;
}

// Half of the channels pass, half go through the branch.
Value basic_unit(Blocks* net, const std::string& name, const Value& x, Act act) {
    import::LayerBuilder& slice = net->layer("Slice", name + "/slice", {x});
    slice.set("slices", std::vector<int>{x.c / 2, -233});
    Value left = x;
    left.c = x.c / 2;
    Value right = left;
    left.id = slice.top(name + "/left");
    right.id = slice.top(name + "/right");
    return join(net, name, left, branch(net, name, right, right.c, 1, act));
}

Value down_unit(Blocks* net, const std::string& name, const Value& x, int out, Act act) {
    Value left = net->depthwise(name + "/left/conv1", x, {0, 3, 2, Act::kNone});
    left = net->conv(name + "/left/conv2", left, {out / 2, 1, 1, act});
    return join(net, name, left, branch(net, name + "/right", x, out / 2, 2, act));
}

}  // namespace

ShuffleNetTrunk shufflenet_v2_trunk(Blocks* net, int size, Act act) {
    static constexpr int kRepeats[] = {4, 8, 4};
    Value x = net->conv("conv1", net->input(3, size, size), {24, 3, 2, act});
    x = net->pool("pool1", x, Pool::kMax, 3, 2, 1, false);
    ShuffleNetTrunk trunk;
    for (int s = 0; s < 3; ++s) {
        for (int i = 0; i < kRepeats[s]; ++i) {
            const std::string name = "stage" + std::to_string(s + 2) + "_" + std::to_string(i + 1);
            x = i == 0 ? down_unit(net, name, x, 116 << s, act) : basic_unit(net, name, x, act);
        }
        trunk.stage[s] = x;
    }
    return trunk;
}

void shufflenet_v2(Blocks* net) {
    const Value x = net->conv("conv5", shufflenet_v2_trunk(net, 224, Act::kRelu).stage[2], {1024});
    net->softmax("prob", net->fc("fc", net->global_pool("pool", x), 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
