#include "common/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "model/model_io.h"

namespace fw::tools {

namespace {

bool same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    if (std::filesystem::exists(a, error) && !std::filesystem::is_regular_file(a, error)) {
        return false;  // /dev/null and the like
    }
    const bool same = std::filesystem::equivalent(a, b, error);
    return (!error && same) ||
           std::filesystem::path(a).lexically_normal() == std::filesystem::path(b).lexically_normal();
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    return std::string(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
}

Status write_text_file(const std::string& path, const std::string& text) {
    return write_file_atomic(path.c_str(),
                             Span<const uint8_t>(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status check_distinct(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
        for (const std::string& input : inputs) {
            if (same_file(outputs[i], input)) {
                return Status::error(Code::kInvalidArgument, "%s: would be overwritten, but it is an input",
                                     outputs[i].c_str());
            }
        }
        for (size_t j = 0; j < i; ++j) {
            if (same_file(outputs[i], outputs[j])) {
                return Status::error(Code::kInvalidArgument, "%s: named for two outputs", outputs[i].c_str());
            }
        }
    }
    return {};
}

std::string base_name(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace fw::tools
