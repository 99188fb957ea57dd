// Convolution: cross-correlation with weights [num_output][channels][kernel_h][kernel_w].
#include "layer/support/conv_layer.h"

namespace fw {

std::unique_ptr<Layer> make_Convolution() {
    return std::make_unique<ConvLayer>(ConvLayer::Kind{false, false});
}

}  // namespace fw
