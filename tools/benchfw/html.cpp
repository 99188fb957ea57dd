#include "benchfw/html.h"

#include "common/page.h"

#include <nlohmann/json.hpp>

extern const char kReportHtml[];  // report.html, by fw_embed

namespace fw::bench {

std::string html_page(const nlohmann::ordered_json& report) {
    return tools::fill_page(kReportHtml, report);
}

}  // namespace fw::bench
