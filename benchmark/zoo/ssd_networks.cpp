// Detectors with an SSD head.
#include "zoo/inverted_residual.h"
#include "zoo/mobilenet.h"
#include "zoo/networks.h"
#include "zoo/squeezenet.h"
#include "zoo/ssd.h"

namespace fw::zoo {

namespace {

// 1x1 to half of the channels, then 3x3 of stride 2.
Value extra_layer(Blocks* net, const std::string& name, const Value& x, int inner, int out) {
    return net->conv(name + "_2", net->conv(name + "_1", x, {inner}), {out, 3, 2});
}

}  // namespace

// Howard et al. 2017, table 13, with the extra layers and boxes of the PASCAL VOC model that mobile engines measure.
void mobilenet_ssd(Blocks* net) {
    const MobileNetV1Trunk trunk = mobilenet_v1_trunk(net, 300, Act::kRelu);
    std::vector<SsdMap> maps = {{"conv11", trunk.conv11, 60, 0, {2}}, {"conv13", trunk.conv13, 105, 150, {2, 3}}};
    static constexpr struct {
        const char* name;
        int inner, out;
        float min_size, max_size;
    } kExtra[] = {{"conv14", 256, 512, 150, 195},
                  {"conv15", 128, 256, 195, 240},
                  {"conv16", 128, 256, 240, 285},
                  {"conv17", 64, 128, 285, 300}};
    Value x = trunk.conv13;
    for (const auto& extra : kExtra) {
        x = extra_layer(net, extra.name, x, extra.inner, extra.out);
        maps.push_back({std::string(extra.name) + "_2", x, extra.min_size, extra.max_size, {2, 3}});
    }
    ssd_head(net, trunk.image, maps, 21, predict_1x1);
}

// The same head on SqueezeNet v1.1, with two more fire modules.
void squeezenet_ssd(Blocks* net) {
    const SqueezeNetTrunk trunk = squeezenet_trunk(net, 300);
    const Value fire10 = fire(net, "fire10", net->pool("pool9", trunk.fire9, Pool::kMax, 3, 2, 0, true), 96, 384);
    const Value fire11 = fire(net, "fire11", net->pool("pool10", fire10, Pool::kMax, 3, 2, 0, true), 96, 384);
    const Value conv12 = extra_layer(net, "conv12", fire11, 128, 256);
    const Value conv13 = extra_layer(net, "conv13", conv12, 64, 128);
    const std::vector<SsdMap> maps = {
        {"fire5", trunk.fire5, 21, 45, {2}, 8},      {"fire9", trunk.fire9, 45, 99, {2, 3}, 16},
        {"fire10", fire10, 99, 153, {2, 3}, 32},     {"fire11", fire11, 153, 207, {2, 3}, 64},
        {"conv12_2", conv12, 207, 261, {2, 3}, 100}, {"conv13_2", conv13, 261, 315, {2}, 300}};
    ssd_head(net, trunk.image, maps, 21, predict_3x3);
}

// Howard et al. 2019, section 6.4: SSDLite on MobileNetV3-Large, whose blocks of stride 32 have half the channels.
void mobilenetv3_ssdlite(Blocks* net) {
    const MobileNetV3Trunk trunk = mobilenet_v3_large_trunk(net, 320, 2);
    std::vector<SsdMap> maps = {{"c4", trunk.c4_expansion, 64, 112, {2, 3}}, {"c5", trunk.last, 112, 160, {2, 3}}};
    static constexpr struct {
        int out;
        float min_size, max_size;
    } kExtra[] = {{512, 160, 208}, {256, 208, 256}, {256, 256, 304}, {128, 304, 320}};
    Value x = trunk.last;
    for (const auto& extra : kExtra) {
        const std::string name = "extra" + std::to_string(maps.size() - 1);
        x = net->conv(name + "/reduce", x, {extra.out / 2, 1, 1, Act::kRelu6});
        x = net->depthwise(name + "/depthwise", x, {0, 3, 2, Act::kRelu6});
        x = net->conv(name + "/expand", x, {extra.out, 1, 1, Act::kRelu6});
        maps.push_back({name, x, extra.min_size, extra.max_size, {2, 3}});
    }
    ssd_head(net, trunk.image, maps, 91, predict_depthwise);
}

}  // namespace fw::zoo
