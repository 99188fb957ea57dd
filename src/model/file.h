// Files written beside their target and renamed into place.
#pragma once

#include <string>

#include "fw/span.h"
#include "fw/status.h"

namespace fw {

/// A file in the making: `write` puts the bytes on disk under a temporary name, `commit` gives it the real one. Without
/// a commit the temporary file is removed and the target stays as it was.
class PendingFile {
public:
    explicit PendingFile(const char* path) : path_(path) {}
    ~PendingFile();
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;

    Status write(Span<const uint8_t> bytes);
    Status commit();

private:
    Status write_and_close(int fd, const std::string& name, Span<const uint8_t> bytes, bool sync);

    std::string path_;
    std::string temporary_;  ///< "" = nothing to rename or remove
};

}  // namespace fw
