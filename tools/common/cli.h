// What every command does alike: --help with examples, --version, --quiet, exit codes, errors as one line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "fw/status.h"

namespace fw::tools {

constexpr int kExitOk = 0;
constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

/// A command: add options to `app`, then return `run(argc, argv, body)` from main.
class Tool {
public:
    /// `examples` are lines shown at the end of --help.
    Tool(const std::string& name, const std::string& description, const std::string& examples);

    CLI::App& app() { return app_; }
    bool quiet() const { return quiet_; }

    /// Parses, runs `body` and reports: exit 0, 1 (body failed; "error: ..." on stderr) or 2 (bad usage).
    /// A body that finds its own usage wrong returns kInvalidArgument through `usage_error`.
    int run(int argc, char** argv, const std::function<Status()>& body);

    /// Marks the Status that body is about to return as the user's bad usage: exit 2.
    Status usage_error(Status status);

    /// Prints unless --quiet; printf's format.
    void say(const char* format, ...) const FW_PRINTF(2, 3);
    /// "warning: ..." on stderr unless --quiet.
    void warn(const char* format, ...) const FW_PRINTF(2, 3);

private:
    CLI::App app_;
    bool quiet_ = false;
    bool usage_ = false;
};

}  // namespace fw::tools
