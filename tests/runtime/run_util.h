// Loading and running small nets in tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "fw/net.h"
#include "support/net_files.h"

namespace fw::test {

#define FW_ASSERT_OK(expr)                                                  \
    do {                                                                    \
        const ::fw::Status fw_assert_status_ = (expr);                      \
        ASSERT_TRUE(fw_assert_status_.ok()) << fw_assert_status_.message(); \
    } while (false)

inline std::vector<float> values(const Mat& mat) {
    return std::vector<float>(mat.data(), mat.data() + mat.count());
}

inline Mat mat_of(const Shape& shape, const std::vector<float>& from) {
    Mat mat = *Mat::create(shape);
    EXPECT_EQ(static_cast<size_t>(mat.count()), from.size());
    std::copy(from.begin(), from.end(), mat.data());
    return mat;
}

/// Sets the inputs and extracts `blob`; an empty Mat (and a failure) on error.
inline Mat run(const Net& net, const std::map<std::string, Mat>& inputs, const std::string& blob) {
    Extractor extractor = net.create_extractor();
    for (const auto& [name, mat] : inputs) {
        const Status status = extractor.input(name.c_str(), mat);
        EXPECT_TRUE(status.ok()) << status.message();
    }
    Mat out;
    const Status status = extractor.extract(blob.c_str(), &out);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
}

/// Largest difference, as a share of the largest value.
inline double relative_difference(const Mat& a, const Mat& b) {
    if (a.shape() != b.shape()) {
        return INFINITY;
    }
    double most = 0.0;
    double largest = 0.0;
    for (int64_t i = 0; i < a.count(); ++i) {
        const double d = std::fabs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]));
        most = d <= most ? most : d;  // a NaN sticks
        largest = std::max(largest, std::fabs(static_cast<double>(b.data()[i])));
    }
    return largest > 0.0 ? most / largest : most;
}

}  // namespace fw::test
