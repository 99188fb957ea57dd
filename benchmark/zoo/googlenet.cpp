// GoogLeNet: Szegedy et al., "Going Deeper with Convolutions" (2014), table 1, without the auxiliary classifiers.
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

struct Inception {
    const char* name;
    int c1, reduce3, c3, reduce5, c5, pool;
};

Value inception(Blocks* net, const Value& x, const Inception& i) {
    const std::string name = std::string("inception_") + i.name;
    const Value one = net->conv(name + "/1x1", x, {i.c1});
    const Value three = net->conv(name + "/3x3", net->conv(name + "/3x3_reduce", x, {i.reduce3}), {i.c3, 3});
    const Value five = net->conv(name + "/5x5", net->conv(name + "/5x5_reduce", x, {i.reduce5}), {i.c5, 5});
    const Value pool = net->pool(name + "/pool", x, Pool::kMax, 3, 1, 1, false);
    return net->concat(name + "/output", {one, three, five, net->conv(name + "/pool_proj", pool, {i.pool})});
}

}  // namespace

void googlenet(Blocks* net) {
    static constexpr Inception kModules[] = {
        {"3a", 64, 96, 128, 16, 32, 32},     {"3b", 128, 128, 192, 32, 96, 64},   {"4a", 192, 96, 208, 16, 48, 64},
        {"4b", 160, 112, 224, 24, 64, 64},   {"4c", 128, 128, 256, 24, 64, 64},   {"4d", 112, 144, 288, 32, 64, 64},
        {"4e", 256, 160, 320, 32, 128, 128}, {"5a", 256, 160, 320, 32, 128, 128}, {"5b", 384, 192, 384, 48, 128, 128}};
    Value x = net->conv("conv1", net->input(3, 224, 224), {64, 7, 2});
    x = net->lrn("norm1", net->pool("pool1", x, Pool::kMax, 3, 2, 0, true));
    x = net->conv("conv2", net->conv("conv2_reduce", x, {64}), {192, 3});
    x = net->pool("pool2", net->lrn("norm2", x), Pool::kMax, 3, 2, 0, true);
    for (const Inception& module : kModules) {
        x = inception(net, x, module);
        if (module.name[1] == (module.name[0] == '3' ? 'b' : 'e')) {
            x = net->pool(std::string("pool") + module.name[0], x, Pool::kMax, 3, 2, 0, true);
        }
    }
    net->softmax("prob", net->fc("fc", net->global_pool("pool5", x), 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
