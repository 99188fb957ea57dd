#include "zoo/inverted_residual.h"

#include <algorithm>

namespace fw::zoo {

Value inverted_residual(Blocks* net, const std::string& name, const Value& x, const InvertedResidual& block,
                        Value* expansion) {
    Value y = x;
    if (block.expanded != x.c) {
        y = net->conv(name + "/expand", y, {block.expanded, 1, 1, block.act});
    }
    if (expansion != nullptr) {
        *expansion = y;
    }
    Conv depthwise{0, block.kernel, block.stride, block.act};
    depthwise.dilation = block.dilation;
    y = net->depthwise(name + "/depthwise", y, depthwise);
    if (block.squeezed != 0) {
        y = net->squeeze_excite(name, y, block.squeezed, block.squeeze_act, block.gate);
    }
    const bool residual = block.stride == 1 && block.out == x.c;
    Conv project{block.out, 1, 1, Act::kNone};
    project.deviation = residual ? kBranchDeviation : 1.0;
    y = net->conv(name + "/project", y, project);
    return residual ? net->add(name + "/add", y, x) : y;
}

int make_divisible(double channels, int divisor) {
    const int rounded = std::max(divisor, static_cast<int>(channels + divisor / 2.0) / divisor * divisor);
    return rounded < 0.9 * channels ? rounded + divisor : rounded;
}

}  // namespace fw::zoo
