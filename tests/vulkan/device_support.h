// The Vulkan device of the tests: one run of a program has the validation layer loaded, and any message of it fails.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "fw/option.h"

namespace fw {

/// Why there is no device; "" where there is one.
const std::string& no_vulkan_device();
/// Messages of the validation layer since the last call.
std::string take_validation_messages();

/// The driver keeps no pipelines for a file: what it gives has not even the header (Mesa 26's software device).
bool gives_no_pipelines();

void skip_or_fail_without_vulkan();

/// Skips without a device - or fails, where FW_EXPECT_VULKAN=1 says that there has to be one - and fails on messages.
class VulkanTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;
};

}  // namespace fw
