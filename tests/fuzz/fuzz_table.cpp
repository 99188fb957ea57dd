// Any bytes as a .table file. What is accepted must read back from its text.
#include <cstdlib>

#include "fw/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const fw::Result<fw::ScaleTable> table =
        fw::ScaleTable::parse({reinterpret_cast<const char*>(data), size}, "fuzz.table");
    if (!table.ok()) {
        return 0;
    }
    const std::string text = table->to_text();
    if (!fw::ScaleTable::parse({text.data(), text.size()}, "again.table").ok()) {
        std::abort();
    }
    return 0;
}
