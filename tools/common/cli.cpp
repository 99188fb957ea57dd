#include "common/cli.h"

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fw/option.h"
#include "fw/version.h"

namespace fw::tools {

namespace {

// The library's log on stderr; FW_LOG=debug|info|warn chooses how much, warnings are the default. --quiet leaves what
// is done in another way than was asked for.
void install_log(bool quiet) {
    LogLevel least = LogLevel::kWarn;
    if (const char* level = std::getenv("FW_LOG")) {
        least = std::strcmp(level, "debug") == 0  ? LogLevel::kDebug
                : std::strcmp(level, "info") == 0 ? LogLevel::kInfo
                                                  : LogLevel::kWarn;
    } else if (quiet) {
        least = LogLevel::kError;
    }
    set_log_sink(
        [](LogLevel severity, const char* message, void* /*user_data*/) {
            std::fprintf(stderr, "%s: %s\n", severity >= LogLevel::kWarn ? "warning" : "info", message);
        },
        nullptr, least);
}

}  // namespace

Tool::Tool(const std::string& name, const std::string& description, const std::string& examples)
    : app_(description, name) {
    app_.footer("Examples:\n" + examples);
    app_.set_version_flag("--version", name + " " + version());
    app_.add_flag("--quiet", quiet_, "Print nothing but results, errors and that a device failed");
    app_.get_formatter()->column_width(34);
}

int Tool::run(int argc, char** argv, const std::function<Status()>& body) {
    try {
        app_.parse(argc, argv);
    } catch (const CLI::Success& success) {  // --help, --version
        return app_.exit(success);
    } catch (const CLI::ParseError& error) {
        std::string line = error.what();
        for (char& c : line) {
            c = c == '\n' ? ' ' : c;
        }
        std::fprintf(stderr, "error: %s (see %s --help)\n", line.c_str(), app_.get_name().c_str());
        return kExitUsage;
    }
    // An empty value is a script's unset variable: never take it for "not given".
    for (const CLI::Option* option : app_.get_options()) {
        for (const std::string& value : option->results()) {
            if (value.empty()) {
                std::fprintf(stderr, "error: %s: the value is empty (see %s --help)\n", option->get_name().c_str(),
                             app_.get_name().c_str());
                return kExitUsage;
            }
        }
    }
    install_log(quiet_);
#ifdef SIGXFSZ
    std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the user's limit is then an error of write(), which cleans up
#endif
    Status status;
    try {
        status = body();
    } catch (const std::bad_alloc&) {
        status = Status::error(Code::kOutOfMemory, "out of memory");
    } catch (const std::exception& error) {
        status = Status::error(Code::kInternal, "%s", error.what());
    }
    if (!status.ok()) {
        std::fflush(stdout);
        std::fprintf(stderr, "error: %s\n", status.message());
        return usage_ ? kExitUsage : kExitFailure;
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fprintf(stderr, "error: cannot write to standard output\n");
        return kExitFailure;
    }
    return kExitOk;
}

Status Tool::usage_error(Status status) {
    usage_ = !status.ok();
    return status;
}

void Tool::say(const char* format, ...) const {
    if (quiet_) {
        return;
    }
    va_list args;
    va_start(args, format);
    std::vprintf(format, args);
    va_end(args);
}

void Tool::warn(const char* format, ...) const {
    if (quiet_) {
        return;
    }
    va_list args;
    va_start(args, format);
    std::fputs("warning: ", stderr);
    std::vfprintf(stderr, format, args);
    std::fputc('\n', stderr);
    va_end(args);
}

}  // namespace fw::tools
