// Strassen's kernels of kernels.inc with the GEMM kernel of their level, against naive loops in double precision: whole
// numbers exactly, others within the stated bound. Odd numbers of pixels, outputs with neighbours, bounds, threads.
#include "kernel/strassen.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/half.h"
#include "base/memory.h"
#include "kernel/dispatch.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
    int k, n, height, width;
    int in_gap, out_gap;  ///< elements behind a pixel that belong to others, in and out; behind a line twice as many
    bool whole;           ///< numbers from -2 to 2
    float lo, hi;
};

void PrintTo(const Case& c, std::ostream* os) {  // NOLINT(readability-identifier-naming)
    *os << c.k << " to " << c.n << ", " << c.height << " x " << c.width << (c.whole ? " whole" : "");
}

class Strassens : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(All, Strassens,
                         testing::Values(Case{64, 64, 1, 1, 0, 0, true, -kInfinity, kInfinity},
                                         Case{128, 64, 5, 7, 0, 8, true, 0.0F, kInfinity},
                                         Case{64, 192, 4, 9, 3, 0, true, -20.0F, 30.0F},
                                         Case{256, 128, 7, 7, 0, 0, false, 0.0F, kInfinity},
                                         Case{640, 128, 6, 6, 8, 8, false, -kInfinity, kInfinity},
                                         Case{128, 128, 31, 19, 0, 0, false, -1.0F, 6.0F}));

