#include "benchfw/html.h"

extern const char kReportHtml[];  // report.html, by fw_embed

namespace fw::bench {

std::string html_page(const nlohmann::ordered_json& report) {
    const std::string plain = report.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
    // Inside of <script> only a tag could end the data: names come from model files.
    std::string data;
    for (const char c : plain) {
        if (c == '<') {
            data += "\\u003c";
        } else {
            data += c;
        }
    }
    const std::string mark = "@DATA@";
    std::string page = kReportHtml;
    return page.replace(page.find(mark), mark.size(), data);
}

}  // namespace fw::bench
