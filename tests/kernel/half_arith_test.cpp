// Arithmetic of float16: sums and products have the bits of a float result that is rounded, functions are near those of
// double, for every length of a tail, in place too, and nothing is written behind.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/half.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {

namespace {

constexpr int64_t kCounts[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 39, 40, 64, 71, 100};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class HalfArithSweep : public KernelSweep<HalfArithKernel> {
protected:
    // Of all exponents, zeros and numbers below 2^-14 among them.
    uint16_t number() {
        for (;;) {
            const auto bits = static_cast<uint16_t>(std::uniform_int_distribution<int>(0, 65535)(rng_));
            if (std::isfinite(half_to_float(bits))) {
                return bits;
            }
        }
    }
    std::vector<uint16_t> numbers(int64_t count) {
        std::vector<uint16_t> list(static_cast<size_t>(count));
        for (uint16_t& x : list) {
            x = number();
        }
        return list;
    }
    using Binary = void (*)(const uint16_t*, const uint16_t*, int64_t, uint16_t*);
    void check(Binary kernel, float (*exact)(float, float)) {
        for (int turn = 0; turn < 200; ++turn) {
            const int64_t count = kCounts[static_cast<size_t>(turn) % std::size(kCounts)];
            const auto n = static_cast<size_t>(count);
            const std::vector<uint16_t> a = numbers(count);
            const std::vector<uint16_t> b = numbers(count);
            GuardedBuffer left(n * 2);
            GuardedBuffer right(n * 2);
            GuardedBuffer out(n * 2);
            std::copy(a.begin(), a.end(), left.data<uint16_t>());
            std::copy(b.begin(), b.end(), right.data<uint16_t>());
            kernel(left.data<uint16_t>(), right.data<uint16_t>(), count, out.data<uint16_t>());
            kernel(left.data<uint16_t>(), right.data<uint16_t>(), count, right.data<uint16_t>());
            for (size_t i = 0; i < n; ++i) {
                const uint16_t want = float_to_half(exact(half_to_float(a[i]), half_to_float(b[i])));
                ASSERT_EQ(out.data<uint16_t>()[i], want) << a[i] << " and " << b[i];
                ASSERT_EQ(right.data<uint16_t>()[i], want) << "in place, " << a[i] << " and " << b[i];
            }
        }
    }
};

struct HalfFunction {
    FunctionArgs args;
    double (*exact)(double x);
    double relative;  ///< bound on |error| / max(2^-14, |x|) or, of what is at most 1, on |error|, above 2^-25
};

double gate(double x) {
    return std::min(1.0, std::max(0.0, x / 6.0 + 0.5));
}

const HalfFunction kFunctions[] = {
    // The slope is rounded, the gate is rounded, the product is rounded: 2^-12 each of 1/2 or of 1.
    {{FloatFunction::kHardSigmoid, 1.0F / 6.0F, 0.5F}, gate, 0x1p-11},
    {{FloatFunction::kHardSwish, 1.0F / 6.0F, 0.5F}, [](double x) { return x * gate(x); }, 0x1p-10},
    {{FloatFunction::kLeakyRelu, 0.1F}, [](double x) { return x > 0.0 ? x : x * static_cast<double>(0.1F); }, 0x1p-13},
};

}  // namespace

TEST_P(HalfArithSweep, SumsHaveTheBitsOfRoundedFloats) {
    check(kernel_->sum, [](float x, float y) { return x + y; });
}

TEST_P(HalfArithSweep, ProductsHaveTheBitsOfRoundedFloats) {
    check(kernel_->product, [](float x, float y) { return x * y; });
}

TEST_P(HalfArithSweep, FunctionsAreNearThoseOfDoubleOverAllNumbers) {
    for (const HalfFunction& function : kFunctions) {
        std::vector<uint16_t> x;
        for (int bits = 0; bits < 65536; ++bits) {
            if (std::isfinite(half_to_float(static_cast<uint16_t>(bits)))) {
                x.push_back(static_cast<uint16_t>(bits));
            }
        }
        std::vector<uint16_t> y(x.size());
        ASSERT_TRUE(kernel_->apply(function.args, x.data(), static_cast<int64_t>(x.size()), y.data()));
        for (size_t i = 0; i < x.size(); ++i) {
            const auto value = static_cast<double>(half_to_float(x[i]));
            const double scale =
                function.args.function == FloatFunction::kHardSigmoid ? 1.0 : std::max(0x1p-14, std::fabs(value));
            ASSERT_NEAR(static_cast<double>(half_to_float(y[i])), function.exact(value),
                        function.relative * scale + 0x1p-25)
                << static_cast<int>(function.args.function) << " of " << value;
        }
    }
}

