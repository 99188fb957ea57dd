// The norm family against the formulas of docs/int8-contract.md, one element at a time.
#include <cfloat>
#include <cstring>

#include "base/memory.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

const int64_t kCounts[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 192, 256};
constexpr int64_t kMore = 8;  // elements behind the last that may be read and written

class NormSweep : public KernelSweep<NormKernel> {
protected:
    void expect_sums(int64_t count, int32_t zero_point, Fill contents) {
        const auto n = static_cast<size_t>(count);
        GuardedBuffer x(n);
        int64_t sum = 0;
        int64_t square_sum = 0;
        for (size_t i = 0; i < n; ++i) {
            x.data<int8_t>()[i] = fill_int8(&rng_, contents, false);
            const int64_t d = x.data<int8_t>()[i] - zero_point;
            sum += d;
            square_sum += d * d;
        }
        int32_t sums[2] = {1, 1};
        kernel_->sum(x.data<int8_t>(), count, zero_point, sums);
        EXPECT_EQ(sums[0], sum) << count << " bytes, zero point " << zero_point;
        EXPECT_EQ(sums[1], square_sum) << count << " bytes, zero point " << zero_point;
    }

    // Whether the kernel vouches for the constants; they are compared in any case.
    bool constants(const std::vector<double>& gamma, const std::vector<double>& shift, double factor, double mean) {
        const size_t n = gamma.size();
        GuardedBuffer in[2] = {GuardedBuffer(8 * n, kOverread), GuardedBuffer(8 * n, kOverread)};
        std::memcpy(in[0].data<double>(), gamma.data(), 8 * n);
        std::memcpy(in[1].data<double>(), shift.data(), 8 * n);
        std::vector<float> a(n + kMore);
        std::vector<float> b(n + kMore);
        NormArgs args;
        args.gamma = in[0].data<double>();
        args.shift = in[1].data<double>();
        args.factor = factor;
        args.mean = mean;
        const bool normal = kernel_->constants(args, static_cast<int64_t>(n), a.data(), b.data());
        for (size_t i = 0; i < n; ++i) {
            const double g = gamma[i] * factor;
            const double centre = g * mean;
            EXPECT_EQ(a[i], static_cast<float>(g)) << "element " << i << " of " << n;
            EXPECT_EQ(b[i], static_cast<float>(shift[i] - centre)) << "element " << i << " of " << n;
        }
        return normal;
    }
};

TEST_P(NormSweep, Sums) {
    for (const int32_t zero_point : {0, -128, 127, 9}) {
        for (const int64_t count : kCounts) {
            expect_sums(count, zero_point, Fill::kRandom);
        }
        expect_sums(NormKernel::kMostSummed, zero_point, Fill::kLowest);
        expect_sums(NormKernel::kMostSummed, zero_point, Fill::kHighest);
        expect_sums(NormKernel::kMostSummed - 1, zero_point, Fill::kRandom);
    }
}

TEST_P(NormSweep, Constants) {
    for (const int64_t count : kCounts) {
        std::vector<double> gamma(static_cast<size_t>(count));
        std::vector<double> shift(gamma.size());
        for (size_t i = 0; i < gamma.size(); ++i) {
            gamma[i] = i % 5 == 1 ? 0.0 : static_cast<double>(fill_float(&rng_));
            shift[i] = i % 5 < 2 ? 0.0 : static_cast<double>(fill_float(&rng_)) * 41.7;
        }
        EXPECT_TRUE(constants(gamma, shift, 0.37, -11.3));
        EXPECT_TRUE(constants(gamma, shift, 0.37, 0.0));
        EXPECT_TRUE(constants(gamma, shift, 0.0, 3.0));
    }
}

// Wherever it is, one number that is too small or too large is noticed.
TEST_P(NormSweep, ConstantsOutOfRange) {
    const auto least = static_cast<double>(FLT_MIN);
    const auto most = static_cast<double>(FLT_MAX);
    for (size_t n = 1; n < 18; ++n) {
        for (size_t i = 0; i < n; ++i) {
            const std::vector<double> zeros(n);
            std::vector<double> one(n);
            for (const double bad : {least * 0.999, least * 1e-6, least * (1 - 1e-12), most * 1.001, most * 1e9}) {
                one[i] = -bad;
                EXPECT_FALSE(constants(one, zeros, 1.0, 0.0)) << bad;
                EXPECT_FALSE(constants(zeros, one, 1.0, 0.0)) << bad;
            }
            for (const double good : {least * 1.001, most}) {
                one[i] = good;
                EXPECT_TRUE(constants(one, zeros, 1.0, 0.0)) << good;
                EXPECT_TRUE(constants(zeros, one, 1.0, 0.0)) << good;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, NormSweep, testing::ValuesIn(norm_kernels().begin(), norm_kernels().end()),
                         kernel_test_name<NormKernel>);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NormSweep);

}  // namespace
}  // namespace fw::test
