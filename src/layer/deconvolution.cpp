// Deconvolution: every input pixel adds its weighted kernel to the output, weights
// [num_output][channels][kernel_h][kernel_w].
#include "layer/support/conv_layer.h"

namespace fw {

std::unique_ptr<Layer> make_Deconvolution() {
    return std::make_unique<ConvLayer>(ConvLayer::Kind{false, true});
}

}  // namespace fw