TEST_P(HalfArithSweep, FunctionsOfAnyLengthInPlace) {
    for (const HalfFunction& function : kFunctions) {
        for (const int64_t count : kCounts) {
            const auto n = static_cast<size_t>(count);
            const std::vector<uint16_t> x = numbers(count);
            GuardedBuffer out(n * 2);
            std::copy(x.begin(), x.end(), out.data<uint16_t>());
            ASSERT_TRUE(kernel_->apply(function.args, out.data<uint16_t>(), count, out.data<uint16_t>()));
            for (size_t i = 0; i < n; ++i) {
                uint16_t one = 0;
                ASSERT_TRUE(kernel_->apply(function.args, &x[i], 1, &one));
                ASSERT_EQ(out.data<uint16_t>()[i], one) << i << " of " << n;
            }
        }
    }
}

TEST_P(HalfArithSweep, FunctionsOfInfinityAndNan) {
    const uint16_t x[] = {float_to_half(std::numeric_limits<float>::quiet_NaN()), float_to_half(kInfinity),
                          float_to_half(-kInfinity)};
    for (const HalfFunction& function : kFunctions) {
        uint16_t y[3] = {};
        ASSERT_TRUE(kernel_->apply(function.args, x, 3, y));
        EXPECT_TRUE(std::isnan(half_to_float(y[0])));
        const bool bounded = function.args.function == FloatFunction::kHardSigmoid;
        EXPECT_EQ(half_to_float(y[1]), bounded ? 1.0F : kInfinity);
        EXPECT_EQ(half_to_float(y[2]), function.args.function == FloatFunction::kLeakyRelu ? -kInfinity : 0.0F);
    }
}

TEST_P(HalfArithSweep, RefusesWhatItHasNot) {
    uint16_t y = 7;
    const uint16_t x = float_to_half(1.0F);
    EXPECT_FALSE(kernel_->apply({FloatFunction::kExp}, &x, 1, &y));
    EXPECT_FALSE(kernel_->apply({FloatFunction::kHardSwish, 1e6F, 0.5F}, &x, 1, &y));
    EXPECT_FALSE(kernel_->apply({FloatFunction::kHardSwish, 1.0F, std::nanf("")}, &x, 1, &y));
    EXPECT_EQ(y, 7);
    EXPECT_TRUE(kernel_->apply({FloatFunction::kHardSwish, 0.25F, 0.5F}, nullptr, 0, nullptr));
}

TEST_P(HalfArithSweep, AccumulatesInFloat) {
    for (const int64_t count : kCounts) {
        constexpr int64_t kRows = 5;
        const int64_t step = count + 3;
        const auto n = static_cast<size_t>(count);
        std::vector<uint16_t> x(static_cast<size_t>(kRows * step));
        for (uint16_t& value : x) {
            value = float_to_half(fill_float(&rng_));
        }
        GuardedBuffer sum(n * sizeof(float));
        std::vector<float> want(n);
        for (size_t i = 0; i < n; ++i) {
            sum.data<float>()[i] = want[i] = static_cast<float>(i);
            for (int64_t r = 0; r < kRows; ++r) {
                want[i] += half_to_float(x[i + static_cast<size_t>(r * step)]);
            }
        }
        GuardedBuffer rows(x.size() * 2 - 6);
        std::memcpy(rows.data<uint16_t>(), x.data(), x.size() * 2 - 6);
        kernel_->accumulate(rows.data<uint16_t>(), step, kRows, count, sum.data<float>());
        for (size_t i = 0; i < n; ++i) {
            ASSERT_EQ(sum.data<float>()[i], want[i]) << i << " of " << n;
        }
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HalfArithSweep);
INSTANTIATE_TEST_SUITE_P(KernelsInc, HalfArithSweep,
                         testing::ValuesIn(half_arith_kernels().begin(), half_arith_kernels().end()),
                         kernel_test_name<HalfArithKernel>);

}  // namespace fw::test
