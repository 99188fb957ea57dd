// DeepLabv3 on MobileNetV2: Sandler et al. 2018, section 6.3 and table 7 (output stride 16, without atrous pyramid):
// the head of Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017), reduced to image
// pooling.
#include "zoo/mobilenet.h"
#include "zoo/networks.h"

namespace fw::zoo {

void deeplabv3_mobilenetv2(Blocks* net) {
    constexpr int kSize = 513;
    const Value x = mobilenet_v2_trunk(net, kSize, 16);
    Value image = net->fc("image_pooling", net->global_pool("pool", x), 256, Act::kRelu);
    image = net->reshape("image_pooling/reshape", image, 256, 1, 1);
    image = net->resize("image_pooling/resize", image, x.h, x.w, Blocks::Resize::kNearest);
    Value y = net->concat("concat", {image, net->conv("aspp0", x, {256})});
    y = net->conv("concat_projection", y, {256});
    y = net->conv("logits", y, {21, 1, 1, Act::kNone});
    net->resize("segmentation", y, kSize, kSize, Blocks::Resize::kBilinearAligned);
}

}  // namespace fw::zoo
