// What the handles of the C interface are, and how its calls report.
#pragma once

#include <string>
#include <vector>

#include "fw/c_api.h"
#include "fw/net.h"

struct fw_net {
    fw::Net net;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
};

struct fw_extractor {
    fw::Extractor extractor;
    fw::Preprocess preprocess;
    fw::Mat result;
};

namespace fw::c {

/// Keeps the message for fw_last_error.
fw_status report(Status status);
fw_status bad_argument(const char* what);

}  // namespace fw::c
