// Version of the Featherweight library; the build checks it against CMake's project version.
#pragma once

#include "fw/export.h"

#define FW_VERSION_MAJOR 0
#define FW_VERSION_MINOR 1
#define FW_VERSION_PATCH 0

namespace fw {

/// "0.1.0": the version of the library that is linked, which may differ from the header's.
FW_EXPORT const char* version();

}  // namespace fw
