// Messages to the application's log sink (fw/option.h).
#pragma once

#include "fw/option.h"

namespace fw {

void log(LogLevel level, const char* format, ...) FW_PRINTF(2, 3);

}  // namespace fw
