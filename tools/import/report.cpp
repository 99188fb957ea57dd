#include "import/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace fw::import {

namespace {

// A hostile file may hold a problem in every byte; nobody reads more than this.
constexpr size_t kMaxLines = 1000;

FW_PRINTF(1, 0) std::string formatted(const char* format, va_list args) {
    char text[1024];
    std::vsnprintf(text, sizeof(text), format, args);
    std::string line = text;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return line;
}

void add(std::vector<std::string>* lines, const std::string& where, const std::string& text) {
    if (lines->size() < kMaxLines) {
        lines->push_back(where.empty() ? text : where + ": " + text);
    }
}

}  // namespace

void Report::error(const std::string& where, const char* format, ...) {
    va_list args;
    va_start(args, format);
    add(&errors_, where, formatted(format, args));
    va_end(args);
}

void Report::layer_error(const std::string& file, const std::string& layer, const std::string& type, const char* format,
                         ...) {
    va_list args;
    va_start(args, format);
    add(&errors_, file + ": layer '" + layer + "' (" + type + ")", formatted(format, args));
    va_end(args);
}

void Report::warn(const std::string& where, const char* format, ...) {
    va_list args;
    va_start(args, format);
    add(&warnings_, where, formatted(format, args));
    va_end(args);
}

void Report::note(const std::string& where, const char* format, ...) {
    va_list args;
    va_start(args, format);
    add(&notes_, where, formatted(format, args));
    va_end(args);
}

Status Report::status() const {
    if (ok()) {
        return {};
    }
    if (errors_.size() == 1) {
        return Status::error(Code::kParseError, "%s", errors_[0].c_str());
    }
    return Status::error(Code::kParseError, "%s (and %zu more)", errors_[0].c_str(), errors_.size() - 1);
}

}  // namespace fw::import
