#include "fw/status.h"

#include <cstdarg>
#include <cstdio>
#include <string>

#include "fw/version.h"

namespace fw {

struct Status::Rep {
    Code code;
    std::string message;
};

namespace {

FW_PRINTF(1, 0) std::string vformat(const char* format, va_list args) {
    char buffer[512];
    va_list again;
    va_copy(again, args);
    const int length = std::vsnprintf(buffer, sizeof buffer, format, args);
    std::string text;
    if (length >= 0 && static_cast<size_t>(length) < sizeof buffer) {
        text.assign(buffer, static_cast<size_t>(length));
    } else if (length >= 0) {
        text.resize(static_cast<size_t>(length) + 1);
        std::vsnprintf(&text[0], text.size(), format, again);
        text.pop_back();
    }
    va_end(again);
    return text;
}

}  // namespace

Status Status::error(Code code, const char* format, ...) {
    va_list args;
    va_start(args, format);
    Status status;
    status.rep_ = std::make_shared<const Rep>(Rep{code, vformat(format, args)});
    va_end(args);
    return status;
}

Code Status::code() const {
    return rep_ ? rep_->code : Code::kOk;
}

const char* Status::message() const {
    return rep_ ? rep_->message.c_str() : "";
}

Status Status::with_prefix(const char* format, ...) const {
    if (ok()) {
        return *this;
    }
    va_list args;
    va_start(args, format);
    Status status;
    status.rep_ = std::make_shared<const Rep>(Rep{rep_->code, vformat(format, args) + ": " + rep_->message});
    va_end(args);
    return status;
}

#define FW_STRINGIZE_(x) #x
#define FW_STRINGIZE(x) FW_STRINGIZE_(x)

const char* version() {
    return FW_STRINGIZE(FW_VERSION_MAJOR) "." FW_STRINGIZE(FW_VERSION_MINOR) "." FW_STRINGIZE(FW_VERSION_PATCH);
}

}  // namespace fw
