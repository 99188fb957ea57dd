// MobileNet: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications"
// (2017), table 1.
#include "zoo/mobilenet.h"
#include "zoo/networks.h"

namespace fw::zoo {

MobileNetV1Trunk mobilenet_v1_trunk(Blocks* net, int size, Act act) {
    static constexpr struct {
        int out, stride;
    } kLayers[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                   {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    MobileNetV1Trunk trunk;
    trunk.image = net->input(3, size, size);
    Value x = net->conv("conv0", trunk.image, {32, 3, 2, act});
    int index = 1;
    for (const auto& layer : kLayers) {
        const std::string name = "conv" + std::to_string(index);
        x = net->depthwise(name + "/dw", x, {0, 3, layer.stride, act});
        x = net->conv(name, x, {layer.out, 1, 1, act});
        if (index++ == 11) {
            trunk.conv11 = x;
        }
    }
    trunk.conv13 = x;
    return trunk;
}

void mobilenet_v1(Blocks* net) {
    const Value x = mobilenet_v1_trunk(net, 224, Act::kRelu6).conv13;
    net->softmax("prob", net->fc("fc", net->global_pool("pool", x), 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
