// Reports as one HTML page that needs nothing else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace fw::tools {

/// `page` with its marks filled in: @STYLE@ and @SCRIPT@ (page.css and page.js: looks, tables that sort) and @DATA@,
/// the report, which may hold names out of files.
std::string fill_page(const char* page, const nlohmann::ordered_json& report);

}  // namespace fw::tools
