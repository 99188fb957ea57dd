// Runs an application's CustomLayer as a Layer.
#pragma once

#include <memory>

#include "layer/layer.h"
#include "runtime/program.h"

namespace fw {

/// nullptr when the application's factory gives none.
std::unique_ptr<Layer> make_custom_layer(const CustomType& type, const ParamDict& params);

}  // namespace fw
