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

}  // namespace
}  // namespace fw::test
