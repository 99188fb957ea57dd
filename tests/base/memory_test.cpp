// Memory for packed weights.
#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstring>

namespace fw {
namespace {

TEST(Memory, PopulatedPagesKeepWhatTheyHold) {
    for (const size_t bytes : {size_t{1}, size_t{4096}, size_t{40000}, size_t{1} << 20}) {
        const std::shared_ptr<void> memory = allocate_shared_bytes(bytes, nullptr);
        ASSERT_NE(memory, nullptr);
        auto* data = static_cast<unsigned char*>(memory.get());
        std::memset(data, 0x5a, bytes);
        populate_pages(data, bytes);
        populate_pages(data + bytes / 2, bytes - bytes / 2);
        for (size_t i = 0; i < bytes; ++i) {
            ASSERT_EQ(data[i], 0x5a) << i;
        }
    }
    populate_pages(nullptr, 0);
}

}  // namespace
}  // namespace fw
