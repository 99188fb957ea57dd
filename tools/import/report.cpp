#include "import/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace fw::import {

namespace {

// A hostile file may hold a problem in every byte; nobody reads more than this.
constexpr size_t kMaxLines = 1000;

FW_PRINTF(1, 0) std::string formatted(const char* format, va_list args) {
    char text[1024];
    std::vsnprintf(text, sizeof(text), format, args);
    return text;
}

// Names come from the file and may hold anything.
std::string shortened(const std::string& name) {
    constexpr size_t kLongest = 256;
    return name.size() > kLongest ? name.substr(0, kLongest) + "..." : name;
}

void add(std::vector<std::string>* lines, const std::string& where, const std::string& text) {
    if (lines->size() < kMaxLines) {
        std::string line = where.empty() ? text : where + ": " + text;
        std::replace_if(
            line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
        lines->push_back(std::move(line));
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
    add(&errors_, file + ": layer '" + shortened(layer) + "' (" + shortened(type) + ")", formatted(format, args));
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
