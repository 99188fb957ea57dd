// The order in which a `matched` kernel takes groups of weights: that its 16-bit sums fit, and that none is left out.
#include "kernel/match_groups.h"

#include <algorithm>
#include <random>

#include "kernel/matched.h"
#include "kernel/pack.h"
#include "kernel_test_util.h"

namespace fw::test {
namespace {

class Matched : public KernelSweep<GemmKernel> {
protected:
    struct Steps {
        int64_t count;
        const uint16_t* groups;
        const uint16_t* place;
    };
    static Steps steps_of(const GroupOrder& order, int64_t panel, int64_t groups) {
        const uint16_t* numbers = order.panels.data() + panel * group_order_size(order.steps, groups);
        return {numbers[0], numbers + 1, numbers + 1 + 2 * order.steps};
    }

    GroupOrder match(const std::vector<int8_t>& values, int64_t n, int64_t length) {
        weights_.n = n;
        weights_.k = length;
        weights_.values = values.data();
        return match_groups(*kernel_, weights_);
    }
    // The weight of a column's element; 0 past the end.
    int weight(int64_t column, int64_t element) const {
        const bool inside = column < weights_.n && element < weights_.k;
        return inside ? static_cast<const int8_t*>(weights_.values)[column * weights_.k + element] : 0;
    }
    // What the positive or the negative weights of a 16-bit sum add up to at most.
    int most_of(int64_t column, const uint16_t* step, int half) const {
        int positive = 0;
        int negative = 0;
        for (int i = 0; i < (step[0] == step[1] ? 1 : 2); ++i) {
            for (int64_t element = kGroup * step[i] + 2 * half; element < kGroup * step[i] + 2 * half + 2; ++element) {
                positive += std::max(weight(column, element), 0);
                negative -= std::min(weight(column, element), 0);
            }
        }
        return std::max(positive, negative);
    }
    void check(const GroupOrder& order, int64_t groups) {
        const int64_t panels = panel_count(weights_.n, kernel_->lanes, kernel_->vectors);
        for (int64_t i = 0; i < panels; ++i) {
            const Panel panel = panel_at(i, weights_.n, kernel_->lanes, kernel_->vectors);
            const Steps steps = steps_of(order, i, groups);
            ASSERT_LE(steps.count, order.steps);
            std::vector<int> seen(static_cast<size_t>(groups), 0);
            for (int64_t s = 0; s < steps.count; ++s) {
                const uint16_t* step = steps.groups + 2 * s;
                ++seen[step[0]];
                seen[step[1]] += step[1] == step[0] ? 0 : 1;
                for (int64_t j = 0; j < panel.vectors * kernel_->lanes; ++j) {
                    ASSERT_LE(most_of(panel.column + j, step, 0), kMostWeights);
                    ASSERT_LE(most_of(panel.column + j, step, 1), kMostWeights);
                }
            }
            EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << "panel " << i;
            for (int64_t g = 0; g < groups; ++g) {
                EXPECT_EQ(steps.groups[steps.place[g]], g);
                EXPECT_TRUE(steps.place[g] % 2 == 0 || steps.groups[steps.place[g] - 1] != g) << "weights of 0";
            }
        }
    }

    GemmWeights weights_;
};

TEST_P(Matched, SumsFitAndNoGroupIsLeftOut) {
    std::normal_distribution<float> normal(0.0F, 36.0F);
    for (const int64_t n : {1, 8, 19, 40}) {
        for (const int64_t length : {1, 4, 7, 32, 129, 600}) {
            std::vector<int8_t> values(static_cast<size_t>(n * length));
            for (int8_t& value : values) {
                value = static_cast<int8_t>(std::clamp(normal(rng_), -127.0F, 127.0F));
            }
            check(match(values, n, length), group_count(length));
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

// Weights as those of trained networks: of a quarter of adjacent groups one does not fit the other.
TEST_P(Matched, NearlyEveryGroupFindsAnother) {
    constexpr int64_t kOutputs = 64;
    constexpr int64_t kLength = 1024;
    std::normal_distribution<float> normal(0.0F, 36.0F);
    std::vector<int8_t> values(static_cast<size_t>(kOutputs * kLength));
    for (int8_t& value : values) {
        value = static_cast<int8_t>(std::clamp(normal(rng_), -127.0F, 127.0F));
    }
    const GroupOrder order = match(values, kOutputs, kLength);
    EXPECT_LE(order.steps, kLength / (2 * kGroup) * 103 / 100);
}

TEST_P(Matched, LargeWeightsStayAlone) {
    const std::vector<int8_t> values(16 * 64, 127);
    const GroupOrder order = match(values, 16, 64);
    EXPECT_EQ(order.steps, group_count(64));
    check(order, group_count(64));
}

std::vector<const GemmKernel*> matched_kernels() {
    std::vector<const GemmKernel*> all(gemm_kernels().begin(), gemm_kernels().end());
    all.erase(std::remove_if(all.begin(), all.end(), [](const GemmKernel* k) { return !k->matched; }), all.end());
    return all;
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, Matched, testing::ValuesIn(matched_kernels()), kernel_test_name<GemmKernel>);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Matched);

}  // namespace
}  // namespace fw::test
