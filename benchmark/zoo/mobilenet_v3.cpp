// MobileNetV3: Howard et al., "Searching for MobileNetV3" (2019), tables 1 and 2.
#include "zoo/inverted_residual.h"
#include "zoo/mobilenet.h"
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

MobileNetV3Trunk trunk(Blocks* net, int size, Span<const Row> rows, int tail_divisor) {
    MobileNetV3Trunk trunk;
    trunk.image = net->input(3, size, size);
    Value x = net->conv("conv1", trunk.image, {16, 3, 2, HS});
    int stride = 2;
    int index = 1;
    for (const Row& row : rows) {
        stride *= row.stride;
        // At stride 32 the whole block is narrower, but for the expansion of the first, which is still at stride 16.
        const int divisor = stride == 32 ? tail_divisor : 1;
        const bool first = stride == 32 && row.stride == 2;
        InvertedResidual block{row.kernel, first ? row.expanded : row.expanded / divisor, row.out / divisor, row.stride,
                               row.act};
        block.squeezed = row.squeeze ? make_divisible(block.expanded / 4.0) : 0;
        x = inverted_residual(net, "block" + std::to_string(index++), x, block, first ? &trunk.c4_expansion : nullptr);
    }
    trunk.last = net->conv("conv_last", x, {x.c * 6, 1, 1, HS});
    return trunk;
}

void classifier(Blocks* net, const Value& x, int hidden) {
    const Value y = net->fc("fc1", net->global_pool("pool", x), hidden, HS);
    net->softmax("prob", net->fc("fc2", y, 1000, Act::kNone, 2));
}

}  // namespace

MobileNetV3Trunk mobilenet_v3_large_trunk(Blocks* net, int size, int tail_divisor) {
    return trunk(net, size, kLarge, tail_divisor);
}

void mobilenet_v3_large(Blocks* net) {
    classifier(net, mobilenet_v3_large_trunk(net, 224, 1).last, 1280);
}

void mobilenet_v3_small(Blocks* net) {
    classifier(net, trunk(net, 224, kSmall, 1).last, 1024);
}

}  // namespace fw::zoo
