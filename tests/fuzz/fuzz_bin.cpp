// Any bytes as the .bin file of a network with every kind of blob.
#include <cstdlib>
#include <cstring>

#include "model/model_io.h"
#include "model/sample_net.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const fw::NetDef kNet =
        *fw::parse_param({fw::test::kSampleParam, std::strlen(fw::test::kSampleParam)}, "net.param");
    fw::NetDef net = kNet;
    fw::FileData file;
    file.bytes = {data, size};
    if (!fw::read_weights(file, "fuzz.bin", &net).ok()) {
        return 0;
    }
    for (const fw::LayerDef& layer : net.layers) {
        for (const fw::Weight& weight : layer.weights) {
            if (weight.to_floats().size() != static_cast<size_t>(weight.count())) {
                std::abort();
            }
        }
    }
    if (!fw::bin_bytes(net).ok()) {
        std::abort();
    }
    return 0;
}
