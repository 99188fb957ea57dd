#include "common/page.h"

#include <nlohmann/json.hpp>

extern const char kPageStyle[];   // page.css, by fw_embed
extern const char kPageScript[];  // page.js

namespace fw::tools {

namespace {

// In one go: what is filled in may hold marks of its own.
std::string fill(const std::string& page, const std::string& style, const std::string& script,
                 const std::string& data) {
    const std::pair<const char*, const std::string*> marks[] = {
        {"@STYLE@", &style}, {"@SCRIPT@", &script}, {"@DATA@", &data}};
    std::string out;
    size_t at = 0;
    while (at < page.size()) {
        const size_t mark = page.find('@', at);
        out.append(page, at, mark == std::string::npos ? mark : mark - at);
        if (mark == std::string::npos) {
            break;
        }
        at = mark + 1;
        const std::string* found = nullptr;
        for (const auto& [name, text] : marks) {
            if (page.compare(mark, std::char_traits<char>::length(name), name) == 0) {
                found = text;
                at = mark + std::char_traits<char>::length(name);
            }
        }
        out += found != nullptr ? *found : "@";
    }
    return out;
}

}  // namespace

std::string fill_page(const char* page, const nlohmann::ordered_json& report) {
    const std::string plain = report.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
    // Inside of <script> only a tag could end the data: names come from files.
    std::string data;
    for (const char c : plain) {
        if (c == '<') {
            data += "\\u003c";
        } else {
            data += c;
        }
    }
    return fill(page, kPageStyle, kPageScript, data);
}

}  // namespace fw::tools
