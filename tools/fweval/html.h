// The report of fweval as one page.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "fweval/evaluation.h"

namespace fw::tools {

/// Runs the worst images again for their pictures. `figures` as made by figures().
Result<std::string> html_report(Evaluation* evaluation, const nlohmann::ordered_json& figures);

}  // namespace fw::tools
