// MobileNetV3: Howard et al., "Searching for MobileNetV3" (2019), tables 1 and 2.
#include "zoo/inverted_residual.h"
#include "zoo/networks.h"

namespace fw::zoo {

namespace {

struct Row {
    int kernel, expanded, out;
    bool squeeze;
    Act act;
    int stride;
};

constexpr Act RE = Act::kRelu;
constexpr Act HS = Act::kHardSwish;

constexpr Row kLarge[] = {{3, 16, 16, false, RE, 1},  {3, 64, 24, false, RE, 2},  {3, 72, 24, false, RE, 1},
                          {5, 72, 40, true, RE, 2},   {5, 120, 40, true, RE, 1},  {5, 120, 40, true, RE, 1},
                          {3, 240, 80, false, HS, 2}, {3, 200, 80, false, HS, 1}, {3, 184, 80, false, HS, 1},
                          {3, 184, 80, false, HS, 1}, {3, 480, 112, true, HS, 1}, {3, 672, 112, true, HS, 1},
                          {5, 672, 160, true, HS, 2}, {5, 960, 160, true, HS, 1}, {5, 960, 160, true, HS, 1}};

constexpr Row kSmall[] = {{3, 16, 16, true, RE, 2},  {3, 72, 24, false, RE, 2}, {3, 88, 24, false, RE, 1},
                          {5, 96, 40, true, HS, 2},  {5, 240, 40, true, HS, 1}, {5, 240, 40, true, HS, 1},
                          {5, 120, 48, true, HS, 1}, {5, 144, 48, true, HS, 1}, {5, 288, 96, true, HS, 2},
                          {5, 576, 96, true, HS, 1}, {5, 576, 96, true, HS, 1}};

void mobilenet_v3(Blocks* net, Span<const Row> rows, int hidden) {
    Value x = net->conv("conv1", net->input(3, 224, 224), {16, 3, 2, HS});
    int index = 1;
    for (const Row& row : rows) {
        InvertedResidual block{row.kernel, row.expanded, row.out, row.stride, row.act};
        block.squeezed = row.squeeze ? make_divisible(row.expanded / 4.0) : 0;
        x = inverted_residual(net, "block" + std::to_string(index++), x, block);
    }
    x = net->conv("conv_last", x, {x.c * 6, 1, 1, HS});
    x = net->fc("fc1", net->global_pool("pool", x), hidden, HS);
    net->softmax("prob", net->fc("fc2", x, 1000, Act::kNone, 2));
}

}  // namespace

void mobilenet_v3_large(Blocks* net) {
    mobilenet_v3(net, kLarge, 1280);
}

void mobilenet_v3_small(Blocks* net) {
    mobilenet_v3(net, kSmall, 1024);
}

}  // namespace fw::zoo
