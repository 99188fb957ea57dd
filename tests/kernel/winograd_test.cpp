// Every Winograd kernel of kernels.inc, with the GEMM kernel of its level, against naive loops in double precision:
// partial tiles, channels around the vector's, paddings, outputs with neighbours, threads.
#include "kernel/winograd.h"

#include <cstring>

#include "base/memory.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

struct Case {
    int k, n, in_h, in_w, pad;
    float lo = -std::numeric_limits<float>::infinity();
    float hi = std::numeric_limits<float>::infinity();
    bool extreme = false;  ///< every input and weight as large as it can be, in random signs

    int out_h() const { return in_h + 2 * pad - 2; }
    int out_w() const { return in_w + 2 * pad - 2; }
};

constexpr float kPadding = -0.75F;

struct Data {
    std::vector<float> input;    ///< [y][x][k]
    std::vector<float> weights;  ///< [n][9][k]
    std::vector<float> bias;
};

Data make_data(const Case& c) {
    std::mt19937 rng(20261128);
    Data d;
    const auto fill = [&](std::vector<float>* values, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
            const float x = fill_float(&rng);
            values->push_back(!c.extreme ? x : x < 0 ? -1.0F : 1.0F);
        }
    };
    fill(&d.input, int64_t{c.in_h} * c.in_w * c.k);
    fill(&d.weights, int64_t{c.n} * 9 * c.k);
    fill(&d.bias, c.n);
    return d;
}

class WinogradSweep : public testing::TestWithParam<const WinogradKernel*> {
protected:
    void SetUp() override {
        if (!runs_here(GetParam()->level)) {
            GTEST_SKIP() << name(GetParam()->level) << " is not available on this processor";
        }
    }
    void run(const Case& c);
    std::vector<float> output(const Case& c, const Data& d, int threads);
};

// [y][x][n]; output pixels are slices of wider ones, with canaries behind.
std::vector<float> WinogradSweep::output(const Case& c, const Data& d, int threads) {
    constexpr int kMargin = 3;
    const Winograd winograd = {GetParam(), find_gemm_kernel(false, GetParam()->level, c.n)};
    GemmWeights weights;
    weights.n = c.n;
    weights.taps = 9;
    weights.k = c.k;
    weights.values = d.weights.data();
    weights.bias = d.bias.data();
    GuardedBuffer packed(round_up(packed_winograd_bytes(winograd, weights), kAlignment), kOverread);
    EXPECT_TRUE(pack_winograd(winograd, weights, packed.data()));
    GuardedBuffer input(d.input.size() * sizeof(float), kOverread);
    std::memcpy(input.data(), d.input.data(), d.input.size() * sizeof(float));
    const std::vector<float> padding(static_cast<size_t>(c.k) + kOverread, kPadding);
    const size_t pitch = static_cast<size_t>(c.n) + kMargin;
    const size_t pixels = static_cast<size_t>(c.out_h()) * static_cast<size_t>(c.out_w());
    GuardedBuffer out((pixels * pitch - kMargin) * sizeof(float));
    GuardedBuffer scratch(winograd_scratch_bytes(winograd, c.k, c.n, c.out_h(), c.out_w(), threads));
    ConvJob job;
    ConvGeometry& g = job.geometry;
    g.in_h = c.in_h;
    g.in_w = c.in_w;
    g.in_w_stride = c.k;
    g.in_h_stride = int64_t{c.k} * c.in_w;
    g.out_h = c.out_h();
    g.out_w = c.out_w();
    g.out_w_stride = static_cast<int64_t>(pitch);
    g.out_h_stride = g.out_w_stride * g.out_w;
    g.kernel_h = g.kernel_w = 3;
    g.pad_top = g.pad_left = c.pad;
    job.input = input.data();
    job.output = out.data();
    job.pad_row = padding.data();
    job.packed = packed.data();
    job.k = c.k;
    job.n = c.n;
    job.epilogue.lo = c.lo;
    job.epilogue.hi = c.hi;
    job.threads = threads;
    job.scratch = scratch.data();
    run_winograd(winograd, job);

    std::vector<float> values;
    for (size_t p = 0; p < pixels; ++p) {
        const float* pixel = out.data<float>() + p * pitch;
        values.insert(values.end(), pixel, pixel + c.n);
        for (size_t i = 0; i < kMargin && p + 1 < pixels; ++i) {
            uint32_t bits = 0;
            std::memcpy(&bits, pixel + c.n + i, sizeof(bits));
            EXPECT_EQ(bits, 0x7f7f7f7fU) << "wrote behind pixel " << p;
        }
    }
    return values;
}

