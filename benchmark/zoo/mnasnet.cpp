// MnasNet-B1, the variant without squeeze and excitation: Tan et al., "MnasNet: Platform-Aware Neural Architecture
// Search for Mobile" (2018), section 5 and the authors' code.
#include "zoo/inverted_residual.h"
#include "zoo/networks.h"

namespace fw::zoo {

void mnasnet(Blocks* net) {
    static constexpr struct {
        int kernel, expansion, out, repeats, stride;
    } kStages[] = {{3, 1, 16, 1, 1}, {3, 3, 24, 3, 2},  {5, 3, 40, 3, 2}, {5, 6, 80, 3, 2},
                   {3, 6, 96, 2, 1}, {5, 6, 192, 4, 2}, {3, 6, 320, 1, 1}};
    Value x = net->conv("conv1", net->input(3, 224, 224), {32, 3, 2});
    int index = 1;
    for (const auto& stage : kStages) {
        for (int i = 0; i < stage.repeats; ++i) {
            const InvertedResidual block{stage.kernel, x.c * stage.expansion, stage.out, i == 0 ? stage.stride : 1,
                                         Act::kRelu};
            x = inverted_residual(net, "block" + std::to_string(index++), x, block);
        }
    }
    x = net->conv("conv_last", x, {1280});
    net->softmax("prob", net->fc("fc", net->global_pool("pool", x), 1000, Act::kNone, 2));
}

}  // namespace fw::zoo
