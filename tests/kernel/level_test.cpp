// Levels against kernels: what should run here does. FW_EXPECT_ISA names the highest level of the processor that the
// tests are told they run on (CMakeLists.txt sets it for each one that is emulated).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/cpu.h"
#include "kernel/dispatch.h"

namespace fw {
namespace {

TEST(Levels, TheExpectedOneIsAvailable) {
    const char* expected = std::getenv("FW_EXPECT_ISA");
    if (expected == nullptr) {
        GTEST_SKIP() << "FW_EXPECT_ISA is not set";
    }
    EXPECT_STREQ(name(available_isas().back()), expected);
}

TEST(Levels, Int8HasVectorKernelsWhereverThereAreVectors) {
    for (const Isa isa : available_isas()) {
        if (!isa_covers(isa, Isa::kAvx2) && !isa_covers(isa, Isa::kNeon)) {
            continue;
        }
        EXPECT_NE(find_gemm_kernel(true, isa, 0)->level, Isa::kScalar) << name(isa);
        EXPECT_NE(find_dw_kernel(true, isa)->level, Isa::kScalar) << name(isa);
        EXPECT_NE(find_arith_kernel(isa)->level, Isa::kScalar) << name(isa);
        EXPECT_NE(find_run_kernel(isa), nullptr) << name(isa);
        EXPECT_NE(find_table_kernel(isa), nullptr) << name(isa);
        EXPECT_NE(find_pool_kernel(isa), nullptr) << name(isa);
        for (const int size : {3, 5}) {
            EXPECT_NE(find_dw_line_kernel(true, isa, size, 1), nullptr) << name(isa);
            EXPECT_NE(find_dw_line_kernel(true, isa, size, 2), nullptr) << name(isa);
        }
    }
}

TEST(Levels, Sse41HasItsOwnInt8Products) {
    for (const Isa isa : available_isas()) {
        if (isa_covers(isa, Isa::kSse41)) {
            EXPECT_NE(find_gemm_kernel(true, isa, 0)->level, Isa::kScalar) << name(isa);
            EXPECT_NE(find_dw_kernel(true, isa)->level, Isa::kScalar) << name(isa);
            EXPECT_NE(find_dw_line_kernel(true, isa, 3, 2), nullptr) << name(isa);
        }
    }
}

// The levels with a product instruction of their own use it.
TEST(Levels, ProductInstructionsAreUsed) {
    for (const Isa isa : available_isas()) {
        if (isa == Isa::kAvxVnni || isa == Isa::kAvx512Vnni || isa == Isa::kDotprod || isa == Isa::kI8mm) {
            EXPECT_EQ(find_gemm_kernel(true, isa, 0)->level, isa) << name(isa);
        }
    }
}

}  // namespace
}  // namespace fw
