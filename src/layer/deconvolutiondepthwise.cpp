// DeconvolutionDepthWise: deconvolution in groups of channels, weights [num_output][channels /
// group][kernel_h][kernel_w].
#include "layer/support/conv_layer.h"

namespace fw {

std::unique_ptr<Layer> make_DeconvolutionDepthWise() {
    return std::make_unique<ConvLayer>(ConvLayer::Kind{true, true, &find_depthwise});
}

}  // namespace fw
