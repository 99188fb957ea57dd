// Levels: detection against the operating system's own list, FW_ISA's names, forcing a level.
#include "base/cpu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace fw {
namespace {

[[maybe_unused]] bool listed(Isa isa) {
    const std::vector<Isa> all = available_isas();
    return std::find(all.begin(), all.end(), isa) != all.end();
}

TEST(Cpu, ScalarIsAlwaysAvailable) {
    ASSERT_FALSE(available_isas().empty());
    EXPECT_EQ(available_isas().front(), Isa::kScalar);
}

TEST(Cpu, NamesRoundTrip) {
    for (int i = 0; i < kIsaCount; ++i) {
        Isa isa = Isa::kScalar;
        EXPECT_TRUE(parse_isa(name(static_cast<Isa>(i)), &isa));
        EXPECT_EQ(isa, static_cast<Isa>(i));
    }
    Isa isa = Isa::kScalar;
    EXPECT_FALSE(parse_isa("avx", &isa));
    EXPECT_FALSE(parse_isa("", &isa));
}

TEST(Cpu, Coverage) {
    EXPECT_TRUE(isa_covers(Isa::kAvx512Vnni, Isa::kAvx2));
    EXPECT_TRUE(isa_covers(Isa::kAvxVnni, Isa::kAvx2));
    EXPECT_FALSE(isa_covers(Isa::kAvx512, Isa::kAvxVnni));
    EXPECT_FALSE(isa_covers(Isa::kAvxVnni, Isa::kAvx512));
    EXPECT_FALSE(isa_covers(Isa::kAvx512, Isa::kAvx512Vnni));
    EXPECT_TRUE(isa_covers(Isa::kI8mm, Isa::kDotprod));
    for (int i = 0; i < kIsaCount; ++i) {
        EXPECT_TRUE(isa_covers(static_cast<Isa>(i), Isa::kScalar));
    }
}

TEST(Cpu, ScopedIsaForcesAndRestores) {
    const Result<Isa> before = current_isa();
    {
        const ScopedIsa forced(Isa::kScalar);
        ASSERT_TRUE(current_isa().ok());
        EXPECT_EQ(*current_isa(), Isa::kScalar);
    }
    EXPECT_EQ(current_isa().ok(), before.ok());
    if (before.ok()) {
        EXPECT_EQ(*current_isa(), *before);
    }
}

// Detection reads CPUID itself; Linux lists what it found in its own way.
TEST(Cpu, AgreesWithProcCpuinfo) {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    std::string flags;
    while (flags.empty() && std::getline(file, line)) {
        if (line.rfind("flags", 0) == 0) {
            flags = line;
        }
    }
    if (flags.empty()) {
        GTEST_SKIP() << "no x86 flags in /proc/cpuinfo";
    }
#if defined(__x86_64__)
    const auto has = [&](const char* flag) {
        std::istringstream words(flags);
        std::string word;
        while (words >> word) {
            if (word == flag) {
                return true;
            }
        }
        return false;
    };
    EXPECT_EQ(listed(Isa::kSse41), has("sse4_1"));
    const bool avx2 = has("avx2") && has("fma") && has("f16c");
    EXPECT_EQ(listed(Isa::kAvx2), avx2);
    EXPECT_EQ(listed(Isa::kAvxVnni), avx2 && has("avx_vnni"));
    const bool avx512 = avx2 && has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl");
    EXPECT_EQ(listed(Isa::kAvx512), avx512);
    EXPECT_EQ(listed(Isa::kAvx512Vnni), avx512 && has("avx512_vnni"));
    EXPECT_EQ(listed(Isa::kAvx512Vbmi), avx512 && has("avx512_vnni") && has("avx512vbmi"));
    EXPECT_EQ(listed(Isa::kAvx512Bf16), listed(Isa::kAvx512Vbmi) && has("avx512_bf16"));
#endif
}

}  // namespace
}  // namespace fw
