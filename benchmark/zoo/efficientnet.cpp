// EfficientNet: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), table 1.
#include "zoo/inverted_residual.h"
#include "zoo/networks.h"

namespace fw::zoo {

void efficientnet_b0(Blocks* net) {
    static constexpr struct {
        int kernel, expansion, out, repeats, stride;
    } kStages[] = {{3, 1, 16, 1, 1},  {3, 6, 24, 2, 2},  {5, 6, 40, 2, 2}, {3, 6, 80, 3, 2},
                   {5, 6, 112, 3, 1}, {5, 6, 192, 4, 2}, {3, 6, 320, 1, 1}};
    Value x = net->conv("conv1", net->input(3, 224, 224), {32, 3, 2, Act::kSwish});
    int index = 1;
    for (const auto& stage : kStages) {
        for (int i = 0; i < stage.repeats; ++i) {
            InvertedResidual block{stage.kernel, x.c * stage.expansion, stage.out, i == 0 ? stage.stride : 1,
                                   Act::kSwish};
            block.squeezed = x.c / 4;
            block.squeeze_act = Act::kSwish;
            block.gate = Act::kSigmoid;
            x = inverted_residual(net, "block" + std::to_string(index++), x, block);
        }
    }
    x = net->conv("conv_last", x, {1280, 1, 1, Act::kSwish});
    net->softmax("prob", net->fc("fc", net->global_pool("pool", x), 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
