// Any bytes as a .param file. What is accepted must be writable, and read back.
#include <cstdlib>

#include "model/model_io.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const fw::Result<fw::NetDef> net = fw::parse_param({reinterpret_cast<const char*>(data), size}, "fuzz.param");
    if (!net.ok()) {
        return 0;
    }
    const fw::Result<std::string> text = fw::param_text(*net);
    if (!text.ok() || !fw::parse_param({text->data(), text->size()}, "again.param").ok()) {
        std::abort();
    }
    return 0;
}
