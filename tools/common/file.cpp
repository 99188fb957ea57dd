#include "common/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "model/model_io.h"

namespace fw::tools {

namespace {

// What a file is, looked up once for comparing it with many.
class FileIdentity {
public:
    explicit FileIdentity(const std::string& path) : path_(path), name_(base_name(path)) {
        std::error_code error;
        exists_ = std::filesystem::exists(path, error);
        special_ = exists_ && !std::filesystem::is_regular_file(path, error);  // /dev/null and the like
    }

    bool is(const std::string& other) const {
        if (special_) {
            return false;
        }
        std::error_code error;
        if (exists_ && std::filesystem::equivalent(path_, other, error) && !error) {
            return true;
        }
        return name_ == base_name(other) &&
               std::filesystem::path(path_).lexically_normal() == std::filesystem::path(other).lexically_normal();
    }

private:
    std::string path_;
    std::string name_;
    bool exists_ = false;
    bool special_ = false;
};

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    const std::string text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
    const char* const byte_order_mark = "\xef\xbb\xbf";
    return text.compare(0, 3, byte_order_mark) == 0 ? text.substr(3) : text;
}

Status for_each_line(const std::string& path, const std::function<Status(const std::string&, int)>& visit) {
    FW_ASSIGN_OR_RETURN(const std::string text, read_text_file(path));
    int number = 0;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (line.find('\0') != std::string::npos) {
            return Status::error(Code::kParseError, "%s:%d: not a text file", path.c_str(), number);
        }
        const char* const blanks = " \t\r\v\f";
        const size_t first = line.find_first_not_of(blanks);
        if (first != std::string::npos && line[first] != '#') {
            FW_RETURN_IF_ERROR(visit(line.substr(first, line.find_last_not_of(blanks) + 1 - first), number));
        }
    }
    return {};
}

Span<const uint8_t> bytes_of(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Status write_text_file(const std::string& path, const std::string& text) {
    return write_file_atomic(path.c_str(), bytes_of(text));
}

Status check_distinct(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
        const FileIdentity output(outputs[i]);
        for (const std::string& input : inputs) {
            if (output.is(input)) {
                return Status::error(Code::kInvalidArgument, "%s: would be overwritten, but it is an input",
                                     outputs[i].c_str());
            }
        }
        for (size_t j = 0; j < i; ++j) {
            if (output.is(outputs[j])) {
                return Status::error(Code::kInvalidArgument, "%s: named for two outputs", outputs[i].c_str());
            }
        }
    }
    return {};
}

Status check_folders(const std::vector<std::string>& outputs) {
    for (const std::string& output : outputs) {
        const std::filesystem::path folder = std::filesystem::path(output).parent_path();
        std::error_code error;
        if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
            return Status::error(Code::kIoError, "%s: cannot write: there is no folder %s", output.c_str(),
                                 folder.c_str());
        }
    }
    return {};
}

std::string base_name(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace fw::tools
