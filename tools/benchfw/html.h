// Results as one page that needs nothing else: report.html with the JSON in it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace fw::bench {

/// `report` as to_json makes it.
std::string html_page(const nlohmann::ordered_json& report);

}  // namespace fw::bench
