// Report: everything an importer finds wrong or worth saying, collected so that one run shows all of it.
#pragma once

#include <string>
#include <vector>

#include "fw/status.h"

namespace fw::import {

class Report {
public:
    /// A problem of a file as a whole; `where` is "FILE", "FILE:LINE:COLUMN" or "" for none.
    void error(const std::string& where, const char* format, ...) FW_PRINTF(3, 4);
    /// A problem of one layer.
    void layer_error(const std::string& file, const std::string& layer, const std::string& type, const char* format,
                     ...) FW_PRINTF(5, 6);
    void warn(const std::string& where, const char* format, ...) FW_PRINTF(3, 4);
    /// What was done that the user may not expect (a loss became a Softmax).
    void note(const std::string& where, const char* format, ...) FW_PRINTF(3, 4);

    bool ok() const { return errors_.empty(); }
    /// One line each, without "error: ".
    const std::vector<std::string>& errors() const { return errors_; }
    const std::vector<std::string>& warnings() const { return warnings_; }
    const std::vector<std::string>& notes() const { return notes_; }
    /// Ok, or the first error and how many more there are.
    Status status() const;

private:
    std::vector<std::string> errors_;
    std::vector<std::string> warnings_;
    std::vector<std::string> notes_;
};

}  // namespace fw::import
