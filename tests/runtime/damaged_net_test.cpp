// Damaged .param, .bin and .table files from loading to results: an error or a run, never a crash, a hang or memory out
// of proportion. Run under the sanitizers as well.
#include "run_util.h"
#include "support/mutate.h"
#include "support/sample_models.h"

namespace fw::test {
namespace {

constexpr int kMutants = 400;

class DamagedNet : public ::testing::TestWithParam<size_t> {
protected:
    /// Damages one file; some must be refused, some must run.
    void run(std::string SampleModel::*file, bool text, Precision precision, int least_refused) {
        const SampleModel good = sample_models().at(GetParam());
        Status status;
        ASSERT_EQ(load_and_run(good, precision, &status), Reached::kResults) << status.message();
        Mutator mutator(static_cast<uint32_t>(GetParam()) + 1);
        int refused = 0;
        int ran = 0;
        for (int i = 0; i < kMutants; ++i) {
            SampleModel bad = good;
            bad.*file = mutator.mutate(good.*file, text);
            const Reached reached = load_and_run(bad, precision, &status);
            ran += reached == Reached::kResults ? 1 : 0;
            if (!status.ok()) {
                ++refused;
                EXPECT_STRNE(status.message(), "");
                EXPECT_LT(std::string(status.message()).size(), 700U) << status.message();
            }
        }
        EXPECT_GT(refused, least_refused);
        EXPECT_GT(ran, 0);
    }
};

TEST_P(DamagedNet, Param) {
    run(&SampleModel::param, true, Precision::kFloat, kMutants / 4);
}
TEST_P(DamagedNet, Bin) {
    run(&SampleModel::bin, false, Precision::kInt8, kMutants / 8);
}
TEST_P(DamagedNet, Table) {
    run(&SampleModel::table, true, Precision::kInt8, kMutants / 8);
}
INSTANTIATE_TEST_SUITE_P(Models, DamagedNet, ::testing::Range(size_t{0}, size_t{6}));

/// A convolution with int8 weights and these scales in its files.
Status load_baked(float weight_scale, float input_scale) {
    NetFiles files;
    files.layer("Input data 0 1 data 0=4 1=4 2=2")
        .layer("Convolution conv 1 1 data out 0=1 1=1 6=2 8=2")
        .tagged_int8({3, -5})
        .raw({weight_scale})
        .raw({input_scale});
    Net net;
    return files.load(&net);
}

TEST(ScalesOfFiles, HaveAnInverse) {
    FW_ASSERT_OK(load_baked(100.0F, 20.0F));
    FW_ASSERT_OK(load_baked(0.0F, 20.0F));  // a dead channel
    for (const float bad : {-1.0F, 1e-40F, INFINITY, NAN}) {
        EXPECT_FALSE(load_baked(bad, 20.0F).ok()) << bad;
        EXPECT_FALSE(load_baked(100.0F, bad).ok()) << bad;
    }
    EXPECT_FALSE(load_baked(100.0F, 0.0F).ok());
}

TEST(ScalesOfTables, HaveAnInverse) {
    const SampleModel files = sample_models()[0];
    for (const float scale : {150.0F, 0.0F, -1.0F, 1e-40F, INFINITY, NAN}) {
        ScaleTable table = *ScaleTable::parse({files.table.data(), files.table.size()}, "good.table");
        table.layers.at("conv2").weight_scales[1] = scale;
        Net net;
        Status status = net.load_table(table);
        if (status.ok()) {
            status = net.load_model_memory({files.param.data(), files.param.size()},
                                           {reinterpret_cast<const uint8_t*>(files.bin.data()), files.bin.size()});
        }
        EXPECT_EQ(status.ok(), scale == 150.0F || scale == 0.0F) << scale << ": " << status.message();
    }
}

}  // namespace
}  // namespace fw::test
