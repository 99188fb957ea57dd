// The methods against numpy's figures (make_threshold_golden.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "quant/threshold.h"
#include "support/source_dir.h"

namespace fw {
namespace {

// What is left open, where [lo, hi] is the range: percentiles end inside one of the 2048 bins of all values; kl and mse
// look at the same bins as the script does.
double tolerance(const std::string& method, const Histogram& histogram, double lo, double hi) {
    if (method == "percentile") {
        return 1.5 / 2048 * (static_cast<double>(histogram.max()) - static_cast<double>(histogram.min()));
    }
    return (method == "aciq" ? 2e-3 : 1e-6) * (hi - lo);
}

TEST(ThresholdGolden, RangesAreNumpys) {
    std::ifstream file(FW_SOURCE_DIR "/tests/quant/threshold_golden.json");
    const nlohmann::json golden = nlohmann::json::parse(file);
    int cases = 0;
    for (const nlohmann::json& set : golden["sets"]) {
        const auto values = set["values"].get<std::vector<float>>();
        ActivationStatistics statistics;
        constexpr size_t kImage = 100;
        for (size_t begin = 0; begin < values.size(); begin += kImage) {
            const Span<const float> image(values.data() + begin, kImage);
            ASSERT_TRUE(statistics.histogram.add(image));
            statistics.image_min.push_back(std::min(0.0F, *std::min_element(image.begin(), image.end())));
            statistics.image_max.push_back(std::max(0.0F, *std::max_element(image.begin(), image.end())));
        }
        for (const nlohmann::json& expected : set["cases"]) {
            const auto method = expected["method"].get<std::string>();
            SCOPED_TRACE(set["name"].get<std::string>() + " " + method + (expected["symmetric"] ? " symmetric" : ""));
            ThresholdOptions options;
            ASSERT_TRUE(find_method(method, &options.method));
            options.symmetric = expected["symmetric"].get<bool>();
            options.percentile = golden["percentile"].get<double>();
            const ClipRange range = clip_range(statistics, options);
            const auto lo = expected["range"][0].get<double>();
            const auto hi = expected["range"][1].get<double>();
            const double bound = tolerance(method, statistics.histogram, lo, hi);
            EXPECT_NEAR(static_cast<double>(range.lo), lo, bound);
            EXPECT_NEAR(static_cast<double>(range.hi), hi, bound);
            ++cases;
        }
    }
    EXPECT_EQ(cases, 48);
}

}  // namespace
}  // namespace fw
