// A folder of its own for each test that writes files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fw::test {

class TempFolderTest : public testing::Test {
protected:
    void SetUp() override {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = testing::TempDir() + "fw_" + info->test_suite_name() + "_" + info->name();
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    /// Writes folder_/name, making the folders in between; returns the path.
    std::string write(const std::string& name, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
        std::filesystem::remove(folder_ + "/" + name);  // ext4 flushes to disk a file that is cut to 0 and rewritten
        std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
        return folder_ + "/" + name;
    }

    std::string folder_;
};

}  // namespace fw::test
