// ResNet: He et al., "Deep Residual Learning for Image Recognition" (2015), table 1.
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

Value stem(Blocks* net) {
    const Value x = net->conv("conv1", net->input(3, 224, 224), {64, 7, 2});
    return net->pool("pool1", x, Pool::kMax, 3, 2, 1, false);
}

void classifier(Blocks* net, const Value& x) {
    net->softmax("prob", net->fc("fc1000", net->global_pool("pool5", x), 1000, Act::kNone, 2));
}

// The sum of a branch and of x, or of its projection where the shape changes, rectified.
Value join(Blocks* net, const std::string& name, const Value& x, int stride, const Value& branch) {
    Value shortcut = x;
    if (stride != 1 || x.c != branch.c) {
        shortcut = net->conv(name + "/shortcut", x, {branch.c, 1, stride, Act::kNone});
    }
    return net->add(name + "/add", branch, shortcut, Act::kRelu);
}

Conv branch_end(int out, int kernel) {
    Conv conv{out, kernel, 1, Act::kNone};
    conv.deviation = kBranchDeviation;
    return conv;
}

Value basic(Blocks* net, const std::string& name, const Value& x, int width, int stride) {
    const Value y = net->conv(name + "/conv1", x, {width, 3, stride});
    return join(net, name, x, stride, net->conv(name + "/conv2", y, branch_end(width, 3)));
}

// The stride lies in the first 1x1 convolution, as in the paper.
Value bottleneck(Blocks* net, const std::string& name, const Value& x, int width, int stride) {
    Value y = net->conv(name + "/conv1", x, {width, 1, stride});
    y = net->conv(name + "/conv2", y, {width, 3});
    return join(net, name, x, stride, net->conv(name + "/conv3", y, branch_end(width * 4, 1)));
}

using Block = Value (*)(Blocks* net, const std::string& name, const Value& x, int width, int stride);

void resnet(Blocks* net, Block block, Span<const int> repeats) {
    Value x = stem(net);
    for (int stage = 0; stage < 4; ++stage) {
        for (int i = 0; i < repeats[static_cast<size_t>(stage)]; ++i) {
            const std::string name = "conv" + std::to_string(stage + 2) + "_" + std::to_string(i + 1);
            x = block(net, name, x, 64 << stage, stage > 0 && i == 0 ? 2 : 1);
        }
    }
    classifier(net, x);
}

}  // namespace

void resnet18(Blocks* net) {
    static constexpr int kRepeats[] = {2, 2, 2, 2};
    resnet(net, basic, kRepeats);
}

void resnet50(Blocks* net) {
    static constexpr int kRepeats[] = {3, 4, 6, 3};
    resnet(net, bottleneck, kRepeats);
}

}  // namespace fw::zoo
