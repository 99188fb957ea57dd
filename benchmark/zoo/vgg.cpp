// The classifiers with fully connected layers: AlexNet (Krizhevsky et al., "ImageNet Classification with Deep
// Convolutional Neural Networks", 2012) and VGG-16 (Simonyan and Zisserman, "Very Deep Convolutional Networks for
// Large-Scale Image Recognition", 2014, table 1, column D).
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

void classifier(Blocks* net, Value x) {
    x = net->fc("fc6", x, 4096, Act::kRelu);
    x = net->fc("fc7", x, 4096, Act::kRelu);
    net->softmax("prob", net->fc("fc8", x, 1000, Act::kNone, 2));
}

}  // namespace

void alexnet(Blocks* net) {
    Conv first{96, 11, 4};
    first.pad = 0;
    Value x = net->conv("conv1", net->input(3, 227, 227), first);
    x = net->pool("pool1", net->lrn("norm1", x), Pool::kMax, 3, 2, 0, true);
    x = net->conv("conv2", x, {256, 5, 1, Act::kRelu, 2});
    x = net->pool("pool2", net->lrn("norm2", x), Pool::kMax, 3, 2, 0, true);
    x = net->conv("conv3", x, {384, 3});
    x = net->conv("conv4", x, {384, 3, 1, Act::kRelu, 2});
    x = net->conv("conv5", x, {256, 3, 1, Act::kRelu, 2});
    classifier(net, net->pool("pool5", x, Pool::kMax, 3, 2, 0, true));
}

void vgg16(Blocks* net) {
    static constexpr int kRepeats[] = {2, 2, 3, 3, 3};
    Value x = net->input(3, 224, 224);
    for (int stage = 0; stage < 5; ++stage) {
        const std::string number = std::to_string(stage + 1);
        for (int i = 0; i < kRepeats[stage]; ++i) {
            x = net->conv("conv" + number + "_" + std::to_string(i + 1), x, {stage < 4 ? 64 << stage : 512, 3});
        }
        x = net->pool("pool" + number, x, Pool::kMax, 2, 2, 0, false);
    }
    classifier(net, x);
}

}  // namespace fw::zoo
