#include "common/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "model/model_io.h"

namespace fw::tools {

Result<std::string> read_text_file(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    return std::string(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
}

Status write_text_file(const std::string& path, const std::string& text) {
    return write_file_atomic(path.c_str(),
                             Span<const uint8_t>(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::string base_name(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace fw::tools
