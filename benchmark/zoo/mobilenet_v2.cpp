// MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2.
#include "zoo/inverted_residual.h"
#include "zoo/mobilenet.h"
#include "zoo/networks.h"

namespace fw::zoo {

Value mobilenet_v2_trunk(Blocks* net, int size, int output_stride) {
    static constexpr struct {
        int expansion, out, repeats, stride;
    } kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                   {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    Value x = net->conv("conv1", net->input(3, size, size), {32, 3, 2, Act::kRelu6});
    int stride = 2;
    int dilation = 1;
    int index = 1;
    for (const auto& stage : kStages) {
        for (int i = 0; i < stage.repeats; ++i) {
            InvertedResidual block;
            block.expanded = x.c * stage.expansion;
            block.out = stage.out;
            block.dilation = dilation;
            const int step = i == 0 ? stage.stride : 1;
            if (stride * step <= output_stride) {
                block.stride = step;
                stride *= step;
            } else {
                dilation *= step;
            }
            x = inverted_residual(net, "block" + std::to_string(index++), x, block);
        }
    }
    return x;
}

void mobilenet_v2(Blocks* net) {
    Value x = mobilenet_v2_trunk(net, 224, 32);
    x = net->conv("conv9", x, {1280, 1, 1, Act::kRelu6});
    net->softmax("prob", net->fc("fc", net->global_pool("pool", x), 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
