#include "base/cores.h"

#include <gtest/gtest.h>

#include "base/parallel.h"
#include "support/temp_folder.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace fw::test {
namespace {

using Numbers = std::vector<int>;

class CoreKindsTest : public TempFolderTest {
protected:
    // Writes cpuN/`file` for each value.
    void write_cores(const std::string& file, const std::vector<std::string>& values) {
        for (size_t i = 0; i < values.size(); ++i) {
            write("cpu" + std::to_string(i) + "/" + file, values[i] + "\n");
        }
    }
    CoreKinds read(int count) const { return read_core_kinds(folder_, count); }
};

TEST_F(CoreKindsTest, SlowestKindIsLittle) {
    write_cores("cpu_capacity", {"446", "446", "446", "871", "871", "1024"});
    EXPECT_EQ(read(6).little, (Numbers{0, 1, 2}));
    EXPECT_EQ(read(6).big, (Numbers{3, 4, 5}));
}

TEST_F(CoreKindsTest, FrequencyWhereThereIsNoCapacity) {
    write_cores("cpufreq/cpuinfo_max_freq", {"2400000", "2400000", "1800000", "1800000"});
    EXPECT_EQ(read(4).big, (Numbers{0, 1}));
    EXPECT_EQ(read(4).little, (Numbers{2, 3}));
}

TEST_F(CoreKindsTest, OneSpeedHasNoKinds) {
    write_cores("cpu_capacity", {"1024", "1024"});
    EXPECT_TRUE(read(2).big.empty());
    EXPECT_TRUE(read(2).little.empty());
}

TEST_F(CoreKindsTest, UnknownSpeedsHaveNoKinds) {
    write_cores("cpu_capacity", {"446", "1024", "fast"});
    EXPECT_TRUE(read(3).big.empty());
    EXPECT_TRUE(read(4).little.empty());  // a core without a file
    EXPECT_TRUE(read(0).big.empty());
}

#if defined(__linux__)

std::vector<Numbers> cores_of_threads(int threads) {
    std::vector<Numbers> allowed(static_cast<size_t>(threads));
    parallel_for(threads, threads, [&](int64_t i) {
        cpu_set_t set;
        CPU_ZERO(&set);
        sched_getaffinity(0, sizeof(set), &set);
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &set)) {
                allowed[static_cast<size_t>(i)].push_back(core);
            }
        }
    });
    return allowed;
}

TEST(CoreScope, BindsEveryThreadWhileItLives) {
    constexpr int kThreads = 3;
    const std::vector<Numbers> before = cores_of_threads(kThreads);
    ASSERT_FALSE(before[0].empty());
    const Numbers one = {before[0].back()};
    {
        const CoreScope scope(one, kThreads);
        for (const Numbers& cores : cores_of_threads(kThreads)) {
            EXPECT_EQ(cores, one);
        }
    }
    EXPECT_EQ(cores_of_threads(kThreads), before);
}

TEST(UsableCores, AreThoseOfTheThreadsOwn) {
    const Numbers allowed = cores_of_threads(1)[0];
    EXPECT_EQ(usable_cores({}), static_cast<int>(allowed.size()));
    EXPECT_EQ(usable_cores(allowed), static_cast<int>(allowed.size()));
    const CoreScope scope({allowed[0]}, 1);
    EXPECT_EQ(usable_cores(allowed), 1);
    EXPECT_EQ(usable_cores({CPU_SETSIZE - 1}), 1);  // one that the thread may not run on
}

TEST(CoreScope, NoCoresLeavesThreadsAlone) {
    const std::vector<Numbers> before = cores_of_threads(1);
    const CoreScope scope({}, 1);
    EXPECT_EQ(cores_of_threads(1), before);
}

#endif

}  // namespace
}  // namespace fw::test
