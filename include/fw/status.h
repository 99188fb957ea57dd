// Status and Result: how every call that can fail says so. The library neither throws, prints nor aborts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "fw/export.h"

namespace fw {

enum class Code : uint8_t {
    kOk,
    kInvalidArgument,     ///< the caller's argument is wrong (shape, option, name)
    kNotFound,            ///< a file, blob, layer or device of that name does not exist
    kParseError,          ///< a file's contents are damaged or not of the format
    kUnsupported,         ///< well-formed, but something this build cannot do
    kOutOfMemory,         ///< an allocation failed or would exceed a limit
    kIoError,             ///< the operating system refused a read or write
    kFailedPrecondition,  ///< calls in the wrong order (no model loaded, input not set)
    kInternal,            ///< a bug in Featherweight
    kDeviceLost,          ///< the device of Option::device or its driver failed; another Net opens it anew
    kShaderRejected,      ///< that device's driver does not compile a shader
};

/// Outcome of a call: ok, or a code and one line that names file, line, layer and value. Copying is cheap.
class [[nodiscard]] FW_EXPORT Status {
public:
    Status() = default;

    /// Builds an error; `format` is printf's. The message has no trailing newline.
    static Status error(Code code, const char* format, ...) FW_PRINTF(2, 3);

    bool ok() const { return rep_ == nullptr; }
    Code code() const;
    /// The message, "" when ok. Lives as long as this Status or a copy of it.
    const char* message() const;
    /// The same error with "prefix: " before its message; ok stays ok.
    Status with_prefix(const char* format, ...) const FW_PRINTF(2, 3);
    /// For the rare place where failure is acceptable and said to be so.
    void ignore() const {}

private:
    struct Rep;
    std::shared_ptr<const Rep> rep_;
};

/// A value, or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    Result(Status status) : status_(std::move(status)) {}

    bool ok() const { return value_.has_value(); }
    const Status& status() const { return status_; }
    T& value() { return *value_; }
    const T& value() const { return *value_; }
    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }
    T* operator->() { return &*value_; }
    const T* operator->() const { return &*value_; }

private:
    Status status_;
    std::optional<T> value_;
};

}  // namespace fw

/// Returns the Status of `expr` from the enclosing function unless it is ok.
#define FW_RETURN_IF_ERROR(expr)          \
    do {                                  \
        ::fw::Status fw_status_ = (expr); \
        if (!fw_status_.ok()) {           \
            return fw_status_;            \
        }                                 \
    } while (false)

#define FW_CONCAT_INNER_(a, b) a##b
#define FW_CONCAT_(a, b) FW_CONCAT_INNER_(a, b)

/// `FW_ASSIGN_OR_RETURN(auto x, call());` unwraps a Result or returns its Status.
#define FW_ASSIGN_OR_RETURN(lhs, expr) FW_ASSIGN_OR_RETURN_(FW_CONCAT_(fw_result_, __LINE__), lhs, expr)
#define FW_ASSIGN_OR_RETURN_(result, lhs, expr) \
    auto result = (expr);                       \
    if (!result.ok()) {                         \
        return result.status();                 \
    }                                           \
    lhs = std::move(*result)