void WinogradSweep::run(const Case& c) {
    SCOPED_TRACE(testing::Message() << c.k << " to " << c.n << " channels, " << c.in_h << "x" << c.in_w << ", padding "
                                    << c.pad);
    const Data d = make_data(c);
    const std::vector<float> got = output(c, d, 1);
    const double part = static_cast<double>(Winograd{GetParam(), nullptr}.error_bound());
    size_t i = 0;
    for (int y = 0; y < c.out_h(); ++y) {
        for (int x = 0; x < c.out_w(); ++x) {
            for (int o = 0; o < c.n; ++o, ++i) {
                double sum = static_cast<double>(d.bias[static_cast<size_t>(o)]);
                double weight_sum = 0;
                for (int t = 0; t < 9; ++t) {
                    const int iy = y - c.pad + t / 3;
                    const int ix = x - c.pad + t % 3;
                    const bool inside = iy >= 0 && iy < c.in_h && ix >= 0 && ix < c.in_w;
                    for (int p = 0; p < c.k; ++p) {
                        const auto w = static_cast<double>(d.weights[static_cast<size_t>((o * 9 + t) * c.k + p)]);
                        const auto at = static_cast<size_t>((iy * c.in_w + ix) * c.k + p);
                        sum += w * static_cast<double>(inside ? d.input[at] : kPadding);
                        weight_sum += std::fabs(w);
                    }
                }
                sum = std::min(std::max(sum, static_cast<double>(c.lo)), static_cast<double>(c.hi));
                // Inputs are within [-1, 1].
                ASSERT_NEAR(static_cast<double>(got[i]), sum, part * weight_sum) << "at " << y << "," << x << "," << o;
            }
        }
    }
    for (const int threads : {2, 3, 8}) {
        ASSERT_EQ(output(c, d, threads), got) << threads << " threads";
    }
}

TEST_P(WinogradSweep, SizesMatchNaiveLoops) {
    for (const int side : {1, 2, 4, 6, 7, 13}) {
        for (const int channels : {1, 15, 16, 17, 33}) {
            run({channels, 20, side, side + 2, 1});
        }
    }
    for (const int outputs : {1, 7, 16, 31, 49}) {
        run({18, outputs, 5, 9, 1});
    }
    run({16, 16, 9, 5, 0});
    run({16, 16, 3, 3, 2});
    run({5, 4, 40, 60, 1});  // several blocks a thread
}

TEST_P(WinogradSweep, LongSumsAndBounds) {
    Case c = {512, 24, 12, 12, 1};
    run(c);
    c.extreme = true;
    run(c);
    run({16, 17, 8, 8, 1, 0.0F, 6.0F});
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, WinogradSweep,
                         testing::ValuesIn(winograd_kernels().begin(), winograd_kernels().end()),
                         kernel_test_name<WinogradKernel>);

TEST(Winograd, PaysForManyChannelsAndPixels) {
    for (const Isa isa : available_isas()) {
        EXPECT_EQ(choose_winograd(isa, 8, 64, 56, 56).kernel, nullptr) << "few channels: transforms cost too much";
        EXPECT_EQ(choose_winograd(isa, 512, 512, 2, 2).kernel, nullptr) << "few pixels: weights cost too much";
        const Winograd small = choose_winograd(isa, 64, 64, 28, 28);
        ASSERT_NE(small.kernel, nullptr);
        EXPECT_EQ(small.kernel->size, 4) << "7 tiles of 4 cover 28, 5 of 6 are 30";
        const Winograd large = choose_winograd(isa, 64, 64, 240, 240);
        ASSERT_NE(large.kernel, nullptr);
        EXPECT_EQ(large.kernel->size, 6);
    }
}

}  // namespace
}  // namespace fw::test
