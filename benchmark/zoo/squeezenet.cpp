// SqueezeNet: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters" (2016), in the version 1.1
// of the authors' repository.
#include "zoo/squeezenet.h"
#include "zoo/networks.h"

namespace fw::zoo {

Value fire(Blocks* net, const std::string& name, const Value& x, int squeezed, int expanded) {
    const Value s = net->conv(name + "/squeeze1x1", x, {squeezed});
    const Value e1 = net->conv(name + "/expand1x1", s, {expanded});
    const Value e3 = net->conv(name + "/expand3x3", s, {expanded, 3});
    return net->concat(name + "/concat", {e1, e3});
}

SqueezeNetTrunk squeezenet_trunk(Blocks* net, int size) {
    Conv first{64, 3, 2};
    first.pad = 0;
    SqueezeNetTrunk trunk;
    trunk.image = net->input(3, size, size);
    Value x = net->conv("conv1", trunk.image, first);
    int index = 2;
    for (const int squeezed : {16, 32, 48, 64}) {
        if (squeezed != 64) {
            x = net->pool("pool" + std::to_string(index - 1), x, Pool::kMax, 3, 2, 0, true);
        }
        for (int i = 0; i < 2; ++i, ++index) {
            x = fire(net, "fire" + std::to_string(index), x, squeezed, squeezed * 4);
        }
        if (squeezed == 32) {
            trunk.fire5 = x;
        }
    }
    trunk.fire9 = x;
    return trunk;
}

void squeezenet_v1_1(Blocks* net) {
    const Value x = squeezenet_trunk(net, 227).fire9;
    const Value y = net->conv("conv10", x, {1000});
    net->softmax("prob", net->global_pool("pool10", y));
}

}  // namespace fw::zoo
