// Option::winograd: what it takes away, and what it leaves as it is.
#include "base/cpu.h"
#include "kernel/dispatch.h"
#include "kernel/winograd.h"
#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

struct Result3x3 {
    std::vector<float> values;
    size_t weights = 0;
    bool goes_winograds_way = false;
};

Result3x3 run_3x3(bool int8, bool winograd) {
    NetFiles files;
    Random random(5);
    files.layer("Input in 0 1 data 0=28 1=28 2=32");
    files.layer("Convolution c1 1 1 data a 0=32 1=3 4=1 9=1 6=9216");
    files.tagged(random.floats(9216, -0.1F, 0.1F));
    files.layer("Convolution c2 1 1 a out 0=32 1=3 4=1 6=9216");
    files.tagged(random.floats(9216, -0.1F, 0.1F));
    Option option;
    option.precision = int8 ? Precision::kInt8 : Precision::kFloat;
    option.winograd = winograd;
    Net net;
    Status status = net.set_option(option);
    if (status.ok() && int8) {
        ScaleTable table;
        table.source = "made up";
        for (const char* blob : {"data", "a", "out"}) {
            table.blobs[blob] = {60.0F, 0};
        }
        status = net.load_table(table);
    }
    status = status.ok() ? files.load(&net) : status;
    EXPECT_TRUE(status.ok()) << status.message();
    Result3x3 result;
    result.values = test::values(test::run(net, {{"data", Random(6).mat(Shape(32, 28, 28))}}, "out"));
    result.weights = net.memory_use().weights;
    const Result<std::vector<LayerPlan>> plan = net.plan();
    EXPECT_TRUE(plan.ok());
    for (const LayerPlan& layer : *plan) {
        result.goes_winograds_way = result.goes_winograds_way || layer.kernel.find("winograd") != std::string::npos;
    }
    return result;
}

TEST(WinogradOption, SavesMemoryAndKeepsTheBytesOfInt8) {
    int int8_levels = 0;
    for (const Isa isa : available_isas()) {
        const ScopedIsa forced(isa);
        for (const bool int8 : {false, true}) {
            const Result3x3 with = run_3x3(int8, true);
            const Result3x3 without = run_3x3(int8, false);
            SCOPED_TRACE(std::string(name(isa)) + (int8 ? " int8" : " float"));
            EXPECT_FALSE(without.goes_winograds_way);
            ASSERT_EQ(with.values.size(), without.values.size());
            if (!with.goes_winograds_way) {
                EXPECT_TRUE(int8 || !kHasWinograd || find_winograd_kernel(false, isa, 4) == nullptr);
                EXPECT_EQ(with.values, without.values);
                EXPECT_EQ(with.weights, without.weights);
                continue;
            }
            int8_levels += int8 ? 1 : 0;
            EXPECT_LT(2 * without.weights, with.weights);
            for (size_t i = 0; i < with.values.size(); ++i) {
                // In float: 2^-17 of max|x| sum|w|, twice; inputs are at most 1 and weights at most 0.1.
                const float bound = int8 ? 0.0F : 288.0F * 0.1F * 288.0F * 0.1F * 0x1p-16F;
                ASSERT_NEAR(with.values[i], without.values[i], bound) << i;
            }
        }
    }
#if defined(__x86_64__)
    if (kHasWinograd && available_isas().back() >= Isa::kAvx2) {
        EXPECT_GT(int8_levels, 0);
    }
#endif
}

}  // namespace
}  // namespace fw
