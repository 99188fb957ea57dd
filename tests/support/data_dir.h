// Where tests find real models, tables and images: FW_DATA, or ../shared beside the source tree.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "support/source_dir.h"

namespace fw::test {

inline std::string data_dir() {
    const char* dir = std::getenv("FW_DATA");
    return dir != nullptr && *dir != '\0' ? dir : std::string(FW_SOURCE_DIR) + "/../shared";
}

inline bool exists(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

}  // namespace fw::test

/// Skips the test, saying why, when a file or folder of the real data is not there.
#define FW_SKIP_WITHOUT(path)                                                          \
    if (!::fw::test::exists(path)) {                                                   \
        GTEST_SKIP() << "no real data: " << (path) << " does not exist (set FW_DATA)"; \
    }
