// Any bytes as an ONNX model. What is converted must be writable, and read back.
#include <cstdlib>

#include "model/model_io.h"
#include "onnx2fw/convert.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fw::import::Report report;
    const fw::Result<fw::onnx::Converted> out = fw::onnx::convert({{data, size}, "fuzz.onnx"}, {}, &report);
    if (!out.ok()) {
        return 0;
    }
    const fw::Result<std::string> text = fw::param_text(out->net);
    if (!text.ok() || !fw::parse_param({text->data(), text->size()}, "again.param").ok()) {
        std::abort();
    }
    return 0;
}
