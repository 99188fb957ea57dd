// The table of layers: layers.inc expanded. CMake's FW_LAYERS leaves out what is not selected (FW_HAVE_LAYER_<Type> =
// 0).
#include <cstring>

#include "layer/layer.h"
#include "layer/layers_selected.h"

namespace fw {

#define FW_LAYER(type, file) std::unique_ptr<Layer> make_##type();
#include "layer/layers.inc"
#undef FW_LAYER

namespace {

struct Entry {
    const char* type;
    std::unique_ptr<Layer> (*make)();
};

// A type that was left out has no definition to link against, so it must not be named.
#define FW_PASTE_(a, b) a##b
#define FW_ENTRY_1(type) {#type, &make_##type},
#define FW_ENTRY_0(type)
#define FW_ENTRY_IF(have, type) FW_PASTE_(FW_ENTRY_, have)(type)
#define FW_LAYER(type, file) FW_ENTRY_IF(FW_HAVE_LAYER_##type, type)
const Entry kEntries[] = {
#include "layer/layers.inc"
    {nullptr, nullptr},
};
#undef FW_LAYER

}  // namespace

std::unique_ptr<Layer> create_layer(const std::string& type) {
    for (const Entry& entry : kEntries) {
        if (entry.type != nullptr && type == entry.type) {
            return entry.make();
        }
    }
    return nullptr;
}

std::vector<std::string> layer_types() {
    std::vector<std::string> types;
    for (const Entry& entry : kEntries) {
        if (entry.type != nullptr) {
            types.emplace_back(entry.type);
        }
    }
    return types;
}

}  // namespace fw