TEST_P(Strassens, MatchNaiveLoops) {
    const Case& c = GetParam();
    Strassen strassen;
    for (const Isa isa : available_isas()) {
        if (find_strassen_kernel(isa) != nullptr) {
            strassen.kernel = find_strassen_kernel(isa);
            strassen.gemm = find_half_gemm_kernel(HalfFormat::kFloat16, isa, true);
        }
    }
    if (strassen.kernel == nullptr) {
        GTEST_SKIP() << "this processor has no arithmetic on half floats";
    }
    std::mt19937 rng(20261130);
    const auto number = [&] {
        return c.whole ? static_cast<float>(std::uniform_int_distribution<int>(-2, 2)(rng)) : fill_float(&rng);
    };
    const auto k = static_cast<size_t>(c.k);
    const auto n = static_cast<size_t>(c.n);
    std::vector<float> w(n * k);
    std::vector<float> bias(n);
    std::generate(w.begin(), w.end(), number);
    std::generate(bias.begin(), bias.end(), number);
    GemmWeights weights;
    weights.n = c.n;
    weights.k = c.k;
    weights.values = w.data();
    weights.bias = bias.data();
    ASSERT_TRUE(strassen_fits(weights));
    GuardedBuffer packed(packed_strassen_bytes(strassen, weights), kOverread);
    pack_strassen(strassen, weights, packed.data());

    ConvJob job;
    ConvGeometry& g = job.geometry;
    g.in_h = g.out_h = c.height;
    g.in_w = g.out_w = c.width;
    g.in_w_stride = c.k + c.in_gap;
    g.in_h_stride = c.width * g.in_w_stride + 2 * c.in_gap;
    g.out_w_stride = c.n + c.out_gap;
    g.out_h_stride = c.width * g.out_w_stride + 2 * c.out_gap;
    const auto in_count = static_cast<size_t>(c.height * g.in_h_stride);
    const auto out_count = static_cast<size_t>((c.height - 1) * g.out_h_stride + (c.width - 1) * g.out_w_stride) + n;
    std::vector<float> x(in_count);
    std::generate(x.begin(), x.end(), [&] { return half_to_float(float_to_half(number())); });
    GuardedBuffer in(2 * in_count, kOverread);
    std::transform(x.begin(), x.end(), in.data<uint16_t>(), float_to_half);
    job.k = c.k;
    job.n = c.n;
    job.packed = packed.data();
    job.input = in.data();
    job.half_input = true;
    job.out_element_size = 2;
    job.epilogue.half_output = true;
    job.epilogue.lo = c.lo;
    job.epilogue.hi = c.hi;
    std::vector<uint16_t> first;
    for (const int threads : {1, 3}) {
        GuardedBuffer out(2 * out_count);
        GuardedBuffer scratch(strassen_scratch_bytes(c.k, c.n, g.pixels(), threads));
        job.output = out.data();
        job.threads = threads;
        job.scratch = scratch.data();
        run_strassen(strassen, job);
        std::vector<uint16_t> got(out_count);
        std::memcpy(got.data(), out.data(), 2 * out_count);
        first = first.empty() ? got : first;
        ASSERT_EQ(got, first);
    }
    // Of each output: the largest input of its pair of pixels, and the weights of both outputs that are summed.
    const auto pixel_at = [&](int64_t p, int64_t w_stride, int64_t h_stride) {
        return static_cast<size_t>(p / c.width * h_stride + p % c.width * w_stride);
    };
    std::vector<uint16_t> rest = first;
    for (int64_t p = 0; p < g.pixels(); ++p) {
        const float* row = &x[pixel_at(p, g.in_w_stride, g.in_h_stride)];
        const float* other = &x[pixel_at(std::min(p ^ 1, g.pixels() - 1), g.in_w_stride, g.in_h_stride)];
        float most = 0.0F;
        for (size_t i = 0; i < k; ++i) {
            most = std::max({most, std::fabs(row[i]), std::fabs(other[i])});
        }
        for (size_t j = 0; j < n; ++j) {
            double sum = static_cast<double>(bias[j]);
            double size = 0;
            for (size_t i = 0; i < k; ++i) {
                sum += static_cast<double>(row[i]) * static_cast<double>(w[j * k + i]);
                size += std::fabs(static_cast<double>(w[j * k + i])) +
                        std::fabs(static_cast<double>(w[(j + n / 2) % n * k + i]));
            }
            const double want = std::clamp(sum, static_cast<double>(c.lo), static_cast<double>(c.hi));
            const double bound = c.whole
                                     ? 0.0
                                     : 0x1p-9 * static_cast<double>(most) * size +
                                           0x1p-11 * (2 * std::fabs(static_cast<double>(bias[j])) + std::fabs(want));
            const size_t at = pixel_at(p, g.out_w_stride, g.out_h_stride) + j;
            ASSERT_NEAR(static_cast<double>(half_to_float(first[at])), want, bound) << p << ", " << j;
            rest[at] = 0x7f7f;
        }
    }
    EXPECT_TRUE(std::all_of(rest.begin(), rest.end(), [](uint16_t bits) { return bits == 0x7f7f; }))
        << "wrote between pixels";
}

TEST(StrassensChoice, IsOfWholeBlocksThatSaveEnough) {
    const Isa isa = Isa::kFp16;
    const bool can = find_strassen_kernel(isa) != nullptr;
    EXPECT_EQ(choose_strassen(isa, 256, 256, 196).kernel != nullptr, can);
    EXPECT_EQ(choose_strassen(isa, 32, 64, 12544).kernel, nullptr);
    EXPECT_EQ(choose_strassen(isa, 256, 256, 16).kernel, nullptr);
    EXPECT_EQ(choose_strassen(isa, 256, 250, 196).kernel, nullptr);
    EXPECT_EQ(choose_strassen(Isa::kScalar, 256, 256, 196).kernel, nullptr);
}

TEST(StrassensWeights, StayInRange) {
    std::vector<float> w(size_t{64} * 64, 1.0F);
    GemmWeights weights;
    weights.n = weights.k = 64;
    weights.values = w.data();
    EXPECT_TRUE(strassen_fits(weights));
    w.back() = -32752.0F;
    EXPECT_TRUE(strassen_fits(weights));
    w.back() = 32768.0F;
    EXPECT_FALSE(strassen_fits(weights));
    w.back() = std::numeric_limits<float>::quiet_NaN();
    EXPECT_FALSE(strassen_fits(weights));
}

}  // namespace
}  // namespace fw::test
